/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "common/backlog.h"

#include "common/memory.h"

#include <string.h>

/* What an empty backlog keeps allocated, for the next replies: an event of NEGO_EVENT_BYTES fits,
 * since mapping memory for each costs more than writing it does. */
#define NEGO_BACKLOG_KEEP_BYTES (192u << 10)
/* Taken bytes that stay in front before the rest is moved, once that is less: so no byte is moved
 * more than once on average, and never so much that other channels would notice. */
#define NEGO_BACKLOG_SLACK_BYTES (256u << 10)

struct NegoBacklog {
  GString *text;
  gsize taken;      /* bytes of @text that were written */
  gsize returned;   /* bytes of @text whose memory went back */
  guint64 position; /* bytes ever appended, up to the last look */
  gsize counted;    /* bytes of @text that @position counts */
  gboolean midline; /* the last byte taken was not the end of a line */
};

NegoBacklog *
nego_backlog_new (void)
{
  NegoBacklog *backlog = g_new0 (NegoBacklog, 1);

  backlog->text = g_string_sized_new (1024);
  return backlog;
}

void
nego_backlog_free (NegoBacklog *backlog)
{
  g_string_free (backlog->text, TRUE);
  g_free (backlog);
}

GString *
nego_backlog_get_text (NegoBacklog *backlog)
{
  return backlog->text;
}

void
nego_backlog_add_text (NegoBacklog *backlog, GString *text)
{
  if (backlog->text->len > 0) {
    g_string_append_len (backlog->text, text->str, (gssize) text->len);
    g_string_free (text, TRUE);
  } else {
    g_string_free (backlog->text, TRUE);
    backlog->text = text;
  }
}

const char *
nego_backlog_peek (const NegoBacklog *backlog, gsize *len)
{
  *len = backlog->text->len - backlog->taken;
  return backlog->text->str + backlog->taken;
}

gsize
nego_backlog_get_length (const NegoBacklog *backlog)
{
  return backlog->text->len - backlog->taken;
}

guint64
nego_backlog_get_position (NegoBacklog *backlog)
{
  backlog->position += backlog->text->len - backlog->counted;
  backlog->counted = backlog->text->len;
  return backlog->position;
}

static void
nego_backlog_erase (NegoBacklog *backlog, gsize from, gsize len)
{
  nego_backlog_get_position (backlog);
  g_string_erase (backlog->text, (gssize) from, (gssize) len);
  backlog->counted -= len;
}

static void
nego_backlog_empty (NegoBacklog *backlog)
{
  nego_backlog_get_position (backlog);
  backlog->taken = 0;
  backlog->returned = 0;
  backlog->counted = 0;
  if (backlog->text->allocated_len > NEGO_BACKLOG_KEEP_BYTES) {
    g_string_free (backlog->text, TRUE);
    backlog->text = g_string_sized_new (1024);
  } else {
    g_string_truncate (backlog->text, 0);
  }
}

void
nego_backlog_take (NegoBacklog *backlog, gsize len)
{
  if (len == 0)
    return;
  backlog->taken += len;
  backlog->midline = backlog->text->str[backlog->taken - 1] != '\n';
  if (backlog->taken == backlog->text->len) {
    nego_backlog_empty (backlog);
  } else if (backlog->taken > NEGO_BACKLOG_SLACK_BYTES
             && backlog->text->len - backlog->taken < NEGO_BACKLOG_SLACK_BYTES) {
    nego_backlog_erase (backlog, 0, backlog->taken);
    backlog->taken = 0;
    backlog->returned = 0;
  } else if (backlog->text->allocated_len > NEGO_MEMORY_LARGE_BYTES) {
    /* Meanwhile: all at once takes the kernel milliseconds, in which nobody would be served. */
    backlog->returned
      = nego_memory_give_back (backlog->text->str, backlog->returned, backlog->taken);
  }
}

void
nego_backlog_drop (NegoBacklog *backlog, guint64 until)
{
  gsize from = backlog->taken, to;
  guint64 front = nego_backlog_get_position (backlog) - backlog->text->len;

  if (backlog->midline) {
    gsize len;
    const char *rest = nego_backlog_peek (backlog, &len);
    const char *lf = memchr (rest, '\n', len);

    from += lf != NULL ? (gsize) (lf - rest) + 1 : len;
  }
  if (until <= front + from)
    return;
  to = MIN ((gsize) (until - front), backlog->text->len);
  nego_backlog_erase (backlog, from, to - from);
}

void
nego_backlog_clear (NegoBacklog *backlog)
{
  nego_backlog_empty (backlog);
  backlog->midline = FALSE;
}
