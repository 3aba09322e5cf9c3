/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "common/exec.h"
#include "tests/helpers/agent-fixture.h"

#include <signal.h>
#include <string.h>
#include <unistd.h>

static void
test_status (AgentFixture *fixture, gconstpointer data)
{
  g_autoptr (JsonNode) started = NULL, news = NULL, rest = NULL, none = NULL, end = NULL;
  int go;

  if (fixture->dir == NULL)
    return;
  go = agent_fixture_add_waiting (fixture, "x", "echo first", "echo second");
  started = agent_fixture_ask (fixture, "negotiator-exec", "{'command':'x','wait':0,'key':'k'}");
  agent_fixture_assert_text (started, "out-data", "");
  agent_fixture_assert_bool (started, "out-eof", FALSE);
  news = agent_fixture_ask (fixture, "negotiator-exec-status", "{'key':'k','wait':60}");
  agent_fixture_assert_text (news, "out-data", "first\n");
  agent_fixture_assert_text (news, "state", "running");
  none = agent_fixture_ask (fixture, "negotiator-exec-status",
                            "{'key':'k','wait':0.05,'out-offset':6}");
  agent_fixture_assert_text (none, "out-data", "");
  agent_fixture_assert_int (none, "out-offset", 6);
  agent_fixture_assert_int (none, "out-next", 6);
  g_assert_cmpint (write (go, "\n", 1), ==, 1);
  rest
    = agent_fixture_ask (fixture, "negotiator-exec-status", "{'key':'k','wait':60,'out-offset':6}");
  agent_fixture_assert_text (rest, "out-data", "second\n");
  end = agent_fixture_ask (fixture, "negotiator-exec-status",
                           "{'key':'k','wait':60,'out-offset':13}");
  agent_fixture_assert_text (end, "state", "exited");
  agent_fixture_assert_bool (end, "out-eof", TRUE);
  close (go);
}

static void
test_status_errors (AgentFixture *fixture, gconstpointer data)
{
  if (fixture->dir == NULL)
    return;
  agent_fixture_add (fixture, "x", "#!/bin/sh\nprintf 12345\n");
  json_node_unref (agent_fixture_ask (fixture, "negotiator-exec", "{'command':'x','key':'k'}"));
  agent_fixture_assert_error (fixture, "negotiator-exec-status", "{}",
                              "one of job and key must be given");
  agent_fixture_assert_error (fixture, "negotiator-exec-status", "{'job':'j','key':'k'}",
                              "one of job and key must be given");
  agent_fixture_assert_error (fixture, "negotiator-exec-status", "{'job':'j'}", "unknown job 'j'");
  agent_fixture_assert_error (fixture, "negotiator-exec-status", "{'key':'j'}", "unknown job 'j'");
  agent_fixture_assert_error (fixture, "negotiator-exec-status", "{'key':'k','wait':-1}",
                              "wait must not be below 0");
  agent_fixture_assert_error (fixture, "negotiator-exec-status", "{'key':'k','out-offset':-1}",
                              "out-offset must not be below 0");
  agent_fixture_assert_error (fixture, "negotiator-exec-status", "{'key':'k','err-offset':-1}",
                              "err-offset must not be below 0");
  agent_fixture_assert_error (fixture, "negotiator-exec-status", "{'key':'k','out-offset':6}",
                              "out-offset 6 is beyond the output (5 bytes)");
  agent_fixture_assert_error (fixture, "negotiator-exec-status", "{'key':'k','err-offset':1}",
                              "err-offset 1 is beyond the output (0 bytes)");
  json_node_unref (
    agent_fixture_ask (fixture, "negotiator-exec-status", "{'key':'k','out-offset':5}"));
}

/* On the QGA port a status holds the agent for a second at most. */
static void
test_status_wait_on_qga (AgentFixture *fixture, gconstpointer qga)
{
  gint64 begin;
  g_autoptr (JsonNode) node = NULL;

  if (fixture->dir == NULL)
    return;
  agent_fixture_add (fixture, "x", "#!/bin/sh\nexec sleep 100\n");
  json_node_unref (
    agent_fixture_ask (fixture, "negotiator-exec", "{'command':'x','wait':0,'key':'k'}"));
  begin = g_get_monotonic_time ();
  node = agent_fixture_ask (fixture, "negotiator-exec-status", "{'key':'k','wait':60}");
  agent_fixture_assert_text (node, "state", "running");
  g_assert_cmpint (g_get_monotonic_time () - begin, <, 30 * G_USEC_PER_SEC);
  g_assert_cmpint (g_get_monotonic_time () - begin, >=, 1 * G_USEC_PER_SEC);
}

/* Takes one stream of the job 'k' apart, beginning with the reply @node, and puts it together. */
static GByteArray *
collect (AgentFixture *fixture, JsonNode *node, const char *stream)
{
  GByteArray *whole = g_byte_array_new ();
  g_autofree char *data_name = g_strconcat (stream, "-data", NULL);
  g_autofree char *encoding_name = g_strconcat (stream, "-encoding", NULL);
  g_autofree char *next_name = g_strconcat (stream, "-next", NULL);
  g_autofree char *eof_name = g_strconcat (stream, "-eof", NULL);
  g_autoptr (JsonNode) reply = json_node_ref (node);

  for (;;) {
    JsonObject *status = agent_fixture_returned (reply);
    const char *text = json_object_get_string_member (status, data_name);
    gsize len = strlen (text);
    g_autofree char *arguments = NULL;

    if (g_str_equal (json_object_get_string_member (status, encoding_name), "base64")) {
      g_autofree guchar *data = g_base64_decode (text, &len);

      g_byte_array_append (whole, data, (guint) len);
    } else {
      g_byte_array_append (whole, (const guint8 *) text, (guint) len);
    }
    g_assert_cmpint (json_object_get_int_member (status, next_name), ==, whole->len);
    if (json_object_get_boolean_member (status, eof_name))
      return whole;
    arguments = g_strdup_printf ("{'key':'k','%s-offset':%u}", stream, whole->len);
    json_node_unref (reply);
    reply = agent_fixture_ask (fixture, "negotiator-exec-status", arguments);
  }
}

/* More than replies hold, of text and of bytes at once. hear() checks the length of each line. */
static void
test_pages (AgentFixture *fixture, gconstpointer data)
{
  g_autoptr (JsonNode) node = NULL;
  g_autoptr (GByteArray) out = NULL, err = NULL;

  if (fixture->dir == NULL)
    return;
  agent_fixture_add (fixture, "x",
                     "#!/bin/sh\nyes '0123456789 \xe2\x82\xac' | head -c 3000001\n"
                     "tr '\\0' '\\377' </dev/zero | head -c 2000000 >&2\n");
  node = agent_fixture_ask (fixture, "negotiator-exec", "{'command':'x','key':'k','wait':60}");
  agent_fixture_assert_text (node, "state", "exited");
  out = collect (fixture, node, "out");
  err = collect (fixture, node, "err");
  g_assert_cmpuint (out->len, ==, 3000001);
  for (guint i = 0; i < out->len; i++)
    g_assert_cmpint (out->data[i], ==, (guint8) "0123456789 \xe2\x82\xac\n"[i % 15]);
  g_assert_cmpuint (err->len, ==, 2000000);
  for (guint i = 0; i < err->len; i++)
    g_assert_cmpint (err->data[i], ==, 0xff);
}

/* A sync does not wait for the script; the job goes on, and is there to be collected. */
static void
test_abandoned (AgentFixture *fixture, gconstpointer data)
{
  g_autofree char *sync = NULL;
  g_autoptr (JsonNode) node = NULL;
  int go;

  if (fixture->dir == NULL)
    return;
  go = agent_fixture_add_waiting (fixture, "x", "", "echo done");
  agent_fixture_tell (
    fixture, "{'execute':'negotiator-exec','arguments':{'command':'x','key':'k','wait':60}}"
             "{'execute':'guest-sync','arguments':{'id':7}}");
  sync = agent_fixture_hear (fixture);
  g_assert_cmpstr (sync, ==, "{\"return\": 7}");
  g_assert_cmpuint (nego_job_table_count_running (fixture->agent->service.jobs), ==, 1);
  g_assert_cmpint (write (go, "\n", 1), ==, 1);
  do {
    g_clear_pointer (&node, json_node_unref);
    node = agent_fixture_ask (fixture, "negotiator-exec-status", "{'key':'k','wait':60}");
  } while (!json_object_get_boolean_member (agent_fixture_returned (node), "exited"));
  agent_fixture_assert_text (node, "out-data", "done\n");
  close (go);
}

int
main (int argc, char **argv)
{
  static const struct {
    const char *path;
    void (*func) (AgentFixture *fixture, gconstpointer data);
    gboolean qga;
  } tests[] = {
    { "/cmd-negotiator-exec-status/status", test_status, FALSE },
    { "/cmd-negotiator-exec-status/status-errors", test_status_errors, FALSE },
    { "/cmd-negotiator-exec-status/status-wait-on-qga", test_status_wait_on_qga, TRUE },
    { "/cmd-negotiator-exec-status/pages", test_pages, FALSE },
    { "/cmd-negotiator-exec-status/abandoned", test_abandoned, FALSE },
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
