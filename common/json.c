/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "common/json.h"

#include "common/base64.h"
#include "common/unichar.h"

#include <math.h>
#include <string.h>

/* What stands for itself in a string of QGA's spelling: printable ASCII but '"' and '\\'. */
static const guint8 nego_json_plain[256] = {
  [0x20 ... 0x21] = 1,
  [0x23 ... 0x5b] = 1,
  [0x5d ... 0x7e] = 1,
};

/* How many bytes from @p on are plain. */
static gsize
nego_json_get_run (const char *p, const char *end)
{
  const guint8 *data = (const guint8 *) p;
  gsize n = 0, len = (gsize) (end - p);

  /* Eight look-ups without a branch in between are twice as fast as one by one. */
  while (len - n >= 8
         && (nego_json_plain[data[n]] & nego_json_plain[data[n + 1]] & nego_json_plain[data[n + 2]]
             & nego_json_plain[data[n + 3]] & nego_json_plain[data[n + 4]]
             & nego_json_plain[data[n + 5]] & nego_json_plain[data[n + 6]]
             & nego_json_plain[data[n + 7]]))
    n += 8;
  while (n < len && nego_json_plain[data[n]])
    n++;
  return n;
}

void
nego_json_writer_init (NegoJsonWriter *writer, GString *out)
{
  writer->out = out;
  writer->separator = FALSE;
}

static void
nego_json_writer_begin_value (NegoJsonWriter *writer)
{
  if (writer->separator)
    g_string_append_len (writer->out, ", ", 2);
  writer->separator = TRUE;
}

void
nego_json_writer_begin_object (NegoJsonWriter *writer)
{
  nego_json_writer_begin_value (writer);
  g_string_append_c (writer->out, '{');
  writer->separator = FALSE;
}

void
nego_json_writer_end_object (NegoJsonWriter *writer)
{
  g_string_append_c (writer->out, '}');
  writer->separator = TRUE;
}

void
nego_json_writer_begin_array (NegoJsonWriter *writer)
{
  nego_json_writer_begin_value (writer);
  g_string_append_c (writer->out, '[');
  writer->separator = FALSE;
}

void
nego_json_writer_end_array (NegoJsonWriter *writer)
{
  g_string_append_c (writer->out, ']');
  writer->separator = TRUE;
}

/* Writes \uXXXX. */
static void
nego_json_put_unit (char *out, guint unit)
{
  static const char digits[] = "0123456789ABCDEF";

  out[0] = '\\';
  out[1] = 'u';
  for (guint i = 0; i < 4; i++)
    out[2 + i] = digits[(unit >> (12 - 4 * i)) & 0xf];
}

/* UTF-16 code units, as QEMU's json-writer.c has them. Returns the number of bytes. */
static gsize
nego_json_put_unichar (char *out, gunichar c)
{
  if (c <= 0xffff) {
    nego_json_put_unit (out, c);
    return 6;
  }
  nego_json_put_unit (out, 0xd800 + ((c - 0x10000) >> 10));
  nego_json_put_unit (out + 6, 0xdc00 + ((c - 0x10000) & 0x3ff));
  return 12;
}

static char
nego_json_get_short_escape (guint8 byte)
{
  switch (byte) {
  case '"':
    return '"';
  case '\\':
    return '\\';
  case '\b':
    return 'b';
  case '\f':
    return 'f';
  case '\n':
    return 'n';
  case '\r':
    return 'r';
  case '\t':
    return 't';
  default:
    return 0;
  }
}

/* How many bytes the lead byte announces, as in the UTF-8 of old: a sequence that is valid no more
 * is one U+FFFD. */
static gsize
nego_json_get_sequence_length (guint8 lead)
{
  if (lead < 0xc0 || lead >= 0xfe)
    return 1;
  return lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : lead < 0xf8 ? 4 : lead < 0xfc ? 5 : 6;
}

/* The character at @p, and in @used how many bytes it takes; U+FFFD for what is no valid UTF-8.
 * C0 80 is U+0000 (modified UTF-8, as in QEMU). */
static gunichar
nego_json_read_unichar (const char *p, const char *end, gsize *used)
{
  gsize len = MIN (nego_json_get_sequence_length ((guint8) *p), (gsize) (end - p));
  gunichar c;

  for (*used = 1; *used < len && ((guint8) p[*used] & 0xc0) == 0x80; ++*used)
    ;
  if (*p == '\0' || (*used == 2 && memcmp (p, "\xc0\x80", 2) == 0))
    return 0;
  c = g_utf8_get_char_validated (p, (gssize) *used);
  return nego_unichar_is_character (c) ? c : 0xfffd;
}

/* Escapes the character at @p, which is not plain. Returns the number of bytes written. */
static gsize
nego_json_escape_one (const char *p, const char *end, char buffer[12], gsize *used)
{
  char escape = nego_json_get_short_escape ((guint8) *p);

  if (escape != 0) {
    buffer[0] = '\\';
    buffer[1] = escape;
    *used = 1;
    return 2;
  }
  return nego_json_put_unichar (buffer, nego_json_read_unichar (p, end, used));
}

static void
nego_json_append_string (GString *out, const char *value, gsize len)
{
  const char *p = value, *end = value + len;

  g_string_append_c (out, '"');
  while (p < end) {
    gsize run = nego_json_get_run (p, end), used;
    char buffer[12];

    g_string_append_len (out, p, (gssize) run);
    p += run;
    if (p == end)
      break;
    run = nego_json_escape_one (p, end, buffer, &used);
    g_string_append_len (out, buffer, (gssize) run);
    p += used;
  }
  g_string_append_c (out, '"');
}

gsize
nego_json_string_length (const char *value, gsize len)
{
  const char *p = value, *end = value + len;
  gsize total = 2;

  while (p < end) {
    gsize run = nego_json_get_run (p, end), used;
    char buffer[12];

    total += run;
    p += run;
    if (p == end)
      break;
    total += nego_json_escape_one (p, end, buffer, &used);
    p += used;
  }
  return total;
}

void
nego_json_writer_key (NegoJsonWriter *writer, const char *name)
{
  nego_json_writer_begin_value (writer);
  nego_json_append_string (writer->out, name, strlen (name));
  g_string_append_len (writer->out, ": ", 2);
  writer->separator = FALSE;
}

void
nego_json_writer_string (NegoJsonWriter *writer, const char *value)
{
  nego_json_writer_string_len (writer, value, strlen (value));
}

void
nego_json_writer_string_len (NegoJsonWriter *writer, const char *value, gsize len)
{
  nego_json_writer_begin_value (writer);
  nego_json_append_string (writer->out, value, len);
}

void
nego_json_writer_int (NegoJsonWriter *writer, gint64 value)
{
  char buffer[24];

  nego_json_writer_raw (writer, buffer,
                        (gsize) g_snprintf (buffer, sizeof buffer, "%" G_GINT64_FORMAT, value));
}

void
nego_json_writer_uint (NegoJsonWriter *writer, guint64 value)
{
  char buffer[24];

  nego_json_writer_raw (writer, buffer,
                        (gsize) g_snprintf (buffer, sizeof buffer, "%" G_GUINT64_FORMAT, value));
}

void
nego_json_writer_double (NegoJsonWriter *writer, double value)
{
  char buffer[G_ASCII_DTOSTR_BUF_SIZE];

  if (!isfinite (value)) {
    nego_json_writer_null (writer);
    return;
  }
  g_ascii_formatd (buffer, sizeof buffer, "%.17g", value);
  nego_json_writer_raw (writer, buffer, strlen (buffer));
}

void
nego_json_writer_boolean (NegoJsonWriter *writer, gboolean value)
{
  nego_json_writer_raw (writer, value ? "true" : "false", value ? 4 : 5);
}

void
nego_json_writer_null (NegoJsonWriter *writer)
{
  nego_json_writer_raw (writer, "null", 4);
}

void
nego_json_writer_raw (NegoJsonWriter *writer, const char *text, gsize len)
{
  nego_json_writer_begin_value (writer);
  g_string_append_len (writer->out, text, (gssize) len);
}

void
nego_json_writer_base64 (NegoJsonWriter *writer, const guint8 *data, gsize len)
{
  nego_json_writer_begin_value (writer);
  g_string_append_c (writer->out, '"');
  nego_base64_append (writer->out, data, len);
  g_string_append_c (writer->out, '"');
}
