/* SPDX-License-Identifier: MIT */
/*
 * run-input: what a run reads and its script has not got yet: one piece at a time, by offset.
 */
#pragma once

#include <glib.h>

typedef struct {
  int fd;         /* -1: nothing is read any more */
  guint8 *data;   /* the piece that the agent has not taken whole */
  gsize len;      /* of it */
  gsize piece;    /* how long one may be */
  guint64 offset; /* of its first byte */
  gboolean eof;   /* nothing follows @data */
  gboolean over;  /* the agent knows of the end, or nobody reads it */
} NegoRunInput;

/* @fd: borrowed; -1: there is no input. */
void nego_run_input_init (NegoRunInput *input, int fd);
void nego_run_input_clear (NegoRunInput *input);

/* Reads what is there now, up to a piece of @piece bytes. Errors: NEGO_ERROR_IO. */
gboolean nego_run_input_fill (NegoRunInput *input, gsize piece, GError **error);

/* Whether there is something to read for, or to tell. */
gboolean nego_run_input_wants_data (const NegoRunInput *input);
gboolean nego_run_input_has_news (const NegoRunInput *input);

/* The agent has what lies before @next, which was checked. */
void nego_run_input_take (NegoRunInput *input, guint64 next);
/* Nobody reads it any more. */
void nego_run_input_end (NegoRunInput *input);
