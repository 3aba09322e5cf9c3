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
  GMutex lock; /* of all that follows */
  int fd;
  gboolean owns_fd;
  NegoJournal *journal; /* or NULL */
  gboolean verbose;
  gboolean stuck; /* the last line found no room: do not wait for it again */
  guint64 lost;   /* lines since the last one that was written */
  gboolean held;
  GQueue waiting; /* NegoLogHeld, while held */
  gint64 time_us; /* of the line that is written, if it waited; 0: now */
};

/* A message that waits. */
typedef struct {
  gint64 time_us;
  GLogLevelFlags level;
  gsize n_fields;
  GLogField *fields; /* with copies of the values; the keys are static */
} NegoLogHeld;

NegoLog *
nego_log_new (int fd, gboolean verbose)
{
  NegoLog *log = g_new0 (NegoLog, 1);

  g_mutex_init (&log->lock);
  log->fd = fd;
  log->verbose = verbose;
  return log;
}

static int
nego_log_open_file (const char *path, GError **error)
{
  /* Non-blocking: a fifo without a reader must not hold up the start. */
  int fd = open (path, O_WRONLY | O_APPEND | O_CREAT | O_NOCTTY | O_NONBLOCK | O_CLOEXEC, 0600);

  if (fd < 0)
    nego_error_set_errno (error, errno, "failed to open the log file '%s'", path);
  return fd;
}

gboolean
nego_log_move (NegoLog *log, const char *path, GError **error)
{
  int fd = nego_log_open_file (path, error);

  if (fd < 0)
    return FALSE;
  g_mutex_lock (&log->lock);
  if (log->owns_fd)
    close (log->fd);
  g_clear_pointer (&log->journal, nego_journal_free);
  log->fd = fd;
  log->owns_fd = TRUE;
  g_mutex_unlock (&log->lock);
  return TRUE;
}

NegoLog *
nego_log_open (const char *path, gboolean verbose, GError **error)
{
  int fd = nego_log_open_file (path, error);
  NegoLog *log;

  if (fd < 0)
    return NULL;
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
  nego_log_release (log);
  if (log->owns_fd)
    close (log->fd);
  nego_journal_free (log->journal);
  g_mutex_clear (&log->lock);
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
  gint64 now = log->time_us != 0 ? log->time_us : g_get_real_time ();

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

/* The journal notes when it gets a message; this one says when it was logged. */
static gboolean
nego_log_send_late (NegoLog *log, const GLogField *fields, gsize n_fields)
{
  g_autofree GLogField *all = g_new (GLogField, n_fields + 1);
  g_autofree char *time = g_strdup_printf ("%" G_GINT64_FORMAT, log->time_us);

  memcpy (all, fields, n_fields * sizeof *fields);
  all[n_fields] = (GLogField){ "NEGOTIATOR_TIME_USEC", time, -1 };
  return nego_journal_send (log->journal, all, n_fields + 1, !log->stuck);
}

static gboolean
nego_log_put (NegoLog *log, GLogLevelFlags level, const GLogField *fields, gsize n_fields)
{
  const char *message = nego_log_find_field (fields, n_fields, "MESSAGE");

  if (log->journal != NULL && log->time_us != 0)
    return nego_log_send_late (log, fields, n_fields);
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

static void
nego_log_held_free (gpointer data)
{
  NegoLogHeld *held = data;

  for (gsize i = 0; i < held->n_fields; i++)
    g_free ((gpointer) held->fields[i].value);
  g_free (held->fields);
  g_free (held);
}

/* Keys of log fields are literals, as GLib's macros and ours have them. */
static void
nego_log_keep (NegoLog *log, GLogLevelFlags level, const GLogField *fields, gsize n_fields)
{
  NegoLogHeld *held;

  if (log->waiting.length >= NEGO_LOG_HELD_LINES) {
    log->lost++;
    return;
  }
  held = g_new0 (NegoLogHeld, 1);
  held->time_us = g_get_real_time ();
  held->level = level;
  held->n_fields = n_fields;
  held->fields = g_memdup2 (fields, n_fields * sizeof *fields);
  for (gsize i = 0; i < n_fields; i++) {
    const gsize len = fields[i].length < 0 ? strlen (fields[i].value) : (gsize) fields[i].length;

    held->fields[i].value = g_strndup (fields[i].value, MIN (len, NEGO_LOG_LINE_BYTES));
    held->fields[i].length = -1;
  }
  g_queue_push_tail (&log->waiting, held);
}

static void
nego_log_write_now (NegoLog *log, GLogLevelFlags level, const GLogField *fields, gsize n_fields)
{
  if (log->lost > 0 && nego_log_put_lost (log))
    log->lost = 0;
  log->stuck = log->lost > 0 || !nego_log_put (log, level, fields, n_fields);
  log->lost += log->stuck;
}

void
nego_log_hold (NegoLog *log)
{
  /* Whoever writes has done so when this returns. */
  g_mutex_lock (&log->lock);
  log->held = TRUE;
  g_mutex_unlock (&log->lock);
}

void
nego_log_release (NegoLog *log)
{
  NegoLogHeld *held;
  guint64 lost;

  g_mutex_lock (&log->lock);
  lost = log->lost;
  /* What found no place came last. */
  if (log->held)
    log->lost = 0;
  while ((held = g_queue_pop_head (&log->waiting)) != NULL) {
    log->time_us = held->time_us;
    nego_log_write_now (log, held->level, held->fields, held->n_fields);
    nego_log_held_free (held);
  }
  log->time_us = 0;
  if (log->held && lost > 0) {
    log->lost += lost;
    if (nego_log_put_lost (log))
      log->lost = 0;
  }
  log->held = FALSE;
  g_mutex_unlock (&log->lock);
}

GLogWriterOutput
nego_log_write (GLogLevelFlags level, const GLogField *fields, gsize n_fields, gpointer user_data)
{
  NegoLog *log = user_data;
  const char *domain = nego_log_find_field (fields, n_fields, "GLIB_DOMAIN");

  if (!log->verbose && g_log_writer_default_would_drop (level, domain))
    return G_LOG_WRITER_HANDLED;
  g_mutex_lock (&log->lock);
  if (log->held)
    nego_log_keep (log, level, fields, n_fields);
  else
    nego_log_write_now (log, level, fields, n_fields);
  g_mutex_unlock (&log->lock);
  return G_LOG_WRITER_HANDLED;
}

void
nego_log_install (NegoLog *log)
{
  g_log_set_writer_func (nego_log_write, log, NULL);
}
