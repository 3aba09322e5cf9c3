/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "common/exec.h"
#include "common/names.h"
#include "tests/helpers/job-fixture.h"
#include "tests/helpers/script-dir.h"
#include "tests/helpers/valgrind.h"

#include <glib-unix.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static void
test_result (JobFixture *fixture, gconstpointer data)
{
  g_autoptr (NegoJob) job
    = nego_job_ref (job_fixture_start (fixture, "echo out; echo err >&2; exit 5"));
  NegoJobStatus status;
  gint64 now = g_get_real_time () * 1000;

  nego_job_get_status (job, &status);
  g_assert_cmpint (status.state, ==, NEGO_JOB_RUNNING);
  g_assert_false (status.ended);
  g_assert_cmpuint (nego_job_table_count_running (fixture->table), ==, 1);
  status = job_fixture_wait_ended (job);
  g_assert_cmpint (status.state, ==, NEGO_JOB_EXITED);
  g_assert_true (status.ended);
  g_assert_cmpint (status.exit_code, ==, 5);
  g_assert_cmpint (status.signal, ==, 0);
  g_assert_cmpstr (status.command, ==, "sh");
  g_assert_null (status.key);
  g_assert_null (status.user);
  g_assert_null (status.reason);
  g_assert_false (status.output_still_open);
  g_assert_cmpint (ABS (now - status.started_ns), <, G_GINT64_CONSTANT (60000000000));
  g_assert_cmpint (status.elapsed_ns, >, 0);
  g_assert_cmpuint (strlen (status.id), ==, 32);
  g_assert_cmpuint (strspn (status.id, "0123456789abcdef"), ==, 32);
  job_fixture_assert_output (job, NEGO_JOB_OUT, "out\n", FALSE);
  job_fixture_assert_output (job, NEGO_JOB_ERR, "err\n", FALSE);
  g_assert_cmpuint (nego_job_table_count_running (fixture->table), ==, 0);
  g_assert_cmpuint (nego_job_table_count_retained (fixture->table), ==, 1);
}

static void
test_signalled (JobFixture *fixture, gconstpointer data)
{
  NegoJobStatus status = job_fixture_wait_ended (job_fixture_start (fixture, "kill -TERM $$"));

  g_assert_cmpint (status.state, ==, NEGO_JOB_SIGNALLED);
  g_assert_cmpint (status.exit_code, ==, -1);
  g_assert_cmpint (status.signal, ==, SIGTERM);
}

static void
test_failed (JobFixture *fixture, gconstpointer data)
{
  NegoJobStatus status;
  NegoJob *job;

  if (skip_under_valgrind ())
    return;
  job_fixture_set (&fixture->script.path, "/no/such/file");
  job = job_fixture_start (fixture, "exit 0");
  status = job_fixture_wait_ended (job);
  g_assert_cmpint (status.state, ==, NEGO_JOB_FAILED);
  g_assert_cmpstr (status.reason, ==,
                   "cannot execute '/no/such/file': it, or its interpreter, does not exist");
  g_assert_false (nego_job_is_live (job));
  job_fixture_assert_output (job, NEGO_JOB_OUT, "", FALSE);

  job_fixture_set (&fixture->script.path, "/bin/sh");
  fixture->script.conf->user = g_strdup ("no-such-user");
  status = job_fixture_wait_ended (job_fixture_start (fixture, "exit 0"));
  g_assert_cmpint (status.state, ==, NEGO_JOB_FAILED);
  g_assert_cmpstr (status.reason, ==, "user 'no-such-user' does not exist");
  g_assert_cmpstr (status.user, ==, "no-such-user");
  g_assert_cmpint (status.exit_code, ==, -1);
}

static void
test_no_descriptors (JobFixture *fixture, gconstpointer data)
{
  struct rlimit limit, none;
  int free_fd = dup (STDERR_FILENO);
  NegoJobStatus status;
  NegoJob *job;

  close (free_fd);
  g_assert_cmpint (getrlimit (RLIMIT_NOFILE, &limit), ==, 0);
  none = limit;
  none.rlim_cur = (rlim_t) free_fd + 3;
  g_assert_cmpint (setrlimit (RLIMIT_NOFILE, &none), ==, 0);
  job = job_fixture_start (fixture, "exit 0");
  g_assert_cmpint (setrlimit (RLIMIT_NOFILE, &limit), ==, 0);
  status = job_fixture_wait_ended (job);
  g_assert_cmpint (status.state, ==, NEGO_JOB_FAILED);
  g_assert_cmpstr (status.reason, ==, "cannot make a pipe to a child process: Too many open files");
  job = job_fixture_start (fixture, "exit 0");
  g_assert_cmpint (job_fixture_wait_ended (job).state, ==, NEGO_JOB_EXITED);
}

static void
test_time_limits (JobFixture *fixture, gconstpointer data)
{
  static const struct {
    guint script, request, expected;
  } cases[] = { { 10, 0, 10 }, { 10, 20, 10 }, { 10, 5, 5 }, { 0, 0, 0 }, { 0, 5, 5 } };
  const char *const args[] = { "-c", "exec sleep 100", NULL };
  NegoJobRequest request = { .command = "sh", .args = args };
  NegoJobStatus status;

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    fixture->script.conf->timeout_ms = cases[i].script;
    request.timeout_ms = cases[i].request;
    g_assert_cmpuint (nego_job_request_timeout_ms (&request, &fixture->script), ==,
                      cases[i].expected);
  }
  fixture->script.conf->timeout_ms = 60000;
  request.timeout_ms = 20;
  status = job_fixture_wait_ended (job_fixture_start_request (fixture, &request));
  g_assert_cmpint (status.state, ==, NEGO_JOB_TIMED_OUT);
  g_assert_cmpint (status.signal, ==, SIGTERM);
}

static void
test_input (JobFixture *fixture, gconstpointer data)
{
  const char *const args[] = { "-c", "cat; echo end", NULL };
  NegoJobRequest request = { .command = "sh", .args = args };
  NegoJob *job;

  job = job_fixture_start_request (fixture, &request);
  job_fixture_wait_ended (job);
  job_fixture_assert_output (job, NEGO_JOB_OUT, "end\n", FALSE);
  request.input = (const guint8 *) "some input ";
  request.input_len = strlen ("some input ");
  job = job_fixture_start_request (fixture, &request);
  job_fixture_wait_ended (job);
  job_fixture_assert_output (job, NEGO_JOB_OUT, "some input end\n", FALSE);
}

static void
test_max_output (JobFixture *fixture, gconstpointer data)
{
  NegoJob *job;

  fixture->script.conf->max_output = 4;
  job = job_fixture_start (fixture, "printf 1234; printf 12345 >&2");
  job_fixture_wait_ended (job);
  job_fixture_assert_output (job, NEGO_JOB_OUT, "1234", FALSE);
  job_fixture_assert_output (job, NEGO_JOB_ERR, "1234", TRUE);
}

static void
test_environment (JobFixture *fixture, gconstpointer data)
{
  g_autoptr (NegoJob) job = nego_job_ref (
    job_fixture_start (fixture, "echo $NEGOTIATOR_SIDE $NEGOTIATOR_JOB $HOME; pwd"));
  g_autofree char *expected = g_strdup_printf ("guest %s %s\n/\n", nego_job_get_id (job),
                                               geteuid () == 0 ? "/root" : g_get_home_dir ());

  job_fixture_wait_ended (job);
  job_fixture_assert_output (job, NEGO_JOB_OUT, expected, FALSE);
}

static void
test_request_errors (JobFixture *fixture, gconstpointer data)
{
  g_autofree char *long_arg = g_strnfill (NEGO_SCRIPT_ARG_BYTES, 'x');
  g_auto (GStrv) many = g_new0 (char *, NEGO_SCRIPT_ARGS + 2);
  const char *const args[] = { long_arg, NULL };
  const char *const env[] = { "A=1", NULL };
  NegoJobRequest request = { .command = "sh", .args = args };

  job_fixture_assert_error (fixture, &request, NEGO_ERROR_REFUSED,
                            "argument 1 is too long (limit 131071 bytes)");
  long_arg[NEGO_SCRIPT_ARG_BYTES - 1] = '\0';
  g_assert_true (nego_job_request_check (&request, &fixture->script, NULL));

  for (guint i = 0; i < NEGO_SCRIPT_ARGS; i++)
    many[i] = g_strdup ("a");
  request.args = (const char *const *) many;
  g_assert_true (nego_job_request_check (&request, &fixture->script, NULL));
  many[NEGO_SCRIPT_ARGS] = g_strdup ("a");
  job_fixture_assert_error (fixture, &request, NEGO_ERROR_REFUSED,
                            "too many arguments (limit 1024)");

  fixture->script.conf->arguments = FALSE;
  job_fixture_assert_error (
    fixture, &request, NEGO_ERROR_REFUSED,
    "negotiator command 'sh' is refused by 'Arguments' in '/bin/sh.conf': it takes no arguments");
  request.args = NULL;
  g_assert_true (nego_job_request_check (&request, &fixture->script, NULL));
  request.env = env;
  job_fixture_assert_error (
    fixture, &request, NEGO_ERROR_REFUSED,
    "negotiator command 'sh' is refused by 'AllowEnvironment' in '/bin/sh.conf': it admits no 'A'");
  request.env = NULL;
  request.input_len = NEGO_SCRIPT_INPUT_BYTES;
  g_assert_true (nego_job_request_check (&request, &fixture->script, NULL));
  request.input_len++;
  job_fixture_assert_error (fixture, &request, NEGO_ERROR_REFUSED,
                            "input-data is too long (limit 16777216 bytes)");
}

/* Waits until the script has written its first line. */
static NegoJob *
start_ready (JobFixture *fixture, const char *script)
{
  NegoJob *job = job_fixture_start (fixture, script);

  job_fixture_wait_output (job);
  return job;
}

static void
test_signal (JobFixture *fixture, gconstpointer data)
{
  NegoJobStatus status;
  NegoJob *job = start_ready (fixture, "trap 'echo usr1' USR1; trap 'echo term; exit 7' TERM; "
                                       "echo ready; while :; do sleep 100 & wait; done");

  nego_job_signal (job, SIGUSR1);
  job_fixture_wait_text (job, "ready\nusr1\n");
  /* The whole group has it: its sleep dies too, and the script does as it likes. */
  nego_job_signal (job, SIGTERM);
  status = job_fixture_wait_ended (job);
  g_assert_cmpint (status.state, ==, NEGO_JOB_EXITED);
  g_assert_cmpint (status.exit_code, ==, 7);
  job_fixture_wait_gone (job);
  nego_job_signal (job, SIGKILL);

  job = start_ready (fixture, "echo ready; exec sleep 100");
  nego_job_signal (job, SIGINT);
  status = job_fixture_wait_ended (job);
  g_assert_cmpint (status.state, ==, NEGO_JOB_SIGNALLED);
  g_assert_cmpint (status.signal, ==, SIGINT);
}

static void
test_kill_after (JobFixture *fixture, gconstpointer data)
{
  NegoJobStatus status;
  NegoJob *job = start_ready (fixture, "trap '' TERM; echo ready; while :; do sleep 100; done");

  nego_job_signal (job, SIGTERM);
  nego_job_kill_after (job, 20);
  status = job_fixture_wait_ended (job);
  g_assert_cmpint (status.state, ==, NEGO_JOB_SIGNALLED);
  g_assert_cmpint (status.signal, ==, SIGKILL);
  /* The last call counts, and an ended job needs none. */
  job = start_ready (fixture, "echo ready; exec sleep 100");
  nego_job_kill_after (job, 0);
  nego_job_kill_after (job, 60000);
  while (g_main_context_iteration (NULL, FALSE))
    ;
  g_assert_false (nego_job_is_ended (job));
  nego_job_cancel (job, SIGKILL);
  g_assert_cmpint (job_fixture_wait_ended (job).state, ==, NEGO_JOB_CANCELLED);
  nego_job_kill_after (job, 0);
}

static void
test_open_input (JobFixture *fixture, gconstpointer data)
{
  const char *const args[] = { "-c", "cat; echo end", NULL };
  NegoJobRequest request = {
    .command = "sh",
    .args = args,
    .input = (const guint8 *) "one ",
    .input_len = 4,
    .input_open = TRUE,
  };
  NegoJob *job = job_fixture_start_request (fixture, &request);
  NegoJobInput input;

  job_fixture_wait_text (job, "one ");
  g_assert_cmpuint (nego_job_add_input (job, (const guint8 *) "two ", 4), ==, 4);
  job_fixture_wait_text (job, "one two ");
  nego_job_get_input (job, &input);
  g_assert_true (input.takes && !input.ended && !input.closed);
  g_assert_cmpuint (input.next, ==, 8);
  nego_job_end_input (job);
  g_assert_cmpint (job_fixture_wait_ended (job).exit_code, ==, 0);
  job_fixture_assert_output (job, NEGO_JOB_OUT, "one two end\n", FALSE);
  /* Nobody reads it any more: it is taken, and dropped. */
  g_assert_cmpuint (nego_job_add_input (job, (const guint8 *) "three", 5), ==, 5);
  nego_job_get_input (job, &input);
  g_assert_true (input.closed);
  g_assert_cmpuint (input.next, ==, 13);
}

static void
test_flow (JobFixture *fixture, gconstpointer data)
{
  const char *const args[] = { "-c", "yes | head -c 300000; printf done", NULL };
  NegoJobRequest request = { .command = "sh", .args = args, .flow = TRUE };
  NegoJob *job = job_fixture_start_request (fixture, &request);
  NegoCaptureView view;
  guint64 got = 0;

  /* Nobody else's reading lets it end: it waits for each window to be released. */
  do {
    g_main_context_iteration (NULL, TRUE);
    nego_job_get_output (job, NEGO_JOB_OUT, &view);
    g_assert_cmpuint (view.start, ==, got);
    g_assert_true (view.len <= 1000 || nego_job_is_ended (job));
    for (gsize i = 0; i < view.len && got + i < 300000; i++)
      g_assert_cmpint (view.data[i], ==, (got + i) % 2 == 0 ? 'y' : '\n');
    got += view.len;
    nego_job_release (job, NEGO_JOB_OUT, got);
  } while (!view.final);
  g_assert_cmpuint (got, ==, 300004);
  g_assert_cmpuint (nego_job_get_size (job), ==, 0);
  g_assert_false (view.truncated);
}

static void
on_change (gpointer data)
{
  ++*(guint *) data;
}

static void
test_watch (JobFixture *fixture, gconstpointer data)
{
  const char *const args[] = { "-c", "echo ready; read line; exit 0", NULL };
  NegoJobRequest request = { .command = "sh", .args = args };
  g_autoptr (NegoJob) job = nego_job_ref (job_fixture_start_request (fixture, &request));
  guint seen = 0, dropped = 0;
  gulong watch = nego_job_watch (job, on_change, &dropped);

  nego_job_watch (job, on_change, &seen);
  nego_job_unwatch (job, watch);
  while (seen == 0)
    g_main_context_iteration (NULL, TRUE);
  job_fixture_wait_ended (job);
  g_assert_cmpuint (seen, >=, 2);
  g_assert_cmpuint (dropped, ==, 0);
}

static gboolean
on_fifo (int fd, GIOCondition condition, gpointer user_data)
{
  char *text = user_data;

  g_assert_cmpint (read (fd, text, 15), >, 0);
  return G_SOURCE_REMOVE;
}

static int
make_fifo (const char *dir, const char *name)
{
  g_autofree char *path = g_build_filename (dir, name, NULL);
  int fd;

  g_assert_cmpint (mkfifo (path, 0600), ==, 0);
  fd = open (path, O_RDWR | O_CLOEXEC);
  g_assert_cmpint (fd, >=, 0);
  return fd;
}

/* The result does not wait for the background child, and that neither blocks nor gets SIGPIPE. */
static void
test_background_child (JobFixture *fixture, gconstpointer data)
{
  const char *args[] = { "-c",
                         "{ read go <$1/go; head -c 1000000 /dev/zero; echo status $? >$1/done; } &"
                         "echo early",
                         "sh", NULL, NULL };
  NegoJobRequest request = { .command = "sh", .args = args };
  char *dir = script_dir_new ();
  char text[16] = "";
  NegoJobStatus status;
  NegoJob *job;
  int go, done;

  if (dir == NULL)
    return;
  args[3] = dir;
  go = make_fifo (dir, "go");
  done = make_fifo (dir, "done");
  job = job_fixture_start_request (fixture, &request);
  status = job_fixture_wait_ended (job);
  g_assert_cmpint (status.state, ==, NEGO_JOB_EXITED);
  g_assert_true (status.output_still_open);
  g_assert_cmpint (write (go, "go\n", 3), ==, 3);
  g_unix_fd_add (done, G_IO_IN, on_fifo, text);
  while (text[0] == '\0')
    g_main_context_iteration (NULL, TRUE);
  g_assert_cmpstr (text, ==, "status 0\n");
  job_fixture_assert_output (job, NEGO_JOB_OUT, "early\n", FALSE);
  close (go);
  close (done);
  script_dir_free (dir);
}

static void
test_no_leaks (JobFixture *fixture, gconstpointer data)
{
  guint before = job_fixture_count_fds ();

  for (guint i = 0; i < 100; i++) {
    const char *const args[] = { "-c", "cat", NULL };
    NegoJobRequest request
      = { .command = "sh", .args = args, .input = (const guint8 *) "x", .input_len = 1 };

    job_fixture_wait_gone (job_fixture_start_request (fixture, &request));
  }
  g_assert_cmpuint (job_fixture_count_fds (), ==, before);
  g_assert_cmpint (waitpid (-1, NULL, WNOHANG), ==, -1);
  g_assert_cmpint (errno, ==, ECHILD);
}

int
main (int argc, char **argv)
{
  static const NegoJobLimits flow_limits = {
    .running = 1,
    .retained = 1,
    .output_bytes = 1000,
    .window_bytes = 1000,
    .stall_ms = 60000,
    .expiry_ms = 600000,
    .grace_ms = 50,
  };
  static const struct {
    const char *path;
    void (*func) (JobFixture *fixture, gconstpointer data);
    const NegoJobLimits *limits;
  } tests[] = {
    { "/job/result", test_result, NULL },
    { "/job/signalled", test_signalled, NULL },
    { "/job/failed", test_failed, NULL },
    { "/job/no-descriptors", test_no_descriptors, NULL },
    { "/job/time-limits", test_time_limits, NULL },
    { "/job/input", test_input, NULL },
    { "/job/max-output", test_max_output, NULL },
    { "/job/environment", test_environment, NULL },
    { "/job/request-errors", test_request_errors, NULL },
    { "/job/signal", test_signal, NULL },
    { "/job/kill-after", test_kill_after, NULL },
    { "/job/open-input", test_open_input, NULL },
    { "/job/flow", test_flow, &flow_limits },
    { "/job/watch", test_watch, NULL },
    { "/job/background-child", test_background_child, NULL },
    { "/job/no-leaks", test_no_leaks, NULL },
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
