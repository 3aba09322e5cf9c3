/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "common/client/output.h"

#include "common/error.h"
#include "common/json.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

/* Whether a terminal may have @c as it is. */
static gboolean
nego_output_is_plain (gunichar c)
{
  switch (g_unichar_type (c)) {
  case G_UNICODE_CONTROL:
  case G_UNICODE_FORMAT: /* among them what changes the direction of text */
  case G_UNICODE_LINE_SEPARATOR:
  case G_UNICODE_PARAGRAPH_SEPARATOR:
  case G_UNICODE_PRIVATE_USE:
  case G_UNICODE_SURROGATE:
  case G_UNICODE_UNASSIGNED:
    return FALSE;
  default:
    return TRUE;
  }
}

/* @kept: control characters that stay. */
static void
nego_output_escape_but (GString *out, const char *text, gsize len, const char *kept)
{
  const char *end = text + len;

  while (text < end) {
    gunichar c = g_utf8_get_char_validated (text, end - text);
    const char *next = text + 1;

    if (c >= (gunichar) -2) {
      g_string_append_printf (out, "\\x%02x", (guint8) *text);
    } else {
      next = g_utf8_next_char (text);
      if (c != 0 && c < 0x80 && strchr (kept, (int) c) != NULL)
        g_string_append_c (out, (char) c);
      else if (c == '\n')
        g_string_append (out, "\\n");
      else if (c == '\t')
        g_string_append (out, "\\t");
      else if (c == '\\')
        g_string_append (out, "\\\\");
      else if (nego_output_is_plain (c))
        g_string_append_len (out, text, next - text);
      else if (c < 0x80)
        g_string_append_printf (out, "\\x%02x", c);
      else
        g_string_append_printf (out, "\\u{%x}", c);
    }
    text = next;
  }
}

void
nego_output_escape (GString *out, const char *text, gsize len)
{
  nego_output_escape_but (out, text, len, "");
}

void
nego_output_escape_lines (GString *out, const char *text, gsize len)
{
  nego_output_escape_but (out, text, len, "\n\t\r\\");
}

void
nego_output_wait (int fd, short events)
{
  struct pollfd poll_fd = { .fd = fd, .events = events };

  poll (&poll_fd, 1, -1);
}

gboolean
nego_output_reader_left (int fd)
{
  struct pollfd poll_fd = { .fd = fd, .events = POLLOUT };

  return poll (&poll_fd, 1, 0) > 0 && (poll_fd.revents & POLLERR) != 0;
}

static gboolean
nego_output_write (int fd, const char *data, gsize len, GError **error)
{
  while (len > 0) {
    gssize n = write (fd, data, len);

    if (n >= 0) {
      data += n;
      len -= (gsize) n;
    } else if (errno == EAGAIN) {
      nego_output_wait (fd, POLLOUT);
    } else if (errno != EINTR) {
      g_set_error (error, NEGO_ERROR, NEGO_ERROR_IO, "cannot write to the standard %s: %s",
                   fd == STDERR_FILENO ? "error" : "output", g_strerror (errno));
      return FALSE;
    }
  }
  return TRUE;
}

gboolean
nego_output_data (int fd, const guint8 *data, gsize len, GError **error)
{
  g_autoptr (GString) escaped = NULL;

  if (len == 0 || !isatty (fd))
    return nego_output_write (fd, (const char *) data, len, error);
  escaped = g_string_sized_new (len);
  nego_output_escape_lines (escaped, (const char *) data, len);
  return nego_output_write (fd, escaped->str, escaped->len, error);
}

gboolean
nego_output_text (const GString *out, GError **error)
{
  return nego_output_write (STDOUT_FILENO, out->str, out->len, error);
}

gboolean
nego_output_json (const char *text, gsize len, GError **error)
{
  g_autoptr (GString) out = g_string_sized_new (len);

  nego_json_respell (out, text, len);
  g_string_append_c (out, '\n');
  return nego_output_text (out, error);
}

gboolean
nego_output_json_node (JsonNode *node, GError **error)
{
  g_autofree char *text = json_to_string (node, FALSE);

  return nego_output_json (text, strlen (text), error);
}

void
nego_output_say (const char *format, ...)
{
  g_autoptr (GString) line = g_string_new (program_invocation_short_name);
  g_autofree char *text = NULL;
  va_list args;

  va_start (args, format);
  text = g_strdup_vprintf (format, args);
  va_end (args);
  g_string_append (line, ": ");
  /* In one line: a guest's text must not look like a message of ours. */
  nego_output_escape_but (line, text, strlen (text), "\\");
  g_string_append_c (line, '\n');
  /* There is nobody left to tell when this fails. */
  nego_output_write (STDERR_FILENO, line->str, line->len, NULL);
}

void
nego_output_table (GString *out, const GPtrArray *cells, guint n_columns)
{
  g_autoptr (GPtrArray) texts = g_ptr_array_new_with_free_func (g_free);
  g_autofree glong *widths = g_new0 (glong, n_columns);

  for (guint i = 0; i < cells->len; i++) {
    const char *cell = cells->pdata[i];
    GString *text = g_string_new (NULL);

    if (cell == NULL || *cell == '\0')
      g_string_append_c (text, '-');
    else
      nego_output_escape (text, cell, strlen (cell));
    widths[i % n_columns] = MAX (widths[i % n_columns], g_utf8_strlen (text->str, -1));
    g_ptr_array_add (texts, g_string_free (text, FALSE));
  }
  for (guint i = 0; i < texts->len; i++) {
    const char *text = texts->pdata[i];
    const guint column = i % n_columns;

    g_string_append (out, text);
    if (column + 1 == n_columns) {
      g_string_append_c (out, '\n');
    } else {
      for (glong n = g_utf8_strlen (text, -1); n < widths[column] + 2; n++)
        g_string_append_c (out, ' ');
    }
  }
}
