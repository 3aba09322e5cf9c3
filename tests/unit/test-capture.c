/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "common/capture.h"
#include "common/drain.h"
#include "common/exec.h"
#include "common/pipe.h"
#include "tests/helpers/valgrind.h"

#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

static void
on_changed (NegoCapture *capture, gpointer user_data)
{
  ++*(guint *) user_data;
}

static NegoCapture *
new_capture (gsize max_bytes, int *writer, guint *changes)
{
  g_autoptr (GError) error = NULL;
  const NegoCaptureLimits limits = { .max_bytes = max_bytes };
  NegoCapture *capture = nego_capture_new (&limits, writer, on_changed, changes, &error);

  g_assert_no_error (error);
  return capture;
}

static void
assert_kept (const NegoCapture *capture, const char *text, gboolean truncated)
{
  NegoCaptureView view;

  nego_capture_get_view (capture, &view);
  g_assert_cmpmem (view.data, view.len, text, strlen (text));
  g_assert_cmpint (view.truncated, ==, truncated);
}

static NegoCaptureView
view_of (const NegoCapture *capture)
{
  NegoCaptureView view;

  nego_capture_get_view (capture, &view);
  return view;
}

static gboolean
is_final (const NegoCapture *capture)
{
  return view_of (capture).final;
}

static void
put (int fd, const char *text)
{
  g_assert_cmpint (write (fd, text, strlen (text)), ==, (ssize_t) strlen (text));
}

static void
test_limit (void)
{
  static const struct {
    gsize max;
    const char *kept;
    gboolean truncated;
  } cases[]
    = { { 5, "01234", FALSE }, { 6, "01234", FALSE }, { 4, "0123", TRUE }, { 0, "", TRUE } };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autoptr (NegoCapture) capture = NULL;
    guint changes = 0;
    int writer;

    capture = new_capture (cases[i].max, &writer, &changes);
    g_assert_cmpint (writer, >, STDERR_FILENO);
    put (writer, "01234");
    nego_pipe_close (&writer);
    while (!is_final (capture))
      g_main_context_iteration (NULL, TRUE);
    g_assert_cmpuint (changes, >=, 1);
    assert_kept (capture, cases[i].kept, cases[i].truncated);
    g_assert_cmpint (nego_capture_finish (capture), ==, -1);
  }
}

static void
test_pieces (void)
{
  g_autoptr (NegoCapture) capture = NULL;
  guint changes = 0;
  int writer;

  capture = new_capture (100, &writer, &changes);
  put (writer, "one ");
  while (changes == 0)
    g_main_context_iteration (NULL, TRUE);
  assert_kept (capture, "one ", FALSE);
  g_assert_false (is_final (capture));
  put (writer, "two");
  while (changes == 1)
    g_main_context_iteration (NULL, TRUE);
  assert_kept (capture, "one two", FALSE);
  nego_pipe_close (&writer);
}

static void
test_finish (void)
{
  g_autoptr (NegoCapture) capture = NULL, held = NULL;
  guint changes = 0;
  int writer, left;

  /* All is in the pipe, and nobody holds it any more. */
  capture = new_capture (100, &writer, &changes);
  put (writer, "last words");
  nego_pipe_close (&writer);
  g_assert_cmpint (nego_capture_finish (capture), ==, -1);
  assert_kept (capture, "last words", FALSE);
  g_assert_true (is_final (capture));

  /* Somebody still holds it. */
  held = new_capture (100, &writer, &changes);
  put (writer, "first words");
  left = nego_capture_finish (held);
  g_assert_cmpint (left, >=, 0);
  put (writer, "later words");
  assert_kept (held, "first words", FALSE);
  g_assert_true (is_final (held));
  nego_pipe_close (&left);
  nego_pipe_close (&writer);
  g_assert_cmpuint (changes, ==, 0);
}

static NegoCapture *
new_flowing (gsize window, guint stall_ms, gsize max_bytes, int *writer, guint *changes)
{
  g_autoptr (GError) error = NULL;
  const NegoCaptureLimits limits
    = { .max_bytes = max_bytes, .window = window, .stall_ms = stall_ms };
  NegoCapture *capture = nego_capture_new (&limits, writer, on_changed, changes, &error);

  g_assert_no_error (error);
  g_assert_cmpint (fcntl (*writer, F_SETFL, O_NONBLOCK), ==, 0);
  return capture;
}

static void
settle (void)
{
  while (g_main_context_iteration (NULL, FALSE))
    ;
}

/* Byte @i of a stream. */
static guint8
byte_at (guint64 i)
{
  return (guint8) (i * 31 % 251);
}

static void
assert_stream (const NegoCapture *capture, guint64 start, gsize len)
{
  NegoCaptureView view = view_of (capture);

  g_assert_cmpuint (view.start, ==, start);
  g_assert_cmpuint (view.len, ==, len);
  for (gsize i = 0; i < len; i++)
    g_assert_cmpint (view.data[i], ==, byte_at (start + i));
}

/* Writes as much as the pipe takes. */
static void
pour (int writer, guint64 *written, guint64 until)
{
  while (*written < until) {
    guint8 data[4096];
    gsize n = (gsize) MIN (sizeof data, until - *written);
    ssize_t done;

    for (gsize i = 0; i < n; i++)
      data[i] = byte_at (*written + i);
    done = write (writer, data, n);
    if (done < 0)
      break;
    *written += (guint64) done;
  }
}

static void
test_window (void)
{
  g_autoptr (NegoCapture) capture = NULL;
  guint changes = 0;
  guint64 written = 0;
  int writer;

  /* At the window, and one above: that one stays in the pipe. */
  capture = new_flowing (1000, 60000, 10, &writer, &changes);
  pour (writer, &written, 1001);
  settle ();
  assert_stream (capture, 0, 1000);
  nego_capture_release (capture, 1);
  settle ();
  assert_stream (capture, 1, 1000);
  g_assert_false (view_of (capture).truncated);

  /* What was released is not there again; what was not read cannot be released. */
  nego_capture_release (capture, 0);
  assert_stream (capture, 1, 1000);
  nego_capture_release (capture, 5000);
  assert_stream (capture, 1001, 0);

  /* A full pipe blocks the child, and each release lets it go on. */
  for (guint64 total = 300000; written < total;) {
    pour (writer, &written, total);
    settle ();
    nego_capture_release (capture, view_of (capture).start + 700);
    settle ();
    assert_stream (capture, view_of (capture).start, 1000);
  }
  /* At the end nothing is lost, although the window is full. */
  nego_pipe_close (&writer);
  g_assert_cmpint (nego_capture_finish (capture), ==, -1);
  assert_stream (capture, view_of (capture).start, (gsize) (written - view_of (capture).start));
  g_assert_cmpuint (view_of (capture).len, >, 1000);
  nego_capture_release (capture, written - 3);
  assert_stream (capture, written - 3, 3);
  g_assert_false (view_of (capture).truncated);
}

static void
test_stalled (void)
{
  g_autoptr (NegoCapture) capture = NULL, small = NULL;
  guint changes = 0;
  guint64 written = 0;
  int writer;

  /* Nobody releases: it keeps max_bytes then, and drops the rest. */
  capture = new_flowing (1000, 1, 1500, &writer, &changes);
  pour (writer, &written, 2000);
  while (!view_of (capture).truncated)
    g_main_context_iteration (NULL, TRUE);
  assert_stream (capture, 0, 1500);
  /* What is released of it is not filled again. */
  nego_capture_release (capture, 1400);
  pour (writer, &written, 2100);
  settle ();
  g_assert_cmpuint (view_of (capture).start, ==, 1400);
  g_assert_cmpuint (view_of (capture).len, ==, 100);
  nego_pipe_close (&writer);

  /* It keeps what the window had, if that is more. */
  written = 0;
  small = new_flowing (1000, 1, 10, &writer, &changes);
  pour (writer, &written, 1001);
  while (!view_of (small).truncated)
    g_main_context_iteration (NULL, TRUE);
  assert_stream (small, 0, 1000);
  nego_pipe_close (&writer);
}

/* A keeping one keeps what it has, whatever its readers say. */
static void
test_keeping_is_not_released (void)
{
  g_autoptr (NegoCapture) capture = NULL;
  guint changes = 0;
  int writer;

  capture = new_capture (100, &writer, &changes);
  put (writer, "words");
  settle ();
  nego_capture_release (capture, 3);
  assert_kept (capture, "words", FALSE);
  nego_pipe_close (&writer);
}

static gboolean
is_open (int writer)
{
  return write (writer, "x", 1) == 1;
}

static void
test_drain (void)
{
  g_autoptr (NegoDrain) drain = nego_drain_new (2);
  g_autofree char *block = g_strnfill (65536, 'x');
  int writers[3];

  for (guint i = 0; i < 3; i++) {
    int reader;

    g_assert_true (nego_pipe_open_output (&reader, &writers[i], NULL));
    nego_drain_add (drain, reader);
    g_assert_cmpuint (nego_drain_count (drain), ==, MIN (i + 1, 2));
  }
  /* One too many: the oldest is closed. */
  g_assert_false (is_open (writers[0]));
  g_assert_true (is_open (writers[1]));
  /* More than a pipe holds. */
  for (guint i = 0; i < 16; i++) {
    g_assert_cmpint (write (writers[2], block, 65536 - 4096), ==, 65536 - 4096);
    while (g_main_context_iteration (NULL, FALSE))
      ;
  }
  nego_pipe_close (&writers[1]);
  while (nego_drain_count (drain) == 2)
    g_main_context_iteration (NULL, TRUE);
  g_clear_pointer (&drain, nego_drain_free);
  g_assert_false (is_open (writers[2]));
  nego_pipe_close (&writers[0]);
  nego_pipe_close (&writers[2]);
}

static void
on_exited (NegoExec *exec, const NegoExecResult *result, gpointer user_data)
{
  g_assert_cmpint (result->outcome, ==, NEGO_EXEC_EXITED);
  g_assert_cmpint (result->status, ==, 0);
}

static void
on_gone (NegoExec *exec, gpointer user_data)
{
  *(gboolean *) user_data = TRUE;
}

/* The process's private memory, in KiB. */
static gulong
memory_kib (void)
{
  g_autofree char *status = NULL;
  const char *line;

  g_assert_true (g_file_get_contents ("/proc/self/status", &status, NULL, NULL));
  line = strstr (status, "\nRssAnon:");
  g_assert_nonnull (line);
  return strtoul (line + strlen ("\nRssAnon:"), NULL, 10);
}

static void
test_gibibyte (void)
{
  static const NegoExecCallbacks callbacks = { on_exited, on_gone };
  const char *const argv[] = { "head", "-c", "1073741824", "/dev/zero", NULL };
  const char *const envp[] = { NULL };
  NegoExecSpec spec
    = { .path = "/usr/bin/head", .argv = argv, .envp = envp, .fds = { -1, -1, -1 } };
  g_autoptr (NegoCapture) capture = NULL;
  g_autoptr (NegoExec) exec = NULL;
  gboolean gone = FALSE;
  gulong before = memory_kib ();
  guint changes = 0;

  if (skip_under_valgrind ())
    return;
  capture = new_capture (1u << 20, &spec.fds[1], &changes);
  exec = nego_exec_start (&spec, &callbacks, &gone, NULL);
  g_assert_nonnull (exec);
  nego_pipe_close (&spec.fds[1]);
  while (!gone || !is_final (capture))
    g_main_context_iteration (NULL, TRUE);
  g_assert_cmpuint (view_of (capture).len, ==, 1u << 20);
  g_assert_true (view_of (capture).truncated);
  /* The kept MiB, doubled while it grew, and a read buffer. */
  g_assert_cmpuint (memory_kib () - before, <, 4096);
}

int
main (int argc, char **argv)
{
  signal (SIGPIPE, SIG_IGN);
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/capture/limit", test_limit);
  g_test_add_func ("/capture/pieces", test_pieces);
  g_test_add_func ("/capture/finish", test_finish);
  g_test_add_func ("/capture/window", test_window);
  g_test_add_func ("/capture/stalled", test_stalled);
  g_test_add_func ("/capture/keeping-is-not-released", test_keeping_is_not_released);
  g_test_add_func ("/capture/drain", test_drain);
  g_test_add_func ("/capture/gibibyte", test_gibibyte);
  return g_test_run ();
}
