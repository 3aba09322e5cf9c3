/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "host-client/options.h"

#include "common/error.h"
#include "common/names.h"

#include <getopt.h>
#include <math.h>
#include <string.h>

enum {
  OPTION_SOCKET = 256,
  OPTION_ALL,
  OPTION_FOR,
  OPTION_HOSTD,
  OPTION_TIMEOUT,
  OPTION_JSON,
  OPTION_KEY,
  OPTION_KILL_AFTER,
  OPTION_MATCH,
  OPTION_NAME,
  OPTION_NO_METADATA,
  OPTION_QUIESCE,
  OPTION_VERSION,
};

static const char short_options[] = "+:c:dnP:s:vqh";
static const struct option long_options[] = {
  { "all", no_argument, NULL, OPTION_ALL },
  { "connect", required_argument, NULL, 'c' },
  { "socket", required_argument, NULL, OPTION_SOCKET },
  { "timeout", required_argument, NULL, OPTION_TIMEOUT },
  { "for", required_argument, NULL, OPTION_FOR },
  { "hostd", required_argument, NULL, OPTION_HOSTD },
  { "json", no_argument, NULL, OPTION_JSON },
  { "detach", no_argument, NULL, 'd' },
  { "key", required_argument, NULL, OPTION_KEY },
  { "kill-after", required_argument, NULL, OPTION_KILL_AFTER },
  { "match", required_argument, NULL, OPTION_MATCH },
  { "name", required_argument, NULL, OPTION_NAME },
  { "no-metadata", no_argument, NULL, OPTION_NO_METADATA },
  { "quiesce", no_argument, NULL, OPTION_QUIESCE },
  { "parallel", required_argument, NULL, 'P' },
  { "signal", required_argument, NULL, 's' },
  { "verbose", no_argument, NULL, 'v' },
  { "quiet", no_argument, NULL, 'q' },
  { "help", no_argument, NULL, 'h' },
  { "version", no_argument, NULL, OPTION_VERSION },
  { NULL },
};

static const char options_help[]
  = "Options:\n"
    "  -c, --connect URI   the libvirt connection (default: libvirt's own); with exec for several\n"
    "                      guests, several of them\n"
    "      --socket PATH   talk to the agent at this socket, without libvirt\n"
    "      --timeout S     seconds to wait for an answer (default 10); with exec, seconds that\n"
    "                      the command may run; 0: no limit\n"
    "      --hostd PATH    nego-hostd's own socket (default " NEGO_CONTROL_SOCKET ")\n"
    "      --json          print JSON\n"
    "  -v, --verbose       say what is done\n"
    "  -q, --quiet         say nothing but results\n"
    "  -h, --help          print this text\n"
    "      --version       print the version\n"
    "Options of exec:\n"
    "  -d, --detach        start the command, print the job's name, and do not wait\n"
    "  -n                  send no input\n"
    "      --key KEY       a name for this run: asking again with it collects the same run\n"
    "Options of exec and snapshot:\n"
    "      --all           instead of GUEST: all guests that run\n"
    "      --match PATTERN instead of GUEST: those whose names match (* and ?); GUEST,GUEST…\n"
    "                      names several, too\n"
    "  -P, --parallel N    how many of them at once (default 32)\n"
    "Options of snapshot:\n"
    "      --name NAME     its name (default: nego- and the time)\n"
    "      --quiesce       the guest's agent freezes its filesystems meanwhile\n"
    "      --no-metadata   libvirt keeps no record of it\n"
    "Options of kill:\n"
    "  -s, --signal NAME   the signal (default TERM)\n"
    "      --kill-after S  seconds after which KILL follows\n"
    "Options of wait:\n"
    "      --for NAME[=VALUE]  what the guest is to tell (default ready)\n";

G_GNUC_PRINTF (2, 3)
static gboolean
nego_options_fail (GError **error, const char *format, ...)
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
nego_options_take_text (char **place, const char *text)
{
  g_free (*place);
  *place = g_strdup (text);
}

static gboolean
nego_options_take_timeout (NegoOptions *options, const char *text, GError **error)
{
  char *end = NULL;
  const double value = g_ascii_strtod (text, &end);

  if (end == text || *end != '\0' || !(value >= 0) || value > NEGO_SCRIPT_TIMEOUT_MAX_S)
    return nego_options_fail (error,
                              "option '--timeout': '%s' is not a number of seconds from 0 to %u",
                              text, NEGO_SCRIPT_TIMEOUT_MAX_S);
  options->has_timeout = TRUE;
  options->timeout = value;
  return TRUE;
}

static gboolean
nego_options_take_parallel (NegoOptions *options, const char *text, GError **error)
{
  guint64 value;

  if (!g_ascii_string_to_unsigned (text, 10, 1, NEGO_MANY_PARALLEL_MAX, &value, NULL))
    return nego_options_fail (error, "option '--parallel': '%s' is not a number from 1 to %u", text,
                              NEGO_MANY_PARALLEL_MAX);
  options->parallel = (guint) value;
  return TRUE;
}

static void
nego_options_take_connect (NegoOptions *options, const char *text)
{
  const guint n = options->connects != NULL ? g_strv_length (options->connects) : 0;

  nego_options_take_text (&options->connect, text);
  options->connects = g_renew (char *, options->connects, n + 2);
  options->connects[n] = g_strdup (text);
  options->connects[n + 1] = NULL;
}

static gboolean
nego_options_take_kill_after (NegoOptions *options, const char *text, GError **error)
{
  char *end = NULL;
  const double value = g_ascii_strtod (text, &end);

  if (end == text || *end != '\0' || !(value >= 0) || value > NEGO_SCRIPT_TIMEOUT_MAX_S)
    return nego_options_fail (error,
                              "option '--kill-after': '%s' is not a number of seconds from 0 to %u",
                              text, NEGO_SCRIPT_TIMEOUT_MAX_S);
  options->has_kill_after = TRUE;
  options->kill_after = value;
  return TRUE;
}

static gboolean
nego_options_take_name (NegoOptions *options, const char *text, GError **error)
{
  const gsize len = strlen (text);

  if (len == 0 || len > NEGO_SNAPSHOT_NAME_BYTES || text[0] == '.' || text[0] == '_'
      || text[0] == '-' || strspn (text, G_CSET_A_2_Z G_CSET_a_2_z G_CSET_DIGITS "._-") != len)
    return nego_options_fail (error,
                              "option '--name': '%s' is not 1 to %u letters, digits and '._-', a "
                              "letter or digit first",
                              text, NEGO_SNAPSHOT_NAME_BYTES);
  nego_options_take_text (&options->name, text);
  return TRUE;
}

static gboolean
nego_options_take_key (NegoOptions *options, const char *text, GError **error)
{
  const gsize len = strlen (text);

  if (len == 0 || len > NEGO_JOB_KEY_BYTES
      || strspn (text, G_CSET_A_2_Z G_CSET_a_2_z G_CSET_DIGITS "._-") != len)
    return nego_options_fail (error,
                              "option '--key': '%s' is not 1 to %u letters, digits and '._-'", text,
                              NEGO_JOB_KEY_BYTES);
  g_free (options->key);
  options->key = g_strdup (text);
  return TRUE;
}

/* The option that getopt_long() did not take, which it has read already. */
static gboolean
nego_options_refuse (int kind, char **argv, GError **error)
{
  const char *word = argv[optind - 1];
  g_autofree char *name = optopt > 0 && optopt < OPTION_SOCKET && !g_str_has_prefix (word, "--")
                            ? g_strdup_printf ("-%c", optopt)
                            : g_strndup (word, strcspn (word, "="));

  if (kind == ':')
    return nego_options_fail (error, "option '%s' needs a value", name);
  if (strchr (word, '=') != NULL && optopt != 0)
    return nego_options_fail (error, "option '%s' takes no value", name);
  return nego_options_fail (error, "unknown option '%s'", name);
}

static gboolean
nego_options_take (NegoOptions *options, int option, char **argv, GError **error)
{
  switch (option) {
  case 'c':
    nego_options_take_connect (options, optarg);
    return TRUE;
  case 'P':
    return nego_options_take_parallel (options, optarg, error);
  case OPTION_ALL:
    options->all = TRUE;
    return TRUE;
  case OPTION_MATCH:
    nego_options_take_text (&options->match, optarg);
    return TRUE;
  case OPTION_FOR:
    nego_options_take_text (&options->note, optarg);
    return TRUE;
  case OPTION_HOSTD:
    nego_options_take_text (&options->hostd, optarg);
    return TRUE;
  case OPTION_NAME:
    return nego_options_take_name (options, optarg, error);
  case OPTION_NO_METADATA:
    options->no_metadata = TRUE;
    return TRUE;
  case OPTION_QUIESCE:
    options->quiesce = TRUE;
    return TRUE;
  case 'd':
    options->detach = TRUE;
    return TRUE;
  case 's':
    nego_options_take_text (&options->signal, optarg);
    return TRUE;
  case OPTION_KILL_AFTER:
    return nego_options_take_kill_after (options, optarg, error);
  case 'n':
    options->no_input = TRUE;
    return TRUE;
  case 'v':
    options->verbose = TRUE;
    return TRUE;
  case 'q':
    options->quiet = TRUE;
    return TRUE;
  case 'h':
    options->help = TRUE;
    return TRUE;
  case OPTION_SOCKET:
    nego_options_take_text (&options->socket, optarg);
    return TRUE;
  case OPTION_TIMEOUT:
    return nego_options_take_timeout (options, optarg, error);
  case OPTION_JSON:
    options->json = TRUE;
    return TRUE;
  case OPTION_KEY:
    return nego_options_take_key (options, optarg, error);
  case OPTION_VERSION:
    options->version = TRUE;
    return TRUE;
  default:
    return nego_options_refuse (option, argv, error);
  }
}

static const NegoVerb *
nego_options_find_verb (const NegoVerb *verbs, const char *name)
{
  for (; verbs->name != NULL; verbs++)
    if (strcmp (verbs->name, name) == 0)
      return verbs;
  return NULL;
}

/* How many words, the verb among them, end nego-host's options. */
static guint
nego_options_own_words (const NegoOptions *options, const NegoVerb *verb)
{
  if (verb == NULL || !verb->runs)
    return G_MAXUINT;
  return options->socket == NULL && !options->all && options->match == NULL ? 3 : 2;
}

/* Sorts @argv into options and @words. */
static gboolean
nego_options_parse (NegoOptions *options,
                    const NegoVerb *verbs,
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

    if (words->len >= nego_options_own_words (options, options->verb))
      all_words = TRUE;
    if (!all_words)
      option = getopt_long (argc, argv, short_options, long_options, NULL);
    if (option != -1) {
      if (!nego_options_take (options, option, argv, error))
        return FALSE;
      continue;
    }
    if (!all_words && optind > before && strcmp (argv[optind - 1], "--") == 0)
      all_words = TRUE;
    if (optind >= argc)
      return TRUE;
    g_ptr_array_add (words, argv[optind++]);
    if (words->len == 1) {
      options->verb = nego_options_find_verb (verbs, words->pdata[0]);
      if (options->verb == NULL)
        return nego_options_fail (error, "unknown verb '%s' (nego-host --help lists them)",
                                  (const char *) words->pdata[0]);
    }
  }
}

/* Gives the words behind the verb their places. */
static gboolean
nego_options_place (NegoOptions *options, GPtrArray *words, GError **error)
{
  const NegoVerb *verb = options->verb;
  guint first = 1, n;

  if (verb->guest && options->socket == NULL && !options->all && options->match == NULL) {
    if (words->len < 2)
      return nego_options_fail (error, "'%s' needs the name of a guest (or --socket PATH)",
                                verb->name);
    options->guest = g_strdup (words->pdata[1]);
    first = 2;
  }
  options->many = verb->fleet || options->all || options->match != NULL
                  || (verb->runs && options->guest != NULL && strchr (options->guest, ',') != NULL);
  n = words->len - first;
  if (n < verb->min_words)
    return nego_options_fail (error, "'%s' needs %s", verb->name, verb->words);
  if (n > verb->max_words)
    return nego_options_fail (error, "'%s': unexpected argument '%s'", verb->name,
                              (const char *) words->pdata[first + verb->max_words]);
  options->args = g_new0 (char *, n + 1);
  for (guint i = 0; i < n; i++)
    options->args[i] = g_strdup (words->pdata[first + i]);
  return TRUE;
}

/* Options that do not go together. */
static gboolean
nego_options_check (const NegoOptions *options, GError **error)
{
  if (options->socket != NULL && options->connect != NULL)
    return nego_options_fail (error, "option '--socket' does not go with '--connect'");
  if (options->socket != NULL && !options->verb->guest && !options->verb->copies)
    return nego_options_fail (error, "option '--socket' is not for '%s'", options->verb->name);
  if (options->no_input && !options->verb->runs)
    return nego_options_fail (error, "option '-n' is not for '%s'", options->verb->name);
  if ((options->all || options->match != NULL) && !options->verb->runs && !options->verb->fleet)
    return nego_options_fail (error, "options '--all' and '--match' are not for '%s'",
                              options->verb->name);
  if ((options->all || options->match != NULL) && options->socket != NULL)
    return nego_options_fail (error, "option '--socket' does not go with '--all' or '--match'");
  if (options->verb->fleet && options->socket != NULL)
    return nego_options_fail (error, "option '--socket' is not for '%s'", options->verb->name);
  if ((options->name != NULL || options->quiesce || options->no_metadata)
      && !options->verb->snapshots)
    return nego_options_fail (error,
                              "options '--name', '--quiesce' and '--no-metadata' are not for '%s'",
                              options->verb->name);
  if (options->note != NULL && !options->verb->waits)
    return nego_options_fail (error, "option '--for' is not for '%s'", options->verb->name);
  if (options->socket != NULL && options->verb->waits)
    return nego_options_fail (error, "option '--socket' is not for '%s'", options->verb->name);
  if (options->all && options->match != NULL)
    return nego_options_fail (error, "option '--all' does not go with '--match'");
  if (options->detach && !options->verb->runs)
    return nego_options_fail (error, "option '--detach' is not for '%s'", options->verb->name);
  if (options->signal != NULL && !options->verb->signals)
    return nego_options_fail (error, "option '--signal' is not for '%s'", options->verb->name);
  if (options->has_kill_after && !options->verb->signals)
    return nego_options_fail (error, "option '--kill-after' is not for '%s'", options->verb->name);
  if (options->key != NULL && !options->verb->runs)
    return nego_options_fail (error, "option '--key' is not for '%s'", options->verb->name);
  return TRUE;
}

/* What is only for several guests, or only for one. */
static gboolean
nego_options_check_many (const NegoOptions *options, GError **error)
{
  if (!options->many && options->connects != NULL && options->connects[1] != NULL)
    return nego_options_fail (error, "option '--connect' is given more than once, for one guest");
  if (options->many && options->detach)
    return nego_options_fail (error, "option '--detach' is for one guest only");
  if (options->many && options->key != NULL)
    return nego_options_fail (error, "option '--key' is for one guest only");
  return TRUE;
}

NegoOptions *
nego_options_new (const NegoVerb *verbs, int argc, char **argv, GError **error)
{
  g_autoptr (NegoOptions) options = g_new0 (NegoOptions, 1);
  g_autoptr (GPtrArray) words = g_ptr_array_new ();

  options->parallel = NEGO_MANY_PARALLEL;
  if (!nego_options_parse (options, verbs, argc, argv, words, error))
    return NULL;
  if (options->help || options->version) {
    options->verb = NULL;
    return g_steal_pointer (&options);
  }
  if (options->verb == NULL) {
    nego_options_fail (error, "a verb is needed (nego-host --help lists them)");
    return NULL;
  }
  if (!nego_options_check (options, error) || !nego_options_place (options, words, error)
      || !nego_options_check_many (options, error))
    return NULL;
  return g_steal_pointer (&options);
}

void
nego_options_free (NegoOptions *options)
{
  g_free (options->connect);
  g_strfreev (options->connects);
  g_free (options->socket);
  g_free (options->match);
  g_free (options->name);
  g_free (options->note);
  g_free (options->hostd);
  g_free (options->key);
  g_free (options->signal);
  g_free (options->guest);
  g_strfreev (options->args);
  g_free (options);
}

void
nego_options_append_help (GString *out, const NegoVerb *verbs)
{
  g_string_append (out, "Usage: nego-host [OPTION…] VERB …\n"
                        "       nego-host --socket PATH [OPTION…] VERB …   (without GUEST)\n"
                        "Verbs:\n");
  for (; verbs->name != NULL; verbs++) {
    g_autofree char *usage
      = g_strdup_printf ("%s%s %s", verbs->name, verbs->guest ? " GUEST" : "", verbs->words);

    g_string_append_printf (out, "  %s", g_strchomp (usage));
    /* printf counts bytes. */
    for (glong n = g_utf8_strlen (usage, -1); n < 32; n++)
      g_string_append_c (out, ' ');
    g_string_append_printf (out, "%s\n", verbs->summary);
  }
  g_string_append (out, options_help);
  g_string_append (out,
                   "Exit status: 0; 1 the answer is an error, or there is none; 2 wrong usage.\n"
                   "Of exec: the command's own; 124 timed out; 125 no agent, or its error;\n"
                   "126 refused; 127 no such command; 128+N killed by signal N.\n");
}

gint64
nego_options_deadline (const NegoOptions *options, double default_s)
{
  const double seconds = options->has_timeout ? options->timeout : default_s;

  if (seconds == 0)
    return G_MAXINT64;
  return g_get_monotonic_time () + (gint64) ceil (seconds * G_USEC_PER_SEC);
}
