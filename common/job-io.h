/* SPDX-License-Identifier: MIT */
/*
 * job-io: what goes into a job and comes out of it: its input, and its two output streams. It
 * belongs to its job (job.h).
 */
#pragma once

#include "common/capture.h"
#include "common/drain.h"
#include "common/input.h"
#include "common/job-request.h"

#include <glib.h>

typedef enum {
  NEGO_JOB_OUT,
  NEGO_JOB_ERR,
  NEGO_JOB_STREAMS,
} NegoJobStream;

typedef struct {
  gboolean takes;  /* it was asked for with an open input */
  guint64 next;    /* the offset of the first byte that it does not have */
  gboolean ended;  /* no byte may follow */
  gboolean closed; /* nobody reads it any more */
} NegoJobInput;

/* There is output, or room for input. */
typedef void (*NegoJobIoFunc) (gpointer user_data);

/* All zero, but for what nego_job_io_init() sets: one that is not open. */
typedef struct {
  gboolean takes_input;
  gboolean input_ended; /* before the start */
  gboolean finished;
  guint64 input_next; /* before the start, and once finished */
  NegoInput *input;   /* NULL: none, not open yet, or finished */
  NegoCapture *captures[NEGO_JOB_STREAMS];
  NegoJobIoFunc changed;
  gpointer user_data;
} NegoJobIo;

void nego_job_io_init (NegoJobIo *io,
                       const NegoJobRequest *request,
                       NegoJobIoFunc changed,
                       gpointer user_data);

/* Makes the pipes: @fds get the child's ends, the caller's to close, also after an error; those of
 * no pipe stay as they are. Takes @input. Errors: NEGO_ERROR_IO. */
gboolean nego_job_io_open (NegoJobIo *io,
                           guint8 *input,
                           gsize input_len,
                           const NegoCaptureLimits *limits,
                           int fds[3],
                           GError **error);
/* The job has ended: takes what the pipes hold, which is then all; @drain gets those that others
 * hold, too. Returns whether there are such. */
gboolean nego_job_io_finish (NegoJobIo *io, NegoDrain *drain);
void nego_job_io_clear (NegoJobIo *io);

void nego_job_io_get_output (const NegoJobIo *io, NegoJobStream stream, NegoCaptureView *output);
/* Bytes of output held. */
gsize nego_job_io_get_size (const NegoJobIo *io);
void nego_job_io_release (NegoJobIo *io, NegoJobStream stream, guint64 until);

void nego_job_io_get_input (const NegoJobIo *io, NegoJobInput *input);
/* Returns how much of @data there was room for: nothing before the start, and all once nobody reads
 * any more. */
gsize nego_job_io_add_input (NegoJobIo *io, const guint8 *data, gsize len);
void nego_job_io_end_input (NegoJobIo *io);
