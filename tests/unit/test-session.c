/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "common/error.h"
#include "common/names.h"
#include "common/session.h"

#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* A session on one end of a socket pair, with handlers of the test's own: negotiator-exec is the
 * asynchronous command, and ends when the test says so. */
typedef struct {
  int peer;
  NegoPolicy *policy;
  NegoDispatcher *dispatcher;
  NegoSession *session;
  GQueue calls; /* NegoCall: started and unanswered */
  guint started, abandoned, pings, closed;
} Fixture;

static gboolean
sync_cb (NegoCall *call, const QapiGuestSyncArgs *args, gint64 *ret, GError **error)
{
  *ret = args->id;
  return TRUE;
}

static gboolean
delimited_cb (NegoCall *call, const QapiGuestSyncDelimitedArgs *args, gint64 *ret, GError **error)
{
  nego_call_set_delimited (call);
  *ret = args->id;
  return TRUE;
}

static gboolean
ping_cb (NegoCall *call, GError **error)
{
  ((Fixture *) nego_call_get_context (call))->pings++;
  return TRUE;
}

static void
abandon_cb (NegoCall *call, gpointer user_data)
{
  Fixture *fixture = user_data;

  g_assert_true (nego_call_is_abandoned (call));
  fixture->abandoned++;
}

static void
exec_cb (NegoCall *call, const QapiNegotiatorExecArgs *args)
{
  Fixture *fixture = nego_call_get_context (call);

  fixture->started++;
  if (g_str_equal (args->command, "fails-at-once")) {
    nego_call_fail (call, g_error_new (NEGO_ERROR, NEGO_ERROR_GENERIC, "no"));
    return;
  }
  nego_call_set_abandon (call, abandon_cb, fixture);
  g_queue_push_tail (&fixture->calls, nego_call_ref (call));
}

static const QapiHandlers handlers = {
  .guest_sync = sync_cb,
  .guest_sync_delimited = delimited_cb,
  .guest_ping = ping_cb,
  .negotiator_exec = exec_cb,
};

static void
closed_cb (NegoSession *session, const GError *error, gpointer user_data)
{
  Fixture *fixture = user_data;

  fixture->closed++;
  g_clear_pointer (&fixture->session, nego_session_free);
}

static void
set_up (Fixture *fixture, gconstpointer kind)
{
  NegoSessionOptions options = {
    .name = "test",
    .kind = GPOINTER_TO_INT (kind),
    .limits = { NEGO_MESSAGE_BYTES_PORT, NEGO_MESSAGE_TOKENS, NEGO_MESSAGE_DEPTH },
  };
  int fds[2];

  g_assert_no_errno (socketpair (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds));
  fixture->peer = fds[0];
  g_queue_init (&fixture->calls);
  fixture->policy = nego_policy_new ();
  fixture->dispatcher = nego_dispatcher_new (&handlers, fixture->policy, fixture);
  fixture->session = nego_session_new (fixture->dispatcher, fds[1], &options, closed_cb, fixture);
  while (g_main_context_iteration (NULL, FALSE))
    ;
}

static void
tear_down (Fixture *fixture, gconstpointer kind)
{
  g_clear_pointer (&fixture->session, nego_session_free);
  g_queue_clear_full (&fixture->calls, (GDestroyNotify) nego_call_unref);
  nego_dispatcher_free (fixture->dispatcher);
  nego_policy_free (fixture->policy);
  if (fixture->peer >= 0)
    close (fixture->peer);
}

static void
settle (void)
{
  while (g_main_context_iteration (NULL, FALSE))
    ;
}

static void
tell (Fixture *fixture, const char *text)
{
  gsize len = strlen (text);

  while (len > 0) {
    ssize_t n = send (fixture->peer, text, len, MSG_DONTWAIT | MSG_NOSIGNAL);

    if (n > 0) {
      text += n;
      len -= (gsize) n;
    }
    settle ();
  }
  settle ();
}

static char *
hear (Fixture *fixture)
{
  GString *text = g_string_new (NULL);
  char buffer[65536];
  ssize_t n;

  while ((n = recv (fixture->peer, buffer, sizeof buffer, MSG_DONTWAIT)) > 0) {
    g_string_append_len (text, buffer, n);
    settle ();
  }
  return g_string_free (text, FALSE);
}

static void
expect (Fixture *fixture, const char *reply)
{
  g_autofree char *heard = hear (fixture);

  g_assert_cmpstr (heard, ==, reply);
}

static void
end_call (Fixture *fixture)
{
  g_autoptr (NegoCall) call = g_queue_pop_head (&fixture->calls);

  g_assert_nonnull (call);
  nego_call_fail (call, g_error_new (NEGO_ERROR, NEGO_ERROR_GENERIC, "ended"));
  settle ();
}

#define PING       "{\"execute\":\"guest-ping\"}"
#define EXEC       "{\"execute\":\"negotiator-exec\",\"arguments\":{\"command\":\"x\"}}"
#define SYNC(id)   "{\"execute\":\"guest-sync\",\"arguments\":{\"id\":" #id "}}"
#define ENDED      "{\"error\": {\"class\": \"GenericError\", \"desc\": \"ended\"}}\n"
#define PONG       "{\"return\": {}}\n"
#define SYNCED(id) "{\"return\": " #id "}\n"

static void
test_replies (Fixture *fixture, gconstpointer kind)
{
  tell (fixture, PING);
  expect (fixture, PONG);
  tell (fixture, "\xff{\"execute\":\"guest-sync-delimited\",\"arguments\":{\"id\":-7}}\n");
  expect (fixture, "\xff{\"return\": -7}\n");
  tell (fixture, "{'execute':'guest-ping','id':{'a':[1,1.50,null]}}");
  expect (fixture, "{\"return\": {}, \"id\": {\"a\": [1, 1.5, null]}}\n");
  tell (fixture, PING PING PING);
  expect (fixture, PONG PONG PONG);
}

static void
test_errors (Fixture *fixture, gconstpointer kind)
{
#define GENERIC(desc) "{\"error\": {\"class\": \"GenericError\", \"desc\": \"" desc "\"}}\n"
  tell (fixture, "{\"execute\":5}");
  expect (fixture, GENERIC ("QMP input member 'execute' must be a string"));
  tell (fixture, "{}");
  expect (fixture, GENERIC ("QMP input lacks member 'execute'"));
  tell (fixture, "{\"execute\":\"guest-ping\",\"arguments\":[]}");
  expect (fixture, GENERIC ("QMP input member 'arguments' must be an object"));
  tell (fixture, "{\"execute\":\"guest-ping\",\"exec-oob\":1}");
  expect (fixture, GENERIC ("QMP input member 'exec-oob' is unexpected"));
  tell (fixture, "{\"execute\":\"guest-ping\\u0000\"}");
  expect (fixture, GENERIC ("QMP input member 'execute' must not contain U+0000"));
  tell (fixture, "{\"execute\":\"guest-sync\",\"arguments\":{\"id\":\"\\u0000\"}}");
  expect (fixture, GENERIC ("QMP input member 'arguments' must not contain U+0000"));
  tell (fixture, "{\"execute\":\"guest-sync\",\"arguments\":{\"x\":1}}");
  expect (fixture, GENERIC ("Parameter 'id' is missing"));
  tell (fixture, "{\"execute\":\"x\",\"id\":1}");
  expect (fixture, "{\"id\": 1, \"error\": {\"class\": \"CommandNotFound\", \"desc\": "
                   "\"The command x has not been found\"}}\n");
  /* In the schema, but not served on this side. */
  tell (fixture, "{\"execute\":\"guest-info\"}");
  expect (fixture, "{\"error\": {\"class\": \"CommandNotFound\", \"desc\": "
                   "\"The command guest-info has not been found\"}}\n");
  nego_policy_block (fixture->policy, "guest-ping");
  tell (fixture, PING);
  expect (fixture, "{\"error\": {\"class\": \"CommandNotFound\", \"desc\": "
                   "\"Command guest-ping has been disabled: the command is not allowed\"}}\n");
  nego_policy_set_frozen (fixture->policy, TRUE);
  tell (fixture, EXEC);
  expect (fixture, GENERIC ("the agent is in frozen state"));
}

static void
test_long_desc (Fixture *fixture, gconstpointer kind)
{
  g_autofree char *name = g_strnfill (100000, 'n');
  g_autofree char *request = g_strdup_printf ("{\"execute\":\"%s\"}", name);
  g_autofree char *heard = NULL;

  tell (fixture, request);
  heard = hear (fixture);
  g_assert_cmpuint (strlen (heard), <, 8192 + 100);
  g_assert_true (g_str_has_suffix (heard, "nnn\"}}\n"));
}

/* What comes behind a running call waits for it, errors too. */
static void
test_order (Fixture *fixture, gconstpointer kind)
{
  tell (fixture, EXEC PING "]" EXEC PING);
  g_assert_cmpuint (fixture->started, ==, 1);
  expect (fixture, "");
  end_call (fixture);
  g_assert_cmpuint (fixture->started, ==, 2);
  expect (fixture, ENDED PONG GENERIC ("JSON parse error, expecting value"));
  end_call (fixture);
  expect (fixture, ENDED PONG);
  g_assert_cmpuint (fixture->abandoned, ==, 0);
  tell (fixture,
        "{\"execute\":\"negotiator-exec\",\"arguments\":{\"command\":\"fails-at-once\"}}" PING);
  expect (fixture, GENERIC ("no") PONG);
}

/* Whether a command may run is decided when it starts, not when it arrives. */
static void
test_late_policy (Fixture *fixture, gconstpointer kind)
{
  tell (fixture, EXEC PING);
  nego_policy_block (fixture->policy, "guest-ping");
  end_call (fixture);
  expect (fixture,
          ENDED "{\"error\": {\"class\": \"CommandNotFound\", \"desc\": "
                "\"Command guest-ping has been disabled: the command is not allowed\"}}\n");
  g_assert_cmpuint (fixture->pings, ==, 0);
}

static void
wait_for_reply (Fixture *fixture)
{
  char byte;

  while (recv (fixture->peer, &byte, 1, MSG_PEEK | MSG_DONTWAIT) < 0)
    g_main_context_iteration (NULL, TRUE);
}

static void
test_sync_overtakes (Fixture *fixture, gconstpointer kind)
{
  gint64 start = g_get_monotonic_time ();

  tell (fixture, EXEC PING EXEC SYNC (5) PING);
  expect (fixture, "");
  wait_for_reply (fixture);
  g_assert_cmpint (g_get_monotonic_time () - start, >=, (NEGO_SESSION_SYNC_WAIT_MS - 10) * 1000);
  settle ();
  /* The running call's reply is dropped, what had not started is not executed. */
  expect (fixture, SYNCED (5) PONG);
  g_assert_cmpuint (fixture->started, ==, 1);
  g_assert_cmpuint (fixture->abandoned, ==, 1);
  g_assert_cmpuint (fixture->pings, ==, 1);
  end_call (fixture); /* too late: dropped */
  expect (fixture, "");
  tell (fixture, PING);
  expect (fixture, PONG);
}

static void
test_sync_waits (Fixture *fixture, gconstpointer kind)
{
  tell (fixture, EXEC PING SYNC (6));
  end_call (fixture);
  expect (fixture, ENDED PONG SYNCED (6));
  g_assert_cmpuint (fixture->abandoned, ==, 0);
  /* No timer is left behind. */
  g_assert_false (g_main_context_pending (NULL));
}

/* The second sync overtakes what the requests behind the first one started. */
static void
test_sync_twice (Fixture *fixture, gconstpointer kind)
{
  tell (fixture, EXEC SYNC (1) EXEC SYNC (2));
  wait_for_reply (fixture);
  expect (fixture, SYNCED (1));
  g_assert_cmpuint (fixture->started, ==, 2);
  wait_for_reply (fixture);
  expect (fixture, SYNCED (2));
  g_assert_cmpuint (fixture->abandoned, ==, 2);
}

static void
test_half_close (Fixture *fixture, gconstpointer kind)
{
  tell (fixture, EXEC PING);
  shutdown (fixture->peer, SHUT_WR);
  settle ();
  g_assert_cmpuint (fixture->closed, ==, 0);
  end_call (fixture);
  settle ();
  g_assert_cmpuint (fixture->closed, ==, 1);
  expect (fixture, ENDED PONG);
}

static void
test_close_running (Fixture *fixture, gconstpointer kind)
{
  tell (fixture, EXEC PING);
  close (fixture->peer);
  fixture->peer = -1;
  settle ();
  g_assert_cmpuint (fixture->closed, ==, 1);
  g_assert_cmpuint (fixture->abandoned, ==, 1);
  g_assert_cmpuint (fixture->pings, ==, 0);
  end_call (fixture);
}

/* A peer that sends and does not read: its requests wait unread, in its own socket. */
static void
test_no_reader (Fixture *fixture, gconstpointer kind)
{
  g_autoptr (GString) burst = g_string_new (NULL);
  gsize sent = 0, heard = 0;
  guint i;

  for (i = 0; i < 1000; i++)
    g_string_append (burst, PING);
  for (;;) {
    ssize_t n = send (fixture->peer, burst->str, burst->len, MSG_DONTWAIT | MSG_NOSIGNAL);

    settle ();
    if (n < 0)
      break;
    sent += (gsize) n;
    g_assert_cmpuint (sent, <, 64u << 20);
  }
  g_assert_false (g_main_context_pending (NULL));
  while (heard < sent / strlen (PING) * strlen (PONG)) {
    g_autofree char *part = hear (fixture);

    heard += strlen (part);
    settle ();
  }
  g_assert_cmpuint (fixture->pings, ==, sent / strlen (PING));
}

/* A burst behind a running call: at the limit reading stops, and nothing is lost. */
static void
test_pending_limit (Fixture *fixture, gconstpointer kind)
{
  g_autoptr (GString) burst = g_string_new (EXEC);
  g_autofree char *heard = NULL;
  guint i;

  for (i = 0; i < 10 * NEGO_SESSION_PENDING; i++)
    g_string_append (burst, PING);
  tell (fixture, burst->str);
  g_assert_cmpuint (fixture->pings, ==, 0);
  end_call (fixture);
  heard = hear (fixture);
  g_assert_cmpuint (strlen (heard), ==, strlen (ENDED) + 10 * NEGO_SESSION_PENDING * strlen (PONG));
  g_assert_cmpuint (fixture->pings, ==, 10 * NEGO_SESSION_PENDING);
}

/* Large ids that wait count, too: reading stops, and the rest waits in the peer's own socket. */
static void
test_pending_bytes (Fixture *fixture, gconstpointer kind)
{
  g_autofree char *id = g_strnfill (NEGO_SESSION_QUEUE_BYTES, 'i');
  g_autofree char *request = g_strdup_printf ("{\"execute\":\"guest-ping\",\"id\":\"%s\"}", id);
  gsize len = strlen (request), sent = 0, heard = 0, n = 8 * len;

  tell (fixture, EXEC);
  for (gboolean blocked = FALSE; !blocked && sent < n;) {
    ssize_t taken
      = send (fixture->peer, request + sent % len, len - sent % len, MSG_DONTWAIT | MSG_NOSIGNAL);

    settle ();
    blocked = taken < 0;
    sent += blocked ? 0 : (gsize) taken;
  }
  g_assert_cmpuint (sent, <, 4 * len);
  end_call (fixture);
  while (heard < sent / len * len) {
    g_autofree char *part = hear (fixture);

    heard += strlen (part);
    settle ();
  }
  g_assert_cmpuint (fixture->pings, ==, sent / len);
}

/* Texts that only errors quote count as well. */
static void
test_pending_texts (Fixture *fixture, gconstpointer kind)
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

    tell (fixture, EXEC);
    for (; n >= 0; settle ()) {
      n = send (fixture->peer, request + sent % len, len - sent % len, MSG_DONTWAIT | MSG_NOSIGNAL);
      sent += n > 0 ? (gsize) n : 0;
      g_assert_cmpuint (sent, <, 4u << 20);
    }
    end_call (fixture);
    g_free (hear (fixture));
    tell (fixture, request + sent % len);
    g_free (hear (fixture));
  }
}

/* The echo of an id must leave room in a line that has a limit. */
static void
test_long_id (Fixture *fixture, gconstpointer kind)
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

  tell (fixture, at);
  expect (fixture, reply);
  tell (fixture, above);
  expect (fixture, GENERIC ("the id of a negotiator command is too long (limit 4096 bytes)"));
  tell (fixture, unknown);
  expect (fixture, GENERIC ("the id of a negotiator command is too long (limit 4096 bytes)"));
  g_assert_cmpuint (fixture->started, ==, 1);
}

static void
test_port_reset (Fixture *fixture, gconstpointer kind)
{
  tell (fixture, EXEC PING "{\"execute\":");
  shutdown (fixture->peer, SHUT_WR); /* reads as a port whose host is away */
  settle ();
  g_assert_cmpuint (fixture->abandoned, ==, 0);
  while (fixture->abandoned == 0)
    g_main_context_iteration (NULL, TRUE);
  g_assert_cmpuint (fixture->closed, ==, 0);
  g_assert_cmpuint (fixture->pings, ==, 0);
  end_call (fixture);
  expect (fixture, "");
}

/* The news of a leaving come behind a request: it may be the next host's, which waits for it. */
static void
test_port_leaving (Fixture *fixture, gconstpointer kind)
{
  tell (fixture, EXEC);
  shutdown (fixture->peer, SHUT_WR);
  settle ();
  end_call (fixture);
  expect (fixture, GENERIC ("ended"));
  g_assert_cmpuint (fixture->abandoned, ==, 0);
}

/* A new host behind an old one's backlog: it hears the rest of the line that had begun, then the
 * answer to its sync, and nothing of the third reply. */
static void
test_port_stale (Fixture *fixture, gconstpointer kind)
{
  g_autofree char *id = g_strnfill (150000, 'i');
  g_autofree char *request = g_strdup_printf ("{\"execute\":\"guest-ping\",\"id\":\"%s\"}", id);
  g_autofree char *heard = NULL;
  g_auto (GStrv) lines = NULL;

  tell (fixture, request);
  tell (fixture, request);
  tell (fixture, request);
  tell (fixture, SYNC (9));
  g_assert_cmpuint (fixture->pings, ==, 3);
  heard = hear (fixture);
  lines = g_strsplit (heard, "\n", -1);
  g_assert_cmpuint (g_strv_length (lines), ==, 4);
  g_assert_cmpuint (strlen (lines[0]), ==, strlen (lines[1]));
  g_assert_cmpstr (lines[2], ==, "{\"return\": 9}");
  g_assert_cmpstr (lines[3], ==, "");
}

#define ADD(path, kind, func) \
  g_test_add (path, Fixture, GINT_TO_POINTER (kind), set_up, func, tear_down)

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
