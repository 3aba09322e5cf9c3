/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "common/exec.h"
#include "common/names.h"
#include "tests/helpers/agent-fixture.h"
#include "tests/helpers/valgrind.h"

#include <signal.h>
#include <unistd.h>

#define COPY "#!/bin/sh\nexec cat\n"
#define HANG "#!/bin/sh\ntrap '' TERM\necho ready\nwhile :; do sleep 100; done\n"

static void
start (AgentFixture *fixture, const char *arguments)
{
  json_node_unref (agent_fixture_ask (fixture, "negotiator-exec", arguments));
}

static void
test_jobs (AgentFixture *fixture, gconstpointer data)
{
  g_autoptr (JsonNode) none = NULL, node = NULL;
  JsonArray *jobs;
  JsonObject *first, *second;

  if (fixture->dir == NULL)
    return;
  none = agent_fixture_ask (fixture, "negotiator-jobs", "{}");
  jobs = json_object_get_array_member (json_node_get_object (none), "return");
  g_assert_cmpuint (json_array_get_length (jobs), ==, 0);
  agent_fixture_add (fixture, "says", "#!/bin/sh\necho out; echo e >&2; exit 3\n");
  agent_fixture_add (fixture, "hang", HANG);
  start (fixture, "{'command':'says','wait':60}");
  start (fixture, "{'command':'hang','key':'k','stream':true,'wait':60}");
  node = agent_fixture_ask (fixture, "negotiator-jobs", "{}");
  jobs = json_object_get_array_member (json_node_get_object (node), "return");
  g_assert_cmpuint (json_array_get_length (jobs), ==, 2);
  first = json_array_get_object_element (jobs, 0);
  second = json_array_get_object_element (jobs, 1);
  g_assert_cmpstr (json_object_get_string_member (first, "command"), ==, "says");
  g_assert_cmpstr (json_object_get_string_member (first, "state"), ==, "exited");
  g_assert_cmpint (json_object_get_int_member (first, "exitcode"), ==, 3);
  g_assert_cmpint (json_object_get_int_member (first, "out-next"), ==, 4);
  g_assert_cmpint (json_object_get_int_member (first, "err-next"), ==, 2);
  g_assert_false (json_object_has_member (first, "key"));
  g_assert_cmpstr (json_object_get_string_member (second, "key"), ==, "k");
  g_assert_cmpstr (json_object_get_string_member (second, "state"), ==, "running");
  g_assert_false (json_object_get_boolean_member (second, "exited"));
  g_assert_false (json_object_has_member (second, "exitcode"));
  g_assert_cmpint (json_object_get_int_member (second, "out-next"), ==, 6);
}

/* At the limit, and one above: the newest are listed, and the line is no longer than it may be. */
static void
test_jobs_limit (AgentFixture *fixture, gconstpointer data)
{
  NegoJobLimits limits = nego_job_limits_default;
  NegoJobTable *own;
  g_autoptr (JsonNode) node = NULL, full = NULL;
  g_autofree char *name = g_strnfill (NEGO_SCRIPT_NAME_BYTES, 'x');
  JsonArray *jobs;

  /* A thousand helpers would take valgrind minutes. */
  if (fixture->dir == NULL || skip_under_valgrind ())
    return;
  limits.retained = NEGO_JOBS_LISTED + 1;
  own = fixture->agent->service.jobs;
  fixture->agent->service.jobs = nego_job_table_new ("guest", &limits);
  for (guint i = 0; i <= NEGO_JOBS_LISTED; i++) {
    /* The longest there can be, none of which runs. */
    g_autofree char *key = g_strdup_printf ("%0*u", (int) NEGO_JOB_KEY_BYTES, i);
    NegoJobRequest request = { .command = name, .key = key };
    NegoScript *script = g_new0 (NegoScript, 1);

    script->name = g_strdup (name);
    script->path = g_strdup ("/no/such/script");
    script->conf = nego_script_conf_new ();
    script->conf->user = g_strdup ("a-user-with-a-name-of-32-letters");
    g_assert_nonnull (
      nego_job_table_start (fixture->agent->service.jobs, &request, NULL, script, NULL));
    if (i + 1 == NEGO_JOBS_LISTED) {
      full = agent_fixture_ask (fixture, "negotiator-jobs", "{}");
      jobs = json_object_get_array_member (json_node_get_object (full), "return");
      g_assert_cmpuint (json_array_get_length (jobs), ==, NEGO_JOBS_LISTED);
      g_assert_true (g_str_has_suffix (
        json_object_get_string_member (json_array_get_object_element (jobs, 0), "key"), "0000"));
    }
    while (nego_job_table_count_running (fixture->agent->service.jobs) > 0)
      g_main_context_iteration (NULL, TRUE);
  }
  node = agent_fixture_ask (fixture, "negotiator-jobs", "{}");
  jobs = json_object_get_array_member (json_node_get_object (node), "return");
  g_assert_cmpuint (json_array_get_length (jobs), ==, NEGO_JOBS_LISTED);
  g_assert_true (g_str_has_suffix (
    json_object_get_string_member (json_array_get_object_element (jobs, 0), "key"), "0001"));
  nego_job_table_free (fixture->agent->service.jobs);
  fixture->agent->service.jobs = own;
}

static void
assert_input (AgentFixture *fixture, const char *arguments, gint64 next, gboolean closed)
{
  g_autoptr (JsonNode) node = agent_fixture_ask (fixture, "negotiator-exec-input", arguments);
  JsonObject *ret = agent_fixture_returned (node);

  g_assert_cmpint (json_object_get_int_member (ret, "in-next"), ==, next);
  g_assert_cmpint (json_object_has_member (ret, "in-closed"), ==, closed);
}

static void
test_input (AgentFixture *fixture, gconstpointer data)
{
  g_autoptr (JsonNode) node = NULL;

  if (fixture->dir == NULL)
    return;
  agent_fixture_add (fixture, "copy", COPY);
  /* "in", and "put". */
  start (fixture, "{'command':'copy','key':'k','wait':0,'input':true,'input-data':'aW4='}");
  assert_input (fixture, "{'key':'k','offset':0}", 2, FALSE);
  assert_input (fixture, "{'key':'k','offset':2,'input-data':'cHV0'}", 5, FALSE);
  /* A repeat is harmless, also one of a part. */
  assert_input (fixture, "{'key':'k','offset':2,'input-data':'cHV0'}", 5, FALSE);
  assert_input (fixture, "{'key':'k','offset':0,'input-data':'aW5wdXQh'}", 6, FALSE);
  agent_fixture_assert_error (fixture, "negotiator-exec-input",
                              "{'key':'k','offset':7,'input-data':'cHV0'}",
                              "input from 6 on is missing");
  assert_input (fixture, "{'key':'k','offset':6,'eof':true}", 6, TRUE);
  node = agent_fixture_ask (fixture, "negotiator-exec",
                            "{'command':'copy','key':'k','input-data':'aW4=','wait':60}");
  agent_fixture_assert_text (node, "out-data", "input!");
  agent_fixture_assert_text (node, "state", "exited");
  /* What is sent to one that has ended is dropped. */
  assert_input (fixture, "{'key':'k','offset':6,'input-data':'cHV0'}", 9, TRUE);
}

static void
test_input_errors (AgentFixture *fixture, gconstpointer data)
{
  static const char *const cases[][2] = {
    { "{'offset':0}", "one of job and key must be given" },
    { "{'key':'k','job':'j','offset':0}", "one of job and key must be given" },
    { "{'key':'none','offset':0}", "unknown job 'none'" },
    { "{'key':'k','offset':-1}", "offset must not be below 0" },
    { "{'key':'k','offset':1}", "input from 0 on is missing" },
    { "{'key':'k','offset':0,'wait':-0.1}", "wait must not be below 0" },
    { "{'key':'k','offset':0,'input-data':'#'}", "Base64 data contains invalid characters" },
    { "{'key':'k','offset':0,'input-data':'abc'}", "Base64 data is incomplete" },
  };
  g_autofree char *none = NULL, *ended = NULL;
  const char *id;
  NegoJob *job;
  int go;

  if (fixture->dir == NULL)
    return;
  go = agent_fixture_add_waiting (fixture, "waits", "", "");
  start (fixture, "{'command':'waits','key':'k','wait':0,'input':true}");
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    agent_fixture_assert_error (fixture, "negotiator-exec-input", cases[i][0], cases[i][1]);
  assert_input (fixture, "{'key':'k','offset':0,'input-data':'aW4=','eof':true}", 2, TRUE);
  job = nego_job_table_find (fixture->agent->service.jobs, NULL, "k", NULL);
  id = nego_job_get_id (job);
  ended = g_strdup_printf ("the input of job '%s' has ended (2 bytes)", id);
  agent_fixture_assert_error (fixture, "negotiator-exec-input",
                              "{'key':'k','offset':2,'input-data':'aW4='}", ended);
  agent_fixture_assert_error (fixture, "negotiator-exec-input",
                              "{'key':'k','offset':0,'input-data':'aW5wdXQh'}", ended);
  assert_input (fixture, "{'key':'k','offset':0,'input-data':'aW4=','eof':true}", 2, TRUE);

  start (fixture, "{'command':'waits','key':'none','wait':0}");
  job = nego_job_table_find (fixture->agent->service.jobs, NULL, "none", NULL);
  none = g_strdup_printf ("job '%s' takes no input", nego_job_get_id (job));
  agent_fixture_assert_error (fixture, "negotiator-exec-input", "{'key':'none','offset':0}", none);
  nego_policy_set_frozen (fixture->policy, TRUE);
  agent_fixture_assert_error (fixture, "negotiator-exec-input", "{'key':'k','offset':0}",
                              "the agent is in frozen state");
  nego_policy_set_frozen (fixture->policy, FALSE);
  close (go);
}

/* More than the job has room for is taken in part; the rest waits for room. */
static void
test_input_room (AgentFixture *fixture, gconstpointer data)
{
  g_autofree guint8 *block = g_malloc0 (3 * NEGO_JOB_INPUT_BYTES);
  g_autofree char *text = g_base64_encode (block, 3 * NEGO_JOB_INPUT_BYTES);
  g_autofree char *now = g_strdup_printf ("{'key':'k','offset':0,'input-data':'%s'}", text);
  g_autofree char *later
    = g_strdup_printf ("{'key':'k','offset':0,'input-data':'%s','wait':60,'eof':true}", text);
  g_autoptr (JsonNode) node = NULL, ended = NULL;
  gint64 next;
  int go;

  if (fixture->dir == NULL)
    return;
  go = agent_fixture_add_waiting (fixture, "counts", "", "wc -c");
  agent_fixture_add (fixture, "counts.conf", "[Command]\nTimeout=0\n");
  start (fixture, "{'command':'counts','key':'k','wait':0,'input':true}");
  node = agent_fixture_ask (fixture, "negotiator-exec-input", now);
  next = json_object_get_int_member (agent_fixture_returned (node), "in-next");
  g_assert_cmpint (next, >=, NEGO_JOB_INPUT_BYTES);
  g_assert_cmpint (next, <, 2 * NEGO_JOB_INPUT_BYTES);
  g_assert_cmpint (write (go, "\n", 1), ==, 1);
  /* With its end told, nobody may read it any more by now. */
  json_node_unref (g_steal_pointer (&node));
  node = agent_fixture_ask (fixture, "negotiator-exec-input", later);
  agent_fixture_assert_int (node, "in-next", 3 * NEGO_JOB_INPUT_BYTES);
  ended
    = agent_fixture_ask (fixture, "negotiator-exec", "{'command':'counts','key':'k','wait':60}");
  agent_fixture_assert_text (ended, "out-data", "3145728\n");
  close (go);
}

/* Two calls with the same data wait for room: the job gets it once. */
static void
test_input_twice (AgentFixture *fixture, gconstpointer data)
{
  g_autofree guint8 *block = g_malloc0 (3 * NEGO_JOB_INPUT_BYTES);
  g_autofree char *text = g_base64_encode (block, 3 * NEGO_JOB_INPUT_BYTES);
  g_autofree char *call = g_strdup_printf (
    "{'execute':'negotiator-exec-input','arguments':{'key':'k','offset':0,'input-data':'%s',"
    "'wait':60}}",
    text);
  g_autoptr (JsonNode) on = NULL, first = NULL, second = NULL, end = NULL, ended = NULL;
  int go;

  if (fixture->dir == NULL)
    return;
  go = agent_fixture_add_waiting (fixture, "counts", "", "wc -c");
  agent_fixture_add (fixture, "counts.conf", "[Command]\nTimeout=0\n");
  on = agent_fixture_ask (fixture, "negotiator-session", "{'concurrent':true}");
  start (fixture, "{'command':'counts','key':'k','wait':0,'input':true}");
  agent_fixture_tell (fixture, call);
  agent_fixture_tell (fixture, call);
  json_node_unref (agent_fixture_ask (fixture, "guest-ping", "{}"));
  g_assert_cmpint (write (go, "\n", 1), ==, 1);
  first = agent_fixture_hear_node (fixture);
  agent_fixture_assert_int (first, "in-next", 3 * NEGO_JOB_INPUT_BYTES);
  second = agent_fixture_hear_node (fixture);
  agent_fixture_assert_int (second, "in-next", 3 * NEGO_JOB_INPUT_BYTES);
  end = agent_fixture_ask (fixture, "negotiator-exec-input",
                           "{'key':'k','offset':3145728,'eof':true}");
  agent_fixture_assert_int (end, "in-next", 3 * NEGO_JOB_INPUT_BYTES);
  ended
    = agent_fixture_ask (fixture, "negotiator-exec", "{'command':'counts','key':'k','wait':60}");
  agent_fixture_assert_text (ended, "out-data", "3145728\n");
  close (go);
}

static void
test_signal (AgentFixture *fixture, gconstpointer data)
{
  g_autoptr (JsonNode) node = NULL;
  g_autofree char *has_ended = NULL;

  if (fixture->dir == NULL)
    return;
  agent_fixture_add (fixture, "hang", HANG);
  start (fixture, "{'command':'hang','key':'k','wait':60,'stream':true}");
  json_node_unref (
    agent_fixture_ask (fixture, "negotiator-exec-status", "{'key':'k','stream':false}"));
  json_node_unref (agent_fixture_ask (fixture, "negotiator-exec-signal",
                                      "{'key':'k','signal':'TERM','kill-after':0.02}"));
  node = agent_fixture_ask (fixture, "negotiator-exec", "{'command':'hang','key':'k','wait':60}");
  agent_fixture_assert_text (node, "state", "signalled");
  agent_fixture_assert_int (node, "signal", SIGKILL);
  has_ended
    = g_strdup_printf ("job '%s' has ended",
                       json_object_get_string_member (agent_fixture_returned (node), "job"));
  agent_fixture_assert_error (fixture, "negotiator-exec-signal", "{'key':'k','signal':'TERM'}",
                              has_ended);
}

static void
test_signal_names (AgentFixture *fixture, gconstpointer data)
{
  static const struct {
    const char *name;
    int number;
  } names[] = {
    { "HUP", SIGHUP },   { "INT", SIGINT },   { "QUIT", SIGQUIT }, { "KILL", SIGKILL },
    { "USR1", SIGUSR1 }, { "USR2", SIGUSR2 }, { "ALRM", SIGALRM }, { "TERM", SIGTERM },
  };
  static const char *const harmless[] = { "CONT", "STOP", "TSTP", "WINCH" };

  if (fixture->dir == NULL)
    return;
  agent_fixture_add (fixture, "sleeps", "#!/bin/sh\nexec sleep 100\n");
  for (guint i = 0; i < G_N_ELEMENTS (names); i++) {
    g_autofree char *arguments
      = g_strdup_printf ("{'key':'%s','signal':'%s'}", names[i].name, names[i].name);
    g_autofree char *exec
      = g_strdup_printf ("{'command':'sleeps','key':'%s','wait':0}", names[i].name);
    g_autofree char *wait
      = g_strdup_printf ("{'command':'sleeps','key':'%s','wait':60}", names[i].name);
    g_autoptr (JsonNode) node = NULL;

    start (fixture, exec);
    json_node_unref (agent_fixture_ask (fixture, "negotiator-exec-signal", arguments));
    node = agent_fixture_ask (fixture, "negotiator-exec", wait);
    agent_fixture_assert_int (node, "signal", names[i].number);
  }
  start (fixture, "{'command':'sleeps','key':'k','wait':0}");
  for (guint i = 0; i < G_N_ELEMENTS (harmless); i++) {
    g_autofree char *arguments = g_strdup_printf ("{'key':'k','signal':'%s'}", harmless[i]);

    json_node_unref (agent_fixture_ask (fixture, "negotiator-exec-signal", arguments));
  }
}

static void
test_signal_errors (AgentFixture *fixture, gconstpointer data)
{
  static const char *const cases[][2] = {
    { "{'signal':'TERM'}", "one of job and key must be given" },
    { "{'signal':'TERM','job':'j','key':'k'}", "one of job and key must be given" },
    { "{'signal':'TERM','job':'j'}", "unknown job 'j'" },
    { "{'signal':'SIGTERM','key':'k'}", "unknown signal 'SIGTERM'" },
    { "{'signal':'SEGV','key':'k'}", "unknown signal 'SEGV'" },
    { "{'signal':'','key':'k'}", "unknown signal ''" },
    { "{'signal':'TERM','key':'k','kill-after':-1}", "kill-after must not be below 0" },
  };

  if (fixture->dir == NULL)
    return;
  agent_fixture_add (fixture, "hang", HANG);
  start (fixture, "{'command':'hang','key':'k','wait':0}");
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    agent_fixture_assert_error (fixture, "negotiator-exec-signal", cases[i][0], cases[i][1]);
}

/* The fixture's agent runs two jobs at once. */
static void
test_signal_queued (AgentFixture *fixture, gconstpointer data)
{
  g_autoptr (JsonNode) queued = NULL, node = NULL;
  g_autofree char *not_started = NULL;

  if (fixture->dir == NULL)
    return;
  agent_fixture_add (fixture, "hang", HANG);
  start (fixture, "{'command':'hang','wait':0}");
  start (fixture, "{'command':'hang','wait':0}");
  agent_fixture_assert_error (fixture, "negotiator-exec", "{'command':'hang','wait':0}",
                              "too many jobs (limit 2)");
  queued = agent_fixture_ask (fixture, "negotiator-exec",
                              "{'command':'hang','key':'q','wait':0,'queue':true}");
  agent_fixture_assert_text (queued, "state", "queued");
  agent_fixture_assert_int (queued, "elapsed-ns", 0);
  agent_fixture_assert_bool (queued, "exited", FALSE);
  agent_fixture_assert_bool (queued, "out-eof", FALSE);
  not_started
    = g_strdup_printf ("job '%s' has not started",
                       json_object_get_string_member (agent_fixture_returned (queued), "job"));
  agent_fixture_assert_error (fixture, "negotiator-exec-signal", "{'key':'q','signal':'USR1'}",
                              not_started);
  json_node_unref (
    agent_fixture_ask (fixture, "negotiator-exec-signal", "{'key':'q','signal':'INT'}"));
  node = agent_fixture_ask (fixture, "negotiator-exec-status", "{'key':'q'}");
  agent_fixture_assert_text (node, "state", "cancelled");
  agent_fixture_assert_bool (node, "exited", TRUE);
  agent_fixture_assert_bool (node, "out-eof", TRUE);
}

static void
test_queue_limit (AgentFixture *fixture, gconstpointer data)
{
  if (fixture->dir == NULL)
    return;
  agent_fixture_add (fixture, "hang", HANG);
  for (guint i = 0; i < 2 + NEGO_JOBS_QUEUED; i++)
    start (fixture, "{'command':'hang','wait':0,'queue':true}");
  agent_fixture_assert_error (fixture, "negotiator-exec",
                              "{'command':'hang','wait':0,'queue':true}",
                              "too many queued jobs (limit 64)");
}

static void
test_forget (AgentFixture *fixture, gconstpointer data)
{
  g_autoptr (JsonNode) ended = NULL;

  if (fixture->dir == NULL)
    return;
  agent_fixture_add (fixture, "hang", HANG);
  start (fixture, "{'command':'hang','key':'k','wait':0}");
  json_node_unref (agent_fixture_ask (fixture, "negotiator-exec-forget", "{'key':'k'}"));
  agent_fixture_assert_error (fixture, "negotiator-exec-status", "{'key':'k'}", "unknown job 'k'");
  while (nego_job_table_count_running (fixture->agent->service.jobs) > 0)
    g_main_context_iteration (NULL, TRUE);

  agent_fixture_add (fixture, "ends", "#!/bin/sh\necho text\n");
  ended = agent_fixture_ask (fixture, "negotiator-exec", "{'command':'ends','key':'k'}");
  agent_fixture_assert_text (ended, "state", "exited");
  json_node_unref (agent_fixture_ask (fixture, "negotiator-exec-forget", "{'key':'k'}"));
  agent_fixture_assert_error (fixture, "negotiator-exec-forget", "{'key':'k'}", "unknown job 'k'");
  agent_fixture_assert_error (fixture, "negotiator-exec-forget", "{}",
                              "one of job and key must be given");
  agent_fixture_assert_error (fixture, "negotiator-exec-forget", "{'key':'k','job':'k'}",
                              "one of job and key must be given");
}

/* The answer to a call that waits starts the one behind it, which may be about the same job. */
static void
test_forget_behind_wait (AgentFixture *fixture, gconstpointer data)
{
  static const char *const behind[] = { "exec-forget", "exec-signal" };
  g_autofree guint8 *block = g_malloc0 (2 * NEGO_JOB_INPUT_BYTES);
  g_autofree char *text = g_base64_encode (block, 2 * NEGO_JOB_INPUT_BYTES);

  if (fixture->dir == NULL)
    return;
  agent_fixture_add (fixture, "hang", HANG);
  start (fixture, "{'command':'hang','wait':0}");
  start (fixture, "{'command':'hang','wait':0}");
  for (guint i = 0; i < G_N_ELEMENTS (behind); i++) {
    g_autoptr (JsonNode) status = NULL, input = NULL, done = NULL, last = NULL;
    g_autofree char *exec
      = g_strdup_printf ("{'command':'hang','key':'%s','wait':0,'queue':true,'input':true}",
                         behind[i]);
    g_autofree char *asked
      = g_strdup_printf ("{'execute':'negotiator-exec-status','arguments':{'key':'%s','wait':0.05}}"
                         "{'execute':'negotiator-%s','arguments':{'key':'%s'%s}}",
                         behind[i], behind[i], behind[i], i == 0 ? "" : ",'signal':'TERM'");
    g_autofree char *full = g_strdup_printf (
      "{'execute':'negotiator-exec-input','arguments':{'key':'%s','offset':0,'wait':0.05,"
      "'input-data':'%s'}}{'execute':'negotiator-%s','arguments':{'key':'%s'%s}}",
      behind[i], text, behind[i], behind[i], i == 0 ? "" : ",'signal':'TERM'");

    start (fixture, exec);
    agent_fixture_tell (fixture, asked);
    status = agent_fixture_hear_node (fixture);
    agent_fixture_assert_text (status, "state", "queued");
    done = agent_fixture_hear_node (fixture);
    agent_fixture_returned (done);
    if (i > 0)
      json_node_unref (
        agent_fixture_ask (fixture, "negotiator-exec-forget", "{'key':'exec-signal'}"));
    start (fixture, exec);
    agent_fixture_tell (fixture, full);
    input = agent_fixture_hear_node (fixture);
    agent_fixture_assert_int (input, "in-next", 0);
    last = agent_fixture_hear_node (fixture);
    agent_fixture_returned (last);
  }
}

/* While file systems are frozen, what runs can be looked at and ended. */
static void
test_frozen (AgentFixture *fixture, gconstpointer data)
{
  if (fixture->dir == NULL)
    return;
  agent_fixture_add (fixture, "hang", HANG);
  start (fixture, "{'command':'hang','key':'k','wait':0}");
  nego_policy_set_frozen (fixture->policy, TRUE);
  agent_fixture_assert_error (fixture, "negotiator-exec", "{'command':'hang'}",
                              "the agent is in frozen state");
  json_node_unref (agent_fixture_ask (fixture, "negotiator-jobs", "{}"));
  json_node_unref (
    agent_fixture_ask (fixture, "negotiator-exec-signal", "{'key':'k','signal':'CONT'}"));
  json_node_unref (agent_fixture_ask (fixture, "negotiator-exec-forget", "{'key':'k'}"));
  nego_policy_set_frozen (fixture->policy, FALSE);
}

int
main (int argc, char **argv)
{
  static const struct {
    const char *path;
    void (*func) (AgentFixture *fixture, gconstpointer data);
  } tests[] = {
    { "/cmd-negotiator-job/jobs", test_jobs },
    { "/cmd-negotiator-job/jobs-limit", test_jobs_limit },
    { "/cmd-negotiator-job/input", test_input },
    { "/cmd-negotiator-job/input-errors", test_input_errors },
    { "/cmd-negotiator-job/input-room", test_input_room },
    { "/cmd-negotiator-job/input-twice", test_input_twice },
    { "/cmd-negotiator-job/signal", test_signal },
    { "/cmd-negotiator-job/signal-names", test_signal_names },
    { "/cmd-negotiator-job/signal-errors", test_signal_errors },
    { "/cmd-negotiator-job/signal-queued", test_signal_queued },
    { "/cmd-negotiator-job/queue-limit", test_queue_limit },
    { "/cmd-negotiator-job/forget", test_forget },
    { "/cmd-negotiator-job/forget-behind-wait", test_forget_behind_wait },
    { "/cmd-negotiator-job/frozen", test_frozen },
  };

  if (nego_exec_is_helper (argc, argv))
    return nego_exec_helper_main (argc, argv);
  signal (SIGPIPE, SIG_IGN);
  g_test_init (&argc, &argv, NULL);
  for (guint i = 0; i < G_N_ELEMENTS (tests); i++)
    g_test_add (tests[i].path, AgentFixture, NULL, agent_fixture_set_up, tests[i].func,
                agent_fixture_tear_down);
  return g_test_run ();
}
