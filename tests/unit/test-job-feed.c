/* SPDX-License-Identifier: MIT */
/* Output and ends as events, through the whole agent. */
#include "config.h"

#include "common/exec.h"
#include "common/names.h"
#include "qapi/qapi-visit.h"
#include "tests/helpers/agent-fixture.h"

#include <signal.h>
#include <string.h>
#include <unistd.h>

/* The data of the event @name, which is the next line. */
static JsonObject *
event_data (JsonNode *node, const char *name)
{
  JsonObject *event = json_node_get_object (node);
  JsonObject *timestamp = json_object_get_object_member (event, "timestamp");

  g_assert_cmpstr (json_object_get_string_member (event, "event"), ==, name);
  g_assert_cmpuint (json_object_get_size (event), ==, 3);
  g_assert_cmpint (ABS (json_object_get_int_member (timestamp, "seconds")
                        - g_get_real_time () / G_USEC_PER_SEC),
                   <, 60);
  g_assert_cmpint (json_object_get_int_member (timestamp, "microseconds"), <, G_USEC_PER_SEC);
  return json_object_get_object_member (event, "data");
}

static void
assert_output (
  AgentFixture *fixture, const char *stream, gint64 offset, const char *encoding, const char *text)
{
  g_autoptr (JsonNode) node = agent_fixture_hear_node (fixture);
  JsonObject *data = event_data (node, "NEGOTIATOR_OUTPUT");
  g_autoptr (GError) error = NULL;
  g_autoptr (QapiNegotiatorJobOutput) decoded = qapi_negotiator_job_output_decode (
    json_object_get_member (json_node_get_object (node), "data"), "data", TRUE, &error);

  g_assert_no_error (error);
  g_assert_nonnull (decoded);
  g_assert_cmpstr (json_object_get_string_member (data, "stream"), ==, stream);
  g_assert_cmpint (json_object_get_int_member (data, "offset"), ==, offset);
  g_assert_cmpstr (json_object_get_string_member (data, "encoding"), ==, encoding);
  g_assert_cmpstr (json_object_get_string_member (data, "data"), ==, text);
}

static void
assert_exited (AgentFixture *fixture, const char *state, gint64 out_next)
{
  g_autoptr (JsonNode) node = agent_fixture_hear_node (fixture);
  JsonObject *data = event_data (node, "NEGOTIATOR_EXITED");

  g_assert_cmpstr (json_object_get_string_member (data, "state"), ==, state);
  g_assert_true (json_object_get_boolean_member (data, "exited"));
  g_assert_cmpint (json_object_get_int_member (data, "out-next"), ==, out_next);
  g_assert_false (json_object_has_member (data, "out-data"));
}

static void
go_on (int go)
{
  g_assert_cmpint (write (go, "\n", 1), ==, 1);
}

/* Nothing more is said: the next line is the reply. */
static void
assert_silent (AgentFixture *fixture)
{
  g_autoptr (JsonNode) node = agent_fixture_ask (fixture, "guest-ping", "{}");

  g_assert_true (json_object_has_member (json_node_get_object (node), "return"));
}

static void
test_events (AgentFixture *fixture, gconstpointer data)
{
  g_autoptr (JsonNode) node = NULL;
  int go;

  if (fixture->dir == NULL)
    return;
  go = agent_fixture_add_waiting (fixture, "x", "printf one",
                                  "printf two; printf e >&2; exec >&- 2>&-; exit 3");
  /* The reply comes at the first output, and has it. */
  node = agent_fixture_ask (fixture, "negotiator-exec", "{'command':'x','stream':true,'wait':60}");
  agent_fixture_assert_text (node, "state", "running");
  agent_fixture_assert_text (node, "out-data", "one");
  assert_silent (fixture);
  go_on (go);
  {
    g_autoptr (JsonNode) first = agent_fixture_hear_node (fixture);
    g_autoptr (JsonNode) second = agent_fixture_hear_node (fixture);
    const char *stream
      = json_object_get_string_member (event_data (first, "NEGOTIATOR_OUTPUT"), "stream");
    gboolean in_order = g_str_equal (stream, "out");
    JsonObject *out = event_data (in_order ? first : second, "NEGOTIATOR_OUTPUT");
    JsonObject *err = event_data (in_order ? second : first, "NEGOTIATOR_OUTPUT");

    g_assert_cmpstr (json_object_get_string_member (out, "data"), ==, "two");
    g_assert_cmpint (json_object_get_int_member (out, "offset"), ==, 3);
    g_assert_cmpstr (json_object_get_string_member (err, "data"), ==, "e");
    g_assert_cmpint (json_object_get_int_member (err, "offset"), ==, 0);
  }
  assert_exited (fixture, "exited", 6);
  assert_silent (fixture);
  close (go);
}

/* A script that ended in time needs no event. */
static void
test_one_reply (AgentFixture *fixture, gconstpointer data)
{
  g_autoptr (JsonNode) node = NULL;

  if (fixture->dir == NULL)
    return;
  agent_fixture_add (fixture, "x", "#!/bin/sh\nexit 3\n");
  node = agent_fixture_ask (fixture, "negotiator-exec", "{'command':'x','stream':true,'wait':60}");
  agent_fixture_assert_int (node, "exitcode", 3);
  assert_silent (fixture);
}

static void
test_subscribe (AgentFixture *fixture, gconstpointer data)
{
  g_autoptr (JsonNode) exec = NULL, node = NULL, again = NULL, ended = NULL;
  int go;

  if (fixture->dir == NULL)
    return;
  go = agent_fixture_add_waiting (fixture, "x", "printf 0123456789", "printf abc");
  exec = agent_fixture_ask (fixture, "negotiator-exec", "{'command':'x','key':'k','wait':0}");
  node = agent_fixture_ask (fixture, "negotiator-exec-status", "{'key':'k','wait':60}");
  agent_fixture_assert_text (node, "out-data", "0123456789");
  again = agent_fixture_ask (fixture, "negotiator-exec-status",
                             "{'key':'k','stream':true,'out-offset':4}");
  agent_fixture_assert_text (again, "out-data", "456789");
  assert_silent (fixture);
  /* It is told already: the reply says how far, and repeats nothing. */
  json_node_unref (g_steal_pointer (&again));
  again = agent_fixture_ask (fixture, "negotiator-exec-status",
                             "{'key':'k','stream':true,'out-offset':4,'wait':60}");
  agent_fixture_assert_text (again, "out-data", "");
  agent_fixture_assert_int (again, "out-offset", 10);
  agent_fixture_assert_int (again, "out-next", 10);
  agent_fixture_assert_bool (again, "out-eof", FALSE);
  /* Until it does not want to be told any more. */
  json_node_unref (
    agent_fixture_ask (fixture, "negotiator-exec-status", "{'key':'k','stream':false}"));
  go_on (go);
  ended = agent_fixture_ask (fixture, "negotiator-exec", "{'command':'x','key':'k','wait':60}");
  agent_fixture_assert_text (ended, "out-data", "0123456789abc");
  assert_silent (fixture);
  close (go);
}

/* A sync, of whichever kind, ends what the channel subscribed to. */
static void
test_sync_ends (AgentFixture *fixture, gconstpointer data)
{
  static const char *const syncs[] = { "guest-sync", "guest-sync-delimited" };
  int go;

  if (fixture->dir == NULL)
    return;
  go = agent_fixture_add_waiting (fixture, "x", "", "printf abc");
  for (guint i = 0; i < G_N_ELEMENTS (syncs); i++) {
    g_autoptr (JsonNode) ended = NULL;
    g_autofree char *exec
      = g_strdup_printf ("{'command':'x','key':'%u','stream':true,'wait':0}", i);
    g_autofree char *wait = g_strdup_printf ("{'command':'x','key':'%u','wait':60}", i);
    g_autofree char *sync
      = g_strdup_printf ("{\"execute\":\"%s\",\"arguments\":{\"id\":7}}", syncs[i]);
    g_autofree char *reply = NULL;

    json_node_unref (agent_fixture_ask (fixture, "negotiator-exec", exec));
    agent_fixture_tell (fixture, sync);
    reply = agent_fixture_hear (fixture);
    g_assert_true (g_str_has_suffix (reply, "{\"return\": 7}"));
    go_on (go);
    ended = agent_fixture_ask (fixture, "negotiator-exec", wait);
    agent_fixture_assert_text (ended, "out-data", "abc");
    assert_silent (fixture);
  }
  close (go);
}

/* The text is as with replies, and half a character waits for its other half. */
static void
test_encodings (AgentFixture *fixture, gconstpointer data)
{
  int go;

  if (fixture->dir == NULL)
    return;
  go = agent_fixture_add_waiting (fixture, "x", "printf 'a\\303'", "printf '\\244\\377'");
  json_node_unref (
    agent_fixture_ask (fixture, "negotiator-exec", "{'command':'x','stream':true,'wait':60}"));
  go_on (go);
  assert_output (fixture, "out", 1, "base64", "w6T/");
  assert_exited (fixture, "exited", 4);
  json_node_unref (agent_fixture_ask (
    fixture, "negotiator-exec", "{'command':'x','stream':true,'wait':60,'encoding':'base64'}"));
  go_on (go);
  assert_output (fixture, "out", 2, "base64", "pP8=");
  assert_exited (fixture, "exited", 4);
  close (go);
}

static void
test_errors (AgentFixture *fixture, gconstpointer qga)
{
  g_autoptr (JsonNode) node = NULL;

  if (fixture->dir == NULL)
    return;
  agent_fixture_add (fixture, "x", "#!/bin/sh\nexit 3\n");
  agent_fixture_assert_error (fixture, "negotiator-exec", "{'command':'x','stream':true}",
                              "this channel carries no events");
  g_assert_cmpuint (nego_job_table_count_running (fixture->agent->service.jobs), ==, 0);
  node = agent_fixture_ask (fixture, "negotiator-exec", "{'command':'x','key':'k'}");
  agent_fixture_assert_error (fixture, "negotiator-exec-status", "{'key':'k','stream':true}",
                              "this channel carries no events");
  json_node_unref (
    agent_fixture_ask (fixture, "negotiator-exec-status", "{'key':'k','stream':false}"));
}

static void
test_limit (AgentFixture *fixture, gconstpointer data)
{
  if (fixture->dir == NULL)
    return;
  agent_fixture_add (fixture, "x", "#!/bin/sh\nexec sleep 100\n");
  for (guint i = 0; i < 2 + NEGO_JOBS_QUEUED; i++)
    json_node_unref (agent_fixture_ask (fixture, "negotiator-exec",
                                        "{'command':'x','stream':true,'queue':true,'wait':0}"));
  /* The agent has fewer jobs than a channel may subscribe to: test-feed.c has that limit. */
  g_assert_cmpuint (2 + NEGO_JOBS_QUEUED, <, NEGO_FEEDS);
  agent_fixture_assert_error (fixture, "negotiator-exec",
                              "{'command':'x','stream':true,'queue':true,'wait':0}",
                              "too many queued jobs (limit 64)");
}

static void
test_flow_errors (AgentFixture *fixture, gconstpointer data)
{
  g_autoptr (JsonNode) node = NULL, rest = NULL;

  if (fixture->dir == NULL)
    return;
  agent_fixture_add (fixture, "x", "#!/bin/sh\nprintf 0123456789\n");
  node = agent_fixture_ask (fixture, "negotiator-exec",
                            "{'command':'x','key':'k','flow':true,'wait':60}");
  agent_fixture_assert_text (node, "out-data", "0123456789");
  json_node_unref (agent_fixture_ask (fixture, "negotiator-exec-status", "{'key':'k'}"));
  json_node_unref (
    agent_fixture_ask (fixture, "negotiator-exec-status", "{'key':'k','out-offset':4}"));
  agent_fixture_assert_error (fixture, "negotiator-exec-status", "{'key':'k','out-offset':3}",
                              "output before 4 is gone");
  agent_fixture_assert_error (fixture, "negotiator-exec-status", "{'key':'k','out-offset':11}",
                              "out-offset 11 is beyond the output (10 bytes)");
  /* Without an offset, from the first byte that is kept; also for a repeat of the run. */
  rest = agent_fixture_ask (fixture, "negotiator-exec-status", "{'key':'k'}");
  agent_fixture_assert_text (rest, "out-data", "456789");
  agent_fixture_assert_int (rest, "out-offset", 4);
  json_node_unref (g_steal_pointer (&rest));
  rest = agent_fixture_ask (fixture, "negotiator-exec", "{'command':'x','key':'k'}");
  agent_fixture_assert_text (rest, "out-data", "456789");
}

/* A flow job that streams: memory does not grow, nothing is lost, each acknowledgement lets more
 * come. */
static void
test_flow_streams (AgentFixture *fixture, gconstpointer data)
{
  const gint64 total = 8 << 20;
  gint64 got, acknowledged = 0;
  g_autoptr (JsonNode) node = NULL;
  gboolean exited = FALSE;

  if (fixture->dir == NULL)
    return;
  agent_fixture_add (fixture, "x", "#!/bin/sh\nexec head -c 8388608 /dev/zero\n");
  node = agent_fixture_ask (fixture, "negotiator-exec",
                            "{'command':'x','key':'k','flow':true,'stream':true,'wait':60}");
  got = json_object_get_int_member (agent_fixture_returned (node), "out-next");
  while (!exited) {
    g_autoptr (JsonNode) line = agent_fixture_hear_node (fixture);
    JsonObject *object = json_node_get_object (line);

    if (json_object_has_member (object, "return"))
      continue;
    if (g_str_equal (json_object_get_string_member (object, "event"), "NEGOTIATOR_EXITED")) {
      exited = TRUE;
    } else {
      JsonObject *event = event_data (line, "NEGOTIATOR_OUTPUT");
      const char *text = json_object_get_string_member (event, "data");
      gsize len = strlen (text);

      g_assert_cmpint (json_object_get_int_member (event, "offset"), ==, got);
      got += (gint64) (len / 4 * 3) - (len > 0 && text[len - 1] == '=')
             - (len > 1 && text[len - 2] == '=');
      /* No further than the window, and what the pipe held at the end. */
      g_assert_cmpint (got - acknowledged, <=, NEGO_JOB_WINDOW_BYTES + 65536);
    }
    if (got - acknowledged >= 1 << 19) {
      g_autofree char *request
        = g_strdup_printf ("{\"execute\":\"negotiator-exec-status\",\"arguments\":"
                           "{\"key\":\"k\",\"stream\":true,\"out-offset\":%" G_GINT64_FORMAT "}}",
                           got);

      acknowledged = got;
      agent_fixture_tell (fixture, request);
    }
  }
  g_assert_cmpint (got, ==, total);
}

int
main (int argc, char **argv)
{
  static const struct {
    const char *path;
    void (*func) (AgentFixture *fixture, gconstpointer data);
    gboolean qga;
  } tests[] = {
    { "/job-feed/events", test_events, FALSE },
    { "/job-feed/one-reply", test_one_reply, FALSE },
    { "/job-feed/subscribe", test_subscribe, FALSE },
    { "/job-feed/sync-ends", test_sync_ends, FALSE },
    { "/job-feed/encodings", test_encodings, FALSE },
    { "/job-feed/errors", test_errors, TRUE },
    { "/job-feed/limit", test_limit, FALSE },
    { "/job-feed/flow-errors", test_flow_errors, FALSE },
    { "/job-feed/flow-streams", test_flow_streams, FALSE },
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
