/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "common/log.h"

#include "common/error.h"
#include "common/journal.h"
#include "common/names.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

/* What a line that is too long ends with. */
#define NEGO_LOG_CUT "…"
/* Of the domain, before the topic. */
#define NEGO_LOG_DOMAIN_PREFIX "nego-"

struct NegoLog {
  int fd;
  gboolean owns_fd;
  NegoJournal *journal; /* or NULL */
  gboolean verbose;
  gboolean stuck; /* the last line found no room: do not wait for it again */
  guint64 lost;   /* lines since the last one that was written */
};

NegoLog *
nego_log_new (int fd, gboolean verbose)
{
  NegoLog *log = g_new0 (NegoLog, 1);

  log->fd = fd;
  log->verbose = verbose;
  return log;
}

NegoLog *
nego_log_open (const char *path, gboolean verbose, GError **error)
{
  /* Non-blocking: a fifo without a reader must not hold up the start. */
  int fd = open (path, O_WRONLY | O_APPEND | O_CREAT | O_NOCTTY | O_NONBLOCK | O_CLOEXEC, 0600);
  NegoLog *log;

  if (fd < 0) {
    nego_error_set_errno (error, errno, "failed to open the log file '%s'", path);
    return NULL;
  }
  log = nego_log_new (fd, verbose);
  log->owns_fd = TRUE;
  return log;
}

NegoLog *
nego_log_new_journal (const char *socket, gboolean verbose)
{
  NegoLog *log = nego_log_new (-1, verbose);

  log->journal = nego_journal_new (socket);
  return log;
}

NegoLog *
nego_log_new_stderr (gboolean verbose)
{
  if (g_log_writer_is_journald (STDERR_FILENO))
    return nego_log_new_journal (NEGO_LOG_JOURNAL_SOCKET, verbose);
  return nego_log_new (STDERR_FILENO, verbose);
}

void
nego_log_free (NegoLog *log)
{
  if (log == NULL)
    return;
  if (log->owns_fd)
    close (log->fd);
  nego_journal_free (log->journal);
  g_free (log);
}

static const char *
nego_log_level_name (GLogLevelFlags level)
{
  switch (level & G_LOG_LEVEL_MASK) {
  case G_LOG_LEVEL_ERROR:
    return "error";
  case G_LOG_LEVEL_CRITICAL:
    return "critical";
  case G_LOG_LEVEL_WARNING:
    return "warning";
  case G_LOG_LEVEL_MESSAGE:
    return "message";
  case G_LOG_LEVEL_INFO:
    return "info";
  default:
    return "debug";
  }
}

/* What could end the line, or steer the terminal that shows it, and what is no UTF-8. */
static void
nego_log_append_escaped (GString *line, const char *text)
{
  while (*text != '\0') {
    gunichar c = g_utf8_get_char_validated (text, -1);

    if (c == (gunichar) -1 || c == (gunichar) -2 || (g_unichar_iscntrl (c) && c < 0x80)) {
      g_string_append_printf (line, "\\x%02x", (guint8) *text);
      text++;
    } else if (g_unichar_iscntrl (c)) {
      g_string_append_printf (line, "\\u%04x", c);
      text = g_utf8_next_char (text);
    } else {
      g_string_append_unichar (line, c);
      text = g_utf8_next_char (text);
    }
  }
}

static void
nego_log_cut (GString *line)
{
  gsize len = NEGO_LOG_LINE_BYTES - strlen (NEGO_LOG_CUT "\n");

  if (line->len + 1 <= NEGO_LOG_LINE_BYTES)
    return;
  while (((guint8) line->str[len] & 0xC0) == 0x80)
    len--;
  g_string_truncate (line, len);
  g_string_append (line, NEGO_LOG_CUT);
}

static gboolean
nego_log_write_line (NegoLog *log, const char *level, const char *domain, const char *message)
{
  g_autoptr (GString) line = g_string_sized_new (128);
  struct pollfd pollfd = { .fd = log->fd, .events = POLLOUT };
  gint64 now = g_get_real_time ();

  g_string_append_printf (line, "%" G_GINT64_FORMAT ".%06u: %s: ", now / G_USEC_PER_SEC,
                          (guint) (now % G_USEC_PER_SEC), level);
  if (domain != NULL) {
    if (g_str_has_prefix (domain, NEGO_LOG_DOMAIN_PREFIX))
      domain += strlen (NEGO_LOG_DOMAIN_PREFIX);
    g_string_append_printf (line, "%s: ", domain);
  }
  nego_log_append_escaped (line, message);
  nego_log_cut (line);
  g_string_append_c (line, '\n');
  if (poll (&pollfd, 1, log->stuck ? 0 : NEGO_LOG_WAIT_MS) <= 0)
    return FALSE;
  return write (log->fd, line->str, line->len) == (ssize_t) line->len;
}

static const char *
nego_log_find_field (const GLogField *fields, gsize n_fields, const char *key)
{
  gsize i;

  for (i = 0; i < n_fields; i++)
    if (g_str_equal (fields[i].key, key))
      return fields[i].value;
  return NULL;
}

static gboolean
nego_log_put (NegoLog *log, GLogLevelFlags level, const GLogField *fields, gsize n_fields)
{
  const char *message = nego_log_find_field (fields, n_fields, "MESSAGE");

  if (log->journal != NULL)
    return nego_journal_send (log->journal, fields, n_fields, !log->stuck);
  return nego_log_write_line (log, nego_log_level_name (level),
                              nego_log_find_field (fields, n_fields, "GLIB_DOMAIN"),
                              message != NULL ? message : "");
}

static gboolean
nego_log_put_lost (NegoLog *log)
{
  g_autofree char *message
    = g_strdup_printf ("log messages lost because nobody read them: %" G_GUINT64_FORMAT, log->lost);
  const GLogField fields[] = {
    { "PRIORITY", "4", -1 },
    { "GLIB_DOMAIN", NEGO_LOG_DOMAIN_PREFIX "log", -1 },
    { "MESSAGE", message, -1 },
  };

  return nego_log_put (log, G_LOG_LEVEL_WARNING, fields, G_N_ELEMENTS (fields));
}

GLogWriterOutput
nego_log_write (GLogLevelFlags level, const GLogField *fields, gsize n_fields, gpointer user_data)
{
  NegoLog *log = user_data;
  const char *domain = nego_log_find_field (fields, n_fields, "GLIB_DOMAIN");

  if (!log->verbose && g_log_writer_default_would_drop (level, domain))
    return G_LOG_WRITER_HANDLED;
  if (log->lost > 0 && nego_log_put_lost (log))
    log->lost = 0;
  log->stuck = log->lost > 0 || !nego_log_put (log, level, fields, n_fields);
  log->lost += log->stuck;
  return G_LOG_WRITER_HANDLED;
}

void
nego_log_install (NegoLog *log)
{
  g_log_set_writer_func (nego_log_write, log, NULL);
}
