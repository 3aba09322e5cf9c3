/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "common/exec.h"
#include "common/names.h"
#include "tests/helpers/job-fixture.h"
#include "tests/helpers/valgrind.h"

#include <signal.h>
#include <sys/wait.h>

static const NegoJobLimits small_limits = {
  .running = 2,
  .retained = 3,
  .retained_bytes = 100,
  .output_bytes = 1000,
  .window_bytes = 1000,
  .stall_ms = 60000,
  .expiry_ms = 600000,
  .grace_ms = 50,
};

static void
assert_repeat_error (JobFixture *fixture, const NegoJobRequest *request, const char *text)
{
  g_autoptr (GError) error = NULL;

  g_assert_null (nego_job_table_find_repeat (fixture->table, request, &error));
  g_assert_nonnull (error);
  g_assert_cmpstr (error->message, ==, text);
}

static void
test_key (JobFixture *fixture, gconstpointer data)
{
  const char *const args[] = { "-c", "exit 3", NULL }, *const others[]
                                                       = { "-c", "exit", "3", NULL };
  const char *const env[] = { "A=1", NULL };
  NegoJobRequest request = { .command = "sh", .args = args, .key = "k" };
  NegoJobRequest other_args = { .command = "sh", .args = others, .key = "k" };
  NegoJobRequest other_env = { .command = "sh", .args = args, .env = env, .key = "k" };
  NegoJobRequest other_input
    = { .command = "sh", .args = args, .input = (const guint8 *) "", .key = "k" };
  NegoJobRequest other_command = { .command = "bash", .args = args, .key = "k" };
  NegoJobRequest longest = { .command = "sh" }, longer = { .command = "sh" };
  g_autofree char *key = g_strnfill (NEGO_JOB_KEY_BYTES, 'k');
  g_autofree char *long_key = g_strnfill (NEGO_JOB_KEY_BYTES + 1, 'k');
  g_autofree char *long_text
    = g_strdup_printf ("key '%s' is not 1 to 64 of A-Z a-z 0-9 . _ -", key);
  g_autoptr (GError) error = NULL;
  NegoJob *job;

  g_assert_null (nego_job_table_find_repeat (fixture->table, &request, &error));
  g_assert_no_error (error);
  job = job_fixture_start_request (fixture, &request);
  g_assert_true (nego_job_table_find_repeat (fixture->table, &request, NULL) == job);
  job_fixture_wait_gone (job);
  g_assert_true (nego_job_table_find_repeat (fixture->table, &request, NULL) == job);
  g_assert_true (nego_job_table_find (fixture->table, NULL, "k", NULL) == job);
  g_assert_cmpstr (nego_job_get_key (job), ==, "k");
  assert_repeat_error (fixture, &other_args, "key 'k' is in use");
  assert_repeat_error (fixture, &other_env, "key 'k' is in use");
  assert_repeat_error (fixture, &other_input, "key 'k' is in use");
  assert_repeat_error (fixture, &other_command, "key 'k' is in use");

  longest.key = key;
  g_assert_null (nego_job_table_find_repeat (fixture->table, &longest, &error));
  g_assert_no_error (error);
  longer.key = long_key;
  assert_repeat_error (fixture, &longer, long_text);
  longer.key = "";
  assert_repeat_error (fixture, &longer, "key '' is not 1 to 64 of A-Z a-z 0-9 . _ -");
  longer.key = "a b\n";
  assert_repeat_error (fixture, &longer, "key 'a b\\n' is not 1 to 64 of A-Z a-z 0-9 . _ -");
}

static void
test_find (JobFixture *fixture, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  NegoJob *job = job_fixture_start (fixture, "exit 0");
  NegoJob *other = job_fixture_start (fixture, "exit 0");

  g_assert_cmpstr (nego_job_get_id (job), !=, nego_job_get_id (other));
  g_assert_true (nego_job_table_find (fixture->table, nego_job_get_id (job), NULL, NULL) == job);
  g_assert_null (nego_job_table_find (fixture->table, "no\njob", NULL, &error));
  g_assert_error (error, NEGO_ERROR, NEGO_ERROR_NOT_FOUND);
  g_assert_cmpstr (error->message, ==, "unknown job 'no\\njob'");
  g_clear_error (&error);
  g_assert_null (nego_job_table_find (fixture->table, NULL, "key", &error));
  g_assert_cmpstr (error->message, ==, "unknown job 'key'");
}

static void
test_concurrency (JobFixture *fixture, gconstpointer data)
{
  NegoJobRequest request = { .command = "sh" };
  NegoJob *first, *second;

  fixture->script.conf->concurrency = 2;
  first = job_fixture_start (fixture, "sh -c 'trap \"\" TERM; echo ready; exec sleep 100' & wait");
  second = job_fixture_start (fixture, "exec sleep 100");
  job_fixture_wait_output (first);
  job_fixture_assert_error (fixture, &request, NEGO_ERROR_BUSY,
                            "negotiator command 'sh' is busy (limit 2)");
  /* Another script has its own count. */
  job_fixture_set (&fixture->script.name, "other");
  job_fixture_wait_gone (job_fixture_start (fixture, "exit 0"));
  job_fixture_set (&fixture->script.name, "sh");
  nego_job_cancel (first, SIGTERM);
  job_fixture_wait_ended (first);
  /* Ended, but another one of its group has grace time: it counts. */
  g_assert_true (nego_job_is_live (first));
  job_fixture_assert_error (fixture, &request, NEGO_ERROR_BUSY,
                            "negotiator command 'sh' is busy (limit 2)");
  job_fixture_wait_gone (first);
  job_fixture_wait_gone (job_fixture_start (fixture, "exit 0"));
  nego_job_cancel (second, SIGTERM);
  job_fixture_wait_gone (second);
}

static void
test_running_limit (JobFixture *fixture, gconstpointer data)
{
  NegoJobRequest request = { .command = "sh" };
  NegoJob *first = job_fixture_start (fixture, "exec sleep 100");

  job_fixture_start (fixture, "exec sleep 100");
  g_assert_cmpuint (nego_job_table_count_running (fixture->table), ==, 2);
  job_fixture_assert_error (fixture, &request, NEGO_ERROR_BUSY, "too many jobs (limit 2)");
  nego_job_cancel (first, SIGTERM);
  job_fixture_wait_gone (first);
  g_assert_nonnull (job_fixture_start (fixture, "exit 0"));
}

static void
test_retained_count (JobFixture *fixture, gconstpointer data)
{
  const char *const args[] = { "-c", ":", NULL };
  NegoJobRequest request = { .command = "sh", .args = args, .key = "oldest" };

  job_fixture_wait_gone (job_fixture_start_request (fixture, &request));
  job_fixture_wait_gone (job_fixture_start (fixture, ":"));
  job_fixture_wait_gone (job_fixture_start (fixture, ":"));
  g_assert_cmpuint (nego_job_table_count_retained (fixture->table), ==, 3);
  g_assert_nonnull (nego_job_table_find (fixture->table, NULL, "oldest", NULL));
  job_fixture_wait_gone (job_fixture_start (fixture, ":"));
  g_assert_cmpuint (nego_job_table_count_retained (fixture->table), ==, 3);
  g_assert_null (nego_job_table_find (fixture->table, NULL, "oldest", NULL));
  /* The key is free again. */
  job_fixture_wait_gone (job_fixture_start_request (fixture, &request));
}

static void
test_retained_bytes (JobFixture *fixture, gconstpointer data)
{
  g_autofree char *oldest = NULL;
  NegoJob *job = job_fixture_start (fixture, "printf '%60s' x; printf '%20s' x >&2");

  oldest = g_strdup (nego_job_get_id (job));
  job_fixture_wait_gone (job);
  job_fixture_wait_gone (job_fixture_start (fixture, "printf '%20s' x"));
  g_assert_cmpuint (nego_job_table_count_retained (fixture->table), ==, 2);
  job_fixture_wait_gone (job_fixture_start (fixture, "printf x"));
  g_assert_null (nego_job_table_find (fixture->table, oldest, NULL, NULL));
  g_assert_cmpuint (nego_job_table_count_retained (fixture->table), ==, 2);
  /* The newest is kept, however large. */
  job_fixture_wait_gone (job_fixture_start (fixture, "printf '%101s' x"));
  g_assert_cmpuint (nego_job_table_count_retained (fixture->table), ==, 1);
}

static void
test_expiry (JobFixture *fixture, gconstpointer data)
{
  gint64 begin = g_get_monotonic_time ();
  NegoJob *running = job_fixture_start (fixture, "echo ready; exec sleep 100");

  job_fixture_wait_output (running);
  job_fixture_wait_gone (job_fixture_start (fixture, ":"));
  job_fixture_wait_gone (job_fixture_start (fixture, ":"));
  while (nego_job_table_count_retained (fixture->table) > 0)
    g_main_context_iteration (NULL, TRUE);
  g_assert_cmpint (g_get_monotonic_time () - begin, >=, 60000);
  g_assert_false (nego_job_is_ended (running));
}

static void
assert_unknown (JobFixture *fixture, const char *id)
{
  g_autoptr (GError) error = NULL;

  g_assert_null (nego_job_table_find (fixture->table, id, NULL, &error));
  g_assert_error (error, NEGO_ERROR, NEGO_ERROR_NOT_FOUND);
}

static void
test_forget_ended (JobFixture *fixture, gconstpointer data)
{
  NegoJob *job = job_fixture_start (fixture, "printf '%60s' x");
  g_autofree char *id = g_strdup (nego_job_get_id (job));

  job_fixture_wait_gone (job);
  nego_job_table_forget (fixture->table, job);
  assert_unknown (fixture, id);
  g_assert_cmpuint (nego_job_table_count_retained (fixture->table), ==, 0);
  /* Its bytes do not count any more. */
  job_fixture_wait_gone (job_fixture_start (fixture, "printf '%60s' x"));
  job_fixture_wait_gone (job_fixture_start (fixture, "printf '%40s' x"));
  g_assert_cmpuint (nego_job_table_count_retained (fixture->table), ==, 2);
}

static void
test_forget_running (JobFixture *fixture, gconstpointer data)
{
  const char *const args[] = { "-c", "trap '' TERM; echo ready; while :; do sleep 9; done", NULL };
  NegoJobRequest request = { .command = "sh", .args = args, .key = "k" };
  g_autoptr (NegoJob) job = nego_job_ref (job_fixture_start_request (fixture, &request));
  g_autoptr (GPtrArray) list = NULL;

  job_fixture_wait_output (job);
  nego_job_table_forget (fixture->table, job);
  assert_unknown (fixture, nego_job_get_id (job));
  list = nego_job_table_list (fixture->table, 9);
  g_assert_cmpuint (list->len, ==, 0);
  /* Its key is free at once, and its place once it is dead. */
  g_assert_null (nego_job_table_find_repeat (fixture->table, &request, NULL));
  g_assert_cmpuint (nego_job_table_count_running (fixture->table), ==, 1);
  job_fixture_wait_gone (job);
  g_assert_cmpint (job_fixture_wait_ended (job).state, ==, NEGO_JOB_CANCELLED);
  g_assert_cmpint (job_fixture_wait_ended (job).signal, ==, SIGKILL);
  g_assert_cmpuint (nego_job_table_count_running (fixture->table), ==, 0);
  g_assert_cmpuint (nego_job_table_count_retained (fixture->table), ==, 0);
}

static void
test_list (JobFixture *fixture, gconstpointer data)
{
  g_autoptr (NegoJob) first = nego_job_ref (job_fixture_start (fixture, "exec sleep 100"));
  g_autoptr (NegoJob) second = nego_job_ref (job_fixture_start (fixture, ":"));
  g_autoptr (GPtrArray) list = NULL, newest = NULL, none = NULL;
  NegoJob *third;

  job_fixture_wait_gone (second);
  third = job_fixture_start (fixture, "exec sleep 100");
  list = nego_job_table_list (fixture->table, 3);
  g_assert_cmpuint (list->len, ==, 3);
  g_assert_true (list->pdata[0] == first && list->pdata[1] == second && list->pdata[2] == third);
  newest = nego_job_table_list (fixture->table, 2);
  g_assert_cmpuint (newest->len, ==, 2);
  g_assert_true (newest->pdata[0] == second && newest->pdata[1] == third);
  nego_job_table_forget (fixture->table, second);
  none = nego_job_table_list (fixture->table, 9);
  g_assert_cmpuint (none->len, ==, 2);
}

/* What is released of an ended job's output does not count any more. */
static void
test_release (JobFixture *fixture, gconstpointer data)
{
  const char *const args[] = { "-c", "printf '%90s' x", NULL };
  NegoJobRequest request = { .command = "sh", .args = args, .flow = TRUE };
  NegoJob *job = job_fixture_start_request (fixture, &request);
  NegoCaptureView view;

  job_fixture_wait_gone (job);
  nego_job_table_release (fixture->table, job, NEGO_JOB_OUT, 50);
  nego_job_get_output (job, NEGO_JOB_OUT, &view);
  g_assert_cmpuint (view.start, ==, 50);
  g_assert_cmpuint (view.len, ==, 40);
  job_fixture_wait_gone (job_fixture_start (fixture, "printf '%60s' x"));
  g_assert_cmpuint (nego_job_table_count_retained (fixture->table), ==, 2);
  job_fixture_wait_gone (job_fixture_start (fixture, "printf x"));
  g_assert_cmpuint (nego_job_table_count_retained (fixture->table), ==, 2);
}

static void
on_stopped (gpointer user_data)
{
  ++*(guint *) user_data;
}

static void
test_stop (JobFixture *fixture, gconstpointer data)
{
  NegoJobRequest request = { .command = "sh" };
  g_autoptr (NegoJob) gentle = nego_job_ref (job_fixture_start (fixture, "exec sleep 100"));
  g_autoptr (NegoJob) stubborn = nego_job_ref (
    job_fixture_start (fixture, "trap '' TERM; echo ready; while :; do sleep 100; done"));
  guint stopped = 0;

  job_fixture_wait_output (stubborn);
  nego_job_table_stop (fixture->table, on_stopped, &stopped);
  g_assert_cmpuint (stopped, ==, 0);
  job_fixture_assert_error (fixture, &request, NEGO_ERROR_BUSY, "the agent is stopping");
  while (stopped == 0)
    g_main_context_iteration (NULL, TRUE);
  g_assert_cmpint (job_fixture_wait_ended (gentle).state, ==, NEGO_JOB_CANCELLED);
  g_assert_cmpint (job_fixture_wait_ended (gentle).signal, ==, SIGTERM);
  g_assert_cmpint (job_fixture_wait_ended (stubborn).signal, ==, SIGKILL);
  g_assert_cmpint (waitpid (-1, NULL, WNOHANG), ==, -1);
  g_assert_cmpuint (stopped, ==, 1);
}

static void
test_stop_idle (JobFixture *fixture, gconstpointer data)
{
  guint stopped = 0;

  job_fixture_wait_gone (job_fixture_start (fixture, ":"));
  nego_job_table_stop (fixture->table, on_stopped, &stopped);
  g_assert_cmpuint (stopped, ==, 1);
}

static void
test_free_running (JobFixture *fixture, gconstpointer data)
{
  guint before = job_fixture_count_fds ();
  NegoJob *job;

  if (skip_under_valgrind ())
    return;
  job = job_fixture_start (fixture, "echo ready; exec sleep 100");
  job_fixture_wait_output (job);
  g_assert_cmpuint (job_fixture_count_fds (), >, before);
  g_clear_pointer (&fixture->table, nego_job_table_free);
  waitpid (-1, NULL, 0);
  g_assert_cmpuint (job_fixture_count_fds (), ==, before);
}

int
main (int argc, char **argv)
{
  static const NegoJobLimits concurrent = {
    .running = 64,
    .retained = 9,
    .retained_bytes = 100,
    .output_bytes = 1000,
    .expiry_ms = 600000,
    .grace_ms = 50,
  };
  static const NegoJobLimits expiring = {
    .running = 2,
    .retained = 3,
    .retained_bytes = 100,
    .output_bytes = 1000,
    .expiry_ms = 60,
    .grace_ms = 50,
  };
  static const struct {
    const char *path;
    void (*func) (JobFixture *fixture, gconstpointer data);
    const NegoJobLimits *limits;
  } tests[] = {
    { "/job-table/key", test_key, NULL },
    { "/job-table/find", test_find, NULL },
    { "/job-table/concurrency", test_concurrency, &concurrent },
    { "/job-table/running-limit", test_running_limit, &small_limits },
    { "/job-table/retained-count", test_retained_count, &small_limits },
    { "/job-table/retained-bytes", test_retained_bytes, &small_limits },
    { "/job-table/expiry", test_expiry, &expiring },
    { "/job-table/forget-ended", test_forget_ended, &small_limits },
    { "/job-table/forget-running", test_forget_running, &small_limits },
    { "/job-table/list", test_list, &small_limits },
    { "/job-table/release", test_release, &small_limits },
    { "/job-table/stop", test_stop, &small_limits },
    { "/job-table/stop-idle", test_stop_idle, &small_limits },
    { "/job-table/free-running", test_free_running, NULL },
  };

  if (nego_exec_is_helper (argc, argv))
    return nego_exec_helper_main (argc, argv);
  signal (SIGPIPE, SIG_IGN);
  g_test_init (&argc, &argv, NULL);
  for (guint i = 0; i < G_N_ELEMENTS (tests); i++)
    g_test_add (tests[i].path, JobFixture, tests[i].limits, job_fixture_set_up, tests[i].func,
                job_fixture_tear_down);
  return g_test_run ();
}
