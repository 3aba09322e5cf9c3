/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "common/call.h"

#include "common/error.h"
#include "common/names.h"
#include "common/wire.h"

#include <string.h>

struct NegoCall {
  gatomicrefcount ref_count;
  NegoCallPeer peer;
  char *name;
  char *id;
  gboolean delimited;
  gboolean answered;
  gboolean failed;
  gboolean switches; /* the session to @concurrent */
  gboolean concurrent;
  gboolean abandoned;
  gsize start; /* of the reply in the queue, while it is written */
  NegoJsonWriter writer;
  NegoCallAbandonFunc abandon;
  gpointer abandon_data;
  char *bulk_key, *bulk; /* one long argument, until its handler takes it */
};

NegoCall *
nego_call_new (const char *name, char *id, const NegoCallPeer *peer)
{
  NegoCall *call = g_new0 (NegoCall, 1);

  g_atomic_ref_count_init (&call->ref_count);
  call->peer = *peer;
  call->name = g_strdup (name);
  call->id = id;
  return call;
}

NegoCall *
nego_call_ref (NegoCall *call)
{
  g_atomic_ref_count_inc (&call->ref_count);
  return call;
}

void
nego_call_unref (NegoCall *call)
{
  if (call == NULL || !g_atomic_ref_count_dec (&call->ref_count))
    return;
  g_free (call->name);
  g_free (call->id);
  g_free (call->bulk_key);
  g_free (call->bulk);
  g_free (call);
}

gpointer
nego_call_get_context (NegoCall *call)
{
  return call->peer.context;
}

const char *
nego_call_get_name (NegoCall *call)
{
  return call->name;
}

const char *
nego_call_get_id (NegoCall *call)
{
  return call->id;
}

gboolean
nego_call_is_qga (NegoCall *call)
{
  return call->peer.qga;
}

NegoFeeds *
nego_call_get_feeds (NegoCall *call)
{
  return call->peer.feeds;
}

char *
nego_call_take_bulk (NegoCall *call, const char *key)
{
  return g_strcmp0 (call->bulk_key, key) == 0 ? g_steal_pointer (&call->bulk) : NULL;
}

void
nego_call_set_bulk (NegoCall *call, char *key, char *value)
{
  g_free (call->bulk_key);
  g_free (call->bulk);
  call->bulk_key = key;
  call->bulk = value;
}

NegoOwner *
nego_call_get_owner (NegoCall *call)
{
  return call->peer.owner;
}

const char *
nego_call_get_origin (NegoCall *call)
{
  return call->abandoned || call->answered ? "a finished call" : call->peer.origin;
}

void
nego_call_set_abandon (NegoCall *call, NegoCallAbandonFunc func, gpointer user_data)
{
  call->abandon = func;
  call->abandon_data = user_data;
}

gboolean
nego_call_is_abandoned (NegoCall *call)
{
  return call->abandoned;
}

void
nego_call_abandon (NegoCall *call)
{
  g_autoptr (NegoCall) held G_GNUC_UNUSED = nego_call_ref (call);
  NegoCallAbandonFunc abandon = g_steal_pointer (&call->abandon);

  if (call->answered || call->abandoned)
    return;
  call->abandoned = TRUE;
  call->peer.stream = NULL;
  if (abandon != NULL)
    abandon (call, call->abandon_data);
}

static gboolean
nego_call_is_open (NegoCall *call)
{
  return !call->answered && !call->abandoned;
}

/* @done drops the session's reference, and may be the last to hold the call. */
static void
nego_call_done (NegoCall *call)
{
  call->answered = TRUE;
  call->abandon = NULL;
  call->peer.done (call, call->peer.user_data);
}

void
nego_call_end_silently (NegoCall *call)
{
  if (nego_call_is_open (call))
    nego_call_done (call);
}

void
nego_call_fail (NegoCall *call, GError *error)
{
  g_autoptr (GError) owned = error;

  if (!nego_call_is_open (call))
    return;
  nego_wire_write_error (nego_stream_get_queue (call->peer.stream), owned, call->id);
  call->failed = TRUE;
  nego_call_done (call);
}

void
nego_call_answer_raw (NegoCall *call, const char *text, gsize len)
{
  if (!nego_call_is_open (call))
    return;
  g_string_append_len (nego_stream_get_queue (call->peer.stream), text, (gssize) len);
  nego_call_done (call);
}

void
nego_call_set_delimited (NegoCall *call)
{
  call->delimited = TRUE;
}

void
nego_call_cancel (NegoCall *call, gint64 id)
{
  g_autofree char *text = g_strdup_printf ("%" G_GINT64_FORMAT, id);

  if (nego_call_is_open (call))
    call->peer.cancel (text, call->peer.user_data);
}

void
nego_call_return_text (NegoCall *call, const char *text, gsize len)
{
  NegoJsonWriter *writer = nego_call_begin_return (call);

  if (writer == NULL)
    return;
  nego_json_writer_raw (writer, text, len);
  nego_call_end_return (call);
}

void
nego_call_fail_text (NegoCall *call, const char *text, gsize len)
{
  GString *out;

  if (!nego_call_is_open (call))
    return;
  out = nego_stream_get_queue (call->peer.stream);
  nego_wire_write_error_text (out, text, len, call->id);
  call->failed = TRUE;
  nego_call_done (call);
}

void
nego_call_set_concurrent (NegoCall *call, gboolean concurrent)
{
  call->switches = TRUE;
  call->concurrent = concurrent;
}

gboolean
nego_call_is_concurrent (NegoCall *call)
{
  return call->peer.concurrent;
}

gboolean
nego_call_is_failed (NegoCall *call)
{
  return call->failed;
}

gboolean
nego_call_wants_concurrent (NegoCall *call, gboolean concurrent)
{
  return call->switches ? call->concurrent : concurrent;
}

void
nego_call_begin_text (NegoJsonWriter *writer, GString *text)
{
  nego_json_writer_init (writer, text);
  nego_json_writer_begin_object (writer);
  nego_json_writer_key (writer, "return");
}

NegoJsonWriter *
nego_call_begin_return (NegoCall *call)
{
  GString *out;

  if (!nego_call_is_open (call))
    return NULL;
  out = nego_stream_get_queue (call->peer.stream);
  call->start = out->len;
  if (call->delimited)
    g_string_append_c (out, '\xff');
  nego_call_begin_text (&call->writer, out);
  return &call->writer;
}

static void
nego_call_end_text (NegoCall *call, NegoJsonWriter *writer)
{
  if (call->id != NULL) {
    nego_json_writer_key (writer, "id");
    nego_json_writer_raw (writer, call->id, strlen (call->id));
  }
  nego_json_writer_end_object (writer);
  g_string_append_c (writer->out, '\n');
}

void
nego_call_return_written (NegoCall *call, GString *text)
{
  NegoJsonWriter writer = { .out = text, .separator = TRUE };

  if (!nego_call_is_open (call)) {
    g_string_free (text, TRUE);
    return;
  }
  nego_call_end_text (call, &writer);
  nego_stream_queue_text (call->peer.stream, text);
  nego_call_done (call);
}

void
nego_call_end_return (NegoCall *call)
{
  GString *out = nego_stream_get_queue (call->peer.stream);

  nego_call_end_text (call, &call->writer);
  if (g_str_has_prefix (call->name, "negotiator-") && out->len - call->start > NEGO_REPLY_BYTES) {
    g_string_truncate (out, call->start);
    nego_call_fail (call, g_error_new (NEGO_ERROR, NEGO_ERROR_GENERIC,
                                       "the reply of '%s' would be over %u bytes", call->name,
                                       NEGO_REPLY_BYTES));
    return;
  }
  nego_call_done (call);
}
