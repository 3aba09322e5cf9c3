/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "common/error.h"
#include "common/exec.h"
#include "common/job-table.h"
#include "common/names.h"
#include "tests/helpers/script-dir.h"
#include "tests/helpers/valgrind.h"

#include <glib-unix.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

typedef struct {
  NegoJobTable *table;
  NegoScript script; /* /bin/sh: the tests' scripts are arguments */
} Fixture;

static const NegoJobLimits small_limits = {
  .running = 2,
  .retained = 3,
  .retained_bytes = 100,
  .expiry_ms = 600000,
  .grace_ms = 50,
};

static void
set_up (Fixture *fixture, gconstpointer limits)
{
  fixture->table = nego_job_table_new ("guest", limits != NULL ? limits : &nego_job_limits_default);
  fixture->script = (NegoScript){
    .name = g_strdup ("sh"),
    .path = g_strdup ("/bin/sh"),
    .conf = nego_script_conf_new (),
  };
}

static void
tear_down (Fixture *fixture, gconstpointer limits)
{
  nego_job_table_free (fixture->table);
  /* What it killed, it leaves to init. */
  while (waitpid (-1, NULL, 0) > 0)
    ;
  g_free (fixture->script.name);
  g_free (fixture->script.path);
  nego_script_conf_free (fixture->script.conf);
}

static void
set (char **text, const char *value)
{
  g_free (*text);
  *text = g_strdup (value);
}

static NegoJob *
try_start (Fixture *fixture, const NegoJobRequest *request, GError **error)
{
  guint8 *input
    = request->input != NULL ? g_memdup2 (request->input, request->input_len + 1) : NULL;

  return nego_job_table_start (fixture->table, request, input, &fixture->script, error);
}

static NegoJob *
start_request (Fixture *fixture, const NegoJobRequest *request)
{
  g_autoptr (GError) error = NULL;
  NegoJob *job = try_start (fixture, request, &error);

  g_assert_no_error (error);
  return job;
}

/* Starts `sh -c SCRIPT`. */
static NegoJob *
start (Fixture *fixture, const char *script)
{
  const char *const args[] = { "-c", script, NULL };
  NegoJobRequest request = { .command = "sh", .args = args };

  return start_request (fixture, &request);
}

static void
assert_start_error (Fixture *fixture,
                    const NegoJobRequest *request,
                    NegoErrorCode code,
                    const char *text)
{
  g_autoptr (GError) error = NULL;

  g_assert_null (try_start (fixture, request, &error));
  g_assert_error (error, NEGO_ERROR, (int) code);
  g_assert_cmpstr (error->message, ==, text);
}

static NegoJobStatus
wait_ended (NegoJob *job)
{
  NegoJobStatus status;

  while (!nego_job_is_ended (job))
    g_main_context_iteration (NULL, TRUE);
  nego_job_get_status (job, &status);
  return status;
}

static void
wait_gone (NegoJob *job)
{
  g_autoptr (NegoJob) held = nego_job_ref (job);

  while (nego_job_is_live (held))
    g_main_context_iteration (NULL, TRUE);
}

/* Waits until the job has written something. */
static void
wait_output (NegoJob *job)
{
  NegoJobOutput output;

  do {
    g_main_context_iteration (NULL, TRUE);
    nego_job_get_output (job, NEGO_JOB_OUT, &output);
  } while (output.len == 0 && !output.final);
}

static void
assert_output (NegoJob *job, NegoJobStream stream, const char *text, gboolean truncated)
{
  NegoJobOutput output;

  nego_job_get_output (job, stream, &output);
  g_assert_cmpmem (output.data, output.len, text, strlen (text));
  g_assert_cmpint (output.truncated, ==, truncated);
  g_assert_true (output.final);
}

static void
test_result (Fixture *fixture, gconstpointer data)
{
  g_autoptr (NegoJob) job = nego_job_ref (start (fixture, "echo out; echo err >&2; exit 5"));
  NegoJobStatus status;
  gint64 now = g_get_real_time () * 1000;

  nego_job_get_status (job, &status);
  g_assert_cmpint (status.state, ==, NEGO_JOB_RUNNING);
  g_assert_false (status.ended);
  g_assert_cmpuint (nego_job_table_count_running (fixture->table), ==, 1);
  status = wait_ended (job);
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
  assert_output (job, NEGO_JOB_OUT, "out\n", FALSE);
  assert_output (job, NEGO_JOB_ERR, "err\n", FALSE);
  g_assert_cmpuint (nego_job_table_count_running (fixture->table), ==, 0);
  g_assert_cmpuint (nego_job_table_count_retained (fixture->table), ==, 1);
}

static void
test_signalled (Fixture *fixture, gconstpointer data)
{
  NegoJobStatus status = wait_ended (start (fixture, "kill -TERM $$"));

  g_assert_cmpint (status.state, ==, NEGO_JOB_SIGNALLED);
  g_assert_cmpint (status.exit_code, ==, -1);
  g_assert_cmpint (status.signal, ==, SIGTERM);
}

static void
test_failed (Fixture *fixture, gconstpointer data)
{
  NegoJobStatus status;
  NegoJob *job;

  if (skip_under_valgrind ())
    return;
  set (&fixture->script.path, "/no/such/file");
  job = start (fixture, "exit 0");
  status = wait_ended (job);
  g_assert_cmpint (status.state, ==, NEGO_JOB_FAILED);
  g_assert_cmpstr (status.reason, ==,
                   "cannot execute '/no/such/file': it, or its interpreter, does not exist");
  g_assert_false (nego_job_is_live (job));
  assert_output (job, NEGO_JOB_OUT, "", FALSE);

  set (&fixture->script.path, "/bin/sh");
  fixture->script.conf->user = g_strdup ("no-such-user");
  status = wait_ended (start (fixture, "exit 0"));
  g_assert_cmpint (status.state, ==, NEGO_JOB_FAILED);
  g_assert_cmpstr (status.reason, ==, "user 'no-such-user' does not exist");
  g_assert_cmpstr (status.user, ==, "no-such-user");
  g_assert_cmpint (status.exit_code, ==, -1);
}

static void
test_time_limits (Fixture *fixture, gconstpointer data)
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
  status = wait_ended (start_request (fixture, &request));
  g_assert_cmpint (status.state, ==, NEGO_JOB_TIMED_OUT);
  g_assert_cmpint (status.signal, ==, SIGTERM);
}

static void
test_input (Fixture *fixture, gconstpointer data)
{
  const char *const args[] = { "-c", "cat; echo end", NULL };
  NegoJobRequest request = { .command = "sh", .args = args };
  NegoJob *job;

  job = start_request (fixture, &request);
  wait_ended (job);
  assert_output (job, NEGO_JOB_OUT, "end\n", FALSE);
  request.input = (const guint8 *) "some input ";
  request.input_len = strlen ("some input ");
  job = start_request (fixture, &request);
  wait_ended (job);
  assert_output (job, NEGO_JOB_OUT, "some input end\n", FALSE);
}

static void
test_max_output (Fixture *fixture, gconstpointer data)
{
  NegoJob *job;

  fixture->script.conf->max_output = 4;
  job = start (fixture, "printf 1234; printf 12345 >&2");
  wait_ended (job);
  assert_output (job, NEGO_JOB_OUT, "1234", FALSE);
  assert_output (job, NEGO_JOB_ERR, "1234", TRUE);
}

static void
test_environment (Fixture *fixture, gconstpointer data)
{
  g_autoptr (NegoJob) job
    = nego_job_ref (start (fixture, "echo $NEGOTIATOR_SIDE $NEGOTIATOR_JOB $HOME; pwd"));
  g_autofree char *expected = g_strdup_printf ("guest %s %s\n/\n", nego_job_get_id (job),
                                               geteuid () == 0 ? "/root" : g_get_home_dir ());

  wait_ended (job);
  assert_output (job, NEGO_JOB_OUT, expected, FALSE);
}

static void
test_request_errors (Fixture *fixture, gconstpointer data)
{
  g_autofree char *long_arg = g_strnfill (NEGO_SCRIPT_ARG_BYTES, 'x');
  g_auto (GStrv) many = g_new0 (char *, NEGO_SCRIPT_ARGS + 2);
  const char *const args[] = { long_arg, NULL };
  const char *const env[] = { "A=1", NULL };
  NegoJobRequest request = { .command = "sh", .args = args };

  assert_start_error (fixture, &request, NEGO_ERROR_REFUSED,
                      "argument 1 is too long (limit 131071 bytes)");
  long_arg[NEGO_SCRIPT_ARG_BYTES - 1] = '\0';
  g_assert_true (nego_job_request_check (&request, &fixture->script, NULL));

  for (guint i = 0; i < NEGO_SCRIPT_ARGS; i++)
    many[i] = g_strdup ("a");
  request.args = (const char *const *) many;
  g_assert_true (nego_job_request_check (&request, &fixture->script, NULL));
  many[NEGO_SCRIPT_ARGS] = g_strdup ("a");
  assert_start_error (fixture, &request, NEGO_ERROR_REFUSED, "too many arguments (limit 1024)");

  fixture->script.conf->arguments = FALSE;
  assert_start_error (fixture, &request, NEGO_ERROR_REFUSED,
                      "negotiator command 'sh' takes no arguments (Arguments in '/bin/sh.conf')");
  request.args = NULL;
  g_assert_true (nego_job_request_check (&request, &fixture->script, NULL));
  request.env = env;
  assert_start_error (
    fixture, &request, NEGO_ERROR_REFUSED,
    "environment variable 'A' is not in AllowEnvironment of negotiator command 'sh'");
  request.env = NULL;
  request.input_len = NEGO_SCRIPT_INPUT_BYTES;
  g_assert_true (nego_job_request_check (&request, &fixture->script, NULL));
  request.input_len++;
  assert_start_error (fixture, &request, NEGO_ERROR_REFUSED,
                      "input-data is too long (limit 16777216 bytes)");
}

static void
assert_repeat_error (Fixture *fixture, const NegoJobRequest *request, const char *text)
{
  g_autoptr (GError) error = NULL;

  g_assert_null (nego_job_table_find_repeat (fixture->table, request, &error));
  g_assert_nonnull (error);
  g_assert_cmpstr (error->message, ==, text);
}

static void
test_key (Fixture *fixture, gconstpointer data)
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
  job = start_request (fixture, &request);
  g_assert_true (nego_job_table_find_repeat (fixture->table, &request, NULL) == job);
  wait_gone (job);
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
test_find (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  NegoJob *job = start (fixture, "exit 0");
  NegoJob *other = start (fixture, "exit 0");

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
test_concurrency (Fixture *fixture, gconstpointer data)
{
  NegoJobRequest request = { .command = "sh" };
  NegoJob *first, *second;

  fixture->script.conf->concurrency = 2;
  first = start (fixture, "exec sleep 100");
  second = start (fixture, "exec sleep 100");
  assert_start_error (fixture, &request, NEGO_ERROR_BUSY,
                      "negotiator command 'sh' is busy (limit 2)");
  /* Another script has its own count. */
  set (&fixture->script.name, "other");
  wait_gone (start (fixture, "exit 0"));
  set (&fixture->script.name, "sh");
  nego_job_cancel (first);
  wait_ended (first);
  /* Ended, but its group has grace time: it counts. */
  g_assert_true (nego_job_is_live (first));
  assert_start_error (fixture, &request, NEGO_ERROR_BUSY,
                      "negotiator command 'sh' is busy (limit 2)");
  wait_gone (first);
  wait_gone (start (fixture, "exit 0"));
  nego_job_cancel (second);
  wait_gone (second);
}

static void
test_running_limit (Fixture *fixture, gconstpointer data)
{
  NegoJobRequest request = { .command = "sh" };
  NegoJob *first = start (fixture, "exec sleep 100");

  start (fixture, "exec sleep 100");
  g_assert_cmpuint (nego_job_table_count_running (fixture->table), ==, 2);
  assert_start_error (fixture, &request, NEGO_ERROR_BUSY, "too many jobs (limit 2)");
  nego_job_cancel (first);
  wait_gone (first);
  g_assert_nonnull (start (fixture, "exit 0"));
}

static void
test_retained_count (Fixture *fixture, gconstpointer data)
{
  const char *const args[] = { "-c", ":", NULL };
  NegoJobRequest request = { .command = "sh", .args = args, .key = "oldest" };

  wait_gone (start_request (fixture, &request));
  wait_gone (start (fixture, ":"));
  wait_gone (start (fixture, ":"));
  g_assert_cmpuint (nego_job_table_count_retained (fixture->table), ==, 3);
  g_assert_nonnull (nego_job_table_find (fixture->table, NULL, "oldest", NULL));
  wait_gone (start (fixture, ":"));
  g_assert_cmpuint (nego_job_table_count_retained (fixture->table), ==, 3);
  g_assert_null (nego_job_table_find (fixture->table, NULL, "oldest", NULL));
  /* The key is free again. */
  wait_gone (start_request (fixture, &request));
}

static void
test_retained_bytes (Fixture *fixture, gconstpointer data)
{
  g_autofree char *oldest = NULL;
  NegoJob *job = start (fixture, "printf '%60s' x; printf '%20s' x >&2");

  oldest = g_strdup (nego_job_get_id (job));
  wait_gone (job);
  wait_gone (start (fixture, "printf '%20s' x"));
  g_assert_cmpuint (nego_job_table_count_retained (fixture->table), ==, 2);
  wait_gone (start (fixture, "printf x"));
  g_assert_null (nego_job_table_find (fixture->table, oldest, NULL, NULL));
  g_assert_cmpuint (nego_job_table_count_retained (fixture->table), ==, 2);
  /* The newest is kept, however large. */
  wait_gone (start (fixture, "printf '%101s' x"));
  g_assert_cmpuint (nego_job_table_count_retained (fixture->table), ==, 1);
}

static void
test_expiry (Fixture *fixture, gconstpointer data)
{
  gint64 begin = g_get_monotonic_time ();
  NegoJob *running = start (fixture, "echo ready; exec sleep 100");

  wait_output (running);
  wait_gone (start (fixture, ":"));
  wait_gone (start (fixture, ":"));
  while (nego_job_table_count_retained (fixture->table) > 0)
    g_main_context_iteration (NULL, TRUE);
  g_assert_cmpint (g_get_monotonic_time () - begin, >=, 60000);
  g_assert_false (nego_job_is_ended (running));
}

static void
on_change (gpointer data)
{
  ++*(guint *) data;
}

static void
test_watch (Fixture *fixture, gconstpointer data)
{
  const char *const args[] = { "-c", "echo ready; read line; exit 0", NULL };
  NegoJobRequest request = { .command = "sh", .args = args };
  g_autoptr (NegoJob) job = nego_job_ref (start_request (fixture, &request));
  guint seen = 0, dropped = 0;
  gulong watch = nego_job_watch (job, on_change, &dropped);

  nego_job_watch (job, on_change, &seen);
  nego_job_unwatch (job, watch);
  while (seen == 0)
    g_main_context_iteration (NULL, TRUE);
  wait_ended (job);
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
test_background_child (Fixture *fixture, gconstpointer data)
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
  job = start_request (fixture, &request);
  status = wait_ended (job);
  g_assert_cmpint (status.state, ==, NEGO_JOB_EXITED);
  g_assert_true (status.output_still_open);
  g_assert_cmpint (write (go, "go\n", 3), ==, 3);
  g_unix_fd_add (done, G_IO_IN, on_fifo, text);
  while (text[0] == '\0')
    g_main_context_iteration (NULL, TRUE);
  g_assert_cmpstr (text, ==, "status 0\n");
  assert_output (job, NEGO_JOB_OUT, "early\n", FALSE);
  close (go);
  close (done);
  script_dir_free (dir);
}

static void
on_stopped (gpointer user_data)
{
  ++*(guint *) user_data;
}

static void
test_stop (Fixture *fixture, gconstpointer data)
{
  NegoJobRequest request = { .command = "sh" };
  g_autoptr (NegoJob) gentle = nego_job_ref (start (fixture, "exec sleep 100"));
  g_autoptr (NegoJob) stubborn
    = nego_job_ref (start (fixture, "trap '' TERM; echo ready; while :; do sleep 100; done"));
  guint stopped = 0;

  wait_output (stubborn);
  nego_job_table_stop (fixture->table, on_stopped, &stopped);
  g_assert_cmpuint (stopped, ==, 0);
  assert_start_error (fixture, &request, NEGO_ERROR_BUSY, "the agent is stopping");
  while (stopped == 0)
    g_main_context_iteration (NULL, TRUE);
  g_assert_cmpint (wait_ended (gentle).state, ==, NEGO_JOB_CANCELLED);
  g_assert_cmpint (wait_ended (gentle).signal, ==, SIGTERM);
  g_assert_cmpint (wait_ended (stubborn).signal, ==, SIGKILL);
  g_assert_cmpint (waitpid (-1, NULL, WNOHANG), ==, -1);
  g_assert_cmpuint (stopped, ==, 1);
}

static void
test_stop_idle (Fixture *fixture, gconstpointer data)
{
  guint stopped = 0;

  wait_gone (start (fixture, ":"));
  nego_job_table_stop (fixture->table, on_stopped, &stopped);
  g_assert_cmpuint (stopped, ==, 1);
}

static guint
count_fds (void)
{
  g_autoptr (GDir) dir = g_dir_open ("/proc/self/fd", 0, NULL);
  guint n = 0;

  while (g_dir_read_name (dir) != NULL)
    n++;
  return n;
}

static void
test_free_running (Fixture *fixture, gconstpointer data)
{
  guint before = count_fds ();
  NegoJob *job;

  if (skip_under_valgrind ())
    return;
  job = start (fixture, "echo ready; exec sleep 100");
  wait_output (job);
  g_assert_cmpuint (count_fds (), >, before);
  g_clear_pointer (&fixture->table, nego_job_table_free);
  waitpid (-1, NULL, 0);
  g_assert_cmpuint (count_fds (), ==, before);
}

static void
test_no_leaks (Fixture *fixture, gconstpointer data)
{
  guint before = count_fds ();

  for (guint i = 0; i < 100; i++) {
    const char *const args[] = { "-c", "cat", NULL };
    NegoJobRequest request
      = { .command = "sh", .args = args, .input = (const guint8 *) "x", .input_len = 1 };

    wait_gone (start_request (fixture, &request));
  }
  g_assert_cmpuint (count_fds (), ==, before);
  g_assert_cmpint (waitpid (-1, NULL, WNOHANG), ==, -1);
  g_assert_cmpint (errno, ==, ECHILD);
}

int
main (int argc, char **argv)
{
  static const NegoJobLimits concurrent
    = { .running = 64, .retained = 9, .retained_bytes = 100, .expiry_ms = 600000, .grace_ms = 50 };
  static const NegoJobLimits expiring
    = { .running = 2, .retained = 3, .retained_bytes = 100, .expiry_ms = 60, .grace_ms = 50 };
  static const struct {
    const char *path;
    void (*func) (Fixture *fixture, gconstpointer data);
    const NegoJobLimits *limits;
  } tests[] = {
    { "/job/result", test_result, NULL },
    { "/job/signalled", test_signalled, NULL },
    { "/job/failed", test_failed, NULL },
    { "/job/time-limits", test_time_limits, NULL },
    { "/job/input", test_input, NULL },
    { "/job/max-output", test_max_output, NULL },
    { "/job/environment", test_environment, NULL },
    { "/job/request-errors", test_request_errors, NULL },
    { "/job/key", test_key, NULL },
    { "/job/find", test_find, NULL },
    { "/job/concurrency", test_concurrency, &concurrent },
    { "/job/running-limit", test_running_limit, &small_limits },
    { "/job/retained-count", test_retained_count, &small_limits },
    { "/job/retained-bytes", test_retained_bytes, &small_limits },
    { "/job/expiry", test_expiry, &expiring },
    { "/job/watch", test_watch, NULL },
    { "/job/background-child", test_background_child, NULL },
    { "/job/stop", test_stop, &small_limits },
    { "/job/stop-idle", test_stop_idle, &small_limits },
    { "/job/free-running", test_free_running, NULL },
    { "/job/no-leaks", test_no_leaks, NULL },
  };

  if (nego_exec_is_helper (argc, argv))
    return nego_exec_helper_main (argc, argv);
  signal (SIGPIPE, SIG_IGN);
  g_test_init (&argc, &argv, NULL);
  for (guint i = 0; i < G_N_ELEMENTS (tests); i++)
    g_test_add (tests[i].path, Fixture, tests[i].limits, set_up, tests[i].func, tear_down);
  return g_test_run ();
}
