/* SPDX-License-Identifier: MIT */
/*
 * output: what nego-host and nego-guest print.
 *
 * Whatever comes from a guest may try to drive the terminal: texts in messages and tables are
 * always escaped, a script's output only on its way to a terminal; into files and pipes it goes
 * byte for byte. JSON is ASCII.
 */
#pragma once

#include <glib.h>
#include <json-glib/json-glib.h>

/* Appends @text for a person to read, in one line: control characters (C0, DEL, C1), characters
 * that change the direction of text or are not shown, bytes that are no UTF-8, and a backslash
 * become \n, \t,
 * \\, \xNN or \u{N}. */
void nego_output_escape (GString *out, const char *text, gsize len);

/* A script's output as a terminal may have it: as above, but line feeds, tabs, carriage returns and
 * backslashes stay. */
void nego_output_escape_lines (GString *out, const char *text, gsize len);

/* Writes @data to the descriptor @fd, escaped if that is a terminal. Errors: NEGO_ERROR_IO. */
gboolean nego_output_data (int fd, const guint8 *data, gsize len, GError **error);

/* Writes all of @out to the standard output. Errors: NEGO_ERROR_IO. */
gboolean nego_output_text (const GString *out, GError **error);

/* Writes a JSON value in QGA's spelling, and a line feed, to the standard output. */
gboolean nego_output_json (const char *text, gsize len, GError **error);
gboolean nego_output_json_node (JsonNode *node, GError **error);

/* Waits for the poll() @events at @fd, one of the standard descriptors: it is non-blocking if a
 * program that it is shared with wants it so. */
void nego_output_wait (int fd, short events);

/* Whether a write to @fd failed because nobody is at the other end of the pipe any more. */
gboolean nego_output_reader_left (int fd);

/* Says "PROGRAM: …" and a line feed on the standard error, escaped, in one line; backslashes
 * stay. */
void nego_output_say (const char *format, ...) G_GNUC_PRINTF (1, 2);

/* Appends rows of @n_columns cells each (of @cells, char *), aligned in columns, escaped; an empty
 * cell is "-". */
void nego_output_table (GString *out, const GPtrArray *cells, guint n_columns);
