/* SPDX-License-Identifier: MIT */
/*
 * capture: one output stream of a child: the first max_bytes are kept, the rest is read and
 * dropped, so that a child that prints without end neither blocks nor costs memory.
 *
 * When the child has ended, nego_capture_finish() takes what is in the pipe and makes the result
 * final, whoever else still holds the pipe; that is then drain.h's.
 */
#pragma once

#include <glib.h>

typedef struct NegoCapture NegoCapture;

/* Bytes were kept, or the stream ended. Freeing the capture from here is wrong. */
typedef void (*NegoCaptureFunc) (NegoCapture *capture, gpointer user_data);

/* @child_fd: the end to give to the child; the caller's, to be closed once the child has it.
 * Errors: NEGO_ERROR_IO. */
NegoCapture *nego_capture_new (
  gsize max_bytes, int *child_fd, NegoCaptureFunc changed, gpointer user_data, GError **error);
void nego_capture_free (NegoCapture *capture);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (NegoCapture, nego_capture_free)

/* Takes what is in the pipe now; @changed is not called any more. Returns the pipe's descriptor,
 * now the caller's, if somebody still holds its other end; else -1. */
int nego_capture_finish (NegoCapture *capture);

/* What is kept: borrowed until the main loop runs again, or for good once finished. NULL if none.
 */
const guint8 *nego_capture_get_data (const NegoCapture *capture, gsize *len);
/* Whether bytes were dropped. */
gboolean nego_capture_is_truncated (const NegoCapture *capture);
/* Whether no byte will be added: the stream has ended, or is finished. */
gboolean nego_capture_is_final (const NegoCapture *capture);
