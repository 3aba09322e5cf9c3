/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "common/json.h"

#include <errno.h>
#include <math.h>
#include <string.h>

/* What stands for itself in a string of QGA's spelling: printable ASCII but '"' and '\\'. */
static inline gboolean
nego_json_is_plain (guint8 byte)
{
  return byte >= 0x20 && byte < 0x7f && byte != '"' && byte != '\\';
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

/* UTF-16 code units in upper-case hexadecimal, as QEMU's json-writer.c has them. Returns the number
 * of bytes; @buffer may be NULL, to count. */
static gsize
nego_json_escape_unichar (gunichar c, char buffer[13])
{
  if (c <= 0xffff) {
    if (buffer != NULL)
      g_snprintf (buffer, 13, "\\u%04X", c);
    return 6;
  }
  if (buffer != NULL)
    g_snprintf (buffer, 13, "\\u%04X\\u%04X", 0xd800 + ((c - 0x10000) >> 10),
                0xdc00 + ((c - 0x10000) & 0x3ff));
  return 12;
}

static char
nego_json_short_escape (guint8 byte)
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

/* The character at @p, and in @used how many bytes it takes; U+FFFD for what is no valid UTF-8.
 * C0 80 is U+0000 (modified UTF-8, as in QEMU). */
static gunichar
nego_json_read_unichar (const char *p, const char *end, gsize *used)
{
  gunichar c = *p == '\0' ? 0 : g_utf8_get_char_validated (p, end - p);

  *used = 1;
  if (end - p >= 2 && (guint8) p[0] == 0xc0 && (guint8) p[1] == 0x80) {
    *used = 2;
    return 0;
  }
  if (c == (gunichar) -1 || c == (gunichar) -2)
    return 0xfffd;
  *used = (gsize) g_utf8_skip[(guint8) *p];
  return c;
}

/* Escapes the character at @p, which is not plain. */
static gsize
nego_json_escape_one (const char *p, const char *end, char buffer[13], gsize *used)
{
  char escape = nego_json_short_escape ((guint8) *p);

  if (escape != 0) {
    buffer[0] = '\\';
    buffer[1] = escape;
    *used = 1;
    return 2;
  }
  return nego_json_escape_unichar (nego_json_read_unichar (p, end, used), buffer);
}

static void
nego_json_append_string (GString *out, const char *value, gsize len)
{
  const char *p = value, *end = value + len;

  g_string_append_c (out, '"');
  while (p < end) {
    const char *start = p;
    char buffer[13];
    gsize used, escaped;

    while (p < end && nego_json_is_plain ((guint8) *p))
      p++;
    g_string_append_len (out, start, p - start);
    if (p == end)
      break;
    escaped = nego_json_escape_one (p, end, buffer, &used);
    g_string_append_len (out, buffer, (gssize) escaped);
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
    char buffer[13];
    gsize used = 1;

    total += nego_json_is_plain ((guint8) *p) ? 1 : nego_json_escape_one (p, end, buffer, &used);
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
  static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  gsize encoded = (len + 2) / 3 * 4, start;
  char *out;

  nego_json_writer_begin_value (writer);
  g_string_append_c (writer->out, '"');
  start = writer->out->len;
  g_string_set_size (writer->out, start + encoded);
  out = writer->out->str + start;
  for (; len >= 3; len -= 3, data += 3, out += 4) {
    guint32 bits = ((guint32) data[0] << 16) | ((guint32) data[1] << 8) | data[2];

    out[0] = alphabet[bits >> 18];
    out[1] = alphabet[(bits >> 12) & 63];
    out[2] = alphabet[(bits >> 6) & 63];
    out[3] = alphabet[bits & 63];
  }
  if (len > 0) {
    guint32 bits = ((guint32) data[0] << 16) | (len > 1 ? (guint32) data[1] << 8 : 0);

    out[0] = alphabet[bits >> 18];
    out[1] = alphabet[(bits >> 12) & 63];
    out[2] = len > 1 ? alphabet[(bits >> 6) & 63] : '=';
    out[3] = '=';
  }
  g_string_append_c (writer->out, '"');
}

/* The value of the \uXXXX at @p (strict JSON: a pair of surrogates is whole). */
static gunichar
nego_json_unescape_unichar (const char *p, gsize *used)
{
  gunichar c = (gunichar) g_ascii_strtoull ((char[]){ p[2], p[3], p[4], p[5], 0 }, NULL, 16);

  *used = 6;
  if (c >= 0xd800 && c <= 0xdbff) {
    gunichar low = (gunichar) g_ascii_strtoull ((char[]){ p[8], p[9], p[10], p[11], 0 }, NULL, 16);

    *used = 12;
    c = 0x10000 + ((c & 0x3ff) << 10) + (low & 0x3ff);
  }
  return c;
}

static char
nego_json_unescape_short (char escape)
{
  switch (escape) {
  case 'b':
    return '\b';
  case 'f':
    return '\f';
  case 'n':
    return '\n';
  case 'r':
    return '\r';
  case 't':
    return '\t';
  default:
    return escape; /* '"', '\\', '/' */
  }
}

gboolean
nego_json_append_characters (GString *out, const char *text, gsize len)
{
  const char *p = text + 1, *end = text + len - 1;
  gboolean has_nul = FALSE;

  while (p < end) {
    const char *backslash = memchr (p, '\\', (gsize) (end - p));
    gsize used = 2;

    if (backslash == NULL)
      backslash = end;
    g_string_append_len (out, p, backslash - p);
    p = backslash;
    if (p == end)
      break;
    if (p[1] == 'u') {
      gunichar c = nego_json_unescape_unichar (p, &used);

      if (c == 0)
        g_string_append_len (out, "\xc0\x80", 2);
      else
        g_string_append_unichar (out, c);
      has_nul |= c == 0;
    } else {
      g_string_append_c (out, nego_json_unescape_short (p[1]));
    }
    p += used;
  }
  return has_nul;
}

char *
nego_json_string_value (const char *text, gsize len)
{
  GString *value = g_string_sized_new (len);

  if (nego_json_append_characters (value, text, len)) {
    g_string_free (value, TRUE);
    return NULL;
  }
  return g_string_free (value, FALSE);
}

static void
nego_json_respell_number (NegoJsonWriter *writer, const char *text, gsize len)
{
  g_autofree char *number = g_strndup (text, len);

  if (strpbrk (number, ".eE") == NULL) {
    gint64 i;
    guint64 u;

    errno = 0;
    i = g_ascii_strtoll (number, NULL, 10);
    if (errno == 0) {
      nego_json_writer_int (writer, i);
      return;
    }
    errno = 0;
    u = g_ascii_strtoull (number, NULL, 10);
    if (errno == 0 && number[0] != '-') {
      nego_json_writer_uint (writer, u);
      return;
    }
  }
  if (isfinite (g_ascii_strtod (number, NULL)))
    nego_json_writer_double (writer, g_ascii_strtod (number, NULL));
  else
    nego_json_writer_raw (writer, text, len);
}

/* The end of the scalar or string that begins at @p. */
static const char *
nego_json_scalar_end (const char *p, const char *end)
{
  if (*p != '"') {
    while (p < end && strchr (" \t\r\n,:]}", *p) == NULL)
      p++;
    return p;
  }
  for (p++; *p != '"'; p++)
    if (*p == '\\')
      p++;
  return p + 1;
}

static void
nego_json_respell_scalar (NegoJsonWriter *writer, const char *text, gsize len)
{
  if (*text == '"') {
    g_autoptr (GString) value = g_string_sized_new (len);

    nego_json_append_characters (value, text, len);
    nego_json_writer_string_len (writer, value->str, value->len);
  } else if (*text == '-' || g_ascii_isdigit (*text)) {
    nego_json_respell_number (writer, text, len);
  } else {
    nego_json_writer_raw (writer, text, len);
  }
}

void
nego_json_respell (GString *out, const char *text, gsize len)
{
  const char *p = text, *end = text + len;
  NegoJsonWriter writer;

  nego_json_writer_init (&writer, out);
  while (p < end) {
    const char *start = p;

    switch (*p) {
    case '{':
      nego_json_writer_begin_object (&writer);
      p++;
      break;
    case '}':
      nego_json_writer_end_object (&writer);
      p++;
      break;
    case '[':
      nego_json_writer_begin_array (&writer);
      p++;
      break;
    case ']':
      nego_json_writer_end_array (&writer);
      p++;
      break;
    case ':':
      g_string_append_len (out, ": ", 2);
      writer.separator = FALSE;
      p++;
      break;
    case ',':
    case ' ':
    case '\t':
    case '\r':
    case '\n':
      p++;
      break;
    default:
      p = nego_json_scalar_end (p, end);
      nego_json_respell_scalar (&writer, start, (gsize) (p - start));
      break;
    }
  }
}
