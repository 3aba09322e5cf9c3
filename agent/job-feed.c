/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "agent/job-feed.h"

#include "agent/job-status.h"
#include "common/names.h"
#include "common/piece.h"
#include "qapi/qapi-events.h"

typedef struct {
  NegoFeed *feed;
  NegoJob *job;
  gulong watch;
  guint64 offsets[NEGO_JOB_STREAMS];
  NegoJobStream turn; /* the stream that is looked at first */
  gboolean base64;
  const char *instance;
} NegoJobFeed;

static void
nego_job_feed_free (gpointer data)
{
  NegoJobFeed *self = data;

  nego_job_unwatch (self->job, self->watch);
  nego_job_unref (self->job);
  g_free (self);
}

static const QapiNegotiatorJobStream streams[NEGO_JOB_STREAMS] = {
  [NEGO_JOB_OUT] = QAPI_NEGOTIATOR_JOB_STREAM_OUT,
  [NEGO_JOB_ERR] = QAPI_NEGOTIATOR_JOB_STREAM_ERR,
};

/* Writes the next piece of @stream, if there is one. */
static gboolean
nego_job_feed_write_output (NegoJobFeed *self, NegoJobStream stream, GString *out)
{
  guint64 *offset = &self->offsets[stream];
  g_auto (NegoPiece) piece = { 0 };
  QapiNegotiatorJobOutput event = { 0 };
  NegoCaptureView view;
  gsize skip;

  nego_job_get_output (self->job, stream, &view);
  /* Another caller let it go. */
  *offset = MAX (*offset, view.start);
  skip = (gsize) (*offset - view.start);
  if (skip >= view.len)
    return FALSE;
  nego_piece_take (&piece, view.data + skip, view.len - skip, view.final, self->base64,
                   nego_piece_bound (NEGO_EVENT_BYTES));
  if (piece.used == 0)
    return FALSE;
  event.job = (char *) nego_job_get_id (self->job);
  event.stream = streams[stream];
  event.offset = (gint64) *offset;
  event.encoding = nego_job_status_encoding (&piece);
  event.data = piece.text;
  qapi_event_negotiator_output (out, &event);
  *offset += piece.used;
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

static void
nego_job_feed_on_change (gpointer user_data)
{
  const NegoJobFeed *self = user_data;

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
