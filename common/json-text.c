/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "common/json.h"

#include <errno.h>
#include <math.h>
#include <string.h>

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

/* Appends the characters of the JSON string @text, U+0000 as C0 80. Returns whether there was one.
 */
static gboolean
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
