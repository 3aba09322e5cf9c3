/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "common/job-io.h"

void
nego_job_io_init (NegoJobIo *io,
                  const NegoJobRequest *request,
                  NegoJobIoFunc changed,
                  gpointer user_data)
{
  io->takes_input = request->input_open;
  io->input_next = request->input_len;
  io->changed = changed;
  io->user_data = user_data;
}

static void
nego_job_io_output_cb (NegoCapture *capture, gpointer user_data)
{
  NegoJobIo *io = user_data;

  io->changed (io->user_data);
}

static void
nego_job_io_input_cb (NegoInput *input, gpointer user_data)
{
  NegoJobIo *io = user_data;

  io->changed (io->user_data);
}

gboolean
nego_job_io_open (NegoJobIo *io,
                  guint8 *input,
                  gsize input_len,
                  const NegoCaptureLimits *limits,
                  int fds[3],
                  GError **error)
{
  if (input != NULL || io->takes_input) {
    io->input = nego_input_new (input, input_len, &fds[0],
                                io->takes_input ? nego_job_io_input_cb : NULL, io, error);
    if (io->input == NULL)
      return FALSE;
    if (io->input_ended)
      nego_input_end (io->input);
  }
  for (guint i = 0; i < NEGO_JOB_STREAMS; i++) {
    io->captures[i] = nego_capture_new (limits, &fds[i + 1], nego_job_io_output_cb, io, error);
    if (io->captures[i] == NULL)
      return FALSE;
  }
  return TRUE;
}

gboolean
nego_job_io_finish (NegoJobIo *io, NegoDrain *drain)
{
  gboolean still_open = FALSE;

  if (io->input != NULL)
    io->input_next = nego_input_get_next (io->input);
  g_clear_pointer (&io->input, nego_input_free);
  for (guint i = 0; i < NEGO_JOB_STREAMS; i++) {
    int held = io->captures[i] != NULL ? nego_capture_finish (io->captures[i]) : -1;

    if (held >= 0) {
      still_open = TRUE;
      nego_drain_add (drain, held);
    }
  }
  io->finished = TRUE;
  return still_open;
}

void
nego_job_io_clear (NegoJobIo *io)
{
  g_clear_pointer (&io->input, nego_input_free);
  for (guint i = 0; i < NEGO_JOB_STREAMS; i++)
    g_clear_pointer (&io->captures[i], nego_capture_free);
}

void
nego_job_io_get_output (const NegoJobIo *io, NegoJobStream stream, NegoCaptureView *output)
{
  /* A stream that its child closed may be final before the job is, but not the other way round. */
  if (io->captures[stream] != NULL)
    nego_capture_get_view (io->captures[stream], output);
  else
    *output = (NegoCaptureView){ .final = io->finished };
}

gsize
nego_job_io_get_size (const NegoJobIo *io)
{
  gsize size = 0;

  for (NegoJobStream i = 0; i < NEGO_JOB_STREAMS; i++) {
    NegoCaptureView output;

    nego_job_io_get_output (io, i, &output);
    size += output.len;
  }
  return size;
}

void
nego_job_io_release (NegoJobIo *io, NegoJobStream stream, guint64 until)
{
  if (io->captures[stream] != NULL)
    nego_capture_release (io->captures[stream], until);
}

void
nego_job_io_get_input (const NegoJobIo *io, NegoJobInput *input)
{
  *input = (NegoJobInput){
    .takes = io->takes_input,
    .next = io->input != NULL ? nego_input_get_next (io->input) : io->input_next,
    .ended = io->input != NULL ? nego_input_is_ended (io->input) : io->input_ended,
    .closed = io->input != NULL ? nego_input_is_closed (io->input) : io->finished,
  };
}

gsize
nego_job_io_add_input (NegoJobIo *io, const guint8 *data, gsize len)
{
  if (io->input != NULL)
    return nego_input_add (io->input, data, len);
  if (!io->finished)
    return 0;
  io->input_next += len;
  return len;
}

void
nego_job_io_end_input (NegoJobIo *io)
{
  if (io->input != NULL)
    nego_input_end (io->input);
  else
    io->input_ended = TRUE;
}
