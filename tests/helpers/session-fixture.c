/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "tests/helpers/session-fixture.h"

#include "common/error.h"
#include "common/names.h"

#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static gboolean
sync_cb (NegoCall *call, const QapiGuestSyncArgs *args, gint64 *ret, GError **error)
{
  *ret = args->id;
  return TRUE;
}

static gboolean
delimited_cb (NegoCall *call, const QapiGuestSyncDelimitedArgs *args, gint64 *ret, GError **error)
{
  const SessionFixture *fixture = nego_call_get_context (call);

  if (fixture->bad_sync != 0 && args->id == fixture->bad_sync) {
    g_set_error_literal (error, NEGO_ERROR, NEGO_ERROR_GENERIC, "seen before");
    return FALSE;
  }
  nego_call_set_delimited (call);
  *ret = args->id;
  return TRUE;
}

static gboolean
ping_cb (NegoCall *call, GError **error)
{
  ((SessionFixture *) nego_call_get_context (call))->pings++;
  return TRUE;
}

static void
abandon_cb (NegoCall *call, gpointer user_data)
{
  SessionFixture *fixture = user_data;

  g_assert_true (nego_call_is_abandoned (call));
  fixture->abandoned++;
}

static void
exec_cb (NegoCall *call, const QapiNegotiatorExecArgs *args)
{
  SessionFixture *fixture = nego_call_get_context (call);

  fixture->started++;
  if (g_str_equal (args->command, "fails-at-once")) {
    nego_call_fail (call, g_error_new (NEGO_ERROR, NEGO_ERROR_GENERIC, "no"));
    return;
  }
  nego_call_set_abandon (call, abandon_cb, fixture);
  g_queue_push_tail (&fixture->calls, nego_call_ref (call));
}

static QapiNegotiatorSession *
session_cb (NegoCall *call, const QapiNegotiatorSessionArgs *args, GError **error)
{
  QapiNegotiatorSession *ret = qapi_negotiator_session_new ();

  nego_call_set_concurrent (call, args->concurrent);
  ret->concurrent = args->concurrent;
  return ret;
}

static gboolean
cancel_cb (NegoCall *call, const QapiNegotiatorCancelArgs *args, GError **error)
{
  nego_call_cancel (call, args->request);
  return TRUE;
}

static const QapiHandlers handlers = {
  .guest_sync = sync_cb,
  .guest_sync_delimited = delimited_cb,
  .guest_ping = ping_cb,
  .negotiator_cancel = cancel_cb,
  .negotiator_exec = exec_cb,
  .negotiator_session = session_cb,
};

static void
closed_cb (NegoSession *session, const GError *error, gpointer user_data)
{
  SessionFixture *fixture = user_data;

  fixture->closed++;
  g_clear_pointer (&fixture->session, nego_session_free);
}

void
session_fixture_set_up (SessionFixture *fixture, gconstpointer kind)
{
  session_fixture_set_up_with (fixture, &(NegoSessionOptions){ .kind = GPOINTER_TO_INT (kind) });
}

void
session_fixture_set_up_with (SessionFixture *fixture, const NegoSessionOptions *wanted)
{
  const NegoSessionOptions options = {
    .name = "test",
    .kind = wanted->kind,
    .qga = wanted->qga,
    .concurrent = wanted->concurrent,
    .needs_sync = wanted->needs_sync,
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

void
session_fixture_tear_down (SessionFixture *fixture, gconstpointer kind)
{
  g_clear_pointer (&fixture->session, nego_session_free);
  g_queue_clear_full (&fixture->calls, (GDestroyNotify) nego_call_unref);
  nego_dispatcher_free (fixture->dispatcher);
  nego_policy_free (fixture->policy);
  if (fixture->peer >= 0)
    close (fixture->peer);
}

void
session_fixture_settle (void)
{
  while (g_main_context_iteration (NULL, FALSE))
    ;
}

void
session_fixture_tell (SessionFixture *fixture, const char *text)
{
  gsize len = strlen (text);

  while (len > 0) {
    ssize_t n = send (fixture->peer, text, len, MSG_DONTWAIT | MSG_NOSIGNAL);

    if (n > 0) {
      text += n;
      len -= (gsize) n;
    }
    session_fixture_settle ();
  }
  session_fixture_settle ();
}

char *
session_fixture_hear (SessionFixture *fixture)
{
  GString *text = g_string_new (NULL);
  char buffer[65536];
  ssize_t n;

  while ((n = recv (fixture->peer, buffer, sizeof buffer, MSG_DONTWAIT)) > 0) {
    g_string_append_len (text, buffer, n);
    session_fixture_settle ();
  }
  return g_string_free (text, FALSE);
}

void
session_fixture_expect (SessionFixture *fixture, const char *reply)
{
  g_autofree char *heard = session_fixture_hear (fixture);

  g_assert_cmpstr (heard, ==, reply);
}

void
session_fixture_end_call (SessionFixture *fixture)
{
  g_autoptr (NegoCall) call = g_queue_pop_head (&fixture->calls);

  g_assert_nonnull (call);
  nego_call_fail (call, g_error_new (NEGO_ERROR, NEGO_ERROR_GENERIC, "ended"));
  session_fixture_settle ();
}
