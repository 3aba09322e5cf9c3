/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "agent/options.h"

#include "agent/conf-file.h"
#include "common/error.h"

#include <getopt.h>

/* Where qemu-ga looks for the hook of a bare -F. */
#define NEGO_OPTIONS_DEFAULT_HOOK "/etc/qemu/fsfreeze-hook"
#define NEGO_OPTIONS_SHORT        ":c:m:p:l:f:F::t:vVdb:a:s:Drh"

enum {
  NEGO_OPTION_CHANNEL = 256, /* behind all short options */
  NEGO_OPTION_NO_QGA,
};

static const struct option nego_options_long[] = {
  { "config", required_argument, NULL, 'c' },
  { "method", required_argument, NULL, 'm' },
  { "path", required_argument, NULL, 'p' },
  { "logfile", required_argument, NULL, 'l' },
  { "pidfile", required_argument, NULL, 'f' },
  { "fsfreeze-hook", optional_argument, NULL, 'F' },
  { "statedir", required_argument, NULL, 't' },
  { "verbose", no_argument, NULL, 'v' },
  { "version", no_argument, NULL, 'V' },
  { "daemonize", no_argument, NULL, 'd' },
  { "daemon", no_argument, NULL, 'd' },
  { "block-rpcs", required_argument, NULL, 'b' },
  { "blacklist", required_argument, NULL, 'b' },
  { "allow-rpcs", required_argument, NULL, 'a' },
  { "dump-conf", no_argument, NULL, 'D' },
  { "retry-path", no_argument, NULL, 'r' },
  { "help", no_argument, NULL, 'h' },
  { "channel", required_argument, NULL, NEGO_OPTION_CHANNEL },
  { "no-qga", no_argument, NULL, NEGO_OPTION_NO_QGA },
  { NULL, 0, NULL, 0 },
};

/* What each option sets; those that set nothing are not here. */
static const struct {
  int option;
  const char *group, *key;
  const char *value; /* where the option has no argument */
} nego_options_settings[] = {
  { 'm', NEGO_CONF_GROUP_QGA, "method", NULL },
  { 'p', NEGO_CONF_GROUP_QGA, "path", NULL },
  { 'l', NEGO_CONF_GROUP_QGA, "logfile", NULL },
  { 'f', NEGO_CONF_GROUP_QGA, "pidfile", NULL },
  { 'F', NEGO_CONF_GROUP_QGA, "fsfreeze-hook", NEGO_OPTIONS_DEFAULT_HOOK },
  { 't', NEGO_CONF_GROUP_QGA, "statedir", NULL },
  { 'v', NEGO_CONF_GROUP_QGA, "verbose", "true" },
  { 'd', NEGO_CONF_GROUP_QGA, "daemon", "true" },
  { 'r', NEGO_CONF_GROUP_QGA, "retry-path", "true" },
  { 'b', NEGO_CONF_GROUP_QGA, "block-rpcs", NULL },
  { 'a', NEGO_CONF_GROUP_QGA, "allow-rpcs", NULL },
  { NEGO_OPTION_CHANNEL, NEGO_CONF_GROUP, "channels", NULL },
  { NEGO_OPTION_NO_QGA, NEGO_CONF_GROUP, "serve-qga", "false" },
};

static int
nego_options_next (int argc, char **argv)
{
  return getopt_long (argc, argv, NEGO_OPTIONS_SHORT, nego_options_long, NULL);
}

/* The option as an error names it. */
static char *
nego_options_spell (int option)
{
  gsize i;

  for (i = 0; nego_options_long[i].name != NULL; i++)
    if (nego_options_long[i].val == option)
      return option < NEGO_OPTION_CHANNEL
               ? g_strdup_printf ("-%c, --%s", option, nego_options_long[i].name)
               : g_strdup_printf ("--%s", nego_options_long[i].name);
  return g_strdup_printf ("-%c", option);
}

static gboolean
nego_options_refuse (char **argv, int result, GError **error)
{
  g_autofree char *option = nego_options_spell (optopt);

  if (result == ':')
    g_set_error (error, NEGO_ERROR, NEGO_ERROR_CONFIG, "option '%s' needs an argument", option);
  else if (optopt == 0)
    g_set_error (error, NEGO_ERROR, NEGO_ERROR_CONFIG, "unknown option '%s', see --help",
                 argv[optind - 1]);
  else if (g_str_has_prefix (argv[optind - 1], "--"))
    g_set_error (error, NEGO_ERROR, NEGO_ERROR_CONFIG, "option '%s' takes no argument", option);
  else
    g_set_error (error, NEGO_ERROR, NEGO_ERROR_CONFIG, "unknown option '%s', see --help", option);
  return FALSE;
}

/* The first pass, before any file is loaded: which file, and whether one is needed at all. */
static gboolean
nego_options_scan (
  int argc, char **argv, const char **config_path, NegoOptionsAction *action, GError **error)
{
  int option;

  optind = 0; /* glibc: start anew */
  opterr = 0;
  while ((option = nego_options_next (argc, argv)) != -1) {
    switch (option) {
    case '?':
    case ':':
      return nego_options_refuse (argv, option, error);
    case 'c':
      *config_path = optarg;
      break;
    case 'h':
      *action = NEGO_OPTIONS_HELP;
      return TRUE;
    case 'V':
      *action = NEGO_OPTIONS_VERSION;
      return TRUE;
    case 'D':
      *action = NEGO_OPTIONS_DUMP;
      break;
    case 'a':
    case 'b':
      if (g_str_equal (optarg, "help") || g_str_equal (optarg, "?")) {
        *action = NEGO_OPTIONS_LIST_COMMANDS;
        return TRUE;
      }
      break;
    default:
      break;
    }
  }
  return TRUE;
}

static gboolean
nego_options_apply (NegoConf *conf, int option, const char *argument, GError **error)
{
  gsize i;

  for (i = 0; i < G_N_ELEMENTS (nego_options_settings); i++) {
    const char *value = argument != NULL ? argument : nego_options_settings[i].value;
    g_autofree char *name = NULL;

    if (nego_options_settings[i].option != option)
      continue;
    if (nego_conf_set (conf, nego_options_settings[i].group, nego_options_settings[i].key, value,
                       error))
      return TRUE;
    name = nego_options_spell (option);
    g_prefix_error (error, "option '%s': ", name);
    return FALSE;
  }
  return TRUE;
}

gboolean
nego_options_parse (
  int argc, char **argv, NegoConf *conf, NegoOptionsAction *action, GError **error)
{
  const char *config_path = NULL;
  int option;

  *action = NEGO_OPTIONS_RUN;
  if (!nego_options_scan (argc, argv, &config_path, action, error))
    return FALSE;
  if (*action != NEGO_OPTIONS_RUN && *action != NEGO_OPTIONS_DUMP)
    return TRUE;
  if (!nego_conf_file_load_all (conf, config_path, error))
    return FALSE;
  optind = 0;
  while ((option = nego_options_next (argc, argv)) != -1)
    if (!nego_options_apply (conf, option, optarg, error))
      return FALSE;
  for (; optind < argc; optind++)
    nego_conf_warn (conf, "the argument '%s' is ignored", argv[optind]);
  return TRUE;
}

/* Scripts look for "QEMU Guest Agent X.Y.Z" at the start of the first line, and distributions add
 * to it in brackets: that line is the level of QGA that we implement, and our own version is in
 * there. */
const char *
nego_options_version (void)
{
  return "QEMU Guest Agent " NEGO_QGA_VERSION " (nego-agent " NEGO_VERSION ")\n";
}

static const char nego_options_help_text[]
  = "The guest's side of Negotiator: serves the QEMU guest agent's protocol and the guest's "
    "scripts.\n"
    "\n"
    "Channels:\n"
    "  -m, --method METHOD        of the QGA channel: virtio-serial (default), isa-serial,\n"
    "                             unix-listen, vsock-listen\n"
    "  -p, --path PATH            of the QGA channel: a device, a socket, or CID:PORT for vsock;\n"
    "                             default: /dev/virtio-ports/org.qemu.guest_agent.0, /dev/ttyS0\n"
    "      --channel METHOD:PATH  one more channel (repeatable); the method can also be fd, with\n"
    "                             the number of an inherited descriptor\n"
    "      --no-qga               leave the QGA channel to qemu-ga (serve-qga = false)\n"
    "  -r, --retry-path           accepted; channels always come back\n"
    "\n"
    "Commands:\n"
    "  -b, --block-rpcs LIST      commands that are not served, with commas; 'help' lists all\n"
    "  -a, --allow-rpcs LIST      serve no others than these\n"
    "  -F, --fsfreeze-hook[=PATH] the script for freeze and thaw;\n"
    "                             default: " NEGO_OPTIONS_DEFAULT_HOOK "\n"
    "\n"
    "Process:\n"
    "  -c, --config PATH          the configuration file, instead of /etc/qemu/qemu-ga.conf and\n"
    "                             " NEGO_SYSCONFDIR "/agent.conf\n"
    "  -d, --daemonize            run in the background\n"
    "  -f, --pidfile PATH         of the daemon; default: /var/run/qemu-ga.pid\n"
    "  -t, --statedir DIR         for state that survives a restart; default: /var/run\n"
    "  -l, --logfile PATH         default: the standard error\n"
    "  -v, --verbose              log more\n"
    "\n"
    "Other:\n"
    "  -D, --dump-conf            print the configuration that is in force\n"
    "  -V, --version\n"
    "  -h, --help\n";

char *
nego_options_help (const char *program)
{
  return g_strdup_printf ("Usage: %s [-m METHOD -p PATH] [OPTION...]\n%s", program,
                          nego_options_help_text);
}
