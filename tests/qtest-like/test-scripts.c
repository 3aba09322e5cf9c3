/* SPDX-License-Identifier: MIT */
/*
 * negotiator-list, negotiator-exec and negotiator-exec-status with scripts that are as they should
 * be. Requests are in single quotes here, which the dialect allows.
 */
#include "config.h"

#include "common/names.h"
#include "tests/qtest-like/libnegotest.h"

#include <string.h>
#include <unistd.h>

/* A run and what of its result is looked at; the script's name is "x". */
typedef struct {
  const char *name;
  const char *script;
  const char *conf;      /* lines of the key file, or NULL */
  const char *arguments; /* beside command */
  const char *result;    /* for nego_test_check_members() */
  gboolean helped;       /* started by way of /proc/self/exe */
} Run;

#define SH(text) "#!/bin/sh\n" text "\n"

static const Run runs[] = {
  { "nothing", SH (""), NULL, "",
    "{'command':'x','state':'exited','exited':true,'exitcode':0,'signal':null,'reason':null,"
    "'key':null,'user':null,'out-data':'','out-encoding':'utf-8','out-offset':0,'out-next':0,"
    "'out-eof':true,'out-truncated':null,'err-data':'','err-encoding':'utf-8','err-offset':0,"
    "'err-next':0,'err-eof':true,'err-truncated':null,'output-still-open':null}" },
  { "output", SH ("echo out; echo err >&2"), NULL, "",
    "{'out-data':'out\\n','out-next':4,'err-data':'err\\n','err-next':4}" },
  { "exit-status", SH ("exit 3"), NULL, "", "{'state':'exited','exited':true,'exitcode':3}" },
  { "signal", SH ("kill -9 $$"), NULL, "",
    "{'state':'signalled','exited':true,'signal':9,'exitcode':null}" },
  { "arguments", SH ("printf '<%s>' \"$0\" \"$#\" \"$@\" | sed s,.*/,,"), NULL,
    ",'arg':['a','b c','','*',';id','-e','\\u00e9','new\\nline']",
    "{'out-data':'x><8><a><b c><><*><;id><-e><\\u00e9><new\\nline>'}" },
  { "input", SH ("cat"), NULL, ",'input-data':'aGVsbG8='", "{'out-data':'hello'}" },
  { "input-with-lf", SH ("cat"), NULL, ",'input-data':'aGVs\\nbG8=\\n'", "{'out-data':'hello'}" },
  { "input-empty", SH ("wc -c"), NULL, ",'input-data':''", "{'out-data':'0\\n'}" },
  { "no-input", SH ("wc -c"), NULL, "", "{'out-data':'0\\n'}" },
  { "input-unread", SH ("exec <&-; echo done"), NULL, ",'input-data':'aGVsbG8='",
    "{'exitcode':0,'out-data':'done\\n'}" },
  { "directory", SH ("pwd"), NULL, "", "{'out-data':'/\\n'}" },
  { "own-directory", SH ("pwd"), "WorkingDirectory=/usr", "", "{'out-data':'/usr\\n'}",
    .helped = TRUE },
  { "descriptors",
    SH ("cd /proc/$$/fd; for n in 0 1 2 3 4 5 6 7 8 9; do [ ! -e $n ] || printf $n; done"), NULL,
    "", "{'out-data':'012'}" },
  { "environment",
    SH ("env | grep -v -e ^NEGOTIATOR_JOB= -e ^PWD= -e ^_= -e ^HOME= -e ^USER= "
        "-e ^LOGNAME= -e ^OLDPWD= -e ^SHLVL= | sort"),
    NULL, "",
    "{'out-data':'LANG=C.UTF-8\\nNEGOTIATOR_SIDE=guest\\nPATH=/usr/local/sbin:/usr/local/bin:"
    "/usr/sbin:/usr/bin:/sbin:/bin\\nSHELL=/bin/sh\\n'}" },
  { "environment-of-conf", SH ("echo $A-$B"), "Environment=A=1;B=2;\nAllowEnvironment=B;",
    ",'env':['B=3']", "{'out-data':'1-3\\n'}" },
  { "bytes", SH ("printf '\\377\\376'"), NULL, "",
    "{'out-data':'//4=','out-encoding':'base64','out-next':2}" },
  { "nul", SH ("printf 'a\\0b'"), NULL, "", "{'out-data':'YQBi','out-encoding':'base64'}" },
  { "characters", SH ("printf '\\303\\251\\360\\237\\230\\200'"), NULL, ",'encoding':'auto'",
    "{'out-encoding':'base64','out-next':6}" },
  { "few-characters", SH ("printf 'caf\\303\\251 au lait'"), NULL, "",
    "{'out-data':'caf\\u00e9 au lait','out-encoding':'utf-8','out-next':13}" },
  { "base64", SH ("echo hello"), NULL, ",'encoding':'base64'",
    "{'out-data':'aGVsbG8K','out-encoding':'base64','err-encoding':'base64','out-next':6}" },
  { "timeout-of-conf", SH ("exec sleep 600"), "Timeout=0.1", "",
    "{'state':'timed-out','exited':true,'exitcode':null}" },
  { "timeout-of-call", SH ("exec sleep 600"), NULL, ",'timeout':0.1", "{'state':'timed-out'}" },
  { "timeout-shortens", SH ("exec sleep 600"), "Timeout=0.1", ",'timeout':500",
    "{'state':'timed-out'}" },
  { "max-output", SH ("printf 123456; printf 12345 >&2"), "MaxOutput=5", "",
    "{'out-data':'12345','out-truncated':true,'out-eof':true,'out-next':5,'err-data':'12345',"
    "'err-truncated':null}" },
  { "key", SH (""), NULL, ",'key':'A-z.0_9'", "{'key':'A-z.0_9'}" },
};

static void
test_run (gconstpointer user_data)
{
  const Run *run = user_data;
  NegoTest *test = nego_test_start (NULL);
  NegoTestClient *client = nego_test_connect (test);
  g_autofree char *arguments = g_strdup_printf ("'command':'x'%s", run->arguments);
  g_autoptr (JsonObject) job = NULL;

  nego_test_add_script (test, "x", run->script);
  if (run->conf != NULL)
    nego_test_add_script_conf (test, "x", run->conf);
  job = nego_test_exec (client, arguments);
  nego_test_check_members (job, run->result);
  g_assert_cmpuint (strlen (json_object_get_string_member (job, "job")), ==, 32);
  nego_test_client_free (client);
  nego_test_stop (test);
}

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
}

static void
tear_down (Fixture *fixture, gconstpointer user_data)
{
  nego_test_client_free (fixture->client);
  nego_test_stop (fixture->test);
}

/* The built-in commands are those of an installation, and may be there or not. */
static void
check_list (NegoTestClient *client, const char *list)
{
  g_autoptr (JsonNode) value = nego_test_call (client, "{'execute':'negotiator-list'}");
  g_autofree char *users = NULL;
  JsonArray *commands = json_node_get_array (value);

  for (guint i = json_array_get_length (commands); i > 0; i--) {
    JsonObject *command = json_array_get_object_element (commands, i - 1);

    if (g_str_equal (json_object_get_string_member (command, "source"), "builtin"))
      json_array_remove_element (commands, i - 1);
  }
  users = json_to_string (value, FALSE);
  if (!nego_test_json_equal (users, list))
    g_assert_cmpstr (users, ==, list);
}

#define ENTRY(name, rest) "{\"name\": \"" name "\", \"source\": \"user\", " rest "}"
#define PLAIN             "\"timeout\": 10, \"arguments\": true, \"read-only\": false, \"enabled\": true"

static void
test_list (Fixture *fixture, gconstpointer user_data)
{
  const char *dir = nego_test_get_script_dir (fixture->test);
  g_autofree char *b = g_build_filename (dir, "b", NULL);

  check_list (fixture->client, "[]");
  nego_test_add_script (fixture->test, "b", SH (""));
  nego_test_add_script (fixture->test, "a", SH (""));
  nego_test_add_script (fixture->test, ".hidden", SH (""));
  nego_test_add_script (fixture->test, "a~", SH (""));
  nego_test_add_script_conf (fixture->test, "a",
                             "Description=The first\nTimeout=1.5\nUser=root\nArguments=false\n"
                             "ReadOnly=true");
  check_list (fixture->client,
              "[" ENTRY ("a", "\"description\": \"The first\", \"timeout\": 1.5, \"user\": "
                              "\"root\", \"arguments\": false, \"read-only\": true, "
                              "\"enabled\": true") ", " ENTRY ("b", PLAIN) "]");
  g_assert_cmpint (unlink (b), ==, 0);
  nego_test_add_script_conf (fixture->test, "a", "");
  check_list (fixture->client, "[" ENTRY ("a", PLAIN) "]");
}

/* No wait: the job goes on and can be asked for, by its name or its key, again and again. */
static void
test_status (Fixture *fixture, gconstpointer user_data)
{
  g_autoptr (JsonObject) job = NULL;
  g_autofree char *by_job = NULL;
  int gate;

  nego_test_add_gate (fixture->test, "slow");
  job = nego_test_exec (fixture->client, "'command':'slow','wait':0,'key':'k'");
  nego_test_check_members (job, "{'state':'running','exited':false,'exitcode':null,'key':'k',"
                                "'out-data':'','out-eof':false}");
  by_job = g_strdup_printf ("'job':'%s'", json_object_get_string_member (job, "job"));
  gate = nego_test_open_gate (fixture->test, "slow");
  g_clear_pointer (&job, json_object_unref);
  job = nego_test_call_object (fixture->client, "{'execute':'negotiator-info'}");
  g_assert_cmpint (json_object_get_int_member (job, "jobs"), ==, 1);
  nego_test_pass_gate (gate, "done");
  for (int i = 0; i < 2; i++) {
    g_clear_pointer (&job, json_object_unref);
    job = nego_test_exec (fixture->client, "'command':'slow','wait':600,'key':'k'");
    nego_test_check_members (job, "{'state':'exited','out-data':'done\\n','out-eof':true}");
    g_clear_pointer (&job, json_object_unref);
    job = nego_test_status (fixture->client, by_job);
    nego_test_check_members (job, "{'state':'exited','key':'k','out-data':'done\\n'}");
    g_clear_pointer (&job, json_object_unref);
    job = nego_test_status (fixture->client, "'key':'k','out-offset':2,'encoding':'base64'");
    nego_test_check_members (job, "{'out-data':'bmUK','out-offset':2,'out-next':5}");
  }
}

/* The same key does not run it again; in another call it is an error. */
static void
test_key (Fixture *fixture, gconstpointer user_data)
{
  g_autofree char *runs_file = g_build_filename (nego_test_get_dir (fixture->test), "runs", NULL);
  g_autofree char *text = g_strdup_printf (SH ("echo run >>'%s'"), runs_file);
  g_autofree char *counted = NULL;

  nego_test_add_script (fixture->test, "count", text);
  nego_test_add_script (fixture->test, "other", SH (""));
  for (int i = 0; i < 3; i++)
    json_object_unref (nego_test_exec (fixture->client, "'command':'count','key':'k'"));
  g_assert_true (g_file_get_contents (runs_file, &counted, NULL, NULL));
  g_assert_cmpstr (counted, ==, "run\n");
  nego_test_exec_fails (fixture->client, "'command':'count','key':'k','arg':['x']",
                        "key 'k' is in use");
  nego_test_exec_fails (fixture->client, "'command':'other','key':'k'", "key 'k' is in use");
}

/* On the QGA channel a status waits one second at most, for news or not. */
static void
test_status_wait (Fixture *fixture, gconstpointer user_data)
{
  g_autoptr (JsonObject) job = NULL;
  g_autoptr (JsonNode) news = NULL;
  gint64 started;
  int gate;

  nego_test_add_gate (fixture->test, "slow");
  job = nego_test_exec (fixture->client, "'command':'slow','wait':0,'key':'k'");
  gate = nego_test_open_gate (fixture->test, "slow");
  started = g_get_monotonic_time ();
  g_clear_pointer (&job, json_object_unref);
  job = nego_test_status (fixture->client, "'key':'k','wait':600");
  nego_test_check_members (job, "{'state':'running'}");
  g_assert_cmpint ((g_get_monotonic_time () - started) / 1000, >=,
                   NEGO_EXEC_STATUS_WAIT_QGA_S * 1000 - 1);
  nego_test_send_text (fixture->client, "{'execute':'negotiator-exec-status','arguments':"
                                        "{'key':'k','wait':600}}");
  nego_test_pass_gate (gate, "news");
  news = nego_test_receive_return (fixture->client);
  nego_test_check_members (json_node_get_object (news), "{'out-data':'news\\n'}");
  g_clear_pointer (&job, json_object_unref);
  job = nego_test_exec (fixture->client, "'command':'slow','wait':60,'key':'k'");
  nego_test_check_members (job, "{'state':'exited'}");
}

/* Collects the output of the job @key in pieces, none in a line over the limit. */
static GString *
collect (NegoTestClient *client, const char *key)
{
  GString *all = g_string_new (NULL);
  gboolean eof = FALSE;

  while (!eof) {
    g_autofree char *request = g_strdup_printf ("{'execute':'negotiator-exec-status','arguments':"
                                                "{'key':'%s','out-offset':%zu}}\n",
                                                key, all->len);
    g_autofree char *line = NULL;
    g_autoptr (JsonNode) node = NULL;
    JsonObject *job;

    nego_test_send_text (client, request);
    line = nego_test_receive (client);
    g_assert_cmpuint (strlen (line) + 1, <=, NEGO_REPLY_BYTES);
    node = json_from_string (line, NULL);
    job = json_object_get_object_member (json_node_get_object (node), "return");
    if (g_str_equal (json_object_get_string_member (job, "out-encoding"), "base64")) {
      gsize len;
      g_autofree guchar *data
        = g_base64_decode (json_object_get_string_member (job, "out-data"), &len);

      g_string_append_len (all, (const char *) data, (gssize) len);
    } else {
      g_string_append (all, json_object_get_string_member (job, "out-data"));
    }
    g_assert_cmpint (json_object_get_int_member (job, "out-next"), ==, (gint64) all->len);
    eof = json_object_get_boolean_member (job, "out-eof");
  }
  return all;
}

static void
check_pages (Fixture *fixture, const char *name, const char *script, const char *piece, gsize times)
{
  g_autofree char *arguments = g_strdup_printf ("'command':'%s','key':'%s','wait':600", name, name);
  g_autoptr (GString) all = NULL;
  gsize len = strlen (piece);

  nego_test_add_script (fixture->test, name, script);
  nego_test_add_script_conf (fixture->test, name, "Timeout=0");
  json_object_unref (nego_test_exec (fixture->client, arguments));
  all = collect (fixture->client, name);
  g_assert_cmpuint (all->len, ==, len * times);
  for (gsize i = 0; i < times; i++)
    g_assert_cmpmem (all->str + i * len, len, piece, len);
}

static void
test_pages (Fixture *fixture, gconstpointer user_data)
{
  check_pages (fixture, "text", SH ("yes 'a line of text' | head -n 200000"), "a line of text\n",
               200000);
  check_pages (fixture, "characters", SH ("yes '\303\251t\303\251 x' | head -n 200000"),
               "\303\251t\303\251 x\n", 200000);
  check_pages (fixture, "binary", SH ("yes '\377\1' | head -n 700000"), "\377\1\n", 700000);
}

static void
test_concurrency (Fixture *fixture, gconstpointer user_data)
{
  int gate;

  nego_test_add_gate (fixture->test, "slow");
  nego_test_add_script_conf (fixture->test, "slow", "Concurrency=1\nTimeout=0");
  json_object_unref (nego_test_exec (fixture->client, "'command':'slow','wait':0,'key':'k'"));
  gate = nego_test_open_gate (fixture->test, "slow");
  nego_test_exec_fails (fixture->client, "'command':'slow'",
                        "negotiator command 'slow' is busy (limit 1)");
  nego_test_pass_gate (gate, "");
  json_object_unref (nego_test_exec (fixture->client, "'command':'slow','wait':600,'key':'k'"));
  json_object_unref (nego_test_exec (fixture->client, "'command':'slow','wait':0,'key':'l'"));
  nego_test_pass_gate (nego_test_open_gate (fixture->test, "slow"), "");
  json_object_unref (nego_test_exec (fixture->client, "'command':'slow','wait':600,'key':'l'"));
}

static void
test_job_limit (Fixture *fixture, gconstpointer user_data)
{
  int gate;

  nego_test_add_gate (fixture->test, "slow");
  nego_test_add_script (fixture->test, "x", SH (""));
  json_object_unref (nego_test_exec (fixture->client, "'command':'slow','wait':0,'key':'k'"));
  gate = nego_test_open_gate (fixture->test, "slow");
  nego_test_exec_fails (fixture->client, "'command':'x'", "too many jobs (limit 1)");
  nego_test_pass_gate (gate, "");
  json_object_unref (nego_test_exec (fixture->client, "'command':'slow','wait':600,'key':'k'"));
  json_object_unref (nego_test_exec (fixture->client, "'command':'x'"));
}

static void
add (const char *name, const char *negotiator, void (*func) (Fixture *, gconstpointer))
{
  g_autofree char *path = g_strdup_printf ("/scripts/%s", name);

  g_test_add (path, Fixture, negotiator, set_up, func, tear_down);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  for (gsize i = 0; i < G_N_ELEMENTS (runs); i++) {
    g_autofree char *path = g_strdup_printf ("/scripts/run/%s", runs[i].name);

    if (!runs[i].helped || !nego_test_is_valgrind ())
      g_test_add_data_func (path, &runs[i], test_run);
  }
  add ("list", NULL, test_list);
  add ("status", NULL, test_status);
  add ("status-wait", NULL, test_status_wait);
  add ("key", NULL, test_key);
  add ("pages", NULL, test_pages);
  add ("concurrency", NULL, test_concurrency);
  add ("job-limit", "jobs = 1", test_job_limit);
  return g_test_run ();
}
