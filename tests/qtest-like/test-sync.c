/* SPDX-License-Identifier: MIT */
/*
 * The order of requests and replies, and what a sync does to what is before it.
 */
#include "config.h"

#include "common/names.h"
#include "tests/qtest-like/libnegotest.h"

#include <string.h>
#include <unistd.h>

#define PING            NEGO_TEST_PING
#define PONG            NEGO_TEST_PONG
#define SYNC(id)        "{\"execute\":\"guest-sync\",\"arguments\":{\"id\":" id "}}\n"
#define DELIMITED(id)   "{\"execute\":\"guest-sync-delimited\",\"arguments\":{\"id\":" id "}}\n"
#define EXEC(arguments) "{\"execute\":\"negotiator-exec\",\"arguments\":{" arguments "}}\n"
/* A run that ends only when the test says so, and a reply that waits for it. */
#define LONG_EXEC EXEC ("\"command\":\"slow\",\"wait\":600,\"key\":\"slow\"")
#define STATUS    "{\"execute\":\"negotiator-exec-status\",\"arguments\":{\"key\":\"slow\"}}"

typedef struct {
  NegoTest *test;
  NegoTestClient *client;
} Fixture;

static void
set_up (Fixture *fixture, gconstpointer user_data)
{
  fixture->test = nego_test_start (NULL);
  fixture->client = nego_test_connect (fixture->test);
  nego_test_add_gate (fixture->test, "slow");
  nego_test_add_script (fixture->test, "quick", "#!/bin/sh\necho quick\n");
}

static void
tear_down (Fixture *fixture, gconstpointer user_data)
{
  nego_test_client_free (fixture->client);
  nego_test_stop (fixture->test);
}

static void
expect_output (NegoTestClient *client, const char *output)
{
  g_autoptr (JsonNode) value = nego_test_receive_return (client);
  JsonObject *job = json_node_get_object (value);

  g_assert_cmpstr (json_object_get_string_member (job, "state"), ==, "exited");
  g_assert_cmpstr (json_object_get_string_member (job, "out-data"), ==, output);
}

/* Ends the run whose reply was abandoned, and collects it. */
static void
end_slow (Fixture *fixture, int gate)
{
  g_autoptr (JsonObject) job = NULL;

  nego_test_pass_gate (gate, "done");
  job = nego_test_exec (fixture->client, "\"command\":\"slow\",\"wait\":600,\"key\":\"slow\"");
  g_assert_cmpstr (json_object_get_string_member (job, "out-data"), ==, "done\n");
}

static void
test_order (Fixture *fixture, gconstpointer user_data)
{
  int gate;

  nego_test_send_text (fixture->client,
                       "{\"execute\":\"guest-ping\",\"id\":1}" LONG_EXEC
                       "{\"execute\":\"guest-ping\",\"id\":2}{]" EXEC (
                         "\"command\":\"quick\"") "{\"execute\":\"guest-ping\",\"id\":3}");
  nego_test_expect (fixture->client, "{\"return\": {}, \"id\": 1}");
  gate = nego_test_open_gate (fixture->test, "slow");
  nego_test_pass_gate (gate, "first");
  expect_output (fixture->client, "first\n");
  nego_test_expect (fixture->client, "{\"return\": {}, \"id\": 2}");
  nego_test_expect (fixture->client, NEGO_TEST_ERROR ("JSON parse error, expecting value"));
  expect_output (fixture->client, "quick\n");
  nego_test_expect (fixture->client, "{\"return\": {}, \"id\": 3}");
}

/* A call that ends in time keeps its reply. */
static void
test_waits (Fixture *fixture, gconstpointer user_data)
{
  nego_test_send_text (fixture->client, LONG_EXEC PING SYNC ("1"));
  nego_test_pass_gate (nego_test_open_gate (fixture->test, "slow"), "in time");
  expect_output (fixture->client, "in time\n");
  nego_test_expect (fixture->client, PONG);
  nego_test_expect (fixture->client, NEGO_TEST_RETURN ("1"));
}

static void
test_overtakes (Fixture *fixture, gconstpointer user_data)
{
  const gboolean delimited = user_data != NULL;
  gint64 started, waited;
  int gate;

  nego_test_send_text (fixture->client, LONG_EXEC);
  gate = nego_test_open_gate (fixture->test, "slow");
  started = g_get_monotonic_time ();
  nego_test_send_text (fixture->client, delimited ? DELIMITED ("1") : SYNC ("1"));
  nego_test_expect (fixture->client,
                    delimited ? "\xFF" NEGO_TEST_RETURN ("1") : NEGO_TEST_RETURN ("1"));
  waited = (g_get_monotonic_time () - started) / 1000;
  g_test_message ("answered after %" G_GINT64_FORMAT " ms", waited);
  g_assert_cmpint (waited, >=, NEGO_SESSION_SYNC_WAIT_MS - 1);
  /* The rest is for a busy machine. */
  g_assert_cmpint (waited, <, 10 * NEGO_SESSION_SYNC_WAIT_MS);
  end_slow (fixture, gate);
}

/* The reply of an abandoned call does not come later. */
static void
test_abandoned_reply (Fixture *fixture, gconstpointer user_data)
{
  int gate;

  nego_test_send_text (fixture->client, LONG_EXEC SYNC ("1"));
  gate = nego_test_open_gate (fixture->test, "slow");
  nego_test_expect (fixture->client, NEGO_TEST_RETURN ("1"));
  end_slow (fixture, gate);
  nego_test_ask (fixture->client, PING, PONG);
}

/* What had not started when the sync overtook it is not executed, and not answered. */
static void
test_unstarted (Fixture *fixture, gconstpointer user_data)
{
  g_autofree char *mark = g_build_filename (nego_test_get_dir (fixture->test), "mark", NULL);
  g_autofree char *text = g_strdup_printf ("#!/bin/sh\n: >'%s'\n", mark);
  int gate;

  nego_test_add_script (fixture->test, "mark", text);
  nego_test_send_text (fixture->client,
                       LONG_EXEC PING EXEC ("\"command\":\"mark\",\"key\":\"mark\"") "{]\n" SYNC (
                         "1"));
  gate = nego_test_open_gate (fixture->test, "slow");
  nego_test_expect (fixture->client, NEGO_TEST_RETURN ("1"));
  nego_test_expect_error (
    fixture->client, "{\"execute\":\"negotiator-exec-status\",\"arguments\":{\"key\":\"mark\"}}",
    "unknown job 'mark'");
  end_slow (fixture, gate);
  g_assert_cmpint (access (mark, F_OK), ==, -1);
}

/* What comes behind the sync is executed. */
static void
test_behind (Fixture *fixture, gconstpointer user_data)
{
  int gate;

  nego_test_send_text (fixture->client,
                       LONG_EXEC SYNC ("1") EXEC ("\"command\":\"quick\"") SYNC ("2") PING);
  gate = nego_test_open_gate (fixture->test, "slow");
  nego_test_expect (fixture->client, NEGO_TEST_RETURN ("1"));
  expect_output (fixture->client, "quick\n");
  nego_test_expect (fixture->client, NEGO_TEST_RETURN ("2"));
  nego_test_expect (fixture->client, PONG);
  end_slow (fixture, gate);
}

/* Each sync is answered, also when several wait. */
static void
test_several (Fixture *fixture, gconstpointer user_data)
{
  int gate;

  nego_test_send_text (fixture->client, LONG_EXEC SYNC ("1") PING SYNC ("2") SYNC ("3"));
  gate = nego_test_open_gate (fixture->test, "slow");
  nego_test_expect (fixture->client, NEGO_TEST_RETURN ("1"));
  nego_test_expect (fixture->client, PONG);
  nego_test_expect (fixture->client, NEGO_TEST_RETURN ("2"));
  nego_test_expect (fixture->client, NEGO_TEST_RETURN ("3"));
  end_slow (fixture, gate);
}

/* A sync concerns its own connection alone. */
static void
test_other_client (Fixture *fixture, gconstpointer user_data)
{
  g_autoptr (NegoTestClient) other = nego_test_connect (fixture->test);
  int gate;

  nego_test_send_text (fixture->client, LONG_EXEC);
  gate = nego_test_open_gate (fixture->test, "slow");
  nego_test_ask (other, "{\"execute\":\"guest-sync\",\"arguments\":{\"id\":1}}",
                 NEGO_TEST_RETURN ("1"));
  nego_test_pass_gate (gate, "kept");
  expect_output (fixture->client, "kept\n");
}

/* As many requests wait as may: the sync behind them is seen. */
static void
test_full (Fixture *fixture, gconstpointer user_data)
{
  g_autoptr (GString) pings = g_string_new (NULL);
  int gate;

  for (guint i = 0; i < NEGO_SESSION_PENDING; i++)
    g_string_append (pings, PING "\n");
  nego_test_send_text (fixture->client, LONG_EXEC);
  gate = nego_test_open_gate (fixture->test, "slow");
  nego_test_send (fixture->client, pings->str, pings->len);
  nego_test_await_read (fixture->client);
  nego_test_send_text (fixture->client, SYNC ("1"));
  nego_test_expect (fixture->client, NEGO_TEST_RETURN ("1"));
  end_slow (fixture, gate);
}

/* One more than may wait: nothing is lost, and a sync waits too, but for the running call alone. */
static void
test_overfull (Fixture *fixture, gconstpointer user_data)
{
  g_autoptr (GString) requests = g_string_new (LONG_EXEC);
  guint n = 4 * NEGO_SESSION_PENDING;
  int gate;

  for (guint i = 0; i < n; i++)
    g_string_append (requests, PING "\n");
  g_string_append (requests, SYNC ("1"));
  nego_test_send (fixture->client, requests->str, requests->len);
  gate = nego_test_open_gate (fixture->test, "slow");
  g_assert_false (nego_test_is_answered (fixture->client, 2 * NEGO_SESSION_SYNC_WAIT_MS));
  nego_test_pass_gate (gate, "over");
  expect_output (fixture->client, "over\n");
  for (guint i = 0; i < n; i++)
    nego_test_expect (fixture->client, PONG);
  nego_test_expect (fixture->client, NEGO_TEST_RETURN ("1"));
}

/* 0xFF does not by itself end what runs: it is no request. */
static void
test_reset_byte (Fixture *fixture, gconstpointer user_data)
{
  nego_test_send_text (fixture->client, LONG_EXEC "\xFF" PING);
  nego_test_pass_gate (nego_test_open_gate (fixture->test, "slow"), "went on");
  expect_output (fixture->client, "went on\n");
  nego_test_expect (fixture->client, PONG);
}

static void
add (const char *name, gconstpointer data, void (*func) (Fixture *, gconstpointer))
{
  g_autofree char *path = g_strdup_printf ("/sync/%s", name);

  g_test_add (path, Fixture, data, set_up, func, tear_down);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  add ("order", NULL, test_order);
  add ("waits", NULL, test_waits);
  add ("overtakes", NULL, test_overtakes);
  add ("overtakes-delimited", "", test_overtakes);
  add ("abandoned-reply", NULL, test_abandoned_reply);
  add ("unstarted", NULL, test_unstarted);
  add ("behind", NULL, test_behind);
  add ("several", NULL, test_several);
  add ("other-client", NULL, test_other_client);
  add ("full", NULL, test_full);
  add ("overfull", NULL, test_overfull);
  add ("reset-byte", NULL, test_reset_byte);
  return g_test_run ();
}
