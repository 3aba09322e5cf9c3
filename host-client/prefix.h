/* SPDX-License-Identifier: MIT */
/*
 * prefix: the output of several guests at once, as whole lines with the guest's name before each,
 * and below it on a terminal, a line that says how far all of them are. May be used from any
 * thread.
 */
#pragma once

#include <glib.h>

typedef struct NegoPrefix NegoPrefix;

/* The lines of one guest. */
typedef struct {
  NegoPrefix *prefix;
  const char *label;
  GString *begun[2]; /* lines that have begun: of the output, and of the error output */
} NegoPrefixLines;

/* @progress: a progress line may be shown. */
NegoPrefix *nego_prefix_new (gboolean progress);
void nego_prefix_free (NegoPrefix *prefix);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (NegoPrefix, nego_prefix_free)

void nego_prefix_lines_init (NegoPrefixLines *lines, NegoPrefix *prefix, const char *label);
/* Writes what has begun, and clears @lines. Errors: NEGO_ERROR_IO. */
gboolean nego_prefix_lines_end (NegoPrefixLines *lines, GError **error);
/* Writes the whole lines of what has begun and @data; of one over NEGO_PREFIX_LINE_BYTES, pieces.
 * Errors: NEGO_ERROR_IO. */
gboolean nego_prefix_lines_put (
  NegoPrefixLines *lines, guint stream, const guint8 *data, gsize len, GError **error);

/* Whether anybody reads the standard output still, as far as writing to it has shown. */
gboolean nego_prefix_has_reader (NegoPrefix *prefix);

/* Writes @text, whole lines, to the standard output. */
gboolean nego_prefix_print (NegoPrefix *prefix, const GString *text, GError **error);
/* nego_output_say(), between the lines. */
void nego_prefix_say (NegoPrefix *prefix, const char *text);
/* Shows @text as the progress line; NULL: none. */
void nego_prefix_show_progress (NegoPrefix *prefix, const char *text);
