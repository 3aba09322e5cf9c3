/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "common/base64.h"

#include "common/error.h"

#include <string.h>

static const char digits[65] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/* The value of a digit; -1: it is none. */
/* clang-format off */
static const gint8 values[256] = {
  -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1,
  -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1,
  -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, 62, -1, -1, -1, 63,
  52, 53, 54, 55, 56, 57, 58, 59, 60, 61, -1, -1, -1, -1, -1, -1,
  -1, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14,
  15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, -1, -1, -1, -1, -1,
  -1, 26, 27, 28, 29, 30, 31, 32, 33, 34, 35, 36, 37, 38, 39, 40,
  41, 42, 43, 44, 45, 46, 47, 48, 49, 50, 51, -1, -1, -1, -1, -1,
  -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1,
  -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1,
  -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1,
  -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1,
  -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1,
  -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1,
  -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1,
  -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1,
};
/* clang-format on */

/* What is between the groups that are decoded four digits at a time. */
typedef struct {
  guint32 bits;
  guint n_digits; /* of the group that has begun */
  guint padding;
} NegoBase64Group;

/* Decodes whole groups. Returns how many. */
static gsize
nego_base64_decode_groups (const guint8 *text, gsize groups, guint8 *data)
{
  for (gsize i = 0; i < groups; i++) {
    const int a = values[text[4 * i]], b = values[text[4 * i + 1]];
    const int c = values[text[4 * i + 2]], d = values[text[4 * i + 3]];

    if ((a | b | c | d) < 0)
      return i;
    data[3 * i] = (guint8) (a << 2 | b >> 4);
    data[3 * i + 1] = (guint8) (b << 4 | c >> 2);
    data[3 * i + 2] = (guint8) (c << 6 | d);
  }
  return groups;
}

/* Takes one character. FALSE: it cannot stand here. */
static gboolean
nego_base64_take (NegoBase64Group *group, guint8 character, guint8 **data)
{
  const int value = values[character];

  if (character == '=')
    group->padding++;
  if (value < 0)
    return character == '=' || character == '\n';
  if (group->padding > 0)
    return FALSE;
  group->bits = group->bits << 6 | (guint32) value;
  if (++group->n_digits < 4)
    return TRUE;
  *(*data)++ = (guint8) (group->bits >> 16);
  *(*data)++ = (guint8) (group->bits >> 8);
  *(*data)++ = (guint8) group->bits;
  group->n_digits = 0;
  return TRUE;
}

/* Ends the text. FALSE: it is incomplete. */
static gboolean
nego_base64_end (const NegoBase64Group *group, guint8 **data)
{
  if (group->padding == 0 && group->n_digits == 0)
    return TRUE;
  if (group->padding == 1 && group->n_digits == 3) {
    *(*data)++ = (guint8) (group->bits >> 10);
    *(*data)++ = (guint8) (group->bits >> 2);
    return TRUE;
  }
  if (group->padding != 2 || group->n_digits != 2)
    return FALSE;
  *(*data)++ = (guint8) (group->bits >> 4);
  return TRUE;
}

gboolean
nego_base64_decode_to (const char *text, gsize size, guint8 *data, gsize *len, GError **error)
{
  const guint8 *p = (const guint8 *) text, *end = p + size;
  NegoBase64Group group = { 0 };
  guint8 *out = data;

  while (p < end) {
    if (group.n_digits == 0 && group.padding == 0) {
      gsize n = nego_base64_decode_groups (p, (gsize) (end - p) / 4, out);

      p += 4 * n;
      out += 3 * n;
    }
    if (p < end && !nego_base64_take (&group, *p++, &out)) {
      g_set_error_literal (error, NEGO_ERROR, NEGO_ERROR_GENERIC,
                           "Base64 data contains invalid characters");
      return FALSE;
    }
  }
  if (!nego_base64_end (&group, &out)) {
    g_set_error_literal (error, NEGO_ERROR, NEGO_ERROR_GENERIC, "Base64 data is incomplete");
    return FALSE;
  }
  *len = (gsize) (out - data);
  return TRUE;
}

guint8 *
nego_base64_decode (const char *text, gsize *len, GError **error)
{
  const gsize size = strlen (text);
  g_autofree guint8 *data = g_malloc (nego_base64_room (size) + 1);

  if (!nego_base64_decode_to (text, size, data, len, error))
    return NULL;
  data[*len] = '\0';
  return g_steal_pointer (&data);
}

void
nego_base64_append (GString *out, const guint8 *data, gsize len)
{
  const gsize start = out->len;
  char *text;

  g_string_set_size (out, start + (len + 2) / 3 * 4);
  text = out->str + start;
  for (; len >= 3; len -= 3, data += 3) {
    *text++ = digits[data[0] >> 2];
    *text++ = digits[(data[0] << 4 | data[1] >> 4) & 63];
    *text++ = digits[(data[1] << 2 | data[2] >> 6) & 63];
    *text++ = digits[data[2] & 63];
  }
  if (len == 0)
    return;
  *text++ = digits[data[0] >> 2];
  *text++ = digits[(data[0] << 4 | (len > 1 ? data[1] >> 4 : 0)) & 63];
  *text++ = len > 1 ? digits[(data[1] << 2) & 63] : '=';
  *text++ = '=';
}
