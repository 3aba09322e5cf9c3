/* SPDX-License-Identifier: MIT */
/*
 * Sessions that start requests as they come, and those that need a sync.
 */
#include "config.h"

#include "common/names.h"
#include "tests/helpers/session-fixture.h"

#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static void
set_up (SessionFixture *fixture, gconstpointer options)
{
  session_fixture_set_up_with (fixture, options);
}

#define EXEC_ID(id) \
  "{\"execute\":\"negotiator-exec\",\"arguments\":{\"command\":\"x\"},\"id\":" #id "}"
#define PING_ID(id) "{\"execute\":\"guest-ping\",\"id\":" #id "}"
#define PONG_ID(id) "{\"return\": {}, \"id\": " #id "}\n"
#define ENDED_ID(id) \
  "{\"id\": " #id ", \"error\": {\"class\": \"GenericError\", \"desc\": \"ended\"}}\n"
#define DELIMITED(number) \
  "\xff{\"execute\":\"guest-sync-delimited\",\"arguments\":{\"id\":" #number "}}\n"
#define DELIMITED_REPLY(number) "\xff{\"return\": " #number "}\n"
#define SWITCH(on)              "{\"execute\":\"negotiator-session\",\"arguments\":{\"concurrent\":" #on "}}"
/* The fixture's handler does not know how it was. */
#define SWITCHED(on) \
  "{\"return\": {\"concurrent\": " #on ", \"was-concurrent\": false, \"limit\": 0}}\n"
#define REFUSED_ID(id) \
  "{\"id\": " #id ", \"error\": {\"class\": \"GenericError\", \"desc\": \"not synchronised\"}}\n"

/* Ends the call that started as the one behind @n others that run. */
static void
end_call_number (SessionFixture *fixture, guint n)
{
  g_queue_push_head (&fixture->calls, g_queue_pop_nth (&fixture->calls, n));
  session_fixture_end_call (fixture);
}

static void
test_any_order (SessionFixture *fixture, gconstpointer options)
{
  session_fixture_tell (fixture, EXEC_ID (1) EXEC_ID (2) PING_ID (3) EXEC_ID (4) "]");
  g_assert_cmpuint (fixture->started, ==, 3);
  session_fixture_expect (fixture, PONG_ID (3) GENERIC ("JSON parse error, expecting value"));
  end_call_number (fixture, 2);
  session_fixture_expect (fixture, ENDED_ID (4));
  end_call_number (fixture, 0);
  session_fixture_expect (fixture, ENDED_ID (1));
  end_call_number (fixture, 0);
  session_fixture_expect (fixture, ENDED_ID (2));
  g_assert_cmpuint (fixture->abandoned, ==, 0);
}

static void
tell_times (SessionFixture *fixture, const char *text, guint n)
{
  g_autoptr (GString) all = g_string_new (NULL);

  for (guint i = 0; i < n; i++)
    g_string_append (all, text);
  session_fixture_tell (fixture, all->str);
}

/* At the limit all run; one above waits for one of them. */
static void
test_limit (SessionFixture *fixture, gconstpointer options)
{
  tell_times (fixture, EXEC, NEGO_SESSION_CONCURRENT);
  g_assert_cmpuint (fixture->started, ==, NEGO_SESSION_CONCURRENT);
  session_fixture_tell (fixture, PING_ID (1));
  session_fixture_expect (fixture, "");
  session_fixture_end_call (fixture);
  session_fixture_expect (fixture, ENDED PONG_ID (1));
  session_fixture_tell (fixture, EXEC EXEC);
  g_assert_cmpuint (fixture->started, ==, NEGO_SESSION_CONCURRENT + 1);
  session_fixture_end_call (fixture);
  g_assert_cmpuint (fixture->started, ==, NEGO_SESSION_CONCURRENT + 2);
}

/* Far more than may wait: what is not read stays in the peer's own socket, and nothing is lost. */
static void
test_flood (SessionFixture *fixture, gconstpointer options)
{
  const guint n = NEGO_SESSION_CONCURRENT + 4 * NEGO_SESSION_PENDING;

  tell_times (fixture, EXEC, n);
  g_assert_cmpuint (fixture->started, ==, NEGO_SESSION_CONCURRENT);
  for (guint i = 0; i < n; i++) {
    session_fixture_end_call (fixture);
    session_fixture_expect (fixture, ENDED);
  }
  g_assert_cmpuint (fixture->started, ==, n);
}

/* It waits for nothing: what runs loses its reply, what waits is not executed. */
static void
test_sync (SessionFixture *fixture, gconstpointer options)
{
  tell_times (fixture, EXEC, NEGO_SESSION_CONCURRENT + 1);
  session_fixture_tell (fixture, DELIMITED (7) PING_ID (1));
  session_fixture_expect (fixture, DELIMITED_REPLY (7) PONG_ID (1));
  g_assert_cmpuint (fixture->abandoned, ==, NEGO_SESSION_CONCURRENT);
  session_fixture_end_call (fixture);
  session_fixture_expect (fixture, "");
  g_assert_cmpuint (fixture->started, ==, NEGO_SESSION_CONCURRENT);
  /* It is concurrent still. */
  session_fixture_tell (fixture, EXEC PING_ID (2));
  session_fixture_expect (fixture, PONG_ID (2));
}

static void
test_close (SessionFixture *fixture, gconstpointer options)
{
  session_fixture_tell (fixture, EXEC EXEC EXEC);
  close (fixture->peer);
  fixture->peer = -1;
  session_fixture_settle ();
  g_assert_cmpuint (fixture->abandoned, ==, 3);
  g_assert_cmpuint (fixture->closed, ==, 1);
}

static void
test_half_close (SessionFixture *fixture, gconstpointer options)
{
  session_fixture_tell (fixture, EXEC EXEC);
  shutdown (fixture->peer, SHUT_WR);
  session_fixture_settle ();
  session_fixture_end_call (fixture);
  g_assert_cmpuint (fixture->closed, ==, 0);
  session_fixture_end_call (fixture);
  session_fixture_settle ();
  g_assert_cmpuint (fixture->closed, ==, 1);
  session_fixture_expect (fixture, ENDED ENDED);
}

/* Switched on by the client; a sync ends it, as the other value does. */
static void
test_switch (SessionFixture *fixture, gconstpointer options)
{
  session_fixture_tell (fixture, SWITCH (true) EXEC PING_ID (1));
  session_fixture_expect (fixture, SWITCHED (true) PONG_ID (1));
  session_fixture_tell (fixture, SWITCH (false) PING_ID (2));
  session_fixture_expect (fixture, SWITCHED (false));
  session_fixture_end_call (fixture);
  session_fixture_expect (fixture, ENDED PONG_ID (2));
  session_fixture_tell (fixture, SWITCH (true) EXEC SYNC (3) EXEC PING_ID (4));
  session_fixture_expect (fixture, SWITCHED (true) SYNCED (3));
  g_assert_cmpuint (fixture->abandoned, ==, 1);
  end_call_number (fixture, 1);
  session_fixture_expect (fixture, ENDED PONG_ID (4));
  /* A call that fails switches nothing. */
  session_fixture_tell (fixture, "{\"execute\":\"negotiator-session\"}" EXEC PING_ID (5));
  session_fixture_expect (fixture, GENERIC ("Parameter 'concurrent' is missing"));
}

#define CANCEL(id) "{\"execute\":\"negotiator-cancel\",\"arguments\":{\"request\":" #id "}}"

/* Of what runs and of what waits; what is not there is no error. */
static void
test_cancel (SessionFixture *fixture, gconstpointer options)
{
  session_fixture_tell (fixture, EXEC_ID (1) EXEC_ID (2) CANCEL (2) CANCEL (3));
  session_fixture_expect (fixture, PONG PONG);
  g_assert_cmpuint (fixture->abandoned, ==, 1);
  end_call_number (fixture, 1);
  session_fixture_expect (fixture, "");
  end_call_number (fixture, 0);
  session_fixture_expect (fixture, ENDED_ID (1));
  /* One that runs makes room for one that waits. */
  tell_times (fixture, EXEC, NEGO_SESSION_CONCURRENT - 2);
  session_fixture_tell (fixture, EXEC_ID (5) CANCEL (5) PING_ID (6));
  session_fixture_expect (fixture, PONG PONG_ID (6));
  g_assert_cmpuint (fixture->abandoned, ==, 2);
}

static void
test_switch_reset (SessionFixture *fixture, gconstpointer options)
{
  session_fixture_tell (fixture, SWITCH (true) EXEC EXEC);
  g_assert_cmpuint (fixture->started, ==, 2);
  shutdown (fixture->peer, SHUT_WR); /* reads as a port whose host is away */
  while (fixture->abandoned < 2)
    g_main_context_iteration (NULL, TRUE);
  g_assert_cmpuint (fixture->closed, ==, 0);
}

/* Whole requests are told; what is malformed, a former connection's rest say, is not. */
static void
test_unsynced (SessionFixture *fixture, gconstpointer options)
{
  session_fixture_tell (fixture, "mand\": \"x\"}}\n" PING_ID (1) "{}" EXEC_ID ("two"));
  session_fixture_expect (fixture, REFUSED_ID (1) GENERIC ("not synchronised") REFUSED_ID ("two"));
  /* Other syncs do not count, nor one without 0xFF before it. */
  session_fixture_tell (fixture, SYNC (1) "\xff" SYNC (1));
  session_fixture_expect (fixture, GENERIC ("not synchronised") GENERIC ("not synchronised"));
  session_fixture_tell (fixture, &DELIMITED (1)[1]);
  session_fixture_expect (fixture, GENERIC ("not synchronised"));
  session_fixture_tell (fixture, "{\"execute\": \"ne" DELIMITED (2) PING_ID (3));
  session_fixture_expect (fixture, DELIMITED_REPLY (2) PONG_ID (3));
  g_assert_cmpuint (fixture->started, ==, 0);
  g_assert_cmpuint (fixture->pings, ==, 1);
  session_fixture_tell (fixture, "]");
  session_fixture_expect (fixture, GENERIC ("JSON parse error, expecting value"));
}

/* A sync that is refused leaves nothing synchronised, neither before nor behind it. */
static void
test_refused_sync (SessionFixture *fixture, gconstpointer options)
{
  fixture->bad_sync = 5;
  session_fixture_tell (fixture, DELIMITED (5) PING_ID (1));
  session_fixture_expect (fixture, GENERIC ("seen before") REFUSED_ID (1));
  session_fixture_tell (fixture, DELIMITED (6) PING_ID (2));
  session_fixture_expect (fixture, DELIMITED_REPLY (6) PONG_ID (2));
  session_fixture_tell (fixture, EXEC DELIMITED (5) PING_ID (3));
  session_fixture_expect (fixture, GENERIC ("seen before") REFUSED_ID (3));
  g_assert_cmpuint (fixture->abandoned, ==, 1);
}

/* The same when the sync has to wait for a reader: what is behind it is not executed. */
static void
test_refused_sync_late (SessionFixture *fixture, gconstpointer options)
{
  g_autofree char *id = g_strnfill (NEGO_SESSION_QUEUE_BYTES * 5 / 8, 'i');
  g_autofree char *request = g_strdup_printf ("{\"execute\":\"guest-ping\",\"id\":\"%s\"}", id);
  g_autofree char *last = g_strconcat (request, DELIMITED (5) PING_ID (3), NULL);
  g_autofree char *heard = NULL;

  fixture->bad_sync = 5;
  session_fixture_tell (fixture, DELIMITED (4));
  session_fixture_expect (fixture, DELIMITED_REPLY (4));
  session_fixture_tell (fixture, request);
  session_fixture_tell (fixture, request);
  session_fixture_tell (fixture, last);
  heard = session_fixture_hear (fixture);
  g_assert_nonnull (strstr (heard, GENERIC ("seen before")));
  g_assert_cmpuint (fixture->pings, ==, 3);
  session_fixture_tell (fixture, PING_ID (6));
  session_fixture_expect (fixture, REFUSED_ID (6));
}

static const NegoSessionOptions socket_options = { .kind = NEGO_STREAM_SOCKET };
static const NegoSessionOptions port_options = { .kind = NEGO_STREAM_PORT };
static const NegoSessionOptions concurrent_options
  = { .kind = NEGO_STREAM_SOCKET, .concurrent = TRUE };
static const NegoSessionOptions reverse_options
  = { .kind = NEGO_STREAM_SOCKET, .concurrent = TRUE, .needs_sync = TRUE };

#define ADD(path, options, func) \
  g_test_add (path, SessionFixture, &(options), set_up, func, session_fixture_tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  signal (SIGPIPE, SIG_IGN);
  ADD ("/session/concurrent/any-order", concurrent_options, test_any_order);
  ADD ("/session/concurrent/limit", concurrent_options, test_limit);
  ADD ("/session/concurrent/flood", concurrent_options, test_flood);
  ADD ("/session/concurrent/sync", concurrent_options, test_sync);
  ADD ("/session/concurrent/close", concurrent_options, test_close);
  ADD ("/session/concurrent/half-close", concurrent_options, test_half_close);
  ADD ("/session/concurrent/switch", socket_options, test_switch);
  ADD ("/session/concurrent/cancel", concurrent_options, test_cancel);
  ADD ("/session/concurrent/switch-reset", port_options, test_switch_reset);
  ADD ("/session/needs-sync/unsynced", reverse_options, test_unsynced);
  ADD ("/session/needs-sync/refused", reverse_options, test_refused_sync);
  ADD ("/session/needs-sync/refused-late", reverse_options, test_refused_sync_late);
  return g_test_run ();
}
