/* SPDX-License-Identifier: MIT */
/*
 * old-frame: the framing of the Python negotiator (0.12 and before): a decimal number, LF, and so
 * many bytes of JSON (python-negotiator, negotiator_common). Bytes only: what is in it is
 * old-request.h's.
 *
 * Whether a byte begins such a message is the reader's to know (intake.h): QMP's messages begin
 * with a '{'. What turns out not to be one, because no LF follows at most NEGO_OLD_DIGITS digits or
 * because the number is above NEGO_OLD_BYTES, is handed back.
 */
#pragma once

#include <glib.h>

/* Of the number, which is at most NEGO_OLD_BYTES. */
#define NEGO_OLD_DIGITS 7u

typedef struct {
  char digits[NEGO_OLD_DIGITS + 1]; /* as they came, NUL-terminated */
  guint n_digits;
  gsize left;    /* bytes of the text to come */
  GString *text; /* NULL: the number is not whole */
} NegoOldFrame;

typedef enum {
  NEGO_OLD_FRAME_MORE,    /* all bytes are used; no whole message yet */
  NEGO_OLD_FRAME_MESSAGE, /* `text` is whole */
  NEGO_OLD_FRAME_WRONG,   /* it is none: `digits` are to be taken otherwise */
} NegoOldFrameResult;

/* A zeroed NegoOldFrame waits for a message. After MESSAGE and WRONG it is to be cleared. */
NegoOldFrameResult
nego_old_frame_feed (NegoOldFrame *frame, const guint8 *data, gsize len, gsize *used);
/* Whether a message has begun. */
gboolean nego_old_frame_is_pending (const NegoOldFrame *frame);
void nego_old_frame_clear (NegoOldFrame *frame);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (NegoOldFrame, nego_old_frame_clear)

/* Appends @text, framed. */
void nego_old_frame_write (GString *out, const char *text, gsize len);
