/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "common/service/job-status.h"

#include "common/error.h"
#include "common/names.h"
#include "common/piece.h"

/* What of a reply line is not output: the names of the members, texts that are bounded (the name of
 * a script, a key), the id of the request. */
#define OTHER_BYTES (16u << 10)

static const char *const offset_names[] = { "out-offset", "err-offset" };

gboolean
nego_job_status_check (const NegoJob *job, NegoJobStatusQuery *query, GError **error)
{
  for (NegoJobStream i = 0; i < NEGO_JOB_STREAMS; i++) {
    NegoCaptureView output;

    nego_job_get_output (job, i, &output);
    if (!query->given[i])
      query->offsets[i] = output.start;
    if (query->offsets[i] < output.start) {
      g_set_error (error, NEGO_ERROR, NEGO_ERROR_GENERIC,
                   "output before %" G_GUINT64_FORMAT " is gone", output.start);
      return FALSE;
    }
    if (query->offsets[i] > output.start + output.len) {
      g_set_error (error, NEGO_ERROR, NEGO_ERROR_GENERIC,
                   "%s %" G_GUINT64_FORMAT " is beyond the output (%" G_GUINT64_FORMAT " bytes)",
                   offset_names[i], query->offsets[i], output.start + output.len);
      return FALSE;
    }
  }
  return TRUE;
}

static const QapiNegotiatorJobState states[NEGO_JOB_STATES] = {
  [NEGO_JOB_QUEUED] = QAPI_NEGOTIATOR_JOB_STATE_QUEUED,
  [NEGO_JOB_RUNNING] = QAPI_NEGOTIATOR_JOB_STATE_RUNNING,
  [NEGO_JOB_EXITED] = QAPI_NEGOTIATOR_JOB_STATE_EXITED,
  [NEGO_JOB_SIGNALLED] = QAPI_NEGOTIATOR_JOB_STATE_SIGNALLED,
  [NEGO_JOB_TIMED_OUT] = QAPI_NEGOTIATOR_JOB_STATE_TIMED_OUT,
  [NEGO_JOB_CANCELLED] = QAPI_NEGOTIATOR_JOB_STATE_CANCELLED,
  [NEGO_JOB_FAILED] = QAPI_NEGOTIATOR_JOB_STATE_FAILED,
};

QapiNegotiatorOutputEncoding
nego_job_status_encoding (const NegoPiece *piece)
{
  return piece->base64 ? QAPI_NEGOTIATOR_OUTPUT_ENCODING_BASE64
                       : QAPI_NEGOTIATOR_OUTPUT_ENCODING_UTF_8;
}

/* A stream from the offset on, or from where it is kept if somebody let more go meanwhile. */
static NegoCaptureView
nego_job_status_rest (const NegoJob *job, const NegoJobStatusQuery *query, NegoJobStream stream)
{
  NegoCaptureView rest;
  gsize skip;

  nego_job_get_output (job, stream, &rest);
  skip = (gsize) (MAX (query->offsets[stream], rest.start) - rest.start);
  rest.start += skip;
  rest.len -= skip;
  rest.data = rest.len > 0 ? rest.data + skip : NULL;
  return rest;
}

gboolean
nego_job_status_has_news (const NegoJob *job, const NegoJobStatusQuery *query)
{
  if (nego_job_is_ended (job))
    return TRUE;
  for (NegoJobStream i = 0; i < NEGO_JOB_STREAMS; i++) {
    NegoCaptureView rest = nego_job_status_rest (job, query, i);

    /* Half a character is no news: an asker would get nothing and ask again at once. */
    if (nego_piece_length (rest.data, rest.len, rest.final, query->base64) > 0)
      return TRUE;
  }
  return FALSE;
}

static void
nego_job_status_add_output (QapiNegotiatorJobStatus *ret,
                            const NegoJob *job,
                            const NegoJobStatusQuery *query)
{
  NegoCaptureView out = nego_job_status_rest (job, query, NEGO_JOB_OUT);
  NegoCaptureView err = nego_job_status_rest (job, query, NEGO_JOB_ERR);
  g_auto (NegoPiece) out_piece = { 0 }, err_piece = { 0 };
  /* An empty piece is two quotes; it takes no byte of less than four more. */
  gsize room = query->no_output ? 4 : NEGO_REPLY_BYTES - OTHER_BYTES;

  /* Half the room for each at least: neither stream starves the other. */
  nego_piece_take (&err_piece, err.data, err.len, err.final, query->base64,
                   room - MIN (nego_piece_bound (out.len), room / 2));
  nego_piece_take (&out_piece, out.data, out.len, out.final, query->base64,
                   room - err_piece.encoded);

  ret->out_offset = (gint64) out.start;
  ret->out_next = ret->out_offset + (gint64) out_piece.used;
  ret->out_eof = out.final && out_piece.used == out.len;
  ret->has_out_truncated = ret->out_truncated = out.truncated;
  ret->out_encoding = nego_job_status_encoding (&out_piece);
  ret->out_data = g_steal_pointer (&out_piece.text);
  ret->err_offset = (gint64) err.start;
  ret->err_next = ret->err_offset + (gint64) err_piece.used;
  ret->err_eof = err.final && err_piece.used == err.len;
  ret->has_err_truncated = ret->err_truncated = err.truncated;
  ret->err_encoding = nego_job_status_encoding (&err_piece);
  ret->err_data = g_steal_pointer (&err_piece.text);
}

static void
nego_job_status_fill (QapiNegotiatorJob *ret, const NegoJob *job, const char *instance)
{
  NegoJobStatus status;

  nego_job_get_status (job, &status);
  ret->job = g_strdup (status.id);
  ret->key = g_strdup (status.key);
  ret->command = g_strdup (status.command);
  ret->state = states[status.state];
  ret->exited = status.ended;
  ret->has_exitcode = status.exit_code >= 0;
  ret->exitcode = status.exit_code;
  ret->has_signal = status.signal > 0;
  ret->signal = status.signal;
  ret->has_output_still_open = ret->output_still_open = status.output_still_open;
  ret->started_ns = status.started_ns;
  ret->elapsed_ns = status.elapsed_ns;
  ret->user = g_strdup (status.user);
  ret->instance = g_strdup (instance);
}

QapiNegotiatorJobStatus *
nego_job_status_new (const NegoJob *job, const NegoJobStatusQuery *query, const char *instance)
{
  QapiNegotiatorJobStatus *ret = qapi_negotiator_job_status_new ();
  NegoJobStatus status;

  /* A struct begins with its base. */
  nego_job_status_fill ((QapiNegotiatorJob *) ret, job, instance);
  nego_job_get_status (job, &status);
  ret->reason = g_strdup (status.reason);
  nego_job_status_add_output (ret, job, query);
  return ret;
}

QapiNegotiatorJobSummary *
nego_job_status_new_summary (const NegoJob *job, const char *instance)
{
  QapiNegotiatorJobSummary *ret = qapi_negotiator_job_summary_new ();
  NegoCaptureView out, err;

  nego_job_status_fill ((QapiNegotiatorJob *) ret, job, instance);
  nego_job_get_output (job, NEGO_JOB_OUT, &out);
  nego_job_get_output (job, NEGO_JOB_ERR, &err);
  ret->out_next = (gint64) (out.start + out.len);
  ret->has_out_truncated = ret->out_truncated = out.truncated;
  ret->err_next = (gint64) (err.start + err.len);
  ret->has_err_truncated = ret->err_truncated = err.truncated;
  return ret;
}
