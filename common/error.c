/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "common/error.h"

#include "common/names.h"

#include <errno.h>
#include <stdarg.h>

G_DEFINE_QUARK (nego - error - quark, nego_error)

static NegoErrorCode
nego_error_code_for_errno (int errnum)
{
  switch (errnum) {
  case ENOENT:
    return NEGO_ERROR_NOT_FOUND;
  case EBUSY:
    return NEGO_ERROR_BUSY;
  default:
    return NEGO_ERROR_IO;
  }
}

gboolean
nego_error_set_errno (GError **error, int errnum, const char *format, ...)
{
  g_autofree char *what = NULL;
  va_list args;

  va_start (args, format);
  what = g_strdup_vprintf (format, args);
  va_end (args);
  g_set_error (error, NEGO_ERROR, nego_error_code_for_errno (errnum), "%s: %s", what,
               g_strerror (errnum));
  return FALSE;
}

char *
nego_error_quote (const char *text)
{
  g_autofree char *start = g_strndup (text, NEGO_ERROR_QUOTE_BYTES);

  return g_strescape (start, "\"");
}
