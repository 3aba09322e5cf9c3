/* SPDX-License-Identifier: MIT */
/* The wall clock is stepped while jobs run and wait: only what is for information sees it. */
#include "config.h"

#include "common/exec.h"
#include "tests/helpers/job-fixture.h"

#include <signal.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define DAY_S 86400

static gint64 step_s; /* of the wall clock, as this process sees it */

int clock_gettime (clockid_t clock, struct timespec *now);

/* In place of libc's, for us and for GLib. */
int
clock_gettime (clockid_t clock, struct timespec *now)
{
  const int rc = (int) syscall (SYS_clock_gettime, clock, now);

  if (clock == CLOCK_REALTIME)
    now->tv_sec += (time_t) step_s;
  return rc;
}

static const NegoJobLimits limits = {
  .running = 4,
  .retained = 4,
  .retained_bytes = 1000,
  .output_bytes = 1000,
  .expiry_ms = 300,
  .grace_ms = 50,
};

static void
test_running (JobFixture *fixture, gconstpointer data)
{
  gint64 steps[] = { DAY_S, -DAY_S };

  for (guint i = 0; i < G_N_ELEMENTS (steps); i++) {
    NegoJob *job = job_fixture_start (fixture, "echo ready; exec sleep 100");
    NegoJobStatus before, after;

    job_fixture_wait_output (job);
    nego_job_get_status (job, &before);
    step_s += steps[i];
    nego_job_signal (job, SIGKILL);
    after = job_fixture_wait_ended (job);
    g_assert_cmpint (after.started_ns, ==, before.started_ns);
    g_assert_cmpint (after.elapsed_ns, >=, before.elapsed_ns);
    g_assert_cmpint (after.elapsed_ns, <, G_GINT64_CONSTANT (1000000000) * DAY_S / 2);
  }
}

static void
test_time_limit (JobFixture *fixture, gconstpointer data)
{
  const char *const args[] = { "-c", "exec sleep 100", NULL };
  NegoJobRequest request = { .command = "sh", .args = args, .timeout_ms = 100 };
  const gint64 begin = g_get_monotonic_time ();
  NegoJob *job = job_fixture_start_request (fixture, &request);

  step_s -= DAY_S;
  g_assert_cmpint (job_fixture_wait_ended (job).state, ==, NEGO_JOB_TIMED_OUT);
  g_assert_cmpint (g_get_monotonic_time () - begin, >=, 100000);
}

static void
test_expiry (JobFixture *fixture, gconstpointer data)
{
  NegoJob *job = job_fixture_start (fixture, ":");
  gint64 ended;

  job_fixture_wait_gone (job);
  ended = nego_job_get_end_us (job);
  step_s += DAY_S;
  while (g_main_context_iteration (NULL, FALSE))
    ;
  if (g_get_monotonic_time () - ended < 300000)
    g_assert_cmpuint (nego_job_table_count_retained (fixture->table), ==, 1);
  step_s -= 2 * DAY_S;
  while (nego_job_table_count_retained (fixture->table) > 0)
    g_main_context_iteration (NULL, TRUE);
  g_assert_cmpint (g_get_monotonic_time () - ended, >=, 300000);
}

int
main (int argc, char **argv)
{
  if (nego_exec_is_helper (argc, argv))
    return nego_exec_helper_main (argc, argv);
  signal (SIGPIPE, SIG_IGN);
  g_test_init (&argc, &argv, NULL);
  g_test_add ("/job-clock/running", JobFixture, &limits, job_fixture_set_up, test_running,
              job_fixture_tear_down);
  g_test_add ("/job-clock/time-limit", JobFixture, &limits, job_fixture_set_up, test_time_limit,
              job_fixture_tear_down);
  g_test_add ("/job-clock/expiry", JobFixture, &limits, job_fixture_set_up, test_expiry,
              job_fixture_tear_down);
  return g_test_run ();
}
