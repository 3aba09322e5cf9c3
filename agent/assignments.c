/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "agent/assignments.h"

#include <string.h>

/* What the value @text (to the end of its line) means. */
static char *
nego_assignments_unquote (const char *text)
{
  g_autoptr (GString) value = g_string_new (NULL);
  char quote = *text == '"' || *text == '\'' ? *text++ : '\0';

  for (; *text != '\0' && *text != quote; text++) {
    if (quote == '\0' && (g_ascii_isspace (*text) || *text == ';'))
      break;
    if (quote != '\'' && *text == '\\' && text[1] != '\0' && strchr ("$'\"\\`", text[1]) != NULL)
      text++;
    g_string_append_c (value, *text);
  }
  return g_string_free (g_steal_pointer (&value), FALSE);
}

static gboolean
nego_assignments_is_name (const char *name)
{
  if (*name == '\0')
    return FALSE;
  for (; *name != '\0'; name++)
    if (!g_ascii_isalnum (*name) && *name != '_')
      return FALSE;
  return TRUE;
}

GHashTable *
nego_assignments_parse (const char *text)
{
  GHashTable *values = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  g_auto (GStrv) lines = g_strsplit (text, "\n", -1);

  for (char **line = lines; *line != NULL; line++) {
    char *name = g_strchug (*line);
    char *equals = strchr (name, '=');

    if (equals == NULL)
      continue;
    *equals = '\0';
    if (nego_assignments_is_name (name))
      g_hash_table_insert (values, g_strdup (name), nego_assignments_unquote (equals + 1));
  }
  return values;
}
