/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "common/old-frame.h"

#include "common/names.h"

#include <stdlib.h>

/* Takes bytes of the number. */
static NegoOldFrameResult
nego_old_frame_feed_number (NegoOldFrame *frame, const guint8 *data, gsize len, gsize *used)
{
  for (*used = 0; *used < len; (*used)++) {
    const char c = (char) data[*used];

    if (c == '\n' && frame->n_digits > 0) {
      const gsize n = strtoul (frame->digits, NULL, 10);

      if (n > NEGO_OLD_BYTES)
        return NEGO_OLD_FRAME_WRONG;
      frame->left = n;
      frame->text = g_string_new (NULL);
      (*used)++;
      return NEGO_OLD_FRAME_MORE;
    }
    if (!g_ascii_isdigit (c) || frame->n_digits == NEGO_OLD_DIGITS)
      return NEGO_OLD_FRAME_WRONG;
    frame->digits[frame->n_digits++] = c;
  }
  return NEGO_OLD_FRAME_MORE;
}

NegoOldFrameResult
nego_old_frame_feed (NegoOldFrame *frame, const guint8 *data, gsize len, gsize *used)
{
  NegoOldFrameResult result = NEGO_OLD_FRAME_MORE;
  gsize n;

  *used = 0;
  if (frame->text == NULL)
    result = nego_old_frame_feed_number (frame, data, len, used);
  if (result == NEGO_OLD_FRAME_WRONG || frame->text == NULL)
    return result;
  n = MIN (len - *used, frame->left);
  g_string_append_len (frame->text, (const char *) data + *used, (gssize) n);
  frame->left -= n;
  *used += n;
  return frame->left == 0 ? NEGO_OLD_FRAME_MESSAGE : NEGO_OLD_FRAME_MORE;
}

gboolean
nego_old_frame_is_pending (const NegoOldFrame *frame)
{
  return frame->n_digits > 0;
}

void
nego_old_frame_clear (NegoOldFrame *frame)
{
  if (frame->text != NULL)
    g_string_free (frame->text, TRUE);
  *frame = (NegoOldFrame){ 0 };
}

void
nego_old_frame_write (GString *out, const char *text, gsize len)
{
  g_string_append_printf (out, "%" G_GSIZE_FORMAT "\n", len);
  g_string_append_len (out, text, (gssize) len);
}
