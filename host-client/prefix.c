/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "host-client/prefix.h"

#include "common/names.h"
#include "common/client/output.h"

#include <string.h>
#include <unistd.h>

/* To the line's beginning, and erase it (ECMA-48, EL). */
#define ERASE "\r\033[K"

struct NegoPrefix {
  GMutex lock; /* of the two standard streams, and what follows */
  gboolean progress;
  gboolean shown;       /* a progress line is there */
  gboolean reader_left; /* nobody reads the standard output any more */
};

NegoPrefix *
nego_prefix_new (gboolean progress)
{
  NegoPrefix *prefix = g_new0 (NegoPrefix, 1);

  g_mutex_init (&prefix->lock);
  prefix->progress = progress && isatty (STDERR_FILENO);
  return prefix;
}

/* Under the lock. */
static void
nego_prefix_erase (NegoPrefix *prefix)
{
  if (prefix->shown && write (STDERR_FILENO, ERASE, strlen (ERASE)) < 0)
    prefix->progress = FALSE;
  prefix->shown = FALSE;
}

void
nego_prefix_free (NegoPrefix *prefix)
{
  nego_prefix_erase (prefix);
  g_mutex_clear (&prefix->lock);
  g_free (prefix);
}

void
nego_prefix_lines_init (NegoPrefixLines *lines, NegoPrefix *prefix, const char *label)
{
  *lines = (NegoPrefixLines){ .prefix = prefix, .label = label };
  for (guint i = 0; i < G_N_ELEMENTS (lines->begun); i++)
    lines->begun[i] = g_string_new (NULL);
}

static void
nego_prefix_free_line (GString *line)
{
  g_string_free (line, TRUE);
}

/* Writes @text, which ends with a line feed. */
static gboolean
nego_prefix_write (NegoPrefix *prefix, int fd, const GString *text, GError **error)
{
  g_autoptr (GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new (&prefix->lock);

  nego_prefix_erase (prefix);
  if (nego_output_data (fd, (const guint8 *) text->str, text->len, error))
    return TRUE;
  prefix->reader_left |= fd == STDOUT_FILENO && nego_output_reader_left (fd);
  return FALSE;
}

static void
nego_prefix_append (GString *out, const NegoPrefixLines *lines, const char *text, gsize len)
{
  nego_output_escape (out, lines->label, strlen (lines->label));
  g_string_append (out, ": ");
  g_string_append_len (out, text, (gssize) len);
  g_string_append_c (out, '\n');
}

gboolean
nego_prefix_lines_put (
  NegoPrefixLines *lines, guint stream, const guint8 *data, gsize len, GError **error)
{
  GString *begun = lines->begun[stream];
  g_autoptr (GString) out = g_string_new (NULL);
  gsize done = 0;

  g_string_append_len (begun, (const char *) data, (gssize) len);
  for (;;) {
    const char *start = begun->str + done;
    const gsize rest = begun->len - done;
    const char *lf = memchr (start, '\n', rest);
    gsize line = lf != NULL ? (gsize) (lf - start) : MIN (rest, NEGO_PREFIX_LINE_BYTES);

    if (lf == NULL && rest < NEGO_PREFIX_LINE_BYTES)
      break;
    nego_prefix_append (out, lines, start, line);
    done += line + (lf != NULL);
  }
  g_string_erase (begun, 0, (gssize) done);
  return out->len == 0
         || nego_prefix_write (lines->prefix, stream == 0 ? STDOUT_FILENO : STDERR_FILENO, out,
                               error);
}

gboolean
nego_prefix_lines_end (NegoPrefixLines *lines, GError **error)
{
  gboolean done = TRUE;

  for (guint i = 0; i < G_N_ELEMENTS (lines->begun); i++) {
    if (lines->begun[i]->len > 0)
      done
        = nego_prefix_lines_put (lines, i, (const guint8 *) "\n", 1, done ? error : NULL) && done;
    g_clear_pointer (&lines->begun[i], nego_prefix_free_line);
  }
  return done;
}

gboolean
nego_prefix_has_reader (NegoPrefix *prefix)
{
  g_autoptr (GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new (&prefix->lock);

  return !prefix->reader_left;
}

gboolean
nego_prefix_print (NegoPrefix *prefix, const GString *text, GError **error)
{
  return nego_prefix_write (prefix, STDOUT_FILENO, text, error);
}

void
nego_prefix_say (NegoPrefix *prefix, const char *text)
{
  g_autoptr (GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new (&prefix->lock);

  nego_prefix_erase (prefix);
  nego_output_say ("%s", text);
}

void
nego_prefix_show_progress (NegoPrefix *prefix, const char *text)
{
  g_autoptr (GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new (&prefix->lock);
  g_autoptr (GString) line = g_string_new (NULL);

  nego_prefix_erase (prefix);
  if (!prefix->progress || text == NULL)
    return;
  nego_output_escape (line, text, strlen (text));
  prefix->shown = write (STDERR_FILENO, line->str, line->len) > 0;
}
