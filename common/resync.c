/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "common/resync.h"

void
nego_resync_begin (NegoResync *resync, gsize depth, gboolean behind_lf)
{
  *resync = (NegoResync){
    .state = depth > 0 ? NEGO_RESYNC_MESSAGE : NEGO_RESYNC_STRAY,
    .depth = depth,
    .behind_lf = behind_lf,
  };
}

void
nego_resync_begin_string (NegoResync *resync, gsize depth, guint8 quote, gboolean escaped)
{
  *resync = (NegoResync){
    .state = NEGO_RESYNC_STRING,
    .depth = depth,
    .quote = quote,
    .escaped = escaped,
    .to_lf = TRUE,
  };
}

static void
nego_resync_take_string (NegoResync *resync, guint8 byte)
{
  if (byte == resync->quote && !resync->escaped)
    resync->state = resync->depth > 0 ? NEGO_RESYNC_MESSAGE : NEGO_RESYNC_STRAY;
  resync->escaped = byte == '\\' && !resync->escaped;
}

static void
nego_resync_take_message (NegoResync *resync, guint8 byte)
{
  switch (byte) {
  case '"':
  case '\'':
    resync->state = NEGO_RESYNC_STRING;
    resync->quote = byte;
    resync->escaped = FALSE;
    break;
  case '{':
  case '[':
    resync->depth++;
    break;
  case '}':
  case ']':
    /* What follows on the line belongs to the message that was wrong: the brackets of {]} too. */
    if (--resync->depth == 0)
      resync->state = NEGO_RESYNC_STRAY;
    break;
  default:
    break;
  }
}

/* Returns FALSE when @byte is the first one of what is to be read. */
static gboolean
nego_resync_take (NegoResync *resync, guint8 byte)
{
  gboolean behind_lf = resync->behind_lf;

  resync->behind_lf = byte == '\n';
  if (byte == 0xff || (byte == '\n' && (resync->to_lf || resync->state != NEGO_RESYNC_MESSAGE))) {
    /* No string has an LF in it: what looked like one with an LF is cut there. */
    resync->state = NEGO_RESYNC_NONE;
    return TRUE;
  }
  if (resync->state == NEGO_RESYNC_STRING) {
    nego_resync_take_string (resync, byte);
    return TRUE;
  }
  if (byte == '{' && (behind_lf || resync->state == NEGO_RESYNC_STRAY)) {
    resync->state = NEGO_RESYNC_NONE;
    return FALSE;
  }
  if (resync->state == NEGO_RESYNC_MESSAGE)
    nego_resync_take_message (resync, byte);
  return TRUE;
}

gsize
nego_resync_skip (NegoResync *resync, const guint8 *data, gsize len)
{
  gsize n = 0;

  while (n < len && resync->state != NEGO_RESYNC_NONE && nego_resync_take (resync, data[n]))
    n++;
  return n;
}
