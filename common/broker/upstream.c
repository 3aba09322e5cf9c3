/* SPDX-License-Identifier: MIT */
#define G_LOG_DOMAIN "nego-broker"

#include "config.h"

#include "common/broker/upstream.h"

#include "common/intake.h"
#include "common/json.h"
#include "common/names.h"
#include "common/random.h"
#include "common/source.h"
#include "common/value.h"

#include <string.h>

/* A number that a double holds exactly: clients of other languages read it as one. */
#define NEGO_UPSTREAM_SYNC_BITS 53

/* The id of what it asks to know whether the other side is there, and the same: calls do not get as
 * far. */
#define NEGO_UPSTREAM_CHECK_ID ((G_GUINT64_CONSTANT (1) << NEGO_UPSTREAM_SYNC_BITS) - 1)

struct NegoUpstream {
  NegoStream *stream;
  NegoIntake *intake;
  const char *name;
  gsize request_bytes;
  gboolean switches;
  gboolean present;
  gboolean ready;
  guint64 sync;   /* the number that is waited for */
  gint64 sync_us; /* monotonic: when it was sent */

  gboolean waiting;
  gboolean pinged;  /* what was asked is not answered */
  gboolean expects; /* calls were out when it was asked */
  gint64 heard_us;  /* monotonic: when something arrived last, or waiting began */
  GSource *quiet;   /* while it waits */
  GSource *again;   /* once a sync was refused */

  const NegoUpstreamCallbacks *callbacks;
  gpointer user_data;
};

static guint64
nego_upstream_draw_number (void)
{
  g_autofree char *name = nego_random_name ();

  name[64 / 4] = '\0';
  return g_ascii_strtoull (name, NULL, 16) >> (64 - NEGO_UPSTREAM_SYNC_BITS);
}

static void
nego_upstream_set_ready (NegoUpstream *upstream, gboolean ready)
{
  if (upstream->ready == ready)
    return;
  upstream->ready = ready;
  upstream->pinged = FALSE;
  nego_source_clear (&upstream->again);
  upstream->callbacks->ready (upstream, ready, upstream->user_data);
}

static void
nego_upstream_send_sync (NegoUpstream *upstream)
{
  GString *out = nego_stream_get_queue (upstream->stream);

  upstream->sync = nego_upstream_draw_number ();
  upstream->sync_us = g_get_monotonic_time ();
  g_string_append_printf (
    out,
    "\xff{\"execute\":\"guest-sync-delimited\",\"arguments\":{\"id\":%" G_GUINT64_FORMAT "}}\n",
    upstream->sync);
  nego_stream_flush (upstream->stream);
}

void
nego_upstream_sync (NegoUpstream *upstream, gboolean always)
{
  const gint64 passed = g_get_monotonic_time () - upstream->sync_us;

  if (!upstream->present || (!always && passed < NEGO_BROKER_SYNC_MS * G_TIME_SPAN_MILLISECOND))
    return;
  nego_upstream_set_ready (upstream, FALSE);
  /* Whole lines that nobody took are of no more use; so syncs do not pile up either. */
  nego_stream_drop_queue (upstream->stream, nego_stream_get_position (upstream->stream));
  nego_upstream_send_sync (upstream);
}

/* The other side chooses how often: the log is told once in NEGO_BROKER_QUIET_MS. */
static void
nego_upstream_start_over (NegoUpstream *upstream, const char *why)
{
  const gint64 passed_ms = (g_get_monotonic_time () - upstream->sync_us) / 1000;

  if (passed_ms >= NEGO_BROKER_QUIET_MS)
    g_message ("%s: %s: synchronising again", upstream->name, why);
  nego_upstream_sync (upstream, TRUE);
}

static void
nego_upstream_send_session (NegoUpstream *upstream, guint64 id)
{
  const char *const arguments = "{\"concurrent\":true}";

  nego_upstream_send (upstream, "negotiator-session", arguments, strlen (arguments), NULL, id);
}

static gboolean
nego_upstream_again_cb (gpointer user_data)
{
  NegoUpstream *upstream = user_data;

  nego_source_clear (&upstream->again);
  nego_upstream_sync (upstream, TRUE);
  return G_SOURCE_REMOVE;
}

/* A sync has no id, nor has the error that answers it. */
static gboolean
nego_upstream_is_refusal (const NegoFramerMessage *message)
{
  return nego_framer_message_find (message, "error") != NULL
         && nego_framer_message_find (message, "id") == NULL;
}

/* The answer to the sync came: what follows is of this connection. */
static void
nego_upstream_take_sync (NegoUpstream *upstream, const NegoFramerMessage *message)
{
  const NegoFramerMember *ret = nego_framer_message_find (message, "return");
  guint64 number;

  if (nego_upstream_is_refusal (message) && upstream->again == NULL)
    upstream->again
      = nego_source_add_timeout (NEGO_BROKER_AGAIN_MS, nego_upstream_again_cb, upstream);
  if (!message->marked || ret == NULL
      || !nego_value_get_uint (&(NegoValue){ message->text + ret->value, ret->value_len }, &number)
      || number != upstream->sync)
    return;
  if (upstream->switches)
    nego_upstream_send_session (upstream, 0);
  nego_upstream_set_ready (upstream, TRUE);
}

/* Asks whether the other side is there and the same. One that runs requests as they come because it
 * was told so says whether it still does; one that always does so answers nothing but "not
 * synchronised" when it was started anew. */
static void
nego_upstream_check (NegoUpstream *upstream, gboolean expects)
{
  upstream->pinged = TRUE;
  upstream->expects = expects;
  if (upstream->switches)
    nego_upstream_send_session (upstream, NEGO_UPSTREAM_CHECK_ID);
  else
    nego_upstream_send (upstream, "guest-ping", NULL, 0, NULL, NEGO_UPSTREAM_CHECK_ID);
}

/* The answer to the check came. Where nothing was out before it nothing is lost: it has switched
 * the other side on again. */
static void
nego_upstream_take_check (NegoUpstream *upstream, const NegoFramerMessage *message)
{
  const NegoFramerMember *ret = nego_framer_message_find (message, "return");
  NegoValue was;

  upstream->pinged = FALSE;
  if (!upstream->expects || ret == NULL)
    return;
  if (nego_value_find (&(NegoValue){ message->text + ret->value, ret->value_len }, "was-concurrent",
                       &was)
      && !nego_value_is_true (&was))
    nego_upstream_start_over (upstream, "it was started anew");
}

static gboolean
nego_upstream_has_id (const NegoFramerMessage *message, guint64 *id)
{
  const NegoFramerMember *member = nego_framer_message_find (message, "id");

  return member != NULL
         && nego_value_get_uint (&(NegoValue){ message->text + member->value, member->value_len },
                                 id);
}

/* Whether the other side says that it is at another place than we are. */
static gboolean
nego_upstream_disagrees (const NegoFramerMessage *message, gboolean has_id)
{
  const NegoFramerMember *error = nego_framer_message_find (message, "error");
  NegoValue desc;

  if (error == NULL)
    return FALSE;
  if (!has_id)
    return TRUE;
  nego_value_find (&(NegoValue){ message->text + error->value, error->value_len }, "desc", &desc);
  return nego_value_is_string (&desc, "not synchronised");
}

static void
nego_upstream_message_cb (const NegoFramerMessage *message, gpointer user_data)
{
  NegoUpstream *upstream = user_data;
  guint64 id = 0;
  gboolean has_id;

  if (!upstream->ready) {
    nego_upstream_take_sync (upstream, message);
    return;
  }
  has_id = nego_upstream_has_id (message, &id);
  if (nego_upstream_disagrees (message, has_id)) {
    nego_upstream_start_over (upstream, "out of step");
    return;
  }
  if (has_id && id == NEGO_UPSTREAM_CHECK_ID) {
    nego_upstream_take_check (upstream, message);
    return;
  }
  if (has_id && id == 0)
    return;
  upstream->callbacks->message (upstream, message, upstream->user_data);
}

static void
nego_upstream_error_cb (GError *error, gpointer user_data)
{
  NegoUpstream *upstream = user_data;

  if (upstream->ready)
    nego_upstream_start_over (upstream, error->message);
  g_error_free (error);
}

static gboolean
nego_upstream_has_room_cb (gpointer user_data)
{
  return TRUE;
}

static const NegoIntakeCallbacks nego_upstream_intake_callbacks = {
  .has_room = nego_upstream_has_room_cb,
  .message = nego_upstream_message_cb,
  .error = nego_upstream_error_cb,
};

static void
nego_upstream_data_cb (NegoStream *stream, const guint8 *data, gsize len, gpointer user_data)
{
  NegoUpstream *upstream = user_data;

  upstream->heard_us = g_get_monotonic_time ();
  nego_intake_take (upstream->intake, data, len);
  nego_intake_release (upstream->intake);
}

static void
nego_upstream_drained_cb (NegoStream *stream, gpointer user_data)
{
  NegoUpstream *upstream = user_data;

  upstream->callbacks->drained (upstream, upstream->user_data);
}

static void
nego_upstream_peer_cb (NegoStream *stream, gboolean present, gpointer user_data)
{
  NegoUpstream *upstream = user_data;

  g_debug ("%s: the other side %s", upstream->name, present ? "is there" : "is away");
  nego_intake_reset (upstream->intake);
  nego_stream_clear_queue (stream);
  nego_source_clear (&upstream->again);
  upstream->present = present;
  nego_upstream_set_ready (upstream, FALSE);
  upstream->callbacks->present (upstream, present, upstream->user_data);
  if (present)
    nego_upstream_send_sync (upstream);
}

static void
nego_upstream_end (NegoUpstream *upstream, const GError *error)
{
  upstream->present = FALSE;
  nego_source_clear (&upstream->again);
  nego_upstream_set_ready (upstream, FALSE);
  upstream->callbacks->closed (upstream, error, upstream->user_data);
}

static void
nego_upstream_eof_cb (NegoStream *stream, gpointer user_data)
{
  nego_stream_finish (stream);
}

static void
nego_upstream_closed_cb (NegoStream *stream, const GError *error, gpointer user_data)
{
  nego_upstream_end (user_data, error);
}

static const NegoStreamCallbacks nego_upstream_stream_callbacks = {
  .data = nego_upstream_data_cb,
  .drained = nego_upstream_drained_cb,
  .peer = nego_upstream_peer_cb,
  .eof = nego_upstream_eof_cb,
  .closed = nego_upstream_closed_cb,
};

NegoUpstream *
nego_upstream_new (int fd,
                   NegoStreamKind kind,
                   const char *name,
                   const NegoFramerLimits *limits,
                   gsize request_bytes,
                   gboolean switches,
                   const NegoUpstreamCallbacks *callbacks,
                   gpointer user_data)
{
  NegoUpstream *upstream = g_new0 (NegoUpstream, 1);

  upstream->name = name;
  upstream->request_bytes = request_bytes;
  upstream->switches = switches;
  upstream->callbacks = callbacks;
  upstream->user_data = user_data;
  upstream->intake = nego_intake_new (limits, &nego_upstream_intake_callbacks, upstream);
  upstream->stream = nego_stream_new (fd, kind, 0, &nego_upstream_stream_callbacks, upstream);
  nego_stream_set_asking (upstream->stream);
  upstream->present = kind != NEGO_STREAM_PORT;
  if (upstream->present)
    nego_upstream_send_sync (upstream);
  return upstream;
}

void
nego_upstream_set_poller (NegoUpstream *upstream, NegoPoller *poller)
{
  nego_stream_set_poller (upstream->stream, poller);
}

void
nego_upstream_set_rate (NegoUpstream *upstream, guint rate)
{
  nego_stream_set_rate (upstream->stream, rate);
}

void
nego_upstream_free (NegoUpstream *upstream)
{
  if (upstream == NULL)
    return;
  nego_source_clear (&upstream->quiet);
  nego_source_clear (&upstream->again);
  nego_stream_free (upstream->stream);
  nego_intake_free (upstream->intake);
  g_free (upstream);
}

gboolean
nego_upstream_is_ready (const NegoUpstream *upstream)
{
  return upstream->ready;
}

gboolean
nego_upstream_is_present (const NegoUpstream *upstream)
{
  return upstream->present;
}

gboolean
nego_upstream_has_room (NegoUpstream *upstream)
{
  return nego_stream_queued (upstream->stream) < NEGO_SESSION_QUEUE_BYTES;
}

gboolean
nego_upstream_send (NegoUpstream *upstream,
                    const char *name,
                    const char *arguments,
                    gsize len,
                    const char *key,
                    guint64 id)
{
  GString *out = nego_stream_get_queue (upstream->stream);
  const gsize start = out->len;
  NegoJsonWriter writer;

  nego_json_writer_init (&writer, out);
  g_string_append (out, "{\"execute\":");
  nego_json_writer_string (&writer, name);
  g_string_append (out, ",\"arguments\":");
  if (key != NULL)
    g_string_append_printf (out, "{\"key\":\"%s\"%s", key, len > strlen ("{}") ? "," : "}");
  if (arguments == NULL && key == NULL)
    g_string_append (out, "{}");
  else if (key == NULL)
    g_string_append_len (out, arguments, (gssize) len);
  else if (len > strlen ("{}"))
    g_string_append_len (out, arguments + 1, (gssize) len - 1);
  g_string_append_printf (out, ",\"id\":%" G_GUINT64_FORMAT "}", id);
  /* The other side would answer without an id: everybody's calls would be lost. */
  if (out->len - start > upstream->request_bytes) {
    g_string_truncate (out, start);
    return FALSE;
  }
  g_string_append_c (out, '\n');
  nego_stream_flush (upstream->stream);
  return TRUE;
}

static gboolean
nego_upstream_quiet_cb (gpointer user_data)
{
  NegoUpstream *upstream = user_data;
  const gint64 quiet_ms = (g_get_monotonic_time () - upstream->heard_us) / 1000;

  const gboolean quiet = quiet_ms >= NEGO_BROKER_QUIET_MS;

  if (!upstream->ready)
    return G_SOURCE_CONTINUE;
  if (quiet && upstream->pinged)
    nego_upstream_start_over (upstream, "silent");
  else if (!upstream->pinged && (quiet || upstream->switches))
    /* Where it was started anew, others' calls may be answered while one is lost. */
    nego_upstream_check (upstream, TRUE);
  return G_SOURCE_CONTINUE;
}

void
nego_upstream_set_waiting (NegoUpstream *upstream, gboolean waiting)
{
  const gint64 now_us = g_get_monotonic_time ();

  if (upstream->waiting == waiting)
    return;
  upstream->waiting = waiting;
  nego_source_clear (&upstream->quiet);
  if (!waiting)
    return;
  if (upstream->ready && upstream->switches && !upstream->pinged
      && now_us - upstream->heard_us >= NEGO_BROKER_QUIET_MS * G_TIME_SPAN_MILLISECOND)
    nego_upstream_check (upstream, FALSE);
  upstream->heard_us = now_us;
  upstream->quiet
    = nego_source_add_timeout (NEGO_BROKER_QUIET_MS, nego_upstream_quiet_cb, upstream);
}
