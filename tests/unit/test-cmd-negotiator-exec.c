/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "common/exec.h"
#include "tests/helpers/agent-fixture.h"
#include "tests/helpers/valgrind.h"

#include <signal.h>
#include <unistd.h>

static void
test_exec (AgentFixture *fixture, gconstpointer data)
{
  static const char *const absent[]
    = { "key",           "reason",        "signal", "output-still-open",
        "out-truncated", "err-truncated", "user",   NULL };
  g_autoptr (JsonNode) node = NULL, base64 = NULL;

  if (fixture->dir == NULL)
    return;
  agent_fixture_add (fixture, "x", "#!/bin/sh\ncat; echo \"$1|$2|$A\"; echo err >&2; exit 3\n");
  agent_fixture_add (fixture, "x.conf", "[Command]\nAllowEnvironment=A\n");
  node = agent_fixture_ask (fixture, "negotiator-exec",
                            "{'command':'x','arg':['b c',''],'input-data':'aW4g','env':['A=1 2']}");
  agent_fixture_assert_text (node, "command", "x");
  agent_fixture_assert_text (node, "state", "exited");
  agent_fixture_assert_bool (node, "exited", TRUE);
  agent_fixture_assert_int (node, "exitcode", 3);
  agent_fixture_assert_text (node, "out-data", "in b c||1 2\n");
  agent_fixture_assert_text (node, "out-encoding", "utf-8");
  agent_fixture_assert_int (node, "out-offset", 0);
  agent_fixture_assert_int (node, "out-next", 12);
  agent_fixture_assert_bool (node, "out-eof", TRUE);
  agent_fixture_assert_text (node, "err-data", "err\n");
  agent_fixture_assert_bool (node, "err-eof", TRUE);
  agent_fixture_assert_text (node, "instance", fixture->agent->service.instance);
  g_assert_cmpint (json_object_get_int_member (agent_fixture_returned (node), "elapsed-ns"), >, 0);
  agent_fixture_assert_absent (node, absent);
  base64 = agent_fixture_ask (fixture, "negotiator-exec", "{'command':'x','encoding':'base64'}");
  agent_fixture_assert_text (base64, "out-data", "fHwK");
  agent_fixture_assert_text (base64, "out-encoding", "base64");
}

static void
test_exec_outcomes (AgentFixture *fixture, gconstpointer data)
{
  g_autoptr (JsonNode) signalled = NULL, timed_out = NULL, truncated = NULL, held = NULL;

  if (fixture->dir == NULL)
    return;
  agent_fixture_add (fixture, "signalled", "#!/bin/sh\nkill -USR1 $$\n");
  signalled = agent_fixture_ask (fixture, "negotiator-exec", "{'command':'signalled'}");
  agent_fixture_assert_text (signalled, "state", "signalled");
  agent_fixture_assert_int (signalled, "signal", SIGUSR1);

  agent_fixture_add (fixture, "sleeps", "#!/bin/sh\nexec sleep 100\n");
  timed_out = agent_fixture_ask (fixture, "negotiator-exec", "{'command':'sleeps','timeout':0.05}");
  agent_fixture_assert_text (timed_out, "state", "timed-out");
  agent_fixture_assert_bool (timed_out, "exited", TRUE);

  agent_fixture_add (fixture, "truncated", "#!/bin/sh\nprintf 12345\n");
  agent_fixture_add (fixture, "truncated.conf", "[Command]\nMaxOutput=4\n");
  truncated = agent_fixture_ask (fixture, "negotiator-exec", "{'command':'truncated'}");
  agent_fixture_assert_text (truncated, "out-data", "1234");
  agent_fixture_assert_bool (truncated, "out-truncated", TRUE);
  agent_fixture_assert_bool (truncated, "out-eof", TRUE);

  agent_fixture_add (fixture, "held", "#!/bin/sh\nsleep 3 &\necho early\n");
  held = agent_fixture_ask (fixture, "negotiator-exec", "{'command':'held'}");
  agent_fixture_assert_text (held, "state", "exited");
  agent_fixture_assert_bool (held, "output-still-open", TRUE);
  agent_fixture_assert_text (held, "out-data", "early\n");
}

static void
test_exec_failed (AgentFixture *fixture, gconstpointer data)
{
  g_autoptr (JsonNode) failed = NULL;

  if (fixture->dir == NULL || skip_under_valgrind ())
    return;
  agent_fixture_add (fixture, "failed", "#!/no/such/interpreter\n");
  failed = agent_fixture_ask (fixture, "negotiator-exec", "{'command':'failed'}");
  agent_fixture_assert_text (failed, "state", "failed");
  g_assert_true (
    g_str_has_suffix (json_object_get_string_member (agent_fixture_returned (failed), "reason"),
                      "failed': it, or its interpreter, does not exist"));
}

static void
test_exec_errors (AgentFixture *fixture, gconstpointer data)
{
  g_autofree char *no_args = NULL, *no_env = NULL, *refused = NULL, *policy = NULL;
  g_autofree char *memory = NULL;

  if (fixture->dir == NULL)
    return;
  agent_fixture_add (fixture, "x", "#!/bin/sh\n");
  agent_fixture_add (fixture, "x.conf", "[Command]\nArguments=false\n");
  agent_fixture_add (fixture, "wrong", "no program");
  agent_fixture_assert_error (fixture, "negotiator-exec", "{'command':'gone'}",
                              "unknown negotiator command 'gone'");
  agent_fixture_assert_error (fixture, "negotiator-exec", "{'command':'../x'}",
                              "unknown negotiator command '../x'");
  agent_fixture_assert_error (fixture, "negotiator-exec", "{'command':'x\\n'}",
                              "unknown negotiator command 'x\\n'");
  refused = g_strdup_printf ("negotiator command 'wrong' is refused by the checks of its files: "
                             "'%s/wrong' is no program and has no interpreter line (#!)",
                             fixture->dir);
  agent_fixture_assert_error (fixture, "negotiator-exec", "{'command':'wrong'}", refused);
  no_args = g_strdup_printf (
    "negotiator command 'x' is refused by 'Arguments' in '%s/x.conf': it takes no arguments",
    fixture->dir);
  agent_fixture_assert_error (fixture, "negotiator-exec", "{'command':'x','arg':['a']}", no_args);
  no_env = g_strdup_printf (
    "negotiator command 'x' is refused by 'AllowEnvironment' in '%s/x.conf': it admits no 'A'",
    fixture->dir);
  agent_fixture_assert_error (fixture, "negotiator-exec", "{'command':'x','env':['A=1']}", no_env);
  agent_fixture_add (fixture, "large", "#!/bin/sh\n");
  agent_fixture_add (fixture, "large.conf", "[Command]\nMemoryMax=64M\n");
  memory = g_strdup_printf (
    "negotiator command 'large' is refused by MemoryMax in '%s/large.conf', which cannot be kept: "
    "no control group with a memory controller is delegated to this program",
    fixture->dir);
  agent_fixture_assert_error (fixture, "negotiator-exec", "{'command':'large'}", memory);
  agent_fixture_assert_error (fixture, "negotiator-exec", "{'command':'x','env':['PATH=/tmp']}",
                              "environment variable 'PATH' is never admitted");
  agent_fixture_assert_error (fixture, "negotiator-exec", "{'command':'x','timeout':0}",
                              "timeout must be above 0");
  agent_fixture_assert_error (fixture, "negotiator-exec", "{'command':'x','wait':-0.1}",
                              "wait must not be below 0");
  agent_fixture_assert_error (fixture, "negotiator-exec", "{'command':'x','input-data':'a b'}",
                              "Base64 data contains invalid characters");
  agent_fixture_assert_error (fixture, "negotiator-exec", "{'command':'x','input-data':'abc'}",
                              "Base64 data is incomplete");
  agent_fixture_assert_error (fixture, "negotiator-exec", "{'command':'x','key':''}",
                              "key '' is not 1 to 64 of A-Z a-z 0-9 . _ -");
  nego_policy_set_commands (fixture->policy, NEGO_POLICY_COMMANDS_READ);
  policy
    = g_strdup_printf ("negotiator command 'x' is refused by 'commands = read' in [negotiator]: "
                       "'%s/x.conf' does not say ReadOnly=true",
                       fixture->dir);
  agent_fixture_assert_error (fixture, "negotiator-exec", "{'command':'x'}", policy);
}

static void
test_limits (AgentFixture *fixture, gconstpointer data)
{
  g_autoptr (JsonNode) first = NULL, second = NULL;

  if (fixture->dir == NULL)
    return;
  agent_fixture_add (fixture, "x", "#!/bin/sh\nexec sleep 100\n");
  agent_fixture_add (fixture, "x.conf", "[Command]\nConcurrency=1\n");
  agent_fixture_add (fixture, "y", "#!/bin/sh\nexec sleep 100\n");
  first = agent_fixture_ask (fixture, "negotiator-exec", "{'command':'x','wait':0}");
  agent_fixture_assert_text (first, "state", "running");
  agent_fixture_assert_bool (first, "exited", FALSE);
  agent_fixture_assert_error (fixture, "negotiator-exec", "{'command':'x'}",
                              "negotiator command 'x' is busy (limit 1)");
  second = agent_fixture_ask (fixture, "negotiator-exec", "{'command':'y','wait':0.01}");
  agent_fixture_assert_text (second, "state", "running");
  agent_fixture_assert_error (fixture, "negotiator-exec", "{'command':'y'}",
                              "too many jobs (limit 2)");
}

static void
test_key (AgentFixture *fixture, gconstpointer data)
{
  g_autoptr (JsonNode) first = NULL, again = NULL, by_key = NULL;
  g_autofree char *script = NULL;

  if (fixture->dir == NULL)
    return;
  script
    = g_strdup_printf ("#!/bin/sh\necho run >>%s/runs\ncat %s/runs\n", fixture->dir, fixture->dir);
  agent_fixture_add (fixture, "x", script);
  first = agent_fixture_ask (fixture, "negotiator-exec", "{'command':'x','arg':['a'],'key':'k'}");
  agent_fixture_assert_text (first, "out-data", "run\n");
  agent_fixture_assert_text (first, "key", "k");
  again = agent_fixture_ask (fixture, "negotiator-exec", "{'command':'x','arg':['a'],'key':'k'}");
  agent_fixture_assert_text (again, "out-data", "run\n");
  agent_fixture_assert_text (again, "job",
                             json_object_get_string_member (agent_fixture_returned (first), "job"));
  by_key = agent_fixture_ask (fixture, "negotiator-exec-status", "{'key':'k'}");
  agent_fixture_assert_text (by_key, "out-data", "run\n");
  agent_fixture_assert_error (fixture, "negotiator-exec", "{'command':'x','arg':['b'],'key':'k'}",
                              "key 'k' is in use");
  agent_fixture_assert_error (fixture, "negotiator-exec", "{'command':'gone','key':'k'}",
                              "key 'k' is in use");
}

/* A client that goes while it waits takes nothing with it. */
static void
test_session_ends (AgentFixture *fixture, gconstpointer data)
{
  if (fixture->dir == NULL)
    return;
  agent_fixture_add (fixture, "x", "#!/bin/sh\nexec sleep 100\n");
  agent_fixture_tell (fixture,
                      "{'execute':'negotiator-exec','arguments':{'command':'x','wait':60}}");
  while (nego_job_table_count_running (fixture->agent->service.jobs) == 0)
    g_main_context_iteration (NULL, TRUE);
  g_clear_pointer (&fixture->session, nego_session_free);
  g_assert_cmpuint (nego_job_table_count_running (fixture->agent->service.jobs), ==, 1);
}

/* The answer to a call that waits lets the sync behind it end the subscription. */
static void
test_sync_behind_stream (AgentFixture *fixture, gconstpointer data)
{
  g_autoptr (JsonNode) exec = NULL, sync = NULL, ended = NULL, ping = NULL;
  int go;

  if (fixture->dir == NULL)
    return;
  go = agent_fixture_add_waiting (fixture, "waits", "", "echo done");
  agent_fixture_tell (fixture, "{'execute':'negotiator-exec','arguments':{'command':'waits',"
                               "'key':'k','stream':true,'wait':0.02}}"
                               "{'execute':'guest-sync','arguments':{'id':7}}");
  exec = agent_fixture_hear_node (fixture);
  sync = agent_fixture_hear_node (fixture);
  agent_fixture_assert_text (exec, "state", "running");
  g_assert_cmpint (json_object_get_int_member (json_node_get_object (sync), "return"), ==, 7);
  g_assert_cmpint (write (go, "\n", 1), ==, 1);
  ended = agent_fixture_ask (fixture, "negotiator-exec", "{'command':'waits','key':'k','wait':60}");
  agent_fixture_assert_text (ended, "out-data", "done\n");
  ping = agent_fixture_ask (fixture, "guest-ping", "{}");
  agent_fixture_returned (ping);
  close (go);
}

static void
test_frozen (AgentFixture *fixture, gconstpointer data)
{
  g_autoptr (JsonNode) refused = NULL;
  JsonObject *error;

  if (fixture->dir == NULL)
    return;
  agent_fixture_add (fixture, "x", "#!/bin/sh\n");
  json_node_unref (agent_fixture_ask (fixture, "negotiator-exec", "{'command':'x','key':'k'}"));
  nego_policy_set_frozen (fixture->policy, TRUE);
  json_node_unref (agent_fixture_ask (fixture, "negotiator-exec-status", "{'key':'k'}"));
  json_node_unref (agent_fixture_ask (fixture, "negotiator-list", "{}"));
  refused = agent_fixture_ask (fixture, "negotiator-exec", "{'command':'x'}");
  error = json_object_get_object_member (json_node_get_object (refused), "error");
  g_assert_true (g_str_has_suffix (json_object_get_string_member (error, "desc"),
                                   "the agent is in frozen state"));
}

int
main (int argc, char **argv)
{
  static const struct {
    const char *path;
    void (*func) (AgentFixture *fixture, gconstpointer data);
    gboolean qga;
  } tests[] = {
    { "/cmd-negotiator-exec/exec", test_exec, FALSE },
    { "/cmd-negotiator-exec/exec-outcomes", test_exec_outcomes, FALSE },
    { "/cmd-negotiator-exec/exec-failed", test_exec_failed, FALSE },
    { "/cmd-negotiator-exec/exec-errors", test_exec_errors, FALSE },
    { "/cmd-negotiator-exec/limits", test_limits, FALSE },
    { "/cmd-negotiator-exec/key", test_key, FALSE },
    { "/cmd-negotiator-exec/session-ends", test_session_ends, FALSE },
    { "/cmd-negotiator-exec/sync-behind-stream", test_sync_behind_stream, FALSE },
    { "/cmd-negotiator-exec/frozen", test_frozen, FALSE },
  };

  if (nego_exec_is_helper (argc, argv))
    return nego_exec_helper_main (argc, argv);
  signal (SIGPIPE, SIG_IGN);
  g_test_init (&argc, &argv, NULL);
  for (guint i = 0; i < G_N_ELEMENTS (tests); i++)
    g_test_add (tests[i].path, AgentFixture, tests[i].qga ? tests : NULL, agent_fixture_set_up,
                tests[i].func, agent_fixture_tear_down);
  return g_test_run ();
}
