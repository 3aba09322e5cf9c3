/* SPDX-License-Identifier: MIT */
/*
 * json: writing JSON in QGA's spelling, and small operations on JSON text that the framer passed.
 *
 * QGA's spelling (QEMU's qobject/json-writer.c): ", " and ": " as separators, one line, ASCII only:
 * everything but 0x20…0x7E is written as upper-case \uXXXX (surrogate pairs beyond the BMP), apart
 * from \" \\ \b \f \n \r \t; invalid UTF-8 becomes \uFFFD; doubles as %.17g.
 *
 * The writer does not check that the calls make a valid document: its callers are the generated
 * encoders and a few lines in wire.c. It never reads JSON: that is framer.h, and json-glib after
 * it.
 */
#pragma once

#include <glib.h>

typedef struct {
  GString *out;       /* borrowed */
  gboolean separator; /* whether the next item of this level needs ", " before it */
} NegoJsonWriter;

/* Writes to the end of @out, which must outlive the writer. */
void nego_json_writer_init (NegoJsonWriter *writer, GString *out);

void nego_json_writer_begin_object (NegoJsonWriter *writer);
void nego_json_writer_end_object (NegoJsonWriter *writer);
void nego_json_writer_begin_array (NegoJsonWriter *writer);
void nego_json_writer_end_array (NegoJsonWriter *writer);
/* A member's name; the next call writes its value. */
void nego_json_writer_key (NegoJsonWriter *writer, const char *name);

void nego_json_writer_string (NegoJsonWriter *writer, const char *value);
void nego_json_writer_string_len (NegoJsonWriter *writer, const char *value, gsize len);
void nego_json_writer_int (NegoJsonWriter *writer, gint64 value);
void nego_json_writer_uint (NegoJsonWriter *writer, guint64 value);
/* NaN and infinities, which JSON lacks, are written as null. */
void nego_json_writer_double (NegoJsonWriter *writer, double value);
void nego_json_writer_boolean (NegoJsonWriter *writer, gboolean value);
void nego_json_writer_null (NegoJsonWriter *writer);
/* @data as a base64 string, without line breaks. */
void nego_json_writer_base64 (NegoJsonWriter *writer, const guint8 *data, gsize len);
/* @text is valid JSON in QGA's spelling already. */
void nego_json_writer_raw (NegoJsonWriter *writer, const char *text, gsize len);

/* The number of bytes that nego_json_writer_string_len() would write, quotes included. */
gsize nego_json_string_length (const char *value, gsize len);

/* Appends the JSON value @text (strict JSON as the framer passes it) to @out by value, in QGA's
 * spelling: 1.50 becomes 1.5, 1e5 100000, -0 0; integers of int64 and uint64 stay; numbers that no
 * double holds (1e400) are kept as written, since "inf" is not JSON. */
void nego_json_respell (GString *out, const char *text, gsize len);

/* The characters of the JSON string @text (strict, with its quotes). NULL when it contains U+0000.
 * Returns: (transfer full). */
char *nego_json_string_value (const char *text, gsize len);
