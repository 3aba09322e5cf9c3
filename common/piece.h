/* SPDX-License-Identifier: MIT */
/*
 * piece: a stretch of a script's output, written for a JSON reply of bounded length.
 *
 * As text, if it is valid UTF-8 without U+0000 and its JSON is no longer than its base64; else as
 * base64. A piece ends between two characters, unless nothing will complete the last one.
 */
#pragma once

#include <glib.h>

typedef struct {
  char *text; /* NUL-terminated; NULL of one that was only measured */
  gboolean base64;
  gsize used;    /* bytes of output in it */
  gsize encoded; /* the length of its JSON string, with quotes */
} NegoPiece;

void nego_piece_clear (NegoPiece *piece);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (NegoPiece, nego_piece_clear)

/* Takes what fits of @data into @max_encoded bytes of JSON (at least 16). @final: nothing follows
 * @data.
 * @base64: no text in any case. */
void nego_piece_take (NegoPiece *piece,
                      const guint8 *data,
                      gsize len,
                      gboolean final,
                      gboolean base64,
                      gsize max_encoded);

/* The same without its text: how much a piece takes, and how it is written. */
void nego_piece_measure (NegoPiece *piece,
                         const guint8 *data,
                         gsize len,
                         gboolean final,
                         gboolean base64,
                         gsize max_encoded);

/* How many of @data's bytes a piece would take if it were not bounded: all, but for the beginning
 * of a character at the end. */
gsize nego_piece_length (const guint8 *data, gsize len, gboolean final, gboolean base64);

/* The longest JSON string that a piece of @len bytes can be. */
gsize nego_piece_bound (gsize len);
