/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "common/error.h"
#include "host-client/options.h"

#include <string.h>

static const NegoVerb verbs[] = {
  { .name = "list", .words = "", .summary = "lists" },
  { .name = "ping", .words = "", .summary = "pings", .guest = TRUE },
  { .name = "qmp", .words = "[JSON]", .summary = "sends", .guest = TRUE, .max_words = 1 },
  { .name = "exec",
    .words = "COMMAND [ARG…]",
    .summary = "runs",
    .guest = TRUE,
    .min_words = 1,
    .max_words = G_MAXUINT - 1,
    .runs = TRUE },
  { .name = "kill",
    .words = "JOB",
    .summary = "kills",
    .guest = TRUE,
    .min_words = 1,
    .max_words = 1,
    .signals = TRUE },
  { .name = "snapshot",
    .words = "",
    .summary = "keeps",
    .guest = TRUE,
    .fleet = TRUE,
    .snapshots = TRUE },
  { NULL },
};

/* Of words with one blank between them; a '_' is an empty word. */
static NegoOptions *
parse (const char *line, GError **error)
{
  g_auto (GStrv) words = g_strsplit (line, " ", -1);

  for (gsize i = 0; words[i] != NULL; i++)
    if (strcmp (words[i], "_") == 0)
      words[i][0] = '\0';
  return nego_options_new (verbs, (int) g_strv_length (words), words, error);
}

static NegoOptions *
parse_good (const char *line)
{
  g_autoptr (GError) error = NULL;
  NegoOptions *options = parse (line, &error);

  g_assert_no_error (error);
  return options;
}

static void
check_args (const NegoOptions *options, const char *expected)
{
  g_autofree char *args = g_strjoinv ("|", options->args);

  g_assert_cmpstr (args, ==, expected);
}

static void
test_many (void)
{
  g_autoptr (NegoOptions) all = parse_good ("nego-host exec --all -P 256 x --all"),
                          match = parse_good ("nego-host --match w* -c a -c b exec x y"),
                          names = parse_good ("nego-host exec a,b x -P"),
                          one = parse_good ("nego-host ping a,b");

  g_assert_true (all->many && all->all);
  g_assert_null (all->guest);
  g_assert_cmpuint (all->parallel, ==, 256);
  check_args (all, "x|--all");
  g_assert_true (match->many);
  g_assert_cmpstr (match->match, ==, "w*");
  g_assert_cmpstr (match->connects[0], ==, "a");
  g_assert_cmpstr (match->connects[1], ==, "b");
  g_assert_cmpstr (match->connect, ==, "b");
  check_args (match, "x|y");
  g_assert_true (names->many);
  g_assert_cmpstr (names->guest, ==, "a,b");
  g_assert_cmpuint (names->parallel, ==, 32);
  check_args (names, "x|-P");
  g_assert_false (one->many);
}

static void
test_jobs (void)
{
  g_autoptr (NegoOptions) detach = parse_good ("nego-host exec -d web x"),
                          kill = parse_good ("nego-host kill web j -s INT --kill-after 1.5");

  g_assert_true (detach->detach);
  g_assert_cmpstr (kill->signal, ==, "INT");
  g_assert_true (kill->has_kill_after);
  g_assert_cmpfloat (kill->kill_after, ==, 1.5);
  check_args (kill, "j");
}

static void
test_all (void)
{
  g_autoptr (NegoOptions) options
    = parse_good ("nego-host -v -q --json -c URI --timeout 1.5 qmp web {}");

  g_assert_cmpstr (options->verb->name, ==, "qmp");
  g_assert_true (options->verbose && options->quiet && options->json);
  g_assert_cmpstr (options->connect, ==, "URI");
  g_assert_true (options->has_timeout);
  g_assert_cmpfloat (options->timeout, ==, 1.5);
  g_assert_cmpstr (options->guest, ==, "web");
  check_args (options, "{}");
}

static void
test_behind (void)
{
  g_autoptr (NegoOptions) options = parse_good ("nego-host ping web --json --connect=URI");

  g_assert_true (options->json);
  g_assert_cmpstr (options->connect, ==, "URI");
  g_assert_cmpstr (options->guest, ==, "web");
}

/* What is behind the command is the script's. */
static void
test_exec (void)
{
  g_autoptr (NegoOptions) options
    = parse_good ("nego-host exec -n web --key K.1_-z script -n --json _ -- x");

  g_assert_true (options->no_input);
  g_assert_false (options->json);
  g_assert_cmpstr (options->key, ==, "K.1_-z");
  g_assert_cmpstr (options->guest, ==, "web");
  check_args (options, "script|-n|--json||--|x");
}

static void
test_exec_socket (void)
{
  g_autoptr (NegoOptions) options = parse_good ("nego-host exec --socket S script -x");

  g_assert_cmpstr (options->socket, ==, "S");
  g_assert_null (options->guest);
  check_args (options, "script|-x");
}

static void
test_no_options (void)
{
  g_autoptr (NegoOptions) options = parse_good ("nego-host qmp -- -v --json");

  g_assert_false (options->verbose || options->json);
  g_assert_cmpstr (options->guest, ==, "-v");
  check_args (options, "--json");
}

static void
test_help (void)
{
  g_autoptr (NegoOptions) options = parse_good ("nego-host ping --help");
  g_autoptr (NegoOptions) short_one = parse_good ("nego-host -h");
  g_autoptr (NegoOptions) version = parse_good ("nego-host --version");

  g_assert_true (options->help && options->verb == NULL);
  g_assert_true (short_one->help);
  g_assert_true (version->version);
}

static void
test_errors (void)
{
  static const struct {
    const char *line, *message;
  } rows[] = {
    { "nego-host", "a verb is needed (nego-host --help lists them)" },
    { "nego-host nope", "unknown verb 'nope' (nego-host --help lists them)" },
    { "nego-host --nope", "unknown option '--nope'" },
    { "nego-host --nope=5 list", "unknown option '--nope'" },
    { "nego-host -vx list", "unknown option '-x'" },
    { "nego-host -c", "option '-c' needs a value" },
    { "nego-host ping --socket", "option '--socket' needs a value" },
    { "nego-host --json=5 list", "option '--json' takes no value" },
    { "nego-host --timeout x list",
      "option '--timeout': 'x' is not a number of seconds from 0 to 2592000" },
    { "nego-host --timeout 1s list",
      "option '--timeout': '1s' is not a number of seconds from 0 to 2592000" },
    { "nego-host --timeout -1 list",
      "option '--timeout': '-1' is not a number of seconds from 0 to 2592000" },
    { "nego-host --timeout nan list",
      "option '--timeout': 'nan' is not a number of seconds from 0 to 2592000" },
    { "nego-host --timeout 2592000.1 list",
      "option '--timeout': '2592000.1' is not a number of seconds from 0 to 2592000" },
    { "nego-host --key _ exec g x", "option '--key': '' is not 1 to 64 letters, digits and '._-'" },
    { "nego-host --key a/b exec g x",
      "option '--key': 'a/b' is not 1 to 64 letters, digits and '._-'" },
    { "nego-host exec -P 0 a,b x", "option '--parallel': '0' is not a number from 1 to 256" },
    { "nego-host exec -P 257 a,b x", "option '--parallel': '257' is not a number from 1 to 256" },
    { "nego-host exec --all --match w x", "option '--all' does not go with '--match'" },
    { "nego-host --socket p exec --all x",
      "option '--socket' does not go with '--all' or '--match'" },
    { "nego-host ping --all", "options '--all' and '--match' are not for 'ping'" },
    { "nego-host -c a -c b exec g x", "option '--connect' is given more than once, for one guest" },
    { "nego-host exec --all -d x", "option '--detach' is for one guest only" },
    { "nego-host exec --key k a,b x", "option '--key' is for one guest only" },
    { "nego-host --socket p snapshot", "option '--socket' is not for 'snapshot'" },
    { "nego-host snapshot", "'snapshot' needs the name of a guest (or --socket PATH)" },
    { "nego-host snapshot g --name a/b",
      "option '--name': 'a/b' is not 1 to 64 letters, digits and '._-', a letter or digit first" },
    { "nego-host snapshot g --name .a",
      "option '--name': '.a' is not 1 to 64 letters, digits and '._-', a letter or digit first" },
    { "nego-host snapshot g --name _",
      "option '--name': '' is not 1 to 64 letters, digits and '._-', a letter or digit first" },
    { "nego-host snapshot g --name "
      "01234567890123456789012345678901234567890123456789012345678901234",
      "option '--name': '01234567890123456789012345678901234567890123456789012345678901234' is not "
      "1 "
      "to 64 letters, digits and '._-', a letter or digit first" },
    { "nego-host ping --quiesce g",
      "options '--name', '--quiesce' and '--no-metadata' are not for 'ping'" },
    { "nego-host ping -d g", "option '--detach' is not for 'ping'" },
    { "nego-host ping -s INT g", "option '--signal' is not for 'ping'" },
    { "nego-host ping --kill-after 1 g", "option '--kill-after' is not for 'ping'" },
    { "nego-host kill --kill-after -1 g j",
      "option '--kill-after': '-1' is not a number of seconds from 0 to 2592000" },
    { "nego-host ping", "'ping' needs the name of a guest (or --socket PATH)" },
    { "nego-host exec g", "'exec' needs COMMAND [ARG…]" },
    { "nego-host ping g x", "'ping': unexpected argument 'x'" },
    { "nego-host --socket S ping g", "'ping': unexpected argument 'g'" },
    { "nego-host qmp g {} {}", "'qmp': unexpected argument '{}'" },
    { "nego-host --socket S -c U ping", "option '--socket' does not go with '--connect'" },
    { "nego-host --socket S list", "option '--socket' is not for 'list'" },
    { "nego-host -n ping g", "option '-n' is not for 'ping'" },
    { "nego-host --key k ping g", "option '--key' is not for 'ping'" },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autoptr (GError) error = NULL;

    g_assert_null (parse (rows[i].line, &error));
    g_assert_error (error, NEGO_ERROR, NEGO_ERROR_CONFIG);
    g_assert_cmpstr (error->message, ==, rows[i].message);
  }
}

static void
test_key_limit (void)
{
  g_autofree char *longest = g_strnfill (64, 'k');
  g_autofree char *line = g_strdup_printf ("nego-host --key %s exec g x", longest);
  g_autofree char *longer = g_strdup_printf ("nego-host --key %sk exec g x", longest);
  g_autoptr (NegoOptions) options = parse_good (line);
  g_autoptr (GError) error = NULL;

  g_assert_cmpstr (options->key, ==, longest);
  g_assert_null (parse (longer, &error));
  g_assert_error (error, NEGO_ERROR, NEGO_ERROR_CONFIG);
}

static void
test_deadline (void)
{
  g_autoptr (NegoOptions) none = parse_good ("nego-host list");
  g_autoptr (NegoOptions) zero = parse_good ("nego-host --timeout 0 list");
  g_autoptr (NegoOptions) hour = parse_good ("nego-host --timeout 3600 list");
  const gint64 now = g_get_monotonic_time ();

  g_assert_cmpint (nego_options_deadline (zero, 5), ==, G_MAXINT64);
  g_assert_cmpint (nego_options_deadline (none, 1000), >=, now + 1000 * G_TIME_SPAN_SECOND);
  g_assert_cmpint (nego_options_deadline (none, 1000), <, now + 3000 * G_TIME_SPAN_SECOND);
  g_assert_cmpint (nego_options_deadline (hour, 5), >=, now + 3600 * G_TIME_SPAN_SECOND);
}

/* Each verb is there. */
static void
test_usage (void)
{
  g_autoptr (GString) text = g_string_new (NULL);

  nego_options_append_help (text, verbs);
  g_assert_nonnull (strstr (text->str, "  list                            lists\n"));
  g_assert_nonnull (strstr (text->str, "  exec GUEST COMMAND [ARG…]       runs\n"));
}

static void
test_snapshot (void)
{
  g_autoptr (NegoOptions) one = parse_good ("nego-host snapshot g --quiesce --name a.b-c_1");
  g_autoptr (NegoOptions) many
    = parse_good ("nego-host -c a -c b snapshot --match w* --no-metadata -P 3 --name "
                  "0123456789012345678901234567890123456789012345678901234567890123");

  g_assert_cmpstr (one->guest, ==, "g");
  g_assert_true (one->many);
  g_assert_true (one->quiesce);
  g_assert_false (one->no_metadata);
  g_assert_cmpstr (one->name, ==, "a.b-c_1");
  g_assert_cmpstr (many->match, ==, "w*");
  g_assert_true (many->no_metadata);
  g_assert_false (many->quiesce);
  g_assert_cmpuint (many->parallel, ==, 3);
  g_assert_cmpuint (strlen (many->name), ==, 64);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/host-options/all", test_all);
  g_test_add_func ("/host-options/many", test_many);
  g_test_add_func ("/host-options/jobs", test_jobs);
  g_test_add_func ("/host-options/behind", test_behind);
  g_test_add_func ("/host-options/exec", test_exec);
  g_test_add_func ("/host-options/exec-socket", test_exec_socket);
  g_test_add_func ("/host-options/no-options", test_no_options);
  g_test_add_func ("/host-options/help", test_help);
  g_test_add_func ("/host-options/errors", test_errors);
  g_test_add_func ("/host-options/key-limit", test_key_limit);
  g_test_add_func ("/host-options/deadline", test_deadline);
  g_test_add_func ("/host-options/usage", test_usage);
  g_test_add_func ("/host-options/snapshot", test_snapshot);
  return g_test_run ();
}
