/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "agent/guest-client/options.h"

#include "common/error.h"
#include "common/names.h"

#include <getopt.h>
#include <math.h>
#include <string.h>

enum {
  OPTION_SOCKET = 256,
  OPTION_JSON,
  OPTION_KEY,
  OPTION_VERSION,
};

static const char short_options[] = "+:c:dnt:vqh";
static const struct option long_options[] = {
  { "character-device", required_argument, NULL, 'c' },
  { "socket", required_argument, NULL, OPTION_SOCKET },
  { "timeout", required_argument, NULL, 't' },
  { "json", no_argument, NULL, OPTION_JSON },
  { "detach", no_argument, NULL, 'd' },
  { "key", required_argument, NULL, OPTION_KEY },
  { "verbose", no_argument, NULL, 'v' },
  { "quiet", no_argument, NULL, 'q' },
  { "help", no_argument, NULL, 'h' },
  { "version", no_argument, NULL, OPTION_VERSION },
  { NULL },
};

static const char options_help[]
  = "Options:\n"
    "      --socket PATH    the agent's socket (default " NEGO_HOST_SOCKET ")\n"
    "  -c, --character-device PATH\n"
    "                       open this port, without the agent\n"
    "  -t, --timeout S      seconds to wait for an answer (default 10), with wait for the host\n"
    "                       (default 30); with exec, seconds that the command may run; 0: no\n"
    "                       limit\n"
    "      --json           print JSON\n"
    "  -v, --verbose        say what is done\n"
    "  -q, --quiet          say nothing but results\n"
    "  -h, --help           print this text\n"
    "      --version        print the version\n"
    "Options of exec:\n"
    "  -d, --detach         start the command, print the job's name, and do not wait\n"
    "  -n                   send no input\n"
    "      --key KEY        a name for this run: asking again with it collects the same run\n";

static const char old_short_options[] = ":le:dt:c:vqh";
static const struct option old_long_options[] = {
  { "list-commands", no_argument, NULL, 'l' },
  { "execute", required_argument, NULL, 'e' },
  { "daemon", no_argument, NULL, 'd' },
  { "timeout", required_argument, NULL, 't' },
  { "character-device", required_argument, NULL, 'c' },
  { "verbose", no_argument, NULL, 'v' },
  { "quiet", no_argument, NULL, 'q' },
  { "help", no_argument, NULL, 'h' },
  { NULL },
};

static const char old_help[]
  = "Usage: negotiator-guest [OPTION…]\n"
    "Options:\n"
    "  -l, --list-commands  the commands that the host offers\n"
    "  -e, --execute COMMAND\n"
    "                       run a command of the host, with its arguments in one word\n"
    "  -d, --daemon         be the guest's agent, on the two negotiator ports\n"
    "  -t, --timeout S      seconds to wait for an answer (default 10); 0: no limit\n"
    "  -c, --character-device PATH\n"
    "                       open this port, without the agent\n"
    "  -v, --verbose        say what is done\n"
    "  -q, --quiet          say nothing but results\n"
    "  -h, --help           print this text\n";

G_GNUC_PRINTF (2, 3)
static gboolean
nego_guest_options_fail (GError **error, const char *format, ...)
{
  g_autofree char *text = NULL;
  va_list args;

  va_start (args, format);
  text = g_strdup_vprintf (format, args);
  va_end (args);
  g_set_error_literal (error, NEGO_ERROR, NEGO_ERROR_CONFIG, text);
  return FALSE;
}

static void
nego_guest_options_take_text (char **place, const char *text)
{
  g_free (*place);
  *place = g_strdup (text);
}

static gboolean
nego_guest_options_take_timeout (NegoGuestOptions *options, const char *text, GError **error)
{
  char *end = NULL;
  const double value = g_ascii_strtod (text, &end);

  if (end == text || *end != '\0' || !(value >= 0) || value > NEGO_SCRIPT_TIMEOUT_MAX_S)
    return nego_guest_options_fail (
      error, "option '--timeout': '%s' is not a number of seconds from 0 to %u", text,
      NEGO_SCRIPT_TIMEOUT_MAX_S);
  options->has_timeout = TRUE;
  options->timeout = value;
  return TRUE;
}

static gboolean
nego_guest_options_take_key (NegoGuestOptions *options, const char *text, GError **error)
{
  const gsize len = strlen (text);

  if (len == 0 || len > NEGO_JOB_KEY_BYTES
      || strspn (text, G_CSET_A_2_Z G_CSET_a_2_z G_CSET_DIGITS "._-") != len)
    return nego_guest_options_fail (error,
                                    "option '--key': '%s' is not 1 to %u letters, digits and '._-'",
                                    text, NEGO_JOB_KEY_BYTES);
  nego_guest_options_take_text (&options->key, text);
  return TRUE;
}

/* The option that getopt_long() did not take, which it has read already. */
static gboolean
nego_guest_options_refuse (int kind, char **argv, GError **error)
{
  const char *word = argv[optind - 1];
  g_autofree char *name = optopt > 0 && optopt < OPTION_SOCKET && !g_str_has_prefix (word, "--")
                            ? g_strdup_printf ("-%c", optopt)
                            : g_strndup (word, strcspn (word, "="));

  if (kind == ':')
    return nego_guest_options_fail (error, "option '%s' needs a value", name);
  if (strchr (word, '=') != NULL && optopt != 0)
    return nego_guest_options_fail (error, "option '%s' takes no value", name);
  return nego_guest_options_fail (error, "unknown option '%s'", name);
}

/* Those that both command lines have. */
static gboolean
nego_guest_options_take_common (NegoGuestOptions *options, int option, char **argv, GError **error)
{
  switch (option) {
  case 'c':
    nego_guest_options_take_text (&options->device, optarg);
    return TRUE;
  case 't':
    return nego_guest_options_take_timeout (options, optarg, error);
  case 'v':
    options->verbose = TRUE;
    return TRUE;
  case 'q':
    options->quiet = TRUE;
    return TRUE;
  case 'h':
    options->help = TRUE;
    return TRUE;
  default:
    return nego_guest_options_refuse (option, argv, error);
  }
}

static gboolean
nego_guest_options_take (NegoGuestOptions *options, int option, char **argv, GError **error)
{
  switch (option) {
  case OPTION_SOCKET:
    nego_guest_options_take_text (&options->socket, optarg);
    return TRUE;
  case OPTION_JSON:
    options->json = TRUE;
    return TRUE;
  case OPTION_KEY:
    return nego_guest_options_take_key (options, optarg, error);
  case OPTION_VERSION:
    options->version = TRUE;
    return TRUE;
  case 'd':
    options->detach = TRUE;
    return TRUE;
  case 'n':
    options->no_input = TRUE;
    return TRUE;
  default:
    return nego_guest_options_take_common (options, option, argv, error);
  }
}

static const NegoGuestVerb *
nego_guest_options_find_verb (const NegoGuestVerb *verbs, const char *name)
{
  for (; verbs->name != NULL; verbs++)
    if (strcmp (verbs->name, name) == 0)
      return verbs;
  return NULL;
}

/* Sorts @argv into options and @words. */
static gboolean
nego_guest_options_parse (NegoGuestOptions *options,
                          const NegoGuestVerb *verbs,
                          int argc,
                          char **argv,
                          GPtrArray *words,
                          GError **error)
{
  gboolean all_words = FALSE;

  opterr = 0;
  optind = 0;
  for (;;) {
    const int before = MAX (optind, 1);
    int option = -1;

    if (options->verb != NULL && options->verb->runs && words->len >= 2)
      all_words = TRUE;
    if (!all_words)
      option = getopt_long (argc, argv, short_options, long_options, NULL);
    if (option != -1) {
      if (!nego_guest_options_take (options, option, argv, error))
        return FALSE;
      continue;
    }
    if (!all_words && optind > before && strcmp (argv[optind - 1], "--") == 0)
      all_words = TRUE;
    if (optind >= argc)
      return TRUE;
    g_ptr_array_add (words, argv[optind++]);
    if (words->len > 1)
      continue;
    options->verb = nego_guest_options_find_verb (verbs, words->pdata[0]);
    if (options->verb == NULL)
      return nego_guest_options_fail (error, "unknown verb '%s' (nego-guest --help lists them)",
                                      (const char *) words->pdata[0]);
  }
}

static gboolean
nego_guest_options_check (NegoGuestOptions *options, GPtrArray *words, GError **error)
{
  const NegoGuestVerb *verb = options->verb;
  const guint n = words->len - 1;

  if (n < verb->min_words)
    return nego_guest_options_fail (error, "'%s' needs %s", verb->name, verb->words);
  if (n > verb->max_words)
    return nego_guest_options_fail (error, "'%s': unexpected argument '%s'", verb->name,
                                    (const char *) words->pdata[1 + verb->max_words]);
  if (options->socket != NULL && options->device != NULL)
    return nego_guest_options_fail (error,
                                    "option '--socket' does not go with '--character-device'");
  if ((options->no_input || options->detach || options->key != NULL) && !verb->runs)
    return nego_guest_options_fail (error, "options '-n', '--detach' and '--key' are not for '%s'",
                                    verb->name);
  options->args = g_new0 (char *, n + 1);
  for (guint i = 0; i < n; i++)
    options->args[i] = g_strdup (words->pdata[1 + i]);
  return TRUE;
}

NegoGuestOptions *
nego_guest_options_new (const NegoGuestVerb *verbs, int argc, char **argv, GError **error)
{
  g_autoptr (NegoGuestOptions) options = g_new0 (NegoGuestOptions, 1);
  g_autoptr (GPtrArray) words = g_ptr_array_new ();

  if (!nego_guest_options_parse (options, verbs, argc, argv, words, error))
    return NULL;
  if (options->help || options->version) {
    options->verb = NULL;
    return g_steal_pointer (&options);
  }
  if (options->verb == NULL) {
    nego_guest_options_fail (error, "a verb is needed (nego-guest --help lists them)");
    return NULL;
  }
  return nego_guest_options_check (options, words, error) ? g_steal_pointer (&options) : NULL;
}

/* The one word of -e, in the quoting of a shell, which does not run. */
static gboolean
nego_guest_options_take_command (NegoGuestOptions *options, const char *text, GError **error)
{
  g_autoptr (GError) failure = NULL;

  g_clear_pointer (&options->args, g_strfreev);
  if (g_shell_parse_argv (text, NULL, &options->args, &failure))
    return TRUE;
  return nego_guest_options_fail (error, "option '--execute': '%s' is not a command: %s", text,
                                  failure->message);
}

NegoGuestOptions *
nego_guest_options_new_old (
  const NegoGuestVerb *list, const NegoGuestVerb *exec, int argc, char **argv, GError **error)
{
  g_autoptr (NegoGuestOptions) options = g_new0 (NegoGuestOptions, 1);
  int option;

  options->old = TRUE;
  opterr = 0;
  optind = 0;
  while ((option = getopt_long (argc, argv, old_short_options, old_long_options, NULL)) != -1) {
    gboolean taken = TRUE;

    if (option == 'l')
      options->verb = list;
    else if (option == 'd')
      options->daemon = TRUE;
    else if (option == 'e')
      taken = nego_guest_options_take_command (options, optarg, error);
    else
      taken = nego_guest_options_take_common (options, option, argv, error);
    if (!taken)
      return NULL;
    if (option == 'e')
      options->verb = exec;
  }
  if (optind < argc) {
    nego_guest_options_fail (error, "unexpected argument '%s'", argv[optind]);
    return NULL;
  }
  if (options->args == NULL)
    options->args = g_new0 (char *, 1);
  options->help |= options->verb == NULL && !options->daemon;
  return g_steal_pointer (&options);
}

void
nego_guest_options_free (NegoGuestOptions *options)
{
  g_free (options->socket);
  g_free (options->device);
  g_free (options->key);
  g_strfreev (options->args);
  g_free (options);
}

void
nego_guest_options_append_help (GString *out, const NegoGuestVerb *verbs)
{
  g_string_append (out, "Usage: nego-guest [OPTION…] VERB …\n"
                        "Verbs:\n");
  for (; verbs->name != NULL; verbs++) {
    g_autofree char *usage = g_strdup_printf ("%s %s", verbs->name, verbs->words);

    g_string_append_printf (out, "  %s", g_strchomp (usage));
    /* printf counts bytes. */
    for (glong n = g_utf8_strlen (usage, -1); n < 32; n++)
      g_string_append_c (out, ' ');
    g_string_append_printf (out, "%s\n", verbs->summary);
  }
  g_string_append (out, options_help);
  g_string_append (out,
                   "Exit status: 0; 1 the answer is an error, or there is none; 2 wrong usage.\n"
                   "Of exec: the command's own; 124 timed out; 125 no host, or its error;\n"
                   "126 refused; 127 no such command; 128+N killed by signal N.\n");
}

void
nego_guest_options_append_help_old (GString *out)
{
  g_string_append (out, old_help);
}

gint64
nego_guest_options_deadline (const NegoGuestOptions *options, double default_s)
{
  const double seconds = options->has_timeout ? options->timeout : default_s;

  if (seconds == 0)
    return G_MAXINT64;
  return g_get_monotonic_time () + (gint64) ceil (seconds * G_USEC_PER_SEC);
}
