/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "host-client/negotiator-host.h"

#include "common/client/output.h"
#include "common/names.h"
#include "host-client/discover.h"
#include "host-client/verbs.h"
#include "qapi/decode.h"
#include "qapi/qapi-types.h"

#include <errno.h>
#include <getopt.h>
#include <string.h>
#include <unistd.h>

#define NEGO_NEGOTIATOR_HOST         "negotiator-host"
#define NEGO_NEGOTIATOR_HOST_TIMEOUT "10"

enum {
  OPTION_CONNECT = 256,
  OPTION_SOCKET,
};

typedef struct {
  int what; /* the option's letter */
  const char *command;
} Action;

typedef struct {
  GArray *actions; /* Action */
  const char *guest;
  const char *connect, *socket;
  const char *timeout;
  gboolean verbose, quiet, help;
} Line;

static const char short_options[] = "gce:dt:vqh";
static const struct option long_options[] = {
  { "list-guests", no_argument, NULL, 'g' },
  { "list-commands", no_argument, NULL, 'c' },
  { "execute", required_argument, NULL, 'e' },
  { "daemon", no_argument, NULL, 'd' },
  { "timeout", required_argument, NULL, 't' },
  { "verbose", no_argument, NULL, 'v' },
  { "quiet", no_argument, NULL, 'q' },
  { "help", no_argument, NULL, 'h' },
  { "connect", required_argument, NULL, OPTION_CONNECT },
  { "socket", required_argument, NULL, OPTION_SOCKET },
  { NULL },
};

static const char usage[]
  = "Usage: negotiator-host [OPTION…] [GUEST]\n"
    "Options:\n"
    "  -g, --list-guests      the names of the guests that have a channel for us\n"
    "  -c, --list-commands    the names of the commands that GUEST offers\n"
    "  -e, --execute=COMMAND  run COMMAND, with its arguments as a shell has them, in GUEST\n"
    "  -d, --daemon           run nego-hostd\n"
    "  -t, --timeout=SECONDS  how long to wait (default 10); 0: no limit\n"
    "      --connect=URI      the libvirt connection\n"
    "      --socket=PATH      talk to the agent at this socket, without libvirt and GUEST\n"
    "  -v, --verbose          say what is done\n"
    "  -q, --quiet            say nothing but results\n"
    "  -h, --help             print this text\n"
    "This is nego-host(1) under its old name.\n";

gboolean
nego_negotiator_host_is_called (void)
{
  return strcmp (program_invocation_short_name, NEGO_NEGOTIATOR_HOST) == 0;
}

static gboolean
nego_negotiator_host_take (Line *line, int option)
{
  const Action action = { option, optarg };

  switch (option) {
  case 'g':
  case 'c':
  case 'e':
  case 'd':
    g_array_append_val (line->actions, action);
    return TRUE;
  case 't':
    line->timeout = optarg;
    return TRUE;
  case 'v':
    line->verbose = TRUE;
    return TRUE;
  case 'q':
    line->quiet = TRUE;
    return TRUE;
  case 'h':
    line->help = TRUE;
    return TRUE;
  case OPTION_CONNECT:
    line->connect = optarg;
    return TRUE;
  case OPTION_SOCKET:
    line->socket = optarg;
    return TRUE;
  default:
    return FALSE;
  }
}

static gboolean
nego_negotiator_host_parse (Line *line, int argc, char **argv)
{
  int option;

  while ((option = getopt_long (argc, argv, short_options, long_options, NULL)) != -1)
    if (!nego_negotiator_host_take (line, option))
      return FALSE; /* getopt_long() said why */
  if (optind < argc)
    line->guest = argv[optind++];
  if (optind < argc) {
    nego_output_say ("unexpected argument '%s'", argv[optind]);
    return FALSE;
  }
  for (guint i = 0; i < line->actions->len; i++) {
    const int what = g_array_index (line->actions, Action, i).what;

    if ((what == 'c' || what == 'e') && line->guest == NULL && line->socket == NULL) {
      nego_output_say ("the name of a guest is needed");
      return FALSE;
    }
  }
  return TRUE;
}

/* nego-host's options for @verb, with its words behind it. */
static NegoOptions *
nego_negotiator_host_options (
  const Line *line, const NegoVerb *verbs, const char *verb, char **words, GError **error)
{
  g_autoptr (GPtrArray) argv = g_ptr_array_new ();

  g_ptr_array_add (argv, (gpointer) NEGO_NEGOTIATOR_HOST);
  g_ptr_array_add (argv, (gpointer) "--timeout");
  g_ptr_array_add (argv, (gpointer) line->timeout);
  if (line->verbose)
    g_ptr_array_add (argv, (gpointer) "-v");
  if (line->quiet)
    g_ptr_array_add (argv, (gpointer) "-q");
  if (line->socket != NULL || line->connect != NULL) {
    g_ptr_array_add (argv, (gpointer) (line->socket != NULL ? "--socket" : "--connect"));
    g_ptr_array_add (argv, (gpointer) (line->socket != NULL ? line->socket : line->connect));
  }
  if (words != NULL)
    g_ptr_array_add (argv, (gpointer) "-n");
  g_ptr_array_add (argv, (gpointer) verb);
  if (line->socket == NULL && line->guest != NULL)
    g_ptr_array_add (argv, (gpointer) line->guest);
  for (char **word = words; word != NULL && *word != NULL; word++)
    g_ptr_array_add (argv, *word);
  g_ptr_array_add (argv, NULL);
  return nego_options_new (verbs, (int) argv->len - 1, (char **) argv->pdata, error);
}

/* A line each. */
static int
nego_negotiator_host_print (GPtrArray *names)
{
  g_autoptr (GString) text = g_string_new (NULL);

  for (guint i = 0; i < names->len; i++) {
    const char *name = names->pdata[i];

    nego_output_escape (text, name, strlen (name));
    g_string_append_c (text, '\n');
  }
  return nego_output_text (text, NULL) ? 0 : 1;
}

static int
nego_negotiator_host_list_guests (const NegoOptions *options, GError **error)
{
  const gint64 deadline = nego_options_deadline (options, NEGO_GUEST_ANSWER_S);
  g_autoptr (GPtrArray) names = g_ptr_array_new ();
  g_autoptr (GPtrArray) domains = NULL;
  const NegoLibvirtModule *module = nego_libvirt_module_load (error);
  NegoLibvirt *libvirt = module != NULL ? module->open (options->connect, deadline, error) : NULL;
  int status;

  if (libvirt == NULL)
    return 1;
  domains = module->list (libvirt, deadline, error);
  for (guint i = 0; domains != NULL && i < domains->len; i++) {
    const NegoDomain *domain = domains->pdata[i];
    g_autoptr (GPtrArray) channels
      = domain->running ? nego_discover_channels (domain->xml, NULL) : NULL;

    if (channels != NULL && nego_discover_has_agent (channels))
      g_ptr_array_add (names, domain->name);
  }
  status = domains != NULL ? nego_negotiator_host_print (names) : 1;
  g_clear_pointer (&domains, g_ptr_array_unref);
  module->close (libvirt);
  return status;
}

static int
nego_negotiator_host_list_commands (const NegoOptions *options, GError **error)
{
  const gint64 deadline = nego_options_deadline (options, NEGO_GUEST_ANSWER_S);
  g_autoptr (NegoRemote) guest = nego_verb_open (options, deadline, error);
  g_autoptr (GPtrArray) names = g_ptr_array_new ();
  g_autoptr (GPtrArray) commands = NULL;
  g_autoptr (JsonNode) reply = NULL;

  if (guest != NULL)
    reply = nego_remote_ask (guest, "negotiator-list", deadline, error);
  if (reply != NULL)
    commands
      = qapi_decode_list (&qapi_negotiator_command_type, reply, "negotiator-list", FALSE, error);
  if (commands == NULL)
    return 1;
  for (guint i = 0; i < commands->len; i++) {
    const QapiNegotiatorCommand *command = commands->pdata[i];

    if (command->enabled)
      g_ptr_array_add (names, command->name);
  }
  return nego_negotiator_host_print (names);
}

/* The Python negotiator's daemon in the guest is asked in its own way, if one answers there. FALSE:
 * none does. @words: the command and its arguments; NULL: the commands are listed. */
static gboolean
nego_negotiator_host_ask_old (const NegoOptions *options, char **words, int *status)
{
  const gint64 deadline = nego_options_deadline (options, NEGO_GUEST_ANSWER_S);
  g_autoptr (NegoRoute) route = nego_route_new (options, deadline, NULL);
  g_autoptr (NegoOldRemote) remote = route != NULL ? nego_route_open_old (route, deadline) : NULL;
  g_autoptr (GPtrArray) names = g_ptr_array_new ();
  g_autoptr (GString) text = g_string_new (NULL);
  g_autoptr (GError) error = NULL;
  g_autofree char *output = NULL;

  if (remote == NULL)
    return FALSE;
  if (words == NULL) {
    for (char **name = remote->names; *name != NULL; name++)
      g_ptr_array_add (names, *name);
    *status = nego_negotiator_host_print (names);
    return TRUE;
  }
  output = nego_old_remote_execute (remote, (const char *const *) words, NULL, deadline, &error);
  if (output == NULL) {
    *status = nego_verb_fail (options, error);
    return TRUE;
  }
  g_string_assign (text, output);
  *status = nego_output_text (text, NULL) ? 0 : 1;
  return TRUE;
}

static int
nego_negotiator_host_run_daemon (const Line *line, GError **error)
{
  const char *const argv[] = { "nego-hostd", line->verbose ? "-v" : NULL, NULL };

  execv (NEGO_HOSTD_PATH, (char *const *) argv);
  execvp ("nego-hostd", (char *const *) argv);
  g_set_error (error, G_FILE_ERROR, G_FILE_ERROR_FAILED, "cannot run nego-hostd: %s",
               g_strerror (errno));
  return 1;
}

static int
nego_negotiator_host_act (const Line *line, const Action *action, const NegoVerb *verbs)
{
  g_autoptr (NegoOptions) options = NULL;
  g_autoptr (GError) error = NULL;
  g_auto (GStrv) words = NULL;
  int status = 1;

  if (action->what == 'd')
    status = nego_negotiator_host_run_daemon (line, &error);
  else if (action->what != 'e' || g_shell_parse_argv (action->command, NULL, &words, &error))
    options = nego_negotiator_host_options (line, verbs,
                                            action->what == 'g'   ? "list"
                                            : action->what == 'c' ? "commands"
                                                                  : "exec",
                                            words, &error);
  if (options != NULL && action->what != 'g'
      && nego_negotiator_host_ask_old (options, words, &status))
    return status;
  if (options != NULL && action->what == 'e')
    return options->verb->run (options);
  if (options != NULL)
    status = action->what == 'g' ? nego_negotiator_host_list_guests (options, &error)
                                 : nego_negotiator_host_list_commands (options, &error);
  if (error != NULL)
    nego_output_say ("%s", error->message);
  return status;
}

int
nego_negotiator_host_main (int argc, char **argv, const NegoVerb *verbs)
{
  Line line = { .timeout = NEGO_NEGOTIATOR_HOST_TIMEOUT };
  g_autoptr (GArray) actions = g_array_new (FALSE, FALSE, sizeof (Action));
  g_autoptr (GString) text = g_string_new (usage);
  int status = 0;

  line.actions = actions;
  if (!nego_negotiator_host_parse (&line, argc, argv))
    return 1;
  if (line.help || actions->len == 0)
    return nego_output_text (text, NULL) ? 0 : 1;
  for (guint i = 0; status == 0 && i < actions->len; i++)
    status = nego_negotiator_host_act (&line, &g_array_index (actions, Action, i), verbs);
  return status;
}
