/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "common/value.h"

#include "common/json.h"

#include <string.h>

/* Behind the string that begins at @p. */
static const char *
nego_value_skip_string (const char *p)
{
  for (p++;; p++) {
    const char *quote = strchr (p, '"');
    gsize escapes = 0;

    while (quote - 1 - escapes >= p && quote[-1 - (gssize) escapes] == '\\')
      escapes++;
    p = quote;
    if (escapes % 2 == 0)
      return quote + 1;
  }
}

/* Behind the value that begins at @p. */
static const char *
nego_value_skip (const char *p)
{
  guint depth = 0;

  do {
    if (*p == '"') {
      p = nego_value_skip_string (p);
      continue;
    }
    if (*p == '{' || *p == '[')
      depth++;
    else if (*p == '}' || *p == ']')
      depth--;
    p++;
  } while (depth > 0 || (*p != ',' && *p != '}' && *p != ']' && *p != '\0'));
  return p;
}

gboolean
nego_value_find (const NegoValue *object, const char *name, NegoValue *member)
{
  const char *p;

  *member = (NegoValue){ 0 };
  if (object->len < 2 || *object->text != '{')
    return FALSE;
  p = object->text + 1;
  while (*p == '"') {
    const char *value = nego_value_skip_string (p) + 1;
    const NegoValue key = { p, (gsize) (value - 1 - p) };
    const char *end = nego_value_skip (value);

    if (nego_value_is_string (&key, name)) {
      *member = (NegoValue){ value, (gsize) (end - value) };
      return TRUE;
    }
    p = *end == ',' ? end + 1 : end;
  }
  return FALSE;
}

gboolean
nego_value_next (const NegoValue *array, NegoValue *element)
{
  const char *p;

  if (array->len < 2 || *array->text != '[')
    return FALSE;
  p = element->text == NULL ? array->text : element->text + element->len;
  if (*p == ']' || (p == array->text && p[1] == ']'))
    return FALSE;
  element->text = p + 1;
  element->len = (gsize) (nego_value_skip (p + 1) - (p + 1));
  return TRUE;
}

gboolean
nego_value_is_string (const NegoValue *value, const char *text)
{
  const gsize len = strlen (text);

  return value->len == len + 2 && value->text[0] == '"' && memcmp (value->text + 1, text, len) == 0;
}

gboolean
nego_value_is_true (const NegoValue *value)
{
  return value->len == strlen ("true") && memcmp (value->text, "true", value->len) == 0;
}

char *
nego_value_dup_string (const NegoValue *value)
{
  g_autofree char *copy = NULL;

  if (value->len < 2 || value->text[0] != '"')
    return NULL;
  copy = g_strndup (value->text, value->len);
  return nego_json_string_value (copy, value->len);
}

gboolean
nego_value_get_uint (const NegoValue *value, guint64 *number)
{
  g_autofree char *text = g_strndup (value->text, MIN (value->len, 32));

  return text != NULL && g_ascii_string_to_unsigned (text, 10, 0, G_MAXINT64, number, NULL);
}
