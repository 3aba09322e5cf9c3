/* SPDX-License-Identifier: MIT */
/*
 * guest-exec and guest-exec-status, of ours and, where the rows say so, of qemu-ga. Requests are in
 * single quotes here, which the dialect allows.
 */
#include "config.h"

#include "common/names.h"
#include "tests/qtest-like/libnegotest.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static JsonObject *
ask (NegoTestClient *client, const char *command, const char *arguments)
{
  g_autofree char *request
    = g_strdup_printf ("{'execute':'%s','arguments':{%s}}", command, arguments);

  return nego_test_call_object (client, request);
}

static gint64
start (NegoTestClient *client, const char *arguments)
{
  g_autoptr (JsonObject) ret = ask (client, "guest-exec", arguments);

  g_assert_cmpuint (json_object_get_size (ret), ==, 1);
  g_assert_cmpint (json_object_get_int_member (ret, "pid"), >, 0);
  return json_object_get_int_member (ret, "pid");
}

static JsonObject *
get_status (NegoTestClient *client, gint64 pid)
{
  g_autofree char *arguments = g_strdup_printf ("'pid':%" G_GINT64_FORMAT, pid);

  return ask (client, "guest-exec-status", arguments);
}

/* There is no other way than to ask again. */
static JsonObject *
await_end (NegoTestClient *client, gint64 pid)
{
  for (;;) {
    JsonObject *ret = get_status (client, pid);

    if (json_object_get_boolean_member (ret, "exited"))
      return ret;
    g_assert_cmpuint (json_object_get_size (ret), ==, 1);
    json_object_unref (ret);
    g_usleep (1000);
  }
}

static JsonObject *
run (NegoTestClient *client, const char *arguments)
{
  return await_end (client, start (client, arguments));
}

typedef struct {
  const char *name;
  const char *arguments;
  const char *result; /* for nego_test_check_members() */
  gboolean new;       /* qemu-ga 7.2 has no modes */
} Run;

#define SH(text)     "'path':'/bin/sh','arg':['-c','" text "']"
#define CAPTURED     ",'capture-output':true"
#define MODE(name)   ",'capture-output':'" name "'"
#define BOTH         SH ("echo out; echo err >&2")
#define NONE         "'out-data':null,'err-data':null,'out-truncated':null,'err-truncated':null"
#define OUT_OR(text) "{'exitcode':0,'out-data':'" text "'"

static const Run runs[] = {
  { "nothing", SH ("exit 0"), "{'exited':true,'exitcode':0,'signal':null," NONE "}" },
  { "not-captured", BOTH, "{'exitcode':0," NONE "}" },
  { "false", BOTH ",'capture-output':false", "{'exitcode':0," NONE "}" },
  { "true", BOTH CAPTURED,
    "{'exitcode':0,'out-data':'b3V0Cg==','err-data':'ZXJyCg==','out-truncated':false,"
    "'err-truncated':false}" },
  { "no-output", SH ("exit 0") CAPTURED, "{'exitcode':0," NONE "}" },
  { "mode-none", BOTH MODE ("none"), "{'exitcode':0," NONE "}", TRUE },
  { "mode-stdout", BOTH MODE ("stdout"),
    "{'out-data':'b3V0Cg==','out-truncated':false,'err-data':null,'err-truncated':null}", TRUE },
  { "mode-stderr", BOTH MODE ("stderr"),
    "{'err-data':'ZXJyCg==','err-truncated':false,'out-data':null,'out-truncated':null}", TRUE },
  { "mode-separated", BOTH MODE ("separated"), "{'out-data':'b3V0Cg==','err-data':'ZXJyCg=='}",
    TRUE },
  { "mode-merged", BOTH MODE ("merged"), "{'out-data':'b3V0CmVycgo=','err-data':null}", TRUE },
  { "exit-status", SH ("exit 3"), "{'exited':true,'exitcode':3,'signal':null}" },
  { "signal", SH ("kill -9 $$"), "{'exited':true,'signal':9,'exitcode':null}" },
  { "searched", "'path':'sh','arg':['-c','echo $0','x']" CAPTURED, "{'out-data':'eAo='}" },
  { "searched-in-env", "'path':'sh','arg':['-c','echo x'],'env':['PATH=/usr/bin:/bin']" CAPTURED,
    "{'out-data':'eAo='}" },
  { "environment", SH ("echo $A") ",'env':['A=b']" CAPTURED, "{'out-data':'Ygo='}" },
  { "no-environment", "'path':'/usr/bin/env','env':[]" CAPTURED, "{'exitcode':0,'out-data':null}" },
  { "input", "'path':'/bin/cat','input-data':'aGVsbG8='" CAPTURED, "{'out-data':'aGVsbG8='}" },
  { "input-empty", SH ("wc -c") ",'input-data':''" CAPTURED, "{'out-data':'MAo='}" },
  { "no-input", SH ("wc -c") CAPTURED, "{'out-data':'MAo='}" },
  { "bytes", SH ("printf \\\"\\\\377\\\\000\\\"") CAPTURED, "{'out-data':'/wA='}" },
  { "directory", "'path':'/bin/pwd'" CAPTURED, "{'out-data':'Lwo='}", TRUE },
};

typedef struct {
  NegoTest *test;
  const Run *run;
} RunCase;

static void
test_run (gconstpointer user_data)
{
  const RunCase *run_case = user_data;
  g_autoptr (NegoTestClient) client = nego_test_connect (run_case->test);
  g_autoptr (JsonObject) ret = NULL;

  if (nego_test_is_qga () && run_case->run->new) {
    g_test_skip ("qemu-ga 7.2 has another directory, and no modes");
    return;
  }
  ret = run (client, run_case->run->arguments);
  nego_test_check_members (ret, run_case->run->result);
}

static void
test_given_once (gconstpointer user_data)
{
  g_autoptr (NegoTestClient) client = nego_test_connect ((NegoTest *) user_data);
  gint64 pid = start (client, SH ("exit 0"));
  g_autofree char *request
    = g_strdup_printf ("{'execute':'guest-exec-status','arguments':{'pid':%" G_GINT64_FORMAT "}}",
                       pid);
  g_autofree char *desc = nego_test_is_qga ()
                            ? g_strdup ("Invalid parameter 'pid'")
                            : g_strdup_printf ("PID %" G_GINT64_FORMAT " does not exist", pid);

  json_object_unref (await_end (client, pid));
  nego_test_expect_error (client, request, desc);
}

static void
test_errors (gconstpointer user_data)
{
  static const struct {
    const char *request, *desc;
  } rows[] = {
    { "{'execute':'guest-exec-status','arguments':{'pid':0}}", "PID 0 does not exist" },
    { "{'execute':'guest-exec-status','arguments':{'pid':-1}}", "PID -1 does not exist" },
    { "{'execute':'guest-exec-status','arguments':{'pid':4294967297}}",
      "PID 4294967297 does not exist" },
    { "{'execute':'guest-exec','arguments':{'path':'/no/such'}}",
      "Failed to execute child process “/no/such” (No such file or directory)" },
    { "{'execute':'guest-exec','arguments':{'path':'no-such-program'}}",
      "Failed to execute child process “no-such-program” (No such file or directory)" },
    { "{'execute':'guest-exec','arguments':{'path':''}}",
      "Failed to execute child process “” (No such file or directory)" },
    { "{'execute':'guest-exec','arguments':{'path':'/etc/passwd'}}",
      "Failed to execute child process “/etc/passwd” (Permission denied)" },
    { "{'execute':'guest-exec','arguments':{'path':'/bin/true','input-data':'?'}}",
      "Base64 data contains invalid characters" },
    { "{'execute':'guest-exec','arguments':{'path':'/bin/true','capture-output':1}}",
      "Invalid parameter type for 'capture-output', expected: GuestExecCaptureOutput" },
    { "{'execute':'guest-exec','arguments':{'path':'/bin/true','capture-output':'all'}}",
      "Parameter 'capture-output' does not accept value 'all'" },
  };
  g_autoptr (NegoTestClient) client = nego_test_connect ((NegoTest *) user_data);

  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++)
    if (!nego_test_is_valgrind () || strstr (rows[i].desc, "Failed to execute") == NULL)
      nego_test_expect_error (client, rows[i].request, rows[i].desc);
}

/* execvp(3) hands it to the shell, and so do we. */
static void
test_no_interpreter (gconstpointer user_data)
{
  NegoTest *test = (NegoTest *) user_data;
  g_autoptr (NegoTestClient) client = nego_test_connect (test);
  g_autofree char *path = nego_test_add_script_mode (test, "plain", 0755, "echo $1\n");
  g_autofree char *arguments = g_strdup_printf ("'path':'%s','arg':['a b']" CAPTURED, path);
  g_autoptr (JsonObject) ret = run (client, arguments);

  nego_test_check_members (ret, "{'exitcode':0,'out-data':'YSBiCg=='}");
}

/* A result is anybody's who knows the number, also when its starter has left. */
static void
test_other_client (gconstpointer user_data)
{
  g_autoptr (NegoTestClient) client = nego_test_connect ((NegoTest *) user_data);
  gint64 pid = start (client, SH ("echo out") CAPTURED);
  g_autoptr (NegoTestClient) other = NULL;
  g_autoptr (JsonObject) ret = NULL;

  nego_test_client_free (g_steal_pointer (&client));
  other = nego_test_connect ((NegoTest *) user_data);
  ret = await_end (other, pid);
  nego_test_check_members (ret, "{'out-data':'b3V0Cg=='}");
}

/* More input than a pipe holds, for a program that leaves it. */
static void
test_input_unread (gconstpointer user_data)
{
  g_autoptr (NegoTestClient) client = nego_test_connect ((NegoTest *) user_data);
  g_autofree guint8 *data = g_malloc0 (1 << 20);
  g_autofree char *text = g_base64_encode (data, 1 << 20);
  g_autofree char *some
    = g_strdup_printf (SH ("head -c 10 | wc -c") ",'input-data':'%s'" CAPTURED, text);
  g_autofree char *all = g_strdup_printf (SH ("wc -c") ",'input-data':'%s'" CAPTURED, text);
  g_autoptr (JsonObject) left = run (client, some);
  g_autoptr (JsonObject) taken = run (client, all);

  nego_test_check_members (left, "{'exitcode':0,'out-data':'MTAK'}");
  nego_test_check_members (taken, "{'exitcode':0,'out-data':'MTA0ODU3Ngo='}");
}

/* More than is written at once: it comes whole, and in order. */
static void
test_large (gconstpointer user_data)
{
  g_autoptr (NegoTestClient) client = nego_test_connect ((NegoTest *) user_data);
  g_autoptr (JsonObject) ret
    = run (client,
           SH ("head -c 3000001 /dev/zero; head -c 100000 /dev/zero >&2; kill -9 $$") CAPTURED);
  gsize len;

  nego_test_check_members (
    ret, "{'exited':true,'exitcode':null,'signal':9,'out-truncated':false,'err-truncated':false}");
  g_assert_cmpuint (json_object_get_size (ret), ==, 6);
  g_free (g_base64_decode (json_object_get_string_member (ret, "out-data"), &len));
  g_assert_cmpuint (len, ==, 3000001);
  g_free (g_base64_decode (json_object_get_string_member (ret, "err-data"), &len));
  g_assert_cmpuint (len, ==, 100000);
}

/* A background process holds the output: not for ever. It may still do so at the end, so this agent
 * is looked at no more. */
static void
test_lingers (void)
{
  NegoTest *test = nego_test_start (NULL);
  NegoTestClient *client = nego_test_connect (test);
  g_autofree char *arguments
    = g_strdup_printf (SH ("%s/held & echo out") CAPTURED, nego_test_get_script_dir (test));
  g_autoptr (JsonObject) ret = NULL;
  gint64 pid;
  int gate;

  nego_test_add_gate (test, "held");
  pid = start (client, arguments);
  gate = nego_test_open_gate (test, "held");
  ret = await_end (client, pid);
  nego_test_check_members (ret, "{'exitcode':0,'out-data':'b3V0Cg=='}");
  nego_test_pass_gate (gate, "late");
  nego_test_client_free (client);
  nego_test_end (test);
}

/* What is written shortly after the process ended is still its output. How long that takes is the
 * machine's affair, and ours waits for five seconds: once it must be there. */
static void
test_output_after_end (gconstpointer user_data)
{
  g_autoptr (NegoTestClient) client = nego_test_connect ((NegoTest *) user_data);
  gboolean found = FALSE;

  for (guint i = 0; i < 10 && !found; i++) {
    g_autoptr (JsonObject) ret
      = run (client,
             SH ("(while kill -0 $$ 2>/dev/null; do :; done; echo late) & exit 4") CAPTURED);

    g_assert_cmpint (json_object_get_int_member (ret, "exitcode"), ==, 4);
    found = json_object_has_member (ret, "out-data");
    if (found)
      nego_test_check_members (ret, "{'out-data':'bGF0ZQo='}");
  }
  g_assert_true (found);
}

/* A process that runs when the agent ends runs on. */
static void
test_survives (void)
{
  const NegoTestOptions options = { .leaves_children = TRUE };
  NegoTest *test = nego_test_start (&options);
  NegoTestClient *client = nego_test_connect (test);
  g_autofree char *fifo = g_build_filename (nego_test_get_dir (test), "fifo", NULL);
  g_autofree char *arguments = g_strdup_printf (SH ("echo ready; read line <%s"), fifo);
  gint64 pid;

  g_assert_cmpint (mkfifo (fifo, 0600), ==, 0);
  pid = start (client, arguments);
  nego_test_client_free (client);
  nego_test_end_by (test, SIGTERM);
  g_assert_cmpint (kill ((pid_t) pid, 0), ==, 0);
  g_assert_cmpint (kill ((pid_t) pid, SIGKILL), ==, 0);
}

static void
test_limit_of_reply (void)
{
  const NegoTestOptions options = { .negotiator = "exec-output = 1024" };
  NegoTest *test = nego_test_start (&options);
  NegoTestClient *client = nego_test_connect (test);
  static const struct {
    guint out, err;           /* written */
    guint kept_out, kept_err; /* in the reply */
  } rows[] = {
    { 1024, 0, 1024, 0 },   { 1025, 0, 1024, 0 },   { 512, 512, 512, 512 },
    { 1000, 10, 1000, 10 }, { 1020, 10, 1014, 10 }, { 2000, 2000, 512, 512 },
    { 10, 2000, 10, 1014 },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autofree char *arguments
      = g_strdup_printf (SH ("head -c %u /dev/zero; head -c %u /dev/zero >&2") CAPTURED,
                         rows[i].out, rows[i].err);
    g_autoptr (JsonObject) ret = run (client, arguments);
    const guint kept[] = { rows[i].kept_out, rows[i].kept_err };
    const guint written[] = { rows[i].out, rows[i].err };
    const char *const names[] = { "out", "err" };

    for (guint j = 0; j < 2; j++) {
      g_autofree char *data = g_strconcat (names[j], "-data", NULL);
      g_autofree char *truncated = g_strconcat (names[j], "-truncated", NULL);
      gsize len = 0;

      if (written[j] == 0) {
        g_assert_false (json_object_has_member (ret, data));
        continue;
      }
      g_free (g_base64_decode (json_object_get_string_member (ret, data), &len));
      g_assert_cmpuint (len, ==, kept[j]);
      g_assert_cmpint (json_object_get_boolean_member (ret, truncated), ==, written[j] > kept[j]);
    }
  }
  nego_test_client_free (client);
  nego_test_stop (test);
}

/* Arguments, environment and input are in no log, however much it tells. */
static void
test_log (void)
{
  NegoTest *test = nego_test_start (NULL);
  NegoTestClient *client = nego_test_connect (test);
  g_autofree char *log = NULL;

  json_object_unref (run (client, SH ("exit 0 # s3cret") ",'env':['A=s3cret'],"
                                                         "'input-data':'czNjcmV0'"));
  log = nego_test_get_log (test);
  g_assert_null (strstr (log, "s3cret"));
  g_assert_null (strstr (log, "czNjcmV0"));
  g_assert_nonnull (strstr (log, "(guest-exec)"));
  nego_test_client_free (client);
  nego_test_stop (test);
}

/* Whatever umask the agent is started with, programs and scripts have the usual one. */
static void
test_umask (void)
{
  mode_t mask = umask (077);
  NegoTest *test = nego_test_start (NULL);
  NegoTestClient *client = nego_test_connect (test);
  g_autoptr (JsonObject) program = NULL, script = NULL;

  umask (mask);
  program = run (client, SH ("umask") CAPTURED);
  nego_test_check_members (program, "{'exitcode':0,'out-data':'MDAyMgo='}");
  nego_test_add_script (test, "mask", "#!/bin/sh\numask\n");
  script = nego_test_exec (client, "'command':'mask','wait':60");
  nego_test_check_members (script, "{'exitcode':0,'out-data':'0022\\n'}");
  nego_test_client_free (client);
  nego_test_stop (test);
}

static void
add_runs (NegoTest *test)
{
  for (gsize i = 0; i < G_N_ELEMENTS (runs); i++) {
    g_autofree char *path = g_strdup_printf ("/process/run/%s", runs[i].name);
    RunCase *run_case = g_new (RunCase, 1);

    *run_case = (RunCase){ test, &runs[i] };
    g_test_add_data_func_full (path, run_case, test_run, g_free);
  }
}

int
main (int argc, char **argv)
{
  NegoTest *test;

  g_test_init (&argc, &argv, NULL);
  test = nego_test_start (NULL);
  add_runs (test);
  g_test_add_data_func ("/process/given-once", test, test_given_once);
  if (!nego_test_is_valgrind ())
    g_test_add_data_func ("/process/no-interpreter", test, test_no_interpreter);
  g_test_add_data_func ("/process/other-client", test, test_other_client);
  g_test_add_data_func ("/process/large", test, test_large);
  g_test_add_data_func ("/process/output-after-end", test, test_output_after_end);
  if (nego_test_is_qga ())
    return nego_test_run_shared (test);
  g_test_add_data_func ("/process/errors", test, test_errors);
  g_test_add_data_func ("/process/input-unread", test, test_input_unread);
  g_test_add_func ("/process/lingers", test_lingers);
  g_test_add_func ("/process/survives", test_survives);
  g_test_add_func ("/process/umask", test_umask);
  g_test_add_func ("/process/limit-of-reply", test_limit_of_reply);
  g_test_add_func ("/process/log", test_log);
  return nego_test_run_shared (test);
}
