/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "qapi/path.h"

#include "common/error.h"
#include "common/names.h"

#include <string.h>

/* Appends the hostile @text, cut between characters. */
static void
append_quoted (GString *out, const char *text)
{
  const char *end = text + strnlen (text, NEGO_ERROR_QUOTE_BYTES);

  if (*end != '\0')
    end = g_utf8_find_prev_char (text, end + 1);
  g_string_append_len (out, text, end - text);
}

static void
append_path (GString *out, const QapiPath *path)
{
  if (path->parent != NULL)
    append_path (out, path->parent);
  if (path->name == NULL) {
    g_string_append_printf (out, "[%u]", path->index);
  } else {
    if (out->len > 0)
      g_string_append_c (out, '.');
    append_quoted (out, path->name);
  }
}

static char *
path_to_string (const QapiPath *path)
{
  GString *text = g_string_new (NULL);

  append_path (text, path);
  /* A value without a name, as QEMU calls it. */
  if (text->len == 0)
    g_string_append (text, "<anonymous>");
  return g_string_free (text, FALSE);
}

static const char *
path_get_name (const QapiPath *path)
{
  return path->name != NULL ? path->name : "null";
}

gboolean
qapi_path_fail_type (const QapiPath *path, const char *expected, GError **error)
{
  g_autofree char *where = path_to_string (path);

  g_set_error (error, NEGO_ERROR, NEGO_ERROR_GENERIC,
               "Invalid parameter type for '%s', expected: %s", where, expected);
  return FALSE;
}

gboolean
qapi_path_fail_missing (const QapiPath *path, GError **error)
{
  g_autofree char *where = path_to_string (path);

  g_set_error (error, NEGO_ERROR, NEGO_ERROR_GENERIC, "Parameter '%s' is missing", where);
  return FALSE;
}

gboolean
qapi_path_fail_unexpected (const QapiPath *path, GError **error)
{
  g_autofree char *where = path_to_string (path);

  g_set_error (error, NEGO_ERROR, NEGO_ERROR_GENERIC, "Parameter '%s' is unexpected", where);
  return FALSE;
}

gboolean
qapi_path_fail_expects (const QapiPath *path, const char *expected, GError **error)
{
  g_autofree char *where = path_to_string (path);

  g_set_error (error, NEGO_ERROR, NEGO_ERROR_GENERIC, "Parameter '%s' expects %s", where, expected);
  return FALSE;
}

gboolean
qapi_path_fail_range (const QapiPath *path, const char *expected, GError **error)
{
  g_set_error (error, NEGO_ERROR, NEGO_ERROR_GENERIC, "Parameter '%s' expects %s",
               path_get_name (path), expected);
  return FALSE;
}

gboolean
qapi_path_fail_value (const QapiPath *path, const char *value, GError **error)
{
  g_autoptr (GString) quoted = g_string_new (NULL);

  append_quoted (quoted, value);
  g_set_error (error, NEGO_ERROR, NEGO_ERROR_GENERIC, "Parameter '%s' does not accept value '%s'",
               path_get_name (path), quoted->str);
  return FALSE;
}
