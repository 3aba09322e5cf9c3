/* SPDX-License-Identifier: MIT */
#define G_LOG_DOMAIN "nego-topic"

#include "config.h"

#include "common/log.h"

#include "common/error.h"
#include "common/names.h"

#include <glib-unix.h>
#include <glib/gstdio.h>

#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

/* A pipe with a log at its end. */
typedef struct {
  int fds[2];
  NegoLog *log;
} Fixture;

static void
set_up (Fixture *fixture, gconstpointer verbose)
{
  g_assert_true (g_unix_open_pipe (fixture->fds, FD_CLOEXEC, NULL));
  g_assert_true (g_unix_set_fd_nonblocking (fixture->fds[0], TRUE, NULL));
  fixture->log = nego_log_new (fixture->fds[1], verbose != NULL);
}

static void
tear_down (Fixture *fixture, gconstpointer verbose)
{
  nego_log_free (fixture->log);
  close (fixture->fds[0]);
  close (fixture->fds[1]);
}

static void
say (NegoLog *log, GLogLevelFlags level, const char *message)
{
  const GLogField fields[] = {
    { "PRIORITY", "4", -1 },
    { "GLIB_DOMAIN", G_LOG_DOMAIN, -1 },
    { "MESSAGE", message, -1 },
  };

  g_assert_cmpint (nego_log_write (level, fields, G_N_ELEMENTS (fields), log), ==,
                   G_LOG_WRITER_HANDLED);
}

/* All that is in the pipe. */
static char *
drain (int fd)
{
  GString *text = g_string_new (NULL);
  char buffer[4096];
  ssize_t n;

  while ((n = read (fd, buffer, sizeof buffer)) > 0)
    g_string_append_len (text, buffer, n);
  return g_string_free (text, FALSE);
}

static void
test_form (Fixture *fixture, gconstpointer verbose)
{
  g_autofree char *text = NULL;

  say (fixture->log, G_LOG_LEVEL_WARNING, "the port is away");
  text = drain (fixture->fds[0]);
  g_assert_true (g_regex_match_simple ("^\\d+\\.\\d{6}: warning: topic: the port is away\n$", text,
                                       G_REGEX_DEFAULT, 0));
}

static const struct {
  GLogLevelFlags level;
  const char *name;
  gboolean quiet; /* written without -v too */
} levels[] = {
  { G_LOG_LEVEL_ERROR, ": error: ", TRUE },     { G_LOG_LEVEL_CRITICAL, ": critical: ", TRUE },
  { G_LOG_LEVEL_WARNING, ": warning: ", TRUE }, { G_LOG_LEVEL_MESSAGE, ": message: ", TRUE },
  { G_LOG_LEVEL_INFO, ": info: ", FALSE },      { G_LOG_LEVEL_DEBUG, ": debug: ", FALSE },
};

static void
test_levels (Fixture *fixture, gconstpointer verbose)
{
  gsize i;

  for (i = 0; i < G_N_ELEMENTS (levels); i++) {
    g_autofree char *text = NULL;

    say (fixture->log, levels[i].level, "x");
    text = drain (fixture->fds[0]);
    if (verbose != NULL || levels[i].quiet)
      g_assert_nonnull (strstr (text, levels[i].name));
    else
      g_assert_cmpstr (text, ==, "");
  }
}

/* Nothing is written while the gate is closed; then all of it is, with the time when it was said.
 */
static void
test_held (Fixture *fixture, gconstpointer verbose)
{
  g_autofree char *before = NULL, *after = NULL, *later = NULL;
  g_autofree char *released = NULL;
  const char *second;

  nego_log_hold (fixture->log);
  say (fixture->log, G_LOG_LEVEL_WARNING, "first");
  say (fixture->log, G_LOG_LEVEL_DEBUG, "never");
  g_usleep (2000);
  say (fixture->log, G_LOG_LEVEL_MESSAGE, "second");
  before = drain (fixture->fds[0]);
  g_assert_cmpstr (before, ==, "");
  g_usleep (2000);
  released
    = g_strdup_printf ("%" G_GINT64_FORMAT ".%06" G_GINT64_FORMAT,
                       g_get_real_time () / G_USEC_PER_SEC, g_get_real_time () % G_USEC_PER_SEC);
  nego_log_release (fixture->log);
  after = drain (fixture->fds[0]);
  g_assert_true (g_regex_match_simple (
    "^\\d+\\.\\d{6}: warning: topic: first\n\\d+\\.\\d{6}: message: topic: second\n$", after,
    G_REGEX_DEFAULT, 0));
  second = strchr (after, '\n') + 1;
  g_assert_cmpint (strcmp (after, second), <, 0);
  g_assert_cmpint (strcmp (second, released), <, 0);
  say (fixture->log, G_LOG_LEVEL_MESSAGE, "third");
  later = drain (fixture->fds[0]);
  g_assert_nonnull (strstr (later, ": third\n"));
}

#define THREADS 4

/* On a thread: its share of what is held. */
static gpointer
say_much (gpointer log)
{
  for (guint i = 0; i < NEGO_LOG_HELD_LINES / THREADS; i++)
    say (log, G_LOG_LEVEL_MESSAGE, "line");
  return NULL;
}

/* No line of a thread is lost, or mixed with another's. */
static void
test_threads (Fixture *fixture, gconstpointer verbose)
{
  for (guint round = 0; round < 2; round++) {
    GThread *threads[THREADS];
    g_autofree char *text = NULL;
    g_auto (GStrv) lines = NULL;

    if (round == 0)
      nego_log_hold (fixture->log);
    for (guint i = 0; i < THREADS; i++)
      threads[i] = g_thread_new ("says", say_much, fixture->log);
    for (guint i = 0; i < THREADS; i++)
      g_thread_join (threads[i]);
    if (round == 0)
      nego_log_release (fixture->log);
    text = drain (fixture->fds[0]);
    lines = g_strsplit (text, "\n", -1);
    g_assert_cmpuint (g_strv_length (lines), ==, NEGO_LOG_HELD_LINES + 1);
    for (guint i = 0; i < NEGO_LOG_HELD_LINES; i++)
      g_assert_true (g_regex_match_simple ("^\\d+\\.\\d{6}: message: topic: line$", lines[i],
                                           G_REGEX_DEFAULT, 0));
  }
}

/* At the limit, and one above. */
static void
test_held_limit (Fixture *fixture, gconstpointer verbose)
{
  for (guint extra = 0; extra < 2; extra++) {
    g_autofree char *text = NULL;
    g_auto (GStrv) lines = NULL;

    nego_log_hold (fixture->log);
    for (guint i = 0; i < NEGO_LOG_HELD_LINES + extra; i++) {
      g_autofree char *message = g_strdup_printf ("line %u", i);

      say (fixture->log, G_LOG_LEVEL_MESSAGE, message);
    }
    nego_log_release (fixture->log);
    text = drain (fixture->fds[0]);
    lines = g_strsplit (text, "\n", -1);
    g_assert_cmpuint (g_strv_length (lines), ==, NEGO_LOG_HELD_LINES + extra + 1);
    g_assert_true (g_str_has_suffix (lines[0], ": line 0"));
    g_assert_true (g_str_has_suffix (lines[NEGO_LOG_HELD_LINES - 1], ": line 255"));
    if (extra > 0)
      g_assert_true (g_str_has_suffix (lines[NEGO_LOG_HELD_LINES],
                                       ": log messages lost because nobody read them: 1"));
  }
}

static void
test_escapes (Fixture *fixture, gconstpointer verbose)
{
  g_autofree char *text = NULL;

  say (fixture->log, G_LOG_LEVEL_MESSAGE, "a\nb\t\x1b[2J \xff grün \xc2\x9b");
  text = drain (fixture->fds[0]);
  g_assert_true (g_str_has_suffix (text, ": a\\x0ab\\x09\\x1b[2J \\xff grün \\u009b\n"));
}

static char *
say_bytes (Fixture *fixture, gsize len)
{
  g_autofree char *message = g_strnfill (len, 'x');

  say (fixture->log, G_LOG_LEVEL_MESSAGE, message);
  return drain (fixture->fds[0]);
}

static void
test_long_line (Fixture *fixture, gconstpointer verbose)
{
  g_autofree char *empty = say_bytes (fixture, 0);
  gsize room = NEGO_LOG_LINE_BYTES - strlen (empty);
  g_autofree char *at_limit = say_bytes (fixture, room);
  g_autofree char *above = say_bytes (fixture, room + 1);

  g_assert_cmpuint (strlen (at_limit), ==, NEGO_LOG_LINE_BYTES);
  g_assert_true (g_str_has_suffix (at_limit, "xxx\n"));
  g_assert_cmpuint (strlen (above), ==, NEGO_LOG_LINE_BYTES);
  g_assert_true (g_str_has_suffix (above, "xxx…\n"));
}

/* A cut never falls into a character. */
static void
test_long_line_utf8 (Fixture *fixture, gconstpointer verbose)
{
  g_autoptr (GString) message = g_string_new (NULL);
  gsize shift;

  while (message->len < NEGO_LOG_LINE_BYTES)
    g_string_append (message, "€");
  for (shift = 0; shift < 3; shift++) {
    g_autofree char *text = NULL;

    g_string_prepend_c (message, 'x');
    say (fixture->log, G_LOG_LEVEL_MESSAGE, message->str);
    text = drain (fixture->fds[0]);
    g_assert_true (g_utf8_validate (text, -1, NULL));
    g_assert_true (g_str_has_suffix (text, "€…\n"));
    g_assert_cmpuint (strlen (text), <=, NEGO_LOG_LINE_BYTES);
  }
}

/* Nobody reads: one bounded wait, then none; what was lost is counted, and said. */
static void
test_stuck (Fixture *fixture, gconstpointer verbose)
{
  g_autofree char *full = NULL;
  g_autofree char *after = NULL;
  char page[4096] = { 0 };
  gint64 start;
  guint i;

  g_assert_true (g_unix_set_fd_nonblocking (fixture->fds[1], TRUE, NULL));
  while (write (fixture->fds[1], page, sizeof page) > 0)
    ;
  g_assert_true (g_unix_set_fd_nonblocking (fixture->fds[1], FALSE, NULL));
  start = g_get_monotonic_time ();
  for (i = 0; i < 100; i++)
    say (fixture->log, G_LOG_LEVEL_WARNING, "lost");
  g_assert_cmpint (g_get_monotonic_time () - start, <, 20 * NEGO_LOG_WAIT_MS * 1000);
  full = drain (fixture->fds[0]);
  say (fixture->log, G_LOG_LEVEL_WARNING, "back");
  after = drain (fixture->fds[0]);
  g_assert_true (
    g_regex_match_simple ("^\\S+ warning: log: log messages lost because nobody read them: 100\n"
                          "\\S+ warning: topic: back\n$",
                          after, G_REGEX_DEFAULT, 0));
}

static void
test_file (void)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *dir = g_dir_make_tmp ("nego-log-XXXXXX", &error);
  g_autofree char *path = g_build_filename (dir, "log", NULL);
  g_autofree char *text = NULL;
  struct stat st;
  guint i;

  g_assert_no_error (error);
  for (i = 0; i < 2; i++) {
    g_autoptr (NegoLog) log = nego_log_open (path, FALSE, &error);

    g_assert_no_error (error);
    say (log, G_LOG_LEVEL_MESSAGE, i == 0 ? "first" : "second");
  }
  g_assert_cmpint (stat (path, &st), ==, 0);
  g_assert_cmpuint (st.st_mode & 0777, ==, 0600);
  g_assert_true (g_file_get_contents (path, &text, NULL, NULL));
  g_assert_true (g_regex_match_simple (
    "^\\S+ message: topic: first\n\\S+ message: topic: second\n$", text, G_REGEX_DEFAULT, 0));
  g_assert_cmpint (g_unlink (path), ==, 0);
  g_assert_cmpint (g_rmdir (dir), ==, 0);
  g_assert_null (nego_log_open (path, FALSE, &error));
  g_assert_error (error, NEGO_ERROR, NEGO_ERROR_NOT_FOUND);
  g_assert_true (g_str_has_prefix (error->message, "failed to open the log file '/"));
  g_assert_true (g_str_has_suffix (error->message, "/log': No such file or directory"));
}

static int
bind_journal (const char *path)
{
  struct sockaddr_un address = { .sun_family = AF_UNIX };
  int fd = socket (AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

  g_assert_cmpint (fd, >=, 0);
  g_strlcpy (address.sun_path, path, sizeof address.sun_path);
  g_assert_cmpint (bind (fd, (struct sockaddr *) &address, sizeof address), ==, 0);
  return fd;
}

static gboolean
has_field (const char *datagram, gssize len, const char *key, const char *value)
{
  g_autoptr (GString) field = g_string_new (key);
  guint64 size = GUINT64_TO_LE (strlen (value));

  g_string_append_c (field, '\n');
  g_string_append_len (field, (const char *) &size, sizeof size);
  g_string_append (field, value);
  g_string_append_c (field, '\n');
  return memmem (datagram, (gsize) len, field->str, field->len) != NULL;
}

static void
test_journal (void)
{
  g_autofree char *dir = g_dir_make_tmp ("nego-log-XXXXXX", NULL);
  g_autofree char *path = g_build_filename (dir, "socket", NULL);
  g_autoptr (NegoLog) log = nego_log_new_journal (path, FALSE);
  char datagram[4096];
  ssize_t len;
  int fd;

  say (log, G_LOG_LEVEL_WARNING, "the journal is not there yet");
  fd = bind_journal (path);
  say (log, G_LOG_LEVEL_WARNING, "two\nlines");
  say (log, G_LOG_LEVEL_DEBUG, "not asked for");
  len = recv (fd, datagram, sizeof datagram, 0);
  g_assert_true (
    has_field (datagram, len, "MESSAGE", "log messages lost because nobody read them: 1"));
  len = recv (fd, datagram, sizeof datagram, 0);
  g_assert_true (has_field (datagram, len, "MESSAGE", "two\nlines"));
  g_assert_true (has_field (datagram, len, "PRIORITY", "4"));
  g_assert_true (has_field (datagram, len, "GLIB_DOMAIN", G_LOG_DOMAIN));
  g_assert_true (has_field (datagram, len, "SYSLOG_IDENTIFIER", g_get_prgname ()));
  g_assert_cmpint (recv (fd, datagram, sizeof datagram, 0), <, 0);
  close (fd);
  g_assert_cmpint (g_unlink (path), ==, 0);
  g_assert_cmpint (g_rmdir (dir), ==, 0);
}

/* A journal that does not read fills its queue: the sender is held up once. */
static void
test_journal_stuck (void)
{
  g_autofree char *dir = g_dir_make_tmp ("nego-log-XXXXXX", NULL);
  g_autofree char *path = g_build_filename (dir, "socket", NULL);
  g_autoptr (NegoLog) log = nego_log_new_journal (path, FALSE);
  int fd = bind_journal (path);
  gint64 start = g_get_monotonic_time ();
  guint i;

  for (i = 0; i < 5000; i++)
    say (log, G_LOG_LEVEL_WARNING, "lost");
  g_assert_cmpint (g_get_monotonic_time () - start, <, 30 * NEGO_LOG_WAIT_MS * 1000);
  close (fd);
  g_assert_cmpint (g_unlink (path), ==, 0);
  g_assert_cmpint (g_rmdir (dir), ==, 0);
}

static void
test_install (void)
{
  if (g_test_subprocess ()) {
    g_log_set_always_fatal (G_LOG_FATAL_MASK);
    nego_log_install (nego_log_new_stderr (FALSE));
    g_warning ("through %s", "GLib");
    g_debug ("not asked for");
    return;
  }
  g_test_trap_subprocess (NULL, 0, G_TEST_SUBPROCESS_DEFAULT);
  g_test_trap_assert_passed ();
  g_test_trap_assert_stderr ("*: warning: topic: through GLib\n");
  g_test_trap_assert_stderr_unmatched ("*not asked for*");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add ("/log/form", Fixture, NULL, set_up, test_form, tear_down);
  g_test_add ("/log/levels", Fixture, NULL, set_up, test_levels, tear_down);
  g_test_add ("/log/levels-verbose", Fixture, "", set_up, test_levels, tear_down);
  g_test_add ("/log/held", Fixture, NULL, set_up, test_held, tear_down);
  g_test_add ("/log/threads", Fixture, NULL, set_up, test_threads, tear_down);
  g_test_add ("/log/held-limit", Fixture, NULL, set_up, test_held_limit, tear_down);
  g_test_add ("/log/escapes", Fixture, NULL, set_up, test_escapes, tear_down);
  g_test_add ("/log/long-line", Fixture, NULL, set_up, test_long_line, tear_down);
  g_test_add ("/log/long-line-utf8", Fixture, NULL, set_up, test_long_line_utf8, tear_down);
  g_test_add ("/log/stuck", Fixture, NULL, set_up, test_stuck, tear_down);
  g_test_add_func ("/log/file", test_file);
  g_test_add_func ("/log/journal", test_journal);
  g_test_add_func ("/log/journal-stuck", test_journal_stuck);
  g_test_add_func ("/log/install", test_install);
  return g_test_run ();
}
