/* SPDX-License-Identifier: MIT */
/*
 * resync: what of the input to discard after an error; private to framer.c.
 *
 * The rules are framer.h's. All of it is silent: the error was answered.
 */
#pragma once

#include <glib.h>

typedef enum {
  NEGO_RESYNC_NONE,    /* nothing to discard */
  NEGO_RESYNC_STRAY,   /* bytes between messages */
  NEGO_RESYNC_MESSAGE, /* within a message, outside of its strings */
  NEGO_RESYNC_STRING,  /* within a string */
} NegoResyncState;

typedef struct {
  NegoResyncState state;
  gsize depth;        /* open brackets; not bounded by the limit on a message's depth */
  guint8 quote;       /* that ends the string */
  gboolean escaped;   /* the byte before, in the string, was a backslash */
  gboolean to_lf;     /* the next LF ends it, wherever it stands */
  gboolean behind_lf; /* the byte before was an LF */
} NegoResync;

/* Begins with @depth open brackets, outside of a string; @behind_lf: the byte before was an LF. */
void nego_resync_begin (NegoResync *resync, gsize depth, gboolean behind_lf);
/* Begins within a string; @escaped: the byte before was a backslash. */
void nego_resync_begin_string (NegoResync *resync, gsize depth, guint8 quote, gboolean escaped);

/* Returns how many bytes of @data are to be discarded; when they are fewer than @len, or
 * afterwards, the state says whether the rest is to be read. */
gsize nego_resync_skip (NegoResync *resync, const guint8 *data, gsize len);
