/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "common/service/job-feed.h"

#include "common/service/job-status.h"
#include "common/names.h"
#include "common/piece.h"
#include "common/source.h"
#include "qapi/qapi-events.h"

typedef struct {
  NegoFeed *feed;
  NegoJob *job;
  gulong watch;
  guint64 offsets[NEGO_JOB_STREAMS];
  NegoJobStream turn; /* the stream that is looked at first */
  gint64 told_us;     /* when the last event was written */
  GSource *gathering; /* until the next one may be */
  gboolean base64;
  const char *instance;
} NegoJobFeed;

static void
nego_job_feed_free (gpointer data)
{
  NegoJobFeed *self = data;

  nego_source_clear (&self->gathering);
  nego_job_unwatch (self->job, self->watch);
  nego_job_unref (self->job);
  g_free (self);
}

static const QapiNegotiatorJobStream streams[NEGO_JOB_STREAMS] = {
  [NEGO_JOB_OUT] = QAPI_NEGOTIATOR_JOB_STREAM_OUT,
  [NEGO_JOB_ERR] = QAPI_NEGOTIATOR_JOB_STREAM_ERR,
};

/* NegotiatorJobOutput, by hand: there is much of it, and it goes straight into the queue. */
static void
nego_job_feed_write_piece (const NegoJobFeed *self,
                           NegoJsonWriter *writer,
                           NegoJobStream stream,
                           const NegoPiece *piece,
                           const guint8 *data)
{
  nego_json_writer_begin_object (writer);
  nego_json_writer_key (writer, "job");
  nego_json_writer_string (writer, nego_job_get_id (self->job));
  nego_json_writer_key (writer, "stream");
  nego_json_writer_string (writer, qapi_negotiator_job_stream_to_string (streams[stream]));
  nego_json_writer_key (writer, "offset");
  nego_json_writer_uint (writer, self->offsets[stream]);
  nego_json_writer_key (writer, "encoding");
  nego_json_writer_string (writer, qapi_negotiator_output_encoding_to_string (
                                     nego_job_status_encoding (piece)));
  nego_json_writer_key (writer, "data");
  if (piece->base64)
    nego_json_writer_base64 (writer, data, piece->used);
  else
    nego_json_writer_string_len (writer, (const char *) data, piece->used);
  nego_json_writer_end_object (writer);
}

/* Writes the next piece of @stream, if there is one. */
static gboolean
nego_job_feed_write_output (NegoJobFeed *self, NegoJobStream stream, GString *out)
{
  guint64 *offset = &self->offsets[stream];
  NegoPiece piece = { 0 };
  NegoJsonWriter writer;
  NegoCaptureView view;
  gsize skip;

  nego_job_get_output (self->job, stream, &view);
  /* Another caller let it go. */
  *offset = MAX (*offset, view.start);
  skip = (gsize) (*offset - view.start);
  if (skip >= view.len)
    return FALSE;
  nego_piece_measure (&piece, view.data + skip, view.len - skip, view.final, self->base64,
                      nego_piece_bound (NEGO_EVENT_BYTES));
  if (piece.used == 0)
    return FALSE;
  qapi_event_begin (&writer, out, "NEGOTIATOR_OUTPUT");
  nego_job_feed_write_piece (self, &writer, stream, &piece, view.data + skip);
  qapi_event_end (&writer);
  *offset += piece.used;
  self->told_us = g_get_monotonic_time ();
  return TRUE;
}

static NegoFeedResult
nego_job_feed_write (GString *out, gpointer user_data)
{
  NegoJobFeed *self = user_data;

  for (guint i = 0; i < NEGO_JOB_STREAMS; i++) {
    /* In turns: neither stream starves the other. */
    self->turn = (self->turn + 1) % NEGO_JOB_STREAMS;
    if (nego_job_feed_write_output (self, self->turn, out))
      return NEGO_FEED_EVENT;
  }
  if (!nego_job_is_ended (self->job))
    return NEGO_FEED_EMPTY;
  {
    g_autoptr (QapiNegotiatorJobSummary) event
      = nego_job_status_new_summary (self->job, self->instance);

    qapi_event_negotiator_exited (out, event);
  }
  return NEGO_FEED_LAST;
}

/* Bytes that the channel was not told of. */
static guint64
nego_job_feed_count_pending (const NegoJobFeed *self)
{
  guint64 pending = 0;

  for (NegoJobStream i = 0; i < NEGO_JOB_STREAMS; i++) {
    NegoCaptureView view;

    nego_job_get_output (self->job, i, &view);
    pending += view.start + view.len - MIN (self->offsets[i], view.start + view.len);
  }
  return pending;
}

static gboolean
nego_job_feed_on_gathered (gpointer user_data)
{
  NegoJobFeed *self = user_data;

  nego_source_clear (&self->gathering);
  nego_feed_wake (self->feed);
  return G_SOURCE_REMOVE;
}

static void
nego_job_feed_on_change (gpointer user_data)
{
  NegoJobFeed *self = user_data;

  if (self->gathering == NULL && !nego_job_is_ended (self->job)
      && g_get_monotonic_time () - self->told_us < NEGO_EVENT_GATHER_US)
    self->gathering
      = nego_source_add_timeout (NEGO_EVENT_GATHER_US / 1000, nego_job_feed_on_gathered, self);
  if (self->gathering != NULL && !nego_job_is_ended (self->job)
      && nego_job_feed_count_pending (self) < NEGO_EVENT_BYTES)
    return;
  nego_source_clear (&self->gathering);
  nego_feed_wake (self->feed);
}

void
nego_job_feed_add (NegoFeeds *feeds,
                   NegoJob *job,
                   const guint64 offsets[NEGO_JOB_STREAMS],
                   gboolean base64,
                   const char *instance)
{
  NegoJobFeed *self = g_new0 (NegoJobFeed, 1);

  self->job = nego_job_ref (job);
  self->offsets[NEGO_JOB_OUT] = offsets[NEGO_JOB_OUT];
  self->offsets[NEGO_JOB_ERR] = offsets[NEGO_JOB_ERR];
  self->base64 = base64;
  self->instance = instance;
  self->watch = nego_job_watch (job, nego_job_feed_on_change, self);
  self->feed = nego_feeds_add (feeds, job, nego_job_feed_write, self, nego_job_feed_free);
}

void
nego_job_feed_begin (NegoFeeds *feeds, NegoJob *job)
{
  const NegoJobFeed *self = nego_feeds_find (feeds, job);

  if (self != NULL)
    nego_feed_wake (self->feed);
}

gboolean
nego_job_feed_get_offsets (NegoFeeds *feeds, NegoJob *job, guint64 offsets[NEGO_JOB_STREAMS])
{
  const NegoJobFeed *self = nego_feeds_find (feeds, job);

  if (self == NULL)
    return FALSE;
  offsets[NEGO_JOB_OUT] = self->offsets[NEGO_JOB_OUT];
  offsets[NEGO_JOB_ERR] = self->offsets[NEGO_JOB_ERR];
  return TRUE;
}
