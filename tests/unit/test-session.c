/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "common/names.h"
#include "tests/helpers/session-fixture.h"

#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static void
test_replies (SessionFixture *fixture, gconstpointer kind)
{
  session_fixture_tell (fixture, PING);
  session_fixture_expect (fixture, PONG);
  session_fixture_tell (fixture,
                        "\xff{\"execute\":\"guest-sync-delimited\",\"arguments\":{\"id\":-7}}\n");
  session_fixture_expect (fixture, "\xff{\"return\": -7}\n");
  session_fixture_tell (fixture, "{'execute':'guest-ping','id':{'a':[1,1.50,null]}}");
  session_fixture_expect (fixture, "{\"return\": {}, \"id\": {\"a\": [1, 1.5, null]}}\n");
  session_fixture_tell (fixture, PING PING PING);
  session_fixture_expect (fixture, PONG PONG PONG);
}

static void
test_errors (SessionFixture *fixture, gconstpointer kind)
{
  session_fixture_tell (fixture, "{\"execute\":5}");
  session_fixture_expect (fixture, GENERIC ("QMP input member 'execute' must be a string"));
  session_fixture_tell (fixture, "{}");
  session_fixture_expect (fixture, GENERIC ("QMP input lacks member 'execute'"));
  session_fixture_tell (fixture, "{\"execute\":\"guest-ping\",\"arguments\":[]}");
  session_fixture_expect (fixture, GENERIC ("QMP input member 'arguments' must be an object"));
  session_fixture_tell (fixture, "{\"execute\":\"guest-ping\",\"exec-oob\":1}");
  session_fixture_expect (fixture, GENERIC ("QMP input member 'exec-oob' is unexpected"));
  session_fixture_tell (fixture, "{\"execute\":\"guest-ping\\u0000\"}");
  session_fixture_expect (fixture, GENERIC ("QMP input member 'execute' must not contain U+0000"));
  session_fixture_tell (fixture, "{\"execute\":\"guest-sync\",\"arguments\":{\"id\":\"\\u0000\"}}");
  session_fixture_expect (fixture,
                          GENERIC ("QMP input member 'arguments' must not contain U+0000"));
  session_fixture_tell (fixture, "{\"execute\":\"guest-sync\",\"arguments\":{\"x\":1}}");
  session_fixture_expect (fixture, GENERIC ("Parameter 'id' is missing"));
  session_fixture_tell (fixture, "{\"execute\":\"x\",\"id\":1}");
  session_fixture_expect (fixture,
                          "{\"id\": 1, \"error\": {\"class\": \"CommandNotFound\", \"desc\": "
                          "\"The command x has not been found\"}}\n");
  /* In the schema, but not served on this side. */
  session_fixture_tell (fixture, "{\"execute\":\"guest-info\"}");
  session_fixture_expect (fixture, "{\"error\": {\"class\": \"CommandNotFound\", \"desc\": "
                                   "\"The command guest-info has not been found\"}}\n");
  nego_policy_block (fixture->policy, "guest-ping");
  session_fixture_tell (fixture, PING);
  session_fixture_expect (
    fixture, "{\"error\": {\"class\": \"CommandNotFound\", \"desc\": "
             "\"Command guest-ping has been disabled: the command is not allowed\"}}\n");
  nego_policy_set_frozen (fixture->policy, TRUE);
  session_fixture_tell (fixture, EXEC);
  session_fixture_expect (fixture, GENERIC ("the agent is in frozen state"));
}

static void
test_long_desc (SessionFixture *fixture, gconstpointer kind)
{
  g_autofree char *name = g_strnfill (100000, 'n');
  g_autofree char *request = g_strdup_printf ("{\"execute\":\"%s\"}", name);
  g_autofree char *heard = NULL;

  session_fixture_tell (fixture, request);
  heard = session_fixture_hear (fixture);
  g_assert_cmpuint (strlen (heard), <, 8192 + 100);
  g_assert_true (g_str_has_suffix (heard, "nnn\"}}\n"));
}

/* What comes behind a running call waits for it, errors too. */
static void
test_order (SessionFixture *fixture, gconstpointer kind)
{
  session_fixture_tell (fixture, EXEC PING "]" EXEC PING);
  g_assert_cmpuint (fixture->started, ==, 1);
  session_fixture_expect (fixture, "");
  session_fixture_end_call (fixture);
  g_assert_cmpuint (fixture->started, ==, 2);
  session_fixture_expect (fixture, ENDED PONG GENERIC ("JSON parse error, expecting value"));
  session_fixture_end_call (fixture);
  session_fixture_expect (fixture, ENDED PONG);
  g_assert_cmpuint (fixture->abandoned, ==, 0);
  session_fixture_tell (
    fixture,
    "{\"execute\":\"negotiator-exec\",\"arguments\":{\"command\":\"fails-at-once\"}}" PING);
  session_fixture_expect (fixture, GENERIC ("no") PONG);
}

/* Whether a command may run is decided when it starts, not when it arrives. */
static void
test_late_policy (SessionFixture *fixture, gconstpointer kind)
{
  session_fixture_tell (fixture, EXEC PING);
  nego_policy_block (fixture->policy, "guest-ping");
  session_fixture_end_call (fixture);
  session_fixture_expect (
    fixture, ENDED "{\"error\": {\"class\": \"CommandNotFound\", \"desc\": "
                   "\"Command guest-ping has been disabled: the command is not allowed\"}}\n");
  g_assert_cmpuint (fixture->pings, ==, 0);
}

static void
wait_for_reply (SessionFixture *fixture)
{
  char byte;

  while (recv (fixture->peer, &byte, 1, MSG_PEEK | MSG_DONTWAIT) < 0)
    g_main_context_iteration (NULL, TRUE);
}

static void
test_sync_overtakes (SessionFixture *fixture, gconstpointer kind)
{
  gint64 start = g_get_monotonic_time ();

  session_fixture_tell (fixture, EXEC PING EXEC SYNC (5) PING);
  session_fixture_expect (fixture, "");
  wait_for_reply (fixture);
  g_assert_cmpint (g_get_monotonic_time () - start, >=, (NEGO_SESSION_SYNC_WAIT_MS - 10) * 1000);
  session_fixture_settle ();
  /* The running call's reply is dropped, what had not started is not executed. */
  session_fixture_expect (fixture, SYNCED (5) PONG);
  g_assert_cmpuint (fixture->started, ==, 1);
  g_assert_cmpuint (fixture->abandoned, ==, 1);
  g_assert_cmpuint (fixture->pings, ==, 1);
  session_fixture_end_call (fixture); /* too late: dropped */
  session_fixture_expect (fixture, "");
  session_fixture_tell (fixture, PING);
  session_fixture_expect (fixture, PONG);
}

static void
test_sync_waits (SessionFixture *fixture, gconstpointer kind)
{
  session_fixture_tell (fixture, EXEC PING SYNC (6));
  session_fixture_end_call (fixture);
  session_fixture_expect (fixture, ENDED PONG SYNCED (6));
  g_assert_cmpuint (fixture->abandoned, ==, 0);
  /* No timer is left behind. */
  g_assert_false (g_main_context_pending (NULL));
}

/* The second sync overtakes what the requests behind the first one started. */
static void
test_sync_twice (SessionFixture *fixture, gconstpointer kind)
{
  session_fixture_tell (fixture, EXEC SYNC (1) EXEC SYNC (2));
  wait_for_reply (fixture);
  session_fixture_expect (fixture, SYNCED (1));
  g_assert_cmpuint (fixture->started, ==, 2);
  wait_for_reply (fixture);
  session_fixture_expect (fixture, SYNCED (2));
  g_assert_cmpuint (fixture->abandoned, ==, 2);
}

static void
test_half_close (SessionFixture *fixture, gconstpointer kind)
{
  session_fixture_tell (fixture, EXEC PING);
  shutdown (fixture->peer, SHUT_WR);
  session_fixture_settle ();
  g_assert_cmpuint (fixture->closed, ==, 0);
  session_fixture_end_call (fixture);
  session_fixture_settle ();
  g_assert_cmpuint (fixture->closed, ==, 1);
  session_fixture_expect (fixture, ENDED PONG);
}

static void
test_close_running (SessionFixture *fixture, gconstpointer kind)
{
  session_fixture_tell (fixture, EXEC PING);
  close (fixture->peer);
  fixture->peer = -1;
  session_fixture_settle ();
  g_assert_cmpuint (fixture->closed, ==, 1);
  g_assert_cmpuint (fixture->abandoned, ==, 1);
  g_assert_cmpuint (fixture->pings, ==, 0);
  session_fixture_end_call (fixture);
}

/* A peer that sends and does not read: its requests wait unread, in its own socket. */
static void
test_no_reader (SessionFixture *fixture, gconstpointer kind)
{
  g_autoptr (GString) burst = g_string_new (NULL);
  gsize sent = 0, heard = 0;
  guint i;

  for (i = 0; i < 1000; i++)
    g_string_append (burst, PING);
  for (;;) {
    ssize_t n = send (fixture->peer, burst->str, burst->len, MSG_DONTWAIT | MSG_NOSIGNAL);

    session_fixture_settle ();
    if (n < 0)
      break;
    sent += (gsize) n;
    g_assert_cmpuint (sent, <, 64u << 20);
  }
  g_assert_false (g_main_context_pending (NULL));
  while (heard < sent / strlen (PING) * strlen (PONG)) {
    g_autofree char *part = session_fixture_hear (fixture);

    heard += strlen (part);
    session_fixture_settle ();
  }
  g_assert_cmpuint (fixture->pings, ==, sent / strlen (PING));
}

/* A burst behind a running call: at the limit reading stops, and nothing is lost. */
static void
test_pending_limit (SessionFixture *fixture, gconstpointer kind)
{
  g_autoptr (GString) burst = g_string_new (EXEC);
  g_autofree char *heard = NULL;
  guint i;

  for (i = 0; i < 10 * NEGO_SESSION_PENDING; i++)
    g_string_append (burst, PING);
  session_fixture_tell (fixture, burst->str);
  g_assert_cmpuint (fixture->pings, ==, 0);
  session_fixture_end_call (fixture);
  heard = session_fixture_hear (fixture);
  g_assert_cmpuint (strlen (heard), ==, strlen (ENDED) + 10 * NEGO_SESSION_PENDING * strlen (PONG));
  g_assert_cmpuint (fixture->pings, ==, 10 * NEGO_SESSION_PENDING);
}

/* Large ids that wait count, too: reading stops, and the rest waits in the peer's own socket. */
static void
test_pending_bytes (SessionFixture *fixture, gconstpointer kind)
{
  g_autofree char *id = g_strnfill (NEGO_SESSION_QUEUE_BYTES, 'i');
  g_autofree char *request = g_strdup_printf ("{\"execute\":\"guest-ping\",\"id\":\"%s\"}", id);
  gsize len = strlen (request), sent = 0, heard = 0, n = 8 * len;

  session_fixture_tell (fixture, EXEC);
  for (gboolean blocked = FALSE; !blocked && sent < n;) {
    ssize_t taken
      = send (fixture->peer, request + sent % len, len - sent % len, MSG_DONTWAIT | MSG_NOSIGNAL);

    session_fixture_settle ();
    blocked = taken < 0;
    sent += blocked ? 0 : (gsize) taken;
  }
  g_assert_cmpuint (sent, <, 4 * len);
  session_fixture_end_call (fixture);
  while (heard < sent / len * len) {
    g_autofree char *part = session_fixture_hear (fixture);

    heard += strlen (part);
    session_fixture_settle ();
  }
  g_assert_cmpuint (fixture->pings, ==, sent / len);
}

/* Texts that only errors quote count as well. */
static void
test_pending_texts (SessionFixture *fixture, gconstpointer kind)
{
  static const char *const requests[] = {
    /* % is what is long */
    "{\"execute\":\"%\"}",
    "{\"%\":0}",
  };
  g_autofree char *filler = g_strnfill (900000, 'x');

  for (guint i = 0; i < G_N_ELEMENTS (requests); i++) {
    g_auto (GStrv) around = g_strsplit (requests[i], "%", 2);
    g_autofree char *request = g_strjoinv (filler, around);
    gsize len = strlen (request), sent = 0;
    ssize_t n = 0;

    session_fixture_tell (fixture, EXEC);
    for (; n >= 0; session_fixture_settle ()) {
      n = send (fixture->peer, request + sent % len, len - sent % len, MSG_DONTWAIT | MSG_NOSIGNAL);
      sent += n > 0 ? (gsize) n : 0;
      g_assert_cmpuint (sent, <, 4u << 20);
    }
    session_fixture_end_call (fixture);
    g_free (session_fixture_hear (fixture));
    session_fixture_tell (fixture, request + sent % len);
    g_free (session_fixture_hear (fixture));
  }
}

/* The echo of an id must leave room in a line that has a limit. */
static void
test_long_id (SessionFixture *fixture, gconstpointer kind)
{
  g_autofree char *id = g_strnfill (NEGO_REPLY_ID_BYTES - strlen ("\"\""), 'i');
  g_autofree char *at = g_strdup_printf (
    "{\"execute\":\"negotiator-exec\",\"arguments\":{\"command\":\"fails-at-once\"},"
    "\"id\":\"%s\"}",
    id);
  g_autofree char *reply = g_strdup_printf (
    "{\"id\": \"%s\", \"error\": {\"class\": \"GenericError\", \"desc\": \"no\"}}\n", id);
  g_autofree char *above = g_strdup_printf ("{\"execute\":\"negotiator-exec\",\"id\":\"%si\"}", id);
  g_autofree char *unknown = g_strdup_printf ("{\"execute\":\"negotiator-x\",\"id\":\"%si\"}", id);

  session_fixture_tell (fixture, at);
  session_fixture_expect (fixture, reply);
  session_fixture_tell (fixture, above);
  session_fixture_expect (
    fixture, GENERIC ("the id of a negotiator command is too long (limit 4096 bytes)"));
  session_fixture_tell (fixture, unknown);
  session_fixture_expect (
    fixture, GENERIC ("the id of a negotiator command is too long (limit 4096 bytes)"));
  g_assert_cmpuint (fixture->started, ==, 1);
}

static void
test_port_reset (SessionFixture *fixture, gconstpointer kind)
{
  session_fixture_tell (fixture, EXEC PING "{\"execute\":");
  shutdown (fixture->peer, SHUT_WR); /* reads as a port whose host is away */
  session_fixture_settle ();
  g_assert_cmpuint (fixture->abandoned, ==, 0);
  while (fixture->abandoned == 0)
    g_main_context_iteration (NULL, TRUE);
  g_assert_cmpuint (fixture->closed, ==, 0);
  g_assert_cmpuint (fixture->pings, ==, 0);
  session_fixture_end_call (fixture);
  session_fixture_expect (fixture, "");
}

/* The news of a leaving come behind a request: it may be the next host's, which waits for it. */
static void
test_port_leaving (SessionFixture *fixture, gconstpointer kind)
{
  session_fixture_tell (fixture, EXEC);
  shutdown (fixture->peer, SHUT_WR);
  session_fixture_settle ();
  session_fixture_end_call (fixture);
  session_fixture_expect (fixture, GENERIC ("ended"));
  g_assert_cmpuint (fixture->abandoned, ==, 0);
}

/* A new host behind an old one's backlog: it hears the rest of the line that had begun, then the
 * answer to its sync, and nothing of the third reply. */
static void
test_port_stale (SessionFixture *fixture, gconstpointer kind)
{
  g_autofree char *id = g_strnfill (150000, 'i');
  g_autofree char *request = g_strdup_printf ("{\"execute\":\"guest-ping\",\"id\":\"%s\"}", id);
  g_autofree char *heard = NULL;
  g_auto (GStrv) lines = NULL;

  session_fixture_tell (fixture, request);
  session_fixture_tell (fixture, request);
  session_fixture_tell (fixture, request);
  session_fixture_tell (fixture, SYNC (9));
  g_assert_cmpuint (fixture->pings, ==, 3);
  heard = session_fixture_hear (fixture);
  lines = g_strsplit (heard, "\n", -1);
  g_assert_cmpuint (g_strv_length (lines), ==, 4);
  g_assert_cmpuint (strlen (lines[0]), ==, strlen (lines[1]));
  g_assert_cmpstr (lines[2], ==, "{\"return\": 9}");
  g_assert_cmpstr (lines[3], ==, "");
}

#define ADD(path, kind, func)                                                             \
  g_test_add (path, SessionFixture, GINT_TO_POINTER (kind), session_fixture_set_up, func, \
              session_fixture_tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  signal (SIGPIPE, SIG_IGN);
  ADD ("/session/replies", NEGO_STREAM_SOCKET, test_replies);
  ADD ("/session/errors", NEGO_STREAM_SOCKET, test_errors);
  ADD ("/session/long-desc", NEGO_STREAM_SOCKET, test_long_desc);
  ADD ("/session/order", NEGO_STREAM_SOCKET, test_order);
  ADD ("/session/late-policy", NEGO_STREAM_SOCKET, test_late_policy);
  ADD ("/session/sync/overtakes", NEGO_STREAM_SOCKET, test_sync_overtakes);
  ADD ("/session/sync/waits", NEGO_STREAM_SOCKET, test_sync_waits);
  ADD ("/session/sync/twice", NEGO_STREAM_SOCKET, test_sync_twice);
  ADD ("/session/half-close", NEGO_STREAM_SOCKET, test_half_close);
  ADD ("/session/close-running", NEGO_STREAM_SOCKET, test_close_running);
  ADD ("/session/no-reader", NEGO_STREAM_SOCKET, test_no_reader);
  ADD ("/session/pending-limit", NEGO_STREAM_SOCKET, test_pending_limit);
  ADD ("/session/pending-bytes", NEGO_STREAM_SOCKET, test_pending_bytes);
  ADD ("/session/pending-texts", NEGO_STREAM_SOCKET, test_pending_texts);
  ADD ("/session/long-id", NEGO_STREAM_SOCKET, test_long_id);
  ADD ("/session/port/replies", NEGO_STREAM_PORT, test_replies);
  ADD ("/session/port/order", NEGO_STREAM_PORT, test_order);
  ADD ("/session/port/no-reader", NEGO_STREAM_PORT, test_no_reader);
  ADD ("/session/port/reset", NEGO_STREAM_PORT, test_port_reset);
  ADD ("/session/port/leaving", NEGO_STREAM_PORT, test_port_leaving);
  ADD ("/session/port/stale", NEGO_STREAM_PORT, test_port_stale);
  return g_test_run ();
}
