/* SPDX-License-Identifier: MIT */
/*
 * Calls of scripts that are wrong or at a limit: each has its own error, and the limit itself
 * works.
 */
#include "config.h"

#include "common/names.h"
#include "tests/qtest-like/libnegotest.h"

#include <string.h>

#define SH(text) "#!/bin/sh\n" text "\n"

typedef struct {
  NegoTest *test;
  NegoTestClient *client;
} Fixture;

static void
set_up (Fixture *fixture, gconstpointer negotiator)
{
  const NegoTestOptions options = { .negotiator = negotiator };

  fixture->test = nego_test_start (&options);
  fixture->client = nego_test_connect (fixture->test);
  nego_test_add_script (fixture->test, "good", SH ("echo good"));
}

static void
tear_down (Fixture *fixture, gconstpointer user_data)
{
  g_autoptr (JsonObject) job = nego_test_exec (fixture->client, "'command':'good'");

  nego_test_check_members (job, "{'out-data':'good\\n'}"); /* whatever was before */
  nego_test_client_free (fixture->client);
  nego_test_stop (fixture->test);
}

/* Calls that are wrong, of a script that takes an environment variable A. */
typedef struct {
  const char *name;
  const char *arguments;
  const char *error;
} BadCall;

static const BadCall calls[] = {
  { "unknown", "'command':'none'", "unknown negotiator command 'none'" },
  { "empty", "'command':''", "unknown negotiator command ''" },
  { "slash", "'command':'../guest-commands/good'",
    "unknown negotiator command '../guest-commands/good'" },
  { "absolute", "'command':'/bin/true'", "unknown negotiator command '/bin/true'" },
  { "dot", "'command':'.good'", "unknown negotiator command '.good'" },
  { "dots", "'command':'..'", "unknown negotiator command '..'" },
  { "lf", "'command':'good\\n'", "unknown negotiator command 'good\\n'" },
  { "blank", "'command':'good '", "unknown negotiator command 'good '" },
  { "key-file", "'command':'good.conf'", "unknown negotiator command 'good.conf'" },
  { "not-ascii", "'command':'\xC3\xA9'", "unknown negotiator command '\\303\\251'" },
  { "base64", "'command':'good','input-data':'a-b_'", "Base64 data contains invalid characters" },
  { "base64-blank", "'command':'good','input-data':'aGVs bG8='",
    "Base64 data contains invalid characters" },
  { "base64-cr", "'command':'good','input-data':'aGVs\\r\\nbG8='",
    "Base64 data contains invalid characters" },
  { "base64-cut", "'command':'good','input-data':'aGVsb'", "Base64 data is incomplete" },
  { "timeout-0", "'command':'good','timeout':0", "timeout must be above 0" },
  { "timeout-below", "'command':'good','timeout':-1", "timeout must be above 0" },
  { "wait-below", "'command':'good','wait':-0.5", "wait must not be below 0" },
  { "key-empty", "'command':'good','key':''", "key '' is not 1 to 64 of A-Z a-z 0-9 . _ -" },
  { "key-blank", "'command':'good','key':'a b'", "key 'a b' is not 1 to 64 of A-Z a-z 0-9 . _ -" },
  { "env-not-admitted", "'command':'good','env':['A=1']",
    "negotiator command 'good' is refused by 'AllowEnvironment' in '@SCRIPTS@/good.conf': it "
    "admits "
    "no 'A'" },
  { "env-never", "'command':'good','env':['LD_PRELOAD=x']",
    "environment variable 'LD_PRELOAD' is never admitted" },
  { "env-path", "'command':'good','env':['PATH=/tmp']",
    "environment variable 'PATH' is never admitted" },
  { "env-no-value", "'command':'good','env':['A']", "env entry 1 is not NAME=VALUE" },
  { "env-no-name", "'command':'good','env':['=1']", "env entry 1 is not NAME=VALUE" },
  { "env-twice", "'command':'taker','env':['A=1','A=2']",
    "environment variable 'A' is given twice" },
  { "no-arguments", "'command':'taker','arg':['x']",
    "negotiator command 'taker' is refused by 'Arguments' in '@SCRIPTS@/taker.conf': it takes no "
    "arguments" },
};

/* @text with the directory of scripts filled in. */
static char *
fill_in (Fixture *fixture, const char *text)
{
  g_autoptr (GString) filled = g_string_new (text);

  g_string_replace (filled, "@SCRIPTS@", nego_test_get_script_dir (fixture->test), 0);
  return g_string_free (g_steal_pointer (&filled), FALSE);
}

static void
check_refused (Fixture *fixture, const char *arguments, const char *error)
{
  g_autofree char *text = fill_in (fixture, error);

  nego_test_exec_fails (fixture->client, arguments, text);
}

static void
test_calls (Fixture *fixture, gconstpointer user_data)
{
  nego_test_add_script (fixture->test, "taker", SH (""));
  nego_test_add_script_conf (fixture->test, "taker", "AllowEnvironment=A;\nArguments=false");
  for (gsize i = 0; i < G_N_ELEMENTS (calls); i++) {
    g_test_message ("%s", calls[i].name);
    check_refused (fixture, calls[i].arguments, calls[i].error);
  }
}

/* Statuses that are wrong, of a job "k" that wrote "good\n". */
static const BadCall statuses[] = {
  { "nothing", "", "one of job and key must be given" },
  { "unknown-job", "'job':'0'", "unknown job '0'" },
  { "unknown-key", "'key':'0'", "unknown job '0'" },
  { "job-with-lf", "'job':'\\n'", "unknown job '\\n'" },
  { "out-offset-below", "'key':'k','out-offset':-1", "out-offset must not be below 0" },
  { "err-offset-below", "'key':'k','err-offset':-1", "err-offset must not be below 0" },
  { "out-offset-beyond", "'key':'k','out-offset':6",
    "out-offset 6 is beyond the output (5 bytes)" },
  { "err-offset-beyond", "'key':'k','err-offset':1",
    "err-offset 1 is beyond the output (0 bytes)" },
  { "wait-below", "'key':'k','wait':-1", "wait must not be below 0" },
};

static void
test_statuses (Fixture *fixture, gconstpointer user_data)
{
  json_object_unref (nego_test_exec (fixture->client, "'command':'good','key':'k'"));
  for (gsize i = 0; i < G_N_ELEMENTS (statuses); i++) {
    g_autofree char *request
      = g_strdup_printf ("{'execute':'negotiator-exec-status','arguments':{%s}}",
                         statuses[i].arguments);

    g_test_message ("%s", statuses[i].name);
    nego_test_expect_error (fixture->client, request, statuses[i].error);
  }
  json_object_unref (nego_test_status (fixture->client, "'key':'k','out-offset':5"));
}

static char *
make_list (const char *piece, guint n)
{
  GString *list = g_string_new (NULL);

  for (guint i = 0; i < n; i++)
    g_string_append_printf (list, i > 0 ? ",%s" : "%s", piece);
  return g_string_free (list, FALSE);
}

static void
test_many_arguments (Fixture *fixture, gconstpointer user_data)
{
  g_autofree char *list = make_list ("''", NEGO_SCRIPT_ARGS);
  g_autofree char *fits = g_strdup_printf ("'command':'count','arg':[%s]", list);
  g_autofree char *above = g_strdup_printf ("'command':'count','arg':[%s,'']", list);
  g_autoptr (JsonObject) job = NULL;

  nego_test_add_script (fixture->test, "count", SH ("echo $#"));
  job = nego_test_exec (fixture->client, fits);
  nego_test_check_members (job, "{'out-data':'1024\\n'}");
  nego_test_exec_fails (fixture->client, above, "too many arguments (limit 1024)");
}

static void
test_long_argument (Fixture *fixture, gconstpointer user_data)
{
  g_autofree char *longest = g_strnfill (NEGO_SCRIPT_ARG_BYTES - 1, 'x');
  g_autofree char *fits = g_strdup_printf ("'command':'length','arg':['%s']", longest);
  g_autofree char *above = g_strdup_printf ("'command':'length','arg':['','%sx']", longest);
  g_autoptr (JsonObject) job = NULL;

  nego_test_add_script (fixture->test, "length", SH ("echo ${#1}"));
  job = nego_test_exec (fixture->client, fits);
  nego_test_check_members (job, "{'out-data':'131071\\n'}");
  nego_test_exec_fails (fixture->client, above, "argument 2 is too long (limit 131071 bytes)");
}

static void
test_many_variables (Fixture *fixture, gconstpointer user_data)
{
  g_autofree char *list = make_list ("'A=1'", NEGO_SCRIPT_ENV + 1);
  g_autofree char *above = g_strdup_printf ("'command':'good','env':[%s]", list);

  nego_test_exec_fails (fixture->client, above, "too many environment variables (limit 256)");
}

static void
test_long_input (Fixture *fixture, gconstpointer user_data)
{
  gsize len = NEGO_SCRIPT_INPUT_BYTES;
  g_autofree guchar *data = g_malloc0 (len + 1);
  g_autofree char *limit = g_base64_encode (data, len);
  g_autofree char *longer = g_base64_encode (data, len + 1);
  g_autofree char *fits = g_strdup_printf ("'command':'count','input-data':'%s'", limit);
  g_autofree char *above = g_strdup_printf ("'command':'count','input-data':'%s'", longer);
  g_autoptr (JsonObject) job = NULL;

  nego_test_add_script (fixture->test, "count", SH ("wc -c"));
  job = nego_test_exec (fixture->client, fits);
  nego_test_check_members (job, "{'out-data':'16777216\\n'}");
  nego_test_exec_fails (fixture->client, above, "input-data is too long (limit 16777216 bytes)");
}

static void
test_long_name (Fixture *fixture, gconstpointer user_data)
{
  g_autofree char *longest = g_strnfill (NEGO_SCRIPT_NAME_BYTES, 'x');
  g_autofree char *fits = g_strdup_printf ("'command':'%s'", longest);
  g_autofree char *above = g_strdup_printf ("'command':'%sx'", longest);
  g_autofree char *quoted = g_strnfill (NEGO_ERROR_QUOTE_BYTES, 'x');
  g_autofree char *error = g_strdup_printf ("unknown negotiator command '%s'", quoted);

  nego_test_add_script (fixture->test, longest, SH (""));
  json_object_unref (nego_test_exec (fixture->client, fits));
  nego_test_exec_fails (fixture->client, above, error);
}

static void
test_long_key (Fixture *fixture, gconstpointer user_data)
{
  g_autofree char *longest = g_strnfill (NEGO_JOB_KEY_BYTES, 'k');
  g_autofree char *fits = g_strdup_printf ("'command':'good','key':'%s'", longest);
  g_autofree char *above = g_strdup_printf ("'command':'good','key':'%sk'", longest);
  g_autofree char *error
    = g_strdup_printf ("key '%s' is not 1 to 64 of A-Z a-z 0-9 . _ -", longest);

  json_object_unref (nego_test_exec (fixture->client, fits));
  nego_test_exec_fails (fixture->client, above, error);
}

static void
add (const char *name, const char *negotiator, void (*func) (Fixture *, gconstpointer))
{
  g_autofree char *path = g_strdup_printf ("/script-calls/%s", name);

  g_test_add (path, Fixture, negotiator, set_up, func, tear_down);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  add ("calls", NULL, test_calls);
  add ("statuses", NULL, test_statuses);
  add ("many-arguments", NULL, test_many_arguments);
  add ("long-argument", NULL, test_long_argument);
  add ("many-variables", NULL, test_many_variables);
  add ("long-input", NULL, test_long_input);
  add ("long-name", NULL, test_long_name);
  add ("long-key", NULL, test_long_key);
  return g_test_run ();
}
