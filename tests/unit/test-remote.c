/* SPDX-License-Identifier: MIT */
/* One remote agent over a socket; the other end sends what no real agent does. */
#include "config.h"

#include "common/error.h"
#include "common/names.h"
#include "common/client/remote.h"
#include "common/client/link-socket.h"
#include "tests/helpers/fake-agent.h"

#include <string.h>

/* Far more than any answer here takes. */
#define SOON (g_get_monotonic_time () + 10 * G_USEC_PER_SEC)
/* For what does not come. */
#define SHORT_S 0.05

/* A guest whose agent does as fake-agent.h says. */
static NegoRemote *
connect_to (const FakeAgent *agent, double patience)
{
  g_autoptr (GError) error = NULL;
  NegoLink *link = nego_link_socket_new (fake_agent_get_path (agent), patience, &error);

  g_assert_no_error (error);
  return nego_remote_new (link);
}

static void
check_answer (const char *stale, const char *reply, int expected)
{
  const char *const replies[] = { reply, NULL };
  g_autoptr (FakeAgent) agent = fake_agent_new (stale, replies);
  g_autoptr (NegoRemote) guest = connect_to (agent, 0);
  g_autoptr (GError) error = NULL;
  g_autoptr (JsonNode) node = nego_remote_ask (guest, "guest-x", SOON, &error);

  g_assert_no_error (error);
  g_assert_cmpint (json_node_get_int (node), ==, expected);
}

/* @before and @behind: the error, around the path. */
static void
check_failure (
  const char *stale, const char *reply, int code, const char *before, const char *behind)
{
  const char *const replies[] = { reply, NULL };
  g_autoptr (FakeAgent) agent = fake_agent_new (stale, replies);
  g_autoptr (NegoRemote) guest = connect_to (agent, 0);
  g_autoptr (GError) error = NULL;
  g_autofree char *expected = g_strconcat (before, fake_agent_get_path (agent), behind, NULL);

  g_assert_null (nego_remote_ask (guest, "guest-x", SOON, &error));
  g_assert_error (error, NEGO_ERROR, code);
  g_assert_cmpstr (error->message, ==, expected);
}

static void
test_answer (void)
{
  check_answer ("", "{\"return\": 5}\n", 5);
}

/* What an earlier client left on the way. */
static void
test_stale (void)
{
  check_answer ("{\"return\": 1}\n{\"error\": {}}\n", "{\"return\": 5}\n", 5);
  check_answer ("{\"return\": \"half a rep", "{\"return\": 5}\n", 5);
  check_answer ("no JSON at all }}}\n", "{\"return\": 5}\n", 5);
}

/* An event is not a reply. */
static void
test_event (void)
{
  check_answer ("", "{\"event\": \"X\", \"data\": {}}\n{\"return\": 5}\n", 5);
}

static void
test_malformed (void)
{
  check_failure ("", "[5]\n", NEGO_ERROR_PARSE, "the agent at '",
                 "' sent what is no reply: QMP input must be a JSON object");
}

static void
test_closed (void)
{
  check_failure ("", NULL, NEGO_ERROR_CLOSED, "the connection to '",
                 "' was closed from the other end");
}

static void
test_silent (void)
{
  const char *const replies[] = { NULL };
  g_autoptr (FakeAgent) agent = fake_agent_new (NULL, replies);
  g_autoptr (NegoRemote) guest = connect_to (agent, SHORT_S);
  g_autoptr (GError) error = NULL;
  g_autofree char *expected
    = g_strdup_printf ("the agent does not answer at '%s': is nego-agent installed and running in "
                       "the guest?",
                       fake_agent_get_path (agent));

  g_assert_false (nego_remote_sync (guest, SOON, &error));
  g_assert_error (error, NEGO_ERROR, NEGO_ERROR_TIMEOUT);
  g_assert_cmpstr (error->message, ==, expected);
}

/* The late reply to a call that was given up is not taken for that of the next. */
static void
test_late_reply (void)
{
  const char *const replies[] = { "", "{\"return\": 2}\n", NULL };
  g_autoptr (FakeAgent) agent = fake_agent_new ("", replies);
  g_autoptr (NegoRemote) guest = connect_to (agent, 0);
  g_autoptr (GError) error = NULL;
  g_autoptr (JsonNode) node = NULL;
  const gint64 short_while = (gint64) (SHORT_S * G_USEC_PER_SEC);

  g_assert_null (
    nego_remote_call (guest, "guest-x", NULL, g_get_monotonic_time () + short_while, &error));
  g_assert_error (error, NEGO_ERROR, NEGO_ERROR_TIMEOUT);
  g_clear_error (&error);
  node = nego_remote_call (guest, "guest-y", "{\"a\": 1}", SOON, &error);
  g_assert_no_error (error);
  g_assert_cmpint (json_node_get_int (node), ==, 2);
  g_clear_pointer (&guest, nego_remote_free);
  g_assert_cmpstr (fake_agent_finish (agent), ==,
                   "{\"execute\":\"guest-x\"}\n"
                   "{\"execute\":\"guest-y\",\"arguments\":{\"a\": 1}}\n");
}

/* What may do harm is not sent before the sync is answered: it might be carried out much later. */
static void
test_harm (void)
{
  const char *const replies[] = { NULL };
  g_autoptr (FakeAgent) agent = fake_agent_new (NULL, replies);
  g_autoptr (NegoRemote) guest = connect_to (agent, SHORT_S);
  g_autoptr (GError) error = NULL;

  g_assert_null (nego_remote_call (guest, "negotiator-exec", "{}", SOON, &error));
  g_assert_error (error, NEGO_ERROR, NEGO_ERROR_TIMEOUT);
  g_clear_pointer (&guest, nego_remote_free);
  g_assert_cmpstr (fake_agent_finish (agent), ==, "");
}

/* A multiplexer that is slow to accept is waited for; at a port that means that another has it. */
static void
test_late_accept (void)
{
  const guint late_ms = (guint) (NEGO_GUEST_SYNC_S * 1000) + 500;
  const char *const replies[] = { "{\"return\": 3}\n", NULL };
  g_autoptr (FakeAgent) shared = fake_agent_new_late ("", replies, late_ms);
  g_autoptr (FakeAgent) port = fake_agent_new_late ("", replies, late_ms);
  g_autoptr (NegoRemote) holder G_GNUC_UNUSED = connect_to (port, SHORT_S);
  g_autoptr (NegoRemote) guest = connect_to (port, 0);
  g_autoptr (GError) error = NULL;
  g_autoptr (JsonNode) node = NULL;
  NegoLink *link;

  g_assert_null (nego_remote_ask (guest, "guest-x", SOON, &error));
  g_assert_error (error, NEGO_ERROR, NEGO_ERROR_BUSY);
  g_clear_error (&error);
  g_clear_pointer (&guest, nego_remote_free);
  link = nego_link_socket_new_shared (fake_agent_get_path (shared), 60, &error);
  g_assert_no_error (error);
  guest = nego_remote_new (link);
  node = nego_remote_ask (guest, "guest-x", SOON, &error);
  g_assert_no_error (error);
  g_assert_cmpint (json_node_get_int (node), ==, 3);
}

static void
test_no_socket (void)
{
  g_autoptr (GError) error = NULL;

  g_assert_null (nego_link_socket_new ("/nonexistent/socket", 0, &error));
  g_assert_error (error, NEGO_ERROR, NEGO_ERROR_CLOSED);
  g_assert_cmpstr (error->message, ==,
                   "cannot connect to '/nonexistent/socket': No such file or directory; is the "
                   "guest, or the agent, running?");
}

static void
test_long_path (void)
{
  g_autofree char *longest = g_strnfill (107, 'x');
  g_autofree char *longer = g_strnfill (108, 'x');
  g_autofree char *expected
    = g_strdup_printf ("cannot connect to '%s': a socket's path has at most 107 bytes", longer);
  g_autoptr (GError) error = NULL;

  g_assert_null (nego_link_socket_new (longest, 0, &error));
  g_assert_error (error, NEGO_ERROR, NEGO_ERROR_CLOSED);
  g_clear_error (&error);
  g_assert_null (nego_link_socket_new (longer, 0, &error));
  g_assert_error (error, NEGO_ERROR, NEGO_ERROR_IO);
  g_assert_cmpstr (error->message, ==, expected);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/remote/answer", test_answer);
  g_test_add_func ("/remote/stale", test_stale);
  g_test_add_func ("/remote/event", test_event);
  g_test_add_func ("/remote/malformed", test_malformed);
  g_test_add_func ("/remote/closed", test_closed);
  g_test_add_func ("/remote/silent", test_silent);
  g_test_add_func ("/remote/late-reply", test_late_reply);
  g_test_add_func ("/remote/harm", test_harm);
  g_test_add_func ("/remote/late-accept", test_late_accept);
  g_test_add_func ("/remote/no-socket", test_no_socket);
  g_test_add_func ("/remote/long-path", test_long_path);
  return g_test_run ();
}
