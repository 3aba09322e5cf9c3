/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "common/base64.h"

#include "common/error.h"

#include <string.h>

#define ALPHABET "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"

/* Counts the characters of each kind; FALSE: one is none of them, or stands behind padding. */
static gboolean
nego_base64_count (const char *text, gsize *digits, gsize *padding)
{
  *digits = *padding = 0;
  while (*text != '\0') {
    gsize run = strspn (text, ALPHABET);

    if (run > 0 && *padding > 0)
      return FALSE;
    *digits += run;
    text += run;
    if (*text == '=')
      ++*padding;
    else if (*text != '\n' && *text != '\0')
      return FALSE;
    if (*text != '\0')
      text++;
  }
  return TRUE;
}

guint8 *
nego_base64_decode (const char *text, gsize *len, GError **error)
{
  gsize digits, padding, size = strlen (text);
  guint8 *data;

  if (!nego_base64_count (text, &digits, &padding)) {
    g_set_error_literal (error, NEGO_ERROR, NEGO_ERROR_GENERIC,
                         "Base64 data contains invalid characters");
    return NULL;
  }
  if (padding > 2 || (digits + padding) % 4 != 0) {
    g_set_error_literal (error, NEGO_ERROR, NEGO_ERROR_GENERIC, "Base64 data is incomplete");
    return NULL;
  }
  data = g_malloc ((digits + padding) / 4 * 3 + 1);
  {
    int state = 0;
    guint save = 0;

    *len = g_base64_decode_step (text, size, data, &state, &save);
  }
  data[*len] = '\0';
  return data;
}
