/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "common/session.h"

#include "common/error.h"
#include "common/feed.h"
#include "common/in-flight.h"
#include "common/intake.h"
#include "common/names.h"
#include "common/owner.h"
#include "common/pending.h"
#include "common/source.h"
#include "common/wire.h"

#include <string.h>

struct NegoSession {
  NegoDispatcher *dispatcher;
  NegoIntake *intake;
  NegoStream *stream;
  NegoFeeds *feeds;    /* NULL: no events */
  GSource *feed_later; /* events are left for the next turn of the main loop */
  NegoOwner *owner;
  NegoStreamKind kind;
  char *name;
  NegoCallPeer peer;

  NegoInFlight in_flight;
  NegoPending pending;
  NegoSessionForwardFunc forward;
  NegoSessionOldFunc old; /* NULL: nothing comes in its framing */
  gboolean needs_sync;
  gboolean synced;            /* with @needs_sync: a sync was answered */
  gboolean concurrent;        /* requests start as they come */
  gboolean always_concurrent; /* a sync does not end it */
  GSource *sync_wait;         /* armed while a sync waits behind a running call */

  gboolean large;  /* a large message or reply passed since @idle was armed */
  guint64 settled; /* the queue's end when that was last looked at */
  GSource *idle;   /* armed while there may be memory to give back */

  guint64 mark;     /* the queue's end when the bytes being looked at arrived */
  gboolean batch;   /* within the data callback: what is queued is written at its end */
  gboolean pumping; /* within nego_session_pump: a call that ends at once does not recurse */
  gboolean eof;

  NegoSessionClosedFunc closed;
  gpointer user_data;
};

static void nego_session_pump (NegoSession *session);

static void
nego_session_disarm_sync (NegoSession *session)
{
  if (session->sync_wait == NULL)
    return;
  g_source_destroy (session->sync_wait);
  g_clear_pointer (&session->sync_wait, g_source_unref);
}

static gboolean
nego_session_sync_cb (gpointer user_data)
{
  NegoSession *session = user_data;

  g_clear_pointer (&session->sync_wait, g_source_unref);
  g_debug ("%s: a sync overtakes what runs", session->name);
  nego_pending_drop_to_sync (&session->pending);
  nego_in_flight_abandon (&session->in_flight);
  nego_session_pump (session);
  return G_SOURCE_REMOVE;
}

/* A timer only while a sync is kept waiting by a call that runs. */
static void
nego_session_update_sync (NegoSession *session)
{
  if (nego_in_flight_count (&session->in_flight) == 0
      || !nego_pending_has_sync (&session->pending)) {
    nego_session_disarm_sync (session);
    return;
  }
  if (session->sync_wait != NULL)
    return;
  session->sync_wait = g_timeout_source_new (NEGO_SESSION_SYNC_WAIT_MS);
  g_source_set_callback (session->sync_wait, nego_session_sync_cb, session, NULL);
  g_source_attach (session->sync_wait, g_main_context_get_thread_default ());
}

/* Whether the next request may start: what is queued is tried first, since a reader that keeps up
 * should not be held up by the size of a batch. */
static gboolean
nego_session_may_start (NegoSession *session)
{
  if (nego_in_flight_count (&session->in_flight)
      >= (session->concurrent ? NEGO_SESSION_CONCURRENT : 1))
    return FALSE;
  if (nego_stream_queued (session->stream) >= NEGO_SESSION_QUEUE_BYTES)
    nego_stream_flush (session->stream);
  return nego_stream_queued (session->stream) < NEGO_SESSION_QUEUE_BYTES;
}

static void
nego_session_update_reading (NegoSession *session)
{
  nego_stream_set_reading (session->stream,
                           nego_stream_queued (session->stream) < NEGO_SESSION_QUEUE_BYTES
                             && !nego_intake_has_rest (session->intake)
                             && nego_pending_has_room (&session->pending));
}

/* Whether nothing that was read is still to be answered. */
static gboolean
nego_session_is_idle (const NegoSession *session)
{
  return nego_in_flight_count (&session->in_flight) == 0
         && nego_pending_is_empty (&session->pending) && !nego_intake_has_rest (session->intake);
}

static void nego_session_watch_idle (NegoSession *session);

static gboolean
nego_session_idle_cb (gpointer user_data)
{
  NegoSession *session = user_data;

  nego_source_clear (&session->idle);
  if (session->large)
    nego_session_watch_idle (session);
  else
    nego_intake_shrink (session->intake);
  return G_SOURCE_REMOVE;
}

/* From here on, the timer says whether more that is large has come. */
static void
nego_session_watch_idle (NegoSession *session)
{
  session->large = FALSE;
  session->idle = nego_source_add_timeout (NEGO_SESSION_IDLE_MS, nego_session_idle_cb, session);
}

static void
nego_session_look_at_size (NegoSession *session)
{
  const guint64 position = nego_stream_get_position (session->stream);

  session->large |= nego_intake_had_large (session->intake, NEGO_SESSION_LARGE_BYTES)
                    || position - session->settled > NEGO_SESSION_LARGE_BYTES;
  session->settled = position;
  if (session->large && session->idle == NULL)
    nego_session_watch_idle (session);
}

/* After each burst of work: read on or not, and end a half-closed connection. */
static void
nego_session_settle (NegoSession *session)
{
  nego_session_look_at_size (session);
  nego_session_update_sync (session);
  nego_session_update_reading (session);
  if (nego_session_is_idle (session) && nego_stream_queued (session->stream) == 0)
    nego_intake_release (session->intake);
  if (session->eof && nego_session_is_idle (session)
      && (session->feeds == NULL || nego_feeds_are_empty (session->feeds)))
    nego_stream_finish (session->stream);
}

static void
nego_session_done_cb (NegoCall *call, gpointer user_data)
{
  NegoSession *session = user_data;

  if (!nego_call_is_failed (call)) {
    session->concurrent = nego_call_wants_concurrent (call, session->concurrent);
  } else if (session->needs_sync && nego_pending_is_sync (nego_call_get_name (call))) {
    nego_pending_drop_to_sync (&session->pending);
    session->synced = nego_pending_has_sync (&session->pending);
  }
  nego_in_flight_remove (&session->in_flight, call);
  nego_session_pump (session);
}

static void
nego_session_cancel_cb (const char *id, gpointer user_data)
{
  NegoSession *session = user_data;

  if (!nego_in_flight_cancel (&session->in_flight, id))
    nego_pending_cancel (&session->pending, id);
}

static void nego_session_wake_cb (gpointer user_data);

static gboolean
nego_session_feed_cb (gpointer user_data)
{
  NegoSession *session = user_data;

  nego_source_clear (&session->feed_later);
  nego_session_wake_cb (session);
  return G_SOURCE_REMOVE;
}

/* Writes events as long as the reader takes all that is queued; what is left waits for it. */
static void
nego_session_feed (NegoSession *session)
{
  guint n;

  if (session->feeds == NULL || session->batch || session->pumping)
    return;
  for (n = 0; n < NEGO_SESSION_EVENTS && nego_stream_queued (session->stream) == 0; n++) {
    if (!nego_feeds_write (session->feeds, nego_stream_get_queue (session->stream)))
      break;
    nego_stream_flush (session->stream);
  }
  if (n == NEGO_SESSION_EVENTS && session->feed_later == NULL)
    session->feed_later = nego_source_add_timeout (0, nego_session_feed_cb, session);
}

static void
nego_session_wake_cb (gpointer user_data)
{
  NegoSession *session = user_data;

  nego_session_feed (session);
  if (session->eof)
    nego_session_settle (session);
}

/* A host that leaves and comes back quickly is not visible on a port or tty: what is still queued
 * from before the sync's arrival may be meant for its predecessor, as its subscriptions are. On a
 * socket it never is. */
static void
nego_session_begin_sync (NegoSession *session, guint64 mark)
{
  if (session->feeds != NULL)
    nego_feeds_clear (session->feeds);
  session->concurrent = session->always_concurrent;
  if (session->kind != NEGO_STREAM_SOCKET)
    nego_stream_drop_queue (session->stream, mark);
}

static void
nego_session_answer_error (NegoSession *session, const GError *error, const char *id)
{
  nego_wire_write_error (nego_stream_get_queue (session->stream), error, id);
}

/* An id is echoed, and the reply lines of these commands have a limit. */
static gboolean
nego_session_refuses_id (const char *name, const char *id, GError **error)
{
  if (id == NULL || strlen (id) <= NEGO_REPLY_ID_BYTES || !g_str_has_prefix (name, "negotiator-"))
    return FALSE;
  g_set_error (error, NEGO_ERROR, NEGO_ERROR_GENERIC,
               "the id of a negotiator command is too long (limit %u bytes)", NEGO_REPLY_ID_BYTES);
  return TRUE;
}

/* Looks the command up only now: a freeze or thaw before it in the queue decides what it may do.
 * Takes @id. */
static void
nego_session_start (
  NegoSession *session, const char *name, const char *arguments, gsize arguments_len, char *id)
{
  g_autofree char *owned_id = id;
  g_autoptr (GError) error = NULL;
  g_autoptr (NegoCall) call = NULL;
  const QapiCommand *command;

  if (nego_session_refuses_id (name, owned_id, &error)) {
    nego_session_answer_error (session, error, NULL);
    return;
  }
  session->peer.concurrent = session->concurrent;
  call = nego_call_new (name, g_steal_pointer (&owned_id), &session->peer);
  nego_in_flight_add (&session->in_flight, call);
  if (session->forward != NULL
      && session->forward (call, arguments, arguments_len, session->user_data))
    return;
  command = nego_dispatcher_find (session->dispatcher, name, &error);
  if (command != NULL)
    nego_dispatcher_run (session->dispatcher, command, arguments, arguments_len, call);
  else
    nego_call_fail (call, g_steal_pointer (&error));
}

static void
nego_session_start_old (NegoSession *session, const char *text, gsize len)
{
  g_autoptr (NegoCall) call = nego_call_new ("an old message", NULL, &session->peer);

  nego_in_flight_add (&session->in_flight, call);
  session->old (call, text, len);
}

static void
nego_session_run_item (NegoSession *session, NegoPendingItem *item)
{
  if (item->sync)
    nego_session_begin_sync (session, item->mark);
  if (item->error != NULL)
    nego_session_answer_error (session, item->error, item->id);
  else if (item->name == NULL)
    nego_session_start_old (session, item->arguments, item->arguments_len);
  else
    nego_session_start (session, item->name, item->arguments, item->arguments_len,
                        g_steal_pointer (&item->id));
}

/* Starts what may start and writes what is queued. What is left waits for a call that runs, or for
 * a reader: only a write that was refused is told of by nego_session_drained_cb(). */
static void
nego_session_pump (NegoSession *session)
{
  if (session->batch || session->pumping)
    return;
  session->pumping = TRUE;
  do {
    while (!nego_pending_is_empty (&session->pending) && nego_session_may_start (session)) {
      g_autoptr (NegoPendingItem) item = nego_pending_pop (&session->pending);

      nego_session_run_item (session, item);
    }
    if (nego_intake_has_rest (session->intake) && nego_pending_has_room (&session->pending)) {
      session->batch = TRUE;
      nego_intake_take_rest (session->intake);
      session->batch = FALSE;
    }
    nego_stream_flush (session->stream);
  } while (!nego_pending_is_empty (&session->pending) && nego_session_may_start (session));
  session->pumping = FALSE;
  nego_session_feed (session);
  nego_session_settle (session);
}

/* Puts the request, or the error instead of one, at the end of what waits. Takes @id and @error. */
static void
nego_session_push (NegoSession *session, NegoWireRequest *request, char *id, GError *error)
{
  NegoPendingItem *item = g_new0 (NegoPendingItem, 1);

  item->error = error;
  item->id = id;
  item->mark = session->mark;
  if (error == NULL) {
    item->name = g_steal_pointer (&request->execute);
    item->sync = nego_pending_is_sync (item->name);
    item->arguments = g_strndup (request->arguments, request->arguments_len);
    item->arguments_len = request->arguments_len;
  }
  nego_pending_push (&session->pending, item);
}

static void
nego_session_take_error (NegoSession *session, GError *error, char *id)
{
  g_autoptr (GError) owned = error;
  g_autofree char *owned_id = id;

  if (nego_pending_is_empty (&session->pending) && nego_session_may_start (session))
    nego_session_answer_error (session, owned, owned_id);
  else
    nego_session_push (session, NULL, g_steal_pointer (&owned_id), g_steal_pointer (&owned));
}

static char *
nego_session_spell_id (const NegoWireRequest *request)
{
  GString *spelled;

  if (request->id == NULL)
    return NULL;
  spelled = g_string_sized_new (request->id_len + 1);
  nego_json_respell (spelled, request->id, request->id_len);
  return g_string_free (spelled, FALSE);
}

/* Whether @request (NULL: it is wrong) is behind the sync that the session needs, or is that. */
static gboolean
nego_session_check_synced (NegoSession *session,
                           const NegoFramerMessage *message,
                           const NegoWireRequest *request)
{
  if (session->needs_sync && request != NULL && message->marked
      && g_str_equal (request->execute, "guest-sync-delimited"))
    session->synced = TRUE; /* unless its handler fails */
  return !session->needs_sync || session->synced;
}

/* What came before the sync is of a time that is over. */
static void
nego_session_refuse_unsynced (NegoSession *session, char *id)
{
  GError *error = g_error_new_literal (NEGO_ERROR, NEGO_ERROR_GENERIC, "not synchronised");

  nego_session_take_error (session, error, id);
}

static void
nego_session_take_request (NegoSession *session, NegoWireRequest *request)
{
  gboolean sync = nego_pending_is_sync (request->execute);
  char *id = nego_session_spell_id (request);

  if (sync && session->concurrent) {
    nego_in_flight_abandon (&session->in_flight);
    nego_pending_clear (&session->pending);
  }
  if (!nego_pending_is_empty (&session->pending) || !nego_session_may_start (session)) {
    nego_session_push (session, request, id, NULL);
    return;
  }
  if (sync)
    nego_session_begin_sync (session, session->mark);
  nego_session_start (session, request->execute, request->arguments, request->arguments_len, id);
}

static void
nego_session_message_cb (const NegoFramerMessage *message, gpointer user_data)
{
  NegoSession *session = user_data;
  g_auto (NegoWireRequest) request = { 0 };
  g_autoptr (GError) error = NULL;
  gboolean parsed = nego_wire_parse_request (message, &request, &error);

  if (!nego_session_check_synced (session, message, parsed ? &request : NULL))
    nego_session_refuse_unsynced (session, nego_session_spell_id (&request));
  else if (parsed)
    nego_session_take_request (session, &request);
  else
    nego_session_take_error (session, g_steal_pointer (&error), nego_session_spell_id (&request));
}

static gboolean
nego_session_has_room_cb (gpointer user_data)
{
  NegoSession *session = user_data;

  return nego_pending_has_room (&session->pending);
}

static void
nego_session_error_cb (GError *error, gpointer user_data)
{
  NegoSession *session = user_data;

  if (session->needs_sync && !session->synced)
    g_error_free (error);
  else
    nego_session_take_error (session, error, NULL);
}

/* It waits for its turn, which comes at once in an idle session. */
static void
nego_session_old_cb (const char *text, gsize len, gpointer user_data)
{
  NegoSession *session = user_data;
  NegoPendingItem *item = g_new0 (NegoPendingItem, 1);

  item->mark = session->mark;
  item->arguments = g_strndup (text, len);
  item->arguments_len = strlen (item->arguments);
  nego_pending_push (&session->pending, item);
}

static const NegoIntakeCallbacks nego_session_intake_callbacks = {
  .has_room = nego_session_has_room_cb,
  .message = nego_session_message_cb,
  .error = nego_session_error_cb,
  .old = nego_session_old_cb,
};

static void
nego_session_data_cb (NegoStream *stream, const guint8 *data, gsize len, gpointer user_data)
{
  NegoSession *session = user_data;

  session->mark = nego_stream_get_position (stream);
  session->batch = TRUE;
  nego_intake_take (session->intake, data, len);
  session->batch = FALSE;
  nego_session_pump (session);
}

static void
nego_session_drained_cb (NegoStream *stream, gpointer user_data)
{
  nego_session_pump (user_data);
}

static void
nego_session_reset (NegoSession *session)
{
  nego_intake_reset (session->intake);
  if (session->feeds != NULL)
    nego_feeds_clear (session->feeds);
  /* First what waits: the end of what runs may start it. */
  nego_pending_clear (&session->pending);
  nego_in_flight_abandon (&session->in_flight);
  nego_session_disarm_sync (session);
  session->synced = FALSE;
  session->concurrent = session->always_concurrent;
}

static void
nego_session_peer_cb (NegoStream *stream, gboolean present, gpointer user_data)
{
  NegoSession *session = user_data;

  g_debug ("%s: the host %s", session->name, present ? "is there" : "is away");
  nego_session_reset (session);
  nego_owner_set_present (session->owner, present);
  nego_stream_clear_queue (stream);
  nego_intake_release (session->intake);
  nego_session_update_reading (session);
}

static void
nego_session_eof_cb (NegoStream *stream, gpointer user_data)
{
  NegoSession *session = user_data;

  session->eof = TRUE;
  nego_session_pump (session);
}

static void
nego_session_closed_cb (NegoStream *stream, const GError *error, gpointer user_data)
{
  NegoSession *session = user_data;

  nego_session_reset (session);
  session->closed (session, error, session->user_data);
}

static const NegoStreamCallbacks nego_session_callbacks = {
  .data = nego_session_data_cb,
  .drained = nego_session_drained_cb,
  .peer = nego_session_peer_cb,
  .eof = nego_session_eof_cb,
  .closed = nego_session_closed_cb,
};

NegoSession *
nego_session_new (NegoDispatcher *dispatcher,
                  int fd,
                  const NegoSessionOptions *options,
                  NegoSessionClosedFunc closed,
                  gpointer user_data)
{
  NegoSession *session = g_new0 (NegoSession, 1);
  /* libvirt's error state keeps the socket open and unread for ever: only closing and reopening the
   * port ends it. On other ports an unread reply is the reader's own business. */
  guint stuck_s = options->qga && options->kind == NEGO_STREAM_PORT ? NEGO_SESSION_STUCK_S : 0;

  session->dispatcher = dispatcher;
  session->kind = options->kind;
  session->name = g_strdup (options->name);
  session->forward = options->forward;
  session->needs_sync = options->needs_sync;
  session->concurrent = session->always_concurrent = options->concurrent;
  session->old = options->old;
  session->intake = nego_intake_new (&options->limits, &nego_session_intake_callbacks, session);
  nego_intake_set_keep (session->intake, NEGO_SESSION_KEEP_BYTES);
  if (session->old != NULL)
    nego_intake_enable_old (session->intake);
  session->feeds = options->qga ? NULL : nego_feeds_new (nego_session_wake_cb, session);
  session->owner = nego_owner_new (NEGO_OWNER_AWAY_S * 1000);
  session->stream = nego_stream_new (fd, options->kind, stuck_s, &nego_session_callbacks, session);
  if (options->rate > 0)
    nego_stream_set_rate (session->stream, options->rate);
  session->closed = closed;
  session->user_data = user_data;
  session->peer = (NegoCallPeer){
    .context = nego_dispatcher_get_context (dispatcher),
    .origin = session->name,
    .qga = options->qga,
    .stream = session->stream,
    .feeds = session->feeds,
    .cancel = nego_session_cancel_cb,
    .owner = session->owner,
    .done = nego_session_done_cb,
    .user_data = session,
  };
  return session;
}

void
nego_session_set_poller (NegoSession *session, NegoPoller *poller)
{
  nego_stream_set_poller (session->stream, poller);
}

void
nego_session_free (NegoSession *session)
{
  if (session == NULL)
    return;
  nego_session_reset (session);
  nego_in_flight_clear (&session->in_flight);
  nego_source_clear (&session->feed_later);
  if (session->idle != NULL)
    nego_intake_shrink (session->intake);
  nego_source_clear (&session->idle);
  nego_feeds_free (session->feeds);
  nego_owner_free (session->owner);
  nego_stream_free (session->stream);
  nego_intake_free (session->intake);
  g_free (session->name);
  g_free (session);
}

gboolean
nego_session_refuse_concurrent (GError **error)
{
  g_set_error_literal (error, NEGO_ERROR, NEGO_ERROR_GENERIC,
                       "this channel runs requests in order");
  return FALSE;
}
