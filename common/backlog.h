/* SPDX-License-Identifier: MIT */
/*
 * backlog: lines that a descriptor has not taken yet; private to stream.c.
 *
 * It is filled at the end (nego_backlog_get_text) and taken from the front. It knows where lines
 * end, so that what is dropped never cuts one that has begun; it does no I/O.
 */
#pragma once

#include <glib.h>

typedef struct NegoBacklog NegoBacklog;

NegoBacklog *nego_backlog_new (void);
void nego_backlog_free (NegoBacklog *backlog);

/* To append to, only; the pointer changes when the backlog becomes empty. */
GString *nego_backlog_get_text (NegoBacklog *backlog);
/* Appends @text (transfer full): an empty backlog takes it as it is. */
void nego_backlog_add_text (NegoBacklog *backlog, GString *text);
/* What is to be written next, and how much that is. */
const char *nego_backlog_peek (const NegoBacklog *backlog, gsize *len);
/* The first @len bytes of that were written. */
void nego_backlog_take (NegoBacklog *backlog, gsize len);
gsize nego_backlog_get_length (const NegoBacklog *backlog);

/* The number of bytes that were ever appended: its end as an absolute position. */
guint64 nego_backlog_get_position (NegoBacklog *backlog);
/* Drops what lies before the position @until, but for the rest of a line that was taken in part. */
void nego_backlog_drop (NegoBacklog *backlog, guint64 until);
/* Drops all, the rest of a line too. */
void nego_backlog_clear (NegoBacklog *backlog);
