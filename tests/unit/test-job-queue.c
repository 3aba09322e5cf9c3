/* SPDX-License-Identifier: MIT */
/* The table's queue: who waits, who starts when, and how waiting ends otherwise. */
#include "config.h"

#include "common/exec.h"
#include "tests/helpers/job-fixture.h"
#include "tests/helpers/valgrind.h"

#include <signal.h>

static const NegoJobLimits limits = {
  .running = 2,
  .queued = 2,
  .retained = 9,
  .retained_bytes = 1000,
  .output_bytes = 1000,
  .expiry_ms = 600000,
  .grace_ms = 50,
};

static NegoJob *
start_queued (JobFixture *fixture, const char *script)
{
  const char *const args[] = { "-c", script, NULL };
  NegoJobRequest request = { .command = "sh", .args = args, .queue = TRUE };

  return job_fixture_start_request (fixture, &request);
}

static void
assert_state (NegoJob *job, NegoJobState state)
{
  NegoJobStatus status;

  nego_job_get_status (job, &status);
  g_assert_cmpint (status.state, ==, state);
}

static void
on_change (gpointer data)
{
  ++*(guint *) data;
}

static void
test_running_limit (JobFixture *fixture, gconstpointer data)
{
  NegoJobRequest request = { .command = "sh", .queue = TRUE };
  NegoJob *first = start_queued (fixture, "exec sleep 100");
  NegoJob *second = start_queued (fixture, "exec sleep 100");
  NegoJob *third = start_queued (fixture, "echo third; exec sleep 100");
  NegoJob *fourth = start_queued (fixture, "echo fourth; exec sleep 100");
  NegoJobStatus status;
  guint changes = 0;

  assert_state (second, NEGO_JOB_RUNNING);
  assert_state (third, NEGO_JOB_QUEUED);
  assert_state (fourth, NEGO_JOB_QUEUED);
  nego_job_get_status (third, &status);
  g_assert_false (status.ended);
  g_assert_cmpint (status.elapsed_ns, ==, 0);
  g_assert_cmpint (status.started_ns, >, 0);
  g_assert_cmpuint (nego_job_table_count_running (fixture->table), ==, 2);
  g_assert_cmpuint (nego_job_table_count_queued (fixture->table), ==, 2);
  job_fixture_assert_error (fixture, &request, NEGO_ERROR_BUSY, "too many queued jobs (limit 2)");
  request.queue = FALSE;
  job_fixture_assert_error (fixture, &request, NEGO_ERROR_BUSY, "too many jobs (limit 2)");

  /* In order, each as soon as there is room; its watchers hear of the start. */
  nego_job_watch (third, on_change, &changes);
  nego_job_cancel (first, SIGKILL);
  job_fixture_wait_gone (first);
  assert_state (third, NEGO_JOB_RUNNING);
  g_assert_cmpuint (changes, ==, 1);
  assert_state (fourth, NEGO_JOB_QUEUED);
  job_fixture_wait_text (third, "third\n");
  nego_job_cancel (third, SIGKILL);
  job_fixture_wait_text (fourth, "fourth\n");
  g_assert_cmpuint (nego_job_table_count_queued (fixture->table), ==, 0);
}

/* A script that waits for its own kind holds up no other. */
static void
test_concurrency (JobFixture *fixture, gconstpointer data)
{
  NegoJob *running, *waits, *other;

  fixture->script.conf->concurrency = 1;
  running = start_queued (fixture, "exec sleep 100");
  waits = start_queued (fixture, "echo waited");
  assert_state (waits, NEGO_JOB_QUEUED);
  job_fixture_set (&fixture->script.name, "other");
  other = start_queued (fixture, "echo other");
  job_fixture_wait_text (other, "other\n");
  job_fixture_wait_gone (other);
  assert_state (waits, NEGO_JOB_QUEUED);
  nego_job_cancel (running, SIGKILL);
  job_fixture_wait_text (waits, "waited\n");
}

/* It starts with all that it was asked for with, though that is long gone. */
static void
test_request_is_kept (JobFixture *fixture, gconstpointer data)
{
  char *script = g_strdup ("cat; echo \"$A $0 $1\"");
  char *args[] = { g_strdup ("-c"), script, g_strdup ("name"), g_strdup ("b c"), NULL };
  char *env[] = { g_strdup ("A=1"), NULL };
  const char *allowed[] = { "A", NULL };
  NegoJobRequest request = {
    .command = "sh",
    .args = (const char *const *) args,
    .env = (const char *const *) env,
    .input = (const guint8 *) "in ",
    .input_len = 3,
    .key = "k",
    .queue = TRUE,
  };
  NegoJob *job;

  g_strfreev (fixture->script.conf->allow_environment);
  fixture->script.conf->allow_environment = g_strdupv ((char **) allowed);
  start_queued (fixture, "exec sleep 100");
  job = start_queued (fixture, "exec sleep 100");
  nego_job_signal (job, SIGKILL);
  {
    NegoJob *queued = job_fixture_start_request (fixture, &request);

    assert_state (queued, NEGO_JOB_QUEUED);
    g_assert_cmpuint (nego_job_table_get_size (fixture->table), ==, request.input_len);
    g_assert_true (nego_job_table_find_repeat (fixture->table, &request, NULL) == queued);
    for (guint i = 0; args[i] != NULL; i++)
      g_free (args[i]);
    g_free (env[0]);
    job_fixture_wait_text (queued, "in 1 name b c\n");
  }
}

static void
test_input_before_start (JobFixture *fixture, gconstpointer data)
{
  const char *const args[] = { "-c", "cat", NULL };
  NegoJobRequest request = { .command = "sh", .args = args, .input_open = TRUE, .queue = TRUE };
  NegoJob *running = start_queued (fixture, "exec sleep 100");
  NegoJob *job, *ended;
  NegoJobInput input;

  start_queued (fixture, "exec sleep 100");
  job = job_fixture_start_request (fixture, &request);
  g_assert_cmpuint (nego_job_add_input (job, (const guint8 *) "in", 2), ==, 0);
  nego_job_get_input (job, &input);
  g_assert_true (input.takes && !input.closed && !input.ended);
  g_assert_cmpuint (input.next, ==, 0);
  ended = job_fixture_start_request (fixture, &request);
  nego_job_end_input (ended);
  nego_job_cancel (running, SIGKILL);
  job_fixture_wait_gone (running);
  g_assert_cmpuint (nego_job_add_input (job, (const guint8 *) "in", 2), ==, 2);
  nego_job_end_input (job);
  g_assert_cmpint (job_fixture_wait_ended (job).state, ==, NEGO_JOB_EXITED);
  job_fixture_assert_output (job, NEGO_JOB_OUT, "in", FALSE);
  g_assert_cmpint (job_fixture_wait_ended (ended).state, ==, NEGO_JOB_EXITED);
}

static void
test_cancelled (JobFixture *fixture, gconstpointer data)
{
  NegoJob *job;
  NegoJobStatus status;
  guint changes = 0;

  start_queued (fixture, "exec sleep 100");
  start_queued (fixture, "exec sleep 100");
  job = start_queued (fixture, "exit 0");
  nego_job_watch (job, on_change, &changes);
  nego_job_cancel (job, SIGTERM);
  g_assert_cmpuint (changes, ==, 1);
  nego_job_get_status (job, &status);
  g_assert_cmpint (status.state, ==, NEGO_JOB_CANCELLED);
  g_assert_true (status.ended);
  g_assert_cmpint (status.signal, ==, 0);
  g_assert_cmpuint (nego_job_table_count_queued (fixture->table), ==, 0);
  g_assert_cmpuint (nego_job_table_count_retained (fixture->table), ==, 1);
  g_assert_cmpuint (nego_job_table_count_running (fixture->table), ==, 2);
  job_fixture_assert_output (job, NEGO_JOB_OUT, "", FALSE);
}

/* While file systems are frozen nobody takes a place that becomes free. */
static void
test_held (JobFixture *fixture, gconstpointer data)
{
  NegoJob *first = start_queued (fixture, "exec sleep 100");
  NegoJob *job;

  start_queued (fixture, "exec sleep 100");
  job = start_queued (fixture, "exit 3");
  nego_job_table_hold (fixture->table, TRUE);
  nego_job_cancel (first, SIGKILL);
  job_fixture_wait_gone (first);
  assert_state (job, NEGO_JOB_QUEUED);
  nego_job_table_hold (fixture->table, FALSE);
  g_assert_cmpint (job_fixture_wait_ended (job).state, ==, NEGO_JOB_EXITED);
}

static void
test_start_fails (JobFixture *fixture, gconstpointer data)
{
  NegoJob *first, *job;

  if (skip_under_valgrind ())
    return;
  first = start_queued (fixture, "exec sleep 100");
  start_queued (fixture, "exec sleep 100");
  job_fixture_set (&fixture->script.path, "/no/such/file");
  job = start_queued (fixture, "exit 0");
  job_fixture_set (&fixture->script.path, "/bin/sh");
  nego_job_cancel (first, SIGKILL);
  g_assert_cmpint (job_fixture_wait_ended (job).state, ==, NEGO_JOB_FAILED);
  g_assert_cmpuint (nego_job_table_count_queued (fixture->table), ==, 0);
  g_assert_cmpuint (nego_job_table_count_running (fixture->table), <=, 2);
}

static void
on_stopped (gpointer user_data)
{
  ++*(guint *) user_data;
}

static void
test_stop (JobFixture *fixture, gconstpointer data)
{
  g_autoptr (NegoJob) running = nego_job_ref (start_queued (fixture, "exec sleep 100"));
  g_autoptr (NegoJob) other = nego_job_ref (start_queued (fixture, "exec sleep 100"));
  g_autoptr (NegoJob) queued = nego_job_ref (start_queued (fixture, "exit 0"));
  NegoJobRequest request = { .command = "sh", .queue = TRUE };
  guint stopped = 0;

  nego_job_table_stop (fixture->table, on_stopped, &stopped);
  assert_state (queued, NEGO_JOB_CANCELLED);
  job_fixture_assert_error (fixture, &request, NEGO_ERROR_BUSY, "the agent is stopping");
  while (stopped == 0)
    g_main_context_iteration (NULL, TRUE);
  assert_state (running, NEGO_JOB_CANCELLED);
  assert_state (other, NEGO_JOB_CANCELLED);
}

int
main (int argc, char **argv)
{
  static const struct {
    const char *path;
    void (*func) (JobFixture *fixture, gconstpointer data);
  } tests[] = {
    { "/job-queue/running-limit", test_running_limit },
    { "/job-queue/concurrency", test_concurrency },
    { "/job-queue/request-is-kept", test_request_is_kept },
    { "/job-queue/input-before-start", test_input_before_start },
    { "/job-queue/cancelled", test_cancelled },
    { "/job-queue/held", test_held },
    { "/job-queue/start-fails", test_start_fails },
    { "/job-queue/stop", test_stop },
  };

  if (nego_exec_is_helper (argc, argv))
    return nego_exec_helper_main (argc, argv);
  signal (SIGPIPE, SIG_IGN);
  g_test_init (&argc, &argv, NULL);
  for (guint i = 0; i < G_N_ELEMENTS (tests); i++)
    g_test_add (tests[i].path, JobFixture, &limits, job_fixture_set_up, tests[i].func,
                job_fixture_tear_down);
  return g_test_run ();
}
