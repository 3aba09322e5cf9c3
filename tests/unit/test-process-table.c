/* SPDX-License-Identifier: MIT */
/*
 * The limits of guest-exec's processes. /bin/sh is the program.
 */
#include "config.h"

#include "agent/process-table.h"
#include "common/error.h"

#include <signal.h>
#include <sys/wait.h>

typedef struct {
  NegoProcessTable *table;
} Fixture;

static void
set_up (Fixture *fixture, gconstpointer data)
{
  const NegoProcessLimits limits = {
    .running = 3,
    .ended = 2,
    .ended_bytes = 100,
    .input_bytes = 1 << 20,
    .stream_bytes = 60,
    .reply_bytes = 80,
  };

  fixture->table = nego_process_table_new (&limits);
}

static void
tear_down (Fixture *fixture, gconstpointer data)
{
  nego_process_table_free (fixture->table);
  while (waitpid (-1, NULL, 0) > 0)
    ;
}

static GPid
try_start (Fixture *fixture, const char *script, gsize input_len, GError **error)
{
  const char *const args[] = { "-c", script, NULL };
  NegoProcessSpec spec = {
    .path = "/bin/sh",
    .args = args,
    .out = TRUE,
    .err = TRUE,
    .input = input_len > 0 ? g_malloc0 (input_len) : NULL,
    .input_len = input_len,
  };
  GPid pid = nego_process_table_start (fixture->table, &spec, error);

  g_assert_null (spec.input);
  return pid;
}

static GPid
start (Fixture *fixture, const char *script, gsize input_len)
{
  g_autoptr (GError) error = NULL;
  GPid pid = try_start (fixture, script, input_len, &error);

  g_assert_no_error (error);
  g_assert_cmpint (pid, >, 0);
  return pid;
}

static NegoProcess *
find (Fixture *fixture, GPid pid)
{
  return nego_process_table_find (fixture->table, pid, NULL);
}

static void
await_end (Fixture *fixture, GPid pid)
{
  while (!nego_process_is_ended (find (fixture, pid)))
    g_main_context_iteration (NULL, TRUE);
}

static GPid
run (Fixture *fixture, const char *script)
{
  GPid pid = start (fixture, script, 0);

  await_end (fixture, pid);
  return pid;
}

static void
test_ended (Fixture *fixture, gconstpointer data)
{
  GPid first = run (fixture, "exit 1");
  GPid second = run (fixture, "exit 2");
  GPid third;

  g_assert_nonnull (find (fixture, first));
  third = run (fixture, "exit 3");
  g_assert_null (find (fixture, first));
  g_assert_nonnull (find (fixture, second));
  g_assert_nonnull (find (fixture, third));
  nego_process_table_forget (fixture->table, find (fixture, second));
  first = run (fixture, "exit 1");
  g_assert_nonnull (find (fixture, third));
  g_assert_nonnull (find (fixture, first));
}

/* A result that nobody got in the end. */
static void
test_put_back (Fixture *fixture, gconstpointer data)
{
  GPid first = run (fixture, "printf %50s");
  NegoProcess *process = find (fixture, first);

  nego_process_table_take (fixture->table, process);
  g_assert_null (find (fixture, first));
  nego_process_table_put_back (fixture->table, process);
  g_assert_true (find (fixture, first) == process);
  /* It counts as before. */
  run (fixture, "printf %51s");
  g_assert_null (find (fixture, first));
}

static void
test_ended_bytes (Fixture *fixture, gconstpointer data)
{
  GPid first = run (fixture, "printf %50s; printf %50s >&2");
  GPid second;

  g_assert_cmpuint (nego_process_count_output (find (fixture, first)), ==, 100);
  second = run (fixture, "printf x");
  g_assert_null (find (fixture, first));
  /* One alone may be larger. */
  first = run (fixture, "printf %70s; printf %70s >&2");
  g_assert_cmpuint (nego_process_count_output (find (fixture, first)), ==, 120);
  g_assert_null (find (fixture, second));
}

static void
test_running (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  GPid pids[3];

  for (guint i = 0; i < 3; i++)
    pids[i] = start (fixture, "kill -STOP $$", 0);
  g_assert_cmpint (try_start (fixture, "exit 0", 0, &error), ==, 0);
  g_assert_error (error, NEGO_ERROR, NEGO_ERROR_BUSY);
  g_assert_cmpstr (error->message, ==, "too many processes run (limit 3)");
  kill (pids[1], SIGKILL);
  await_end (fixture, pids[1]);
  g_assert_cmpint (run (fixture, "exit 0"), >, 0);
  kill (pids[0], SIGKILL);
  kill (pids[2], SIGKILL);
}

static void
test_input (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  GPid pid = start (fixture, "kill -STOP $$", 1 << 20);

  g_assert_cmpint (try_start (fixture, "exit 0", 1, &error), ==, 0);
  g_assert_error (error, NEGO_ERROR, NEGO_ERROR_BUSY);
  g_assert_cmpstr (error->message, ==, "too much input waits for processes (limit 1048576 bytes)");
  kill (pid, SIGKILL);
  await_end (fixture, pid);
  await_end (fixture, start (fixture, "cat >/dev/null", 1 << 20));
  g_clear_error (&error);
  g_assert_cmpint (try_start (fixture, "exit 0", (1 << 20) + 1, &error), ==, 0);
  g_assert_error (error, NEGO_ERROR, NEGO_ERROR_BUSY);
}

static void
test_unknown (Fixture *fixture, gconstpointer data)
{
  static const gint64 pids[] = { 0, -1, 1, G_MAXINT64, G_MININT64 };

  for (guint i = 0; i < G_N_ELEMENTS (pids); i++) {
    g_autoptr (GError) error = NULL;

    g_assert_null (nego_process_table_find (fixture->table, pids[i], &error));
    g_assert_error (error, NEGO_ERROR, NEGO_ERROR_NOT_FOUND);
  }
}

static void
test_fit (Fixture *fixture, gconstpointer data)
{
  static const gsize rows[][4] = {
    { 0, 0, 0, 0 },     { 80, 0, 80, 0 },   { 81, 0, 80, 0 },
    { 40, 40, 40, 40 }, { 50, 50, 40, 40 }, { 20, 70, 20, 60 },
    { 70, 20, 60, 20 }, { 41, 40, 40, 40 }, { 0, 90, 0, 80 },
  };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    NegoProcessResult result = { .out.len = rows[i][0], .err.len = rows[i][1] };

    nego_process_table_fit (fixture->table, &result);
    g_assert_cmpuint (result.out.len, ==, rows[i][2]);
    g_assert_cmpuint (result.err.len, ==, rows[i][3]);
    g_assert_cmpint (result.out.truncated, ==, rows[i][0] > rows[i][2]);
    g_assert_cmpint (result.err.truncated, ==, rows[i][1] > rows[i][3]);
  }
}

#define ADD(name, function) g_test_add (name, Fixture, NULL, set_up, function, tear_down)

int
main (int argc, char **argv)
{
  signal (SIGPIPE, SIG_IGN);
  g_test_init (&argc, &argv, NULL);
  ADD ("/process-table/ended", test_ended);
  ADD ("/process-table/put-back", test_put_back);
  ADD ("/process-table/ended-bytes", test_ended_bytes);
  ADD ("/process-table/running", test_running);
  ADD ("/process-table/input", test_input);
  ADD ("/process-table/unknown", test_unknown);
  ADD ("/process-table/fit", test_fit);
  return g_test_run ();
}
