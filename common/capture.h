/* SPDX-License-Identifier: MIT */
/*
 * capture: one output stream of a child, in one of two ways.
 *
 * Keeping: the first max_bytes are kept, the rest is read and dropped, so that a child that prints
 * without end neither blocks nor costs memory.
 *
 * Flowing: what was not released yet is kept, and the pipe is not read beyond a window of it: a
 * child that prints faster than its reader takes waits. When the window was full for stall_ms and
 * nothing was released, the reader is given up, and the capture becomes a keeping one.
 *
 * When the child has ended, nego_capture_finish() takes what is in the pipe and makes the result
 * final, whoever else still holds the pipe; that is then drain.h's.
 */
#pragma once

#include <glib.h>

typedef struct NegoCapture NegoCapture;

typedef struct {
  gsize max_bytes; /* kept; of a flowing one: once it keeps */
  gsize window;    /* bytes; 0: a keeping one */
  guint stall_ms;
} NegoCaptureLimits;

/* Offsets count from the stream's first byte. */
typedef struct {
  const guint8
    *data;       /* borrowed until the main loop runs again or bytes are released; may be NULL */
  guint64 start; /* the offset of its first byte: what was before is released */
  gsize len;
  gboolean final;     /* no byte will be added: the stream has ended, or is finished */
  gboolean truncated; /* bytes were dropped behind what is kept */
} NegoCaptureView;

/* Bytes were kept or dropped, or the stream ended. Freeing the capture from here is wrong. */
typedef void (*NegoCaptureFunc) (NegoCapture *capture, gpointer user_data);

/* @child_fd: the end to give to the child; the caller's, to be closed once the child has it.
 * Errors: NEGO_ERROR_IO. */
NegoCapture *nego_capture_new (const NegoCaptureLimits *limits,
                               int *child_fd,
                               NegoCaptureFunc changed,
                               gpointer user_data,
                               GError **error);
void nego_capture_free (NegoCapture *capture);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (NegoCapture, nego_capture_free)

/* Takes what is in the pipe now, however much; @changed is not called any more. Returns the pipe's
 * descriptor, now the caller's, if somebody still holds its other end; else -1. */
int nego_capture_finish (NegoCapture *capture);

void nego_capture_get_view (const NegoCapture *capture, NegoCaptureView *view);

/* Nobody needs what lies before the offset @until any more. Nothing happens to one that was keeping
 * from the start. */
void nego_capture_release (NegoCapture *capture, guint64 until);
