/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "common/error.h"
#include "common/exec-watch.h"
#include "common/exec.h"
#include "common/pipe.h"
#include "tests/helpers/exec-run.h"
#include "tests/helpers/script-dir.h"
#include "tests/helpers/valgrind.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

static void
assert_line (int fd, const char *expected)
{
  char line[64] = "";
  gsize len = 0;

  while (len + 1 < sizeof line && read (fd, line + len, 1) == 1 && line[len++] != '\n')
    ;
  g_assert_cmpstr (line, ==, expected);
}

static void
test_results (void)
{
  NegoExecSpec spec = { 0 };
  ExecRun run;

  g_free (exec_run_shell (&run, &spec, "exit 7"));
  exec_run_assert_result (&run, NEGO_EXEC_EXITED, 7, FALSE);
  g_assert_true (run.gone_at_exit);
  g_free (exec_run_shell (&run, &spec, "kill -USR1 $$"));
  exec_run_assert_result (&run, NEGO_EXEC_SIGNALLED, SIGUSR1, FALSE);
}

static void
test_surroundings (void)
{
  int inherited = open ("/dev/null", O_RDONLY); /* not close-on-exec */
  NegoExecSpec spec = { 0 };
  sigset_t blocked;
  ExecRun run;
  g_autofree char *fds = NULL, *signals = NULL, *group = NULL, *rest = NULL;
  g_auto (GStrv) lines = NULL;

  fds = exec_run_shell (&run, &spec,
                        "for n in 3 4 5 6 7 8 9; do test -e /proc/$$/fd/$n && echo $n; done; :");
  g_assert_cmpstr (fds, ==, "");
  sigemptyset (&blocked);
  sigaddset (&blocked, SIGUSR2);
  sigprocmask (SIG_BLOCK, &blocked, NULL);
  signals = exec_run_shell (&run, &spec, "exec sed -n 's/Sig[BI][lg][kn]:.//p' /proc/self/status");
  sigprocmask (SIG_UNBLOCK, &blocked, NULL);
  lines = g_strsplit (signals, "\n", -1);
  g_assert_cmpstr (lines[0], ==, "0000000000000000");
  /* 32 and 33 are the C library's own: nobody can set them. */
  g_assert_cmphex (g_ascii_strtoull (lines[1], NULL, 16) & ~G_GUINT64_CONSTANT (0x180000000), ==,
                   0);
  group = exec_run_shell (&run, &spec, "set -- $(cat /proc/$$/stat); test $1 = $5 && echo own");
  g_assert_cmpstr (group, ==, "own\n");
  rest = exec_run_shell (&run, &spec, "pwd; wc -c; env -u PWD -u _ -u SHLVL -u OLDPWD");
  g_assert_cmpstr (rest, ==, "/\n0\nPATH=/usr/bin:/bin:/usr/sbin:/sbin\n");
  close (inherited);
}

static void
test_time_limit (void)
{
  NegoExecSpec spec = { .timeout_ms = 30, .grace_ms = 60000 };
  ExecRun run;
  int fd = exec_run_start_shell (&run, &spec, "exec sleep 100");

  exec_run_wait_exited (&run);
  exec_run_assert_result (&run, NEGO_EXEC_SIGNALLED, SIGTERM, TRUE);
  /* Nothing is left of the group: no grace time is waited for. */
  g_assert_true (run.gone_at_exit);
  g_assert_cmpint (waitpid (-1, NULL, WNOHANG), ==, -1);
  close (fd);
}

/* The main loop is late for both: the end comes first. */
static void
test_end_at_time_limit (void)
{
  NegoExecSpec spec = { .timeout_ms = 1, .grace_ms = 60000 };
  gint64 begin = g_get_monotonic_time ();
  siginfo_t info;
  ExecRun run;
  int fd = exec_run_start_shell (&run, &spec, "exit 4");

  g_assert_cmpint (waitid (P_ALL, 0, &info, WEXITED | WNOWAIT), ==, 0);
  while (g_get_monotonic_time () - begin < 3000)
    ;
  exec_run_wait_gone (&run);
  exec_run_assert_result (&run, NEGO_EXEC_EXITED, 4, FALSE);
  close (fd);
}

static void
test_term_ignored (void)
{
  NegoExecSpec spec = { .grace_ms = 50 };
  ExecRun run;
  int fd
    = exec_run_start_shell (&run, &spec, "trap '' TERM; echo ready; while :; do sleep 100; done");

  assert_line (fd, "ready\n");
  nego_exec_terminate (run.exec);
  nego_exec_terminate (run.exec);
  exec_run_wait_gone (&run);
  exec_run_assert_result (&run, NEGO_EXEC_SIGNALLED, SIGKILL, FALSE);
  g_assert_true (run.gone_at_exit);
  assert_line (fd, "");
  close (fd);
}

static void
test_stopped_child_takes_term (void)
{
  NegoExecSpec spec = { .grace_ms = 60000 };
  ExecRun run;
  int fd
    = exec_run_start_shell (&run, &spec, "trap 'exit 3' TERM; echo ready; kill -STOP $$; exit 4");

  assert_line (fd, "ready\n");
  nego_exec_terminate (run.exec);
  exec_run_wait_exited (&run);
  nego_exec_free (run.exec);
  g_assert_cmpint (run.result.outcome, ==, NEGO_EXEC_EXITED);
  close (fd);
}

/* The leader obeys TERM, a member of its group does not: KILL comes for it after the grace time. */
static void
test_group_is_killed (void)
{
  NegoExecSpec spec = { .grace_ms = 50 };
  ExecRun run;
  int fd
    = exec_run_start_shell (&run, &spec, "sh -c 'trap \"\" TERM; echo ready; sleep 100; :' & wait");

  assert_line (fd, "ready\n");
  nego_exec_terminate (run.exec);
  exec_run_wait_exited (&run);
  g_assert_false (run.gone_at_exit);
  exec_run_wait_gone (&run);
  assert_line (fd, "");
  close (fd);
}

/* The last member of the group ends after its leader: the grace time ends with it. */
static void
test_group_ends_early (void)
{
  NegoExecSpec spec = { .grace_ms = 60000 };
  char line[32] = "";
  ExecRun run;
  int fd;

  if (skip_under_valgrind ())
    return;
  fd = exec_run_start_shell (&run, &spec, "sh -c 'trap \"\" TERM; echo $$; exec sleep 100' & wait");
  g_assert_cmpint (read (fd, line, sizeof line - 1), >, 0);
  nego_exec_terminate (run.exec);
  exec_run_wait_exited (&run);
  g_assert_false (run.gone_at_exit);
  g_assert_cmpint (kill ((pid_t) atoi (line), SIGKILL), ==, 0);
  exec_run_wait_gone (&run);
  g_assert_cmpint (waitpid (-1, NULL, WNOHANG), ==, -1);
  close (fd);
}

static void
test_background_child_lives_on (void)
{
  NegoExecSpec spec = { .timeout_ms = 60000 };
  struct pollfd held = { .events = POLLIN };
  g_autofree char *line = g_malloc0 (32);
  ExecRun run;

  held.fd = exec_run_start_shell (&run, &spec, "sleep 100 & echo $!");
  exec_run_wait_gone (&run);
  exec_run_assert_result (&run, NEGO_EXEC_EXITED, 0, FALSE);
  g_assert_cmpint (read (held.fd, line, 31), >, 0);
  g_assert_cmpint (poll (&held, 1, 0), ==, 0);
  g_assert_cmpint (kill ((pid_t) atoi (line), SIGKILL), ==, 0);
  g_assert_cmpint (read (held.fd, line, 31), ==, 0);
  close (held.fd);
}

static void
test_background_child_is_killed (void)
{
  NegoExecSpec spec = { .timeout_ms = 60000, .kill_rest = TRUE };
  g_autofree char *line = g_malloc0 (32);
  ExecRun run;
  int fd = exec_run_start_shell (&run, &spec, "sleep 100 & echo $!; exit 3");

  exec_run_wait_gone (&run);
  exec_run_assert_result (&run, NEGO_EXEC_EXITED, 3, FALSE);
  g_assert_cmpint (read (fd, line, 31), >, 0);
  /* The end of file comes when the last holder of the pipe is dead. */
  g_assert_cmpint (read (fd, line, 31), ==, 0);
  close (fd);
}

static void
test_kill_and_free (void)
{
  NegoExecSpec spec = { 0 };
  ExecRun run;
  int fd = exec_run_start_shell (&run, &spec, "echo ready; exec sleep 100");

  assert_line (fd, "ready\n");
  nego_exec_kill (run.exec, SIGKILL);
  exec_run_wait_gone (&run);
  exec_run_assert_result (&run, NEGO_EXEC_SIGNALLED, SIGKILL, FALSE);
  close (fd);

  fd = exec_run_start_shell (&run, &spec, "echo ready; exec sleep 100");
  assert_line (fd, "ready\n");
  nego_exec_free (run.exec);
  assert_line (fd, "");
  close (fd);
  waitpid (-1, NULL, 0);
  g_assert_cmpuint (run.exited + run.gone, ==, 0);
  nego_exec_free (NULL);
}

static void
assert_not_started (const char *path, const char *const *argv, const char *cause)
{
  NegoExecSpec spec = { .path = path, .argv = argv, .envp = exec_run_env, .fds = { -1, -1, -1 } };
  g_autofree char *expected = g_strdup_printf ("cannot execute '%s': %s", path, cause);
  g_autoptr (GError) error = NULL;
  ExecRun run = { 0 };

  g_assert_null (nego_exec_start (&spec, &exec_run_callbacks, &run, &error));
  g_assert_error (error, NEGO_ERROR, NEGO_ERROR_IO);
  g_assert_cmpstr (error->message, ==, expected);
  g_clear_error (&error);

  /* The same through the helper. */
  spec.directory = "/";
  exec_run_start (&run, &spec);
  exec_run_wait_gone (&run);
  g_assert_cmpint (run.result.outcome, ==, NEGO_EXEC_FAILED);
  g_assert_cmpstr (run.reason, ==, expected);
  exec_run_clear (&run);
}

static void
test_not_started (void)
{
  char *dir = script_dir_new ();
  g_autofree char *bare = NULL, *lost = NULL, *plain = NULL;
  const char *const argv[] = { "x", NULL };

  if (dir == NULL)
    return;
  if (skip_under_valgrind ()) {
    script_dir_free (dir);
    return;
  }
  bare = script_dir_add (dir, "bare", 0755, "echo hello\n");
  lost = script_dir_add (dir, "lost", 0755, "#!/no/such/interpreter\n");
  plain = script_dir_add (dir, "plain", 0644, "#!/bin/sh\n");
  assert_not_started (bare, argv, "it is no program and has no interpreter line (#!)");
  assert_not_started (lost, argv, "it, or its interpreter, does not exist");
  assert_not_started ("/no/such/file", argv, "it, or its interpreter, does not exist");
  assert_not_started (plain, argv, "Permission denied");
  script_dir_free (dir);
}

/* No descriptor is left to watch the child with: it is killed, and no zombie stays. */
static void
test_not_watched (void)
{
  const char *const argv[] = { "sleep", "100", NULL };
  NegoExecSpec spec
    = { .path = "/bin/sleep", .argv = argv, .envp = exec_run_env, .fds = { -1, -1, -1 } };
  struct rlimit limit, none;
  g_autoptr (GError) error = NULL;
  int fds[8];
  int free_fd = 0;

  if (skip_under_valgrind ())
    return;
  /* The C library refuses file actions on descriptors beyond the limit. */
  for (guint i = 0; i < G_N_ELEMENTS (fds); i++) {
    fds[i] = dup (STDERR_FILENO);
    free_fd = fds[i] + 1;
  }
  g_assert_cmpint (getrlimit (RLIMIT_NOFILE, &limit), ==, 0);
  none = limit;
  none.rlim_cur = (rlim_t) free_fd;
  g_assert_cmpint (setrlimit (RLIMIT_NOFILE, &none), ==, 0);
  g_assert_null (nego_exec_start (&spec, &exec_run_callbacks, NULL, &error));
  g_assert_cmpint (setrlimit (RLIMIT_NOFILE, &limit), ==, 0);
  for (guint i = 0; i < G_N_ELEMENTS (fds); i++)
    close (fds[i]);
  g_assert_error (error, NEGO_ERROR, NEGO_ERROR_IO);
  g_assert_cmpstr (error->message, ==, "cannot watch a child process: Too many open files");
  g_assert_cmpint (waitpid (-1, NULL, WNOHANG), ==, -1);
}

/* As on kernels without pidfd_open(). */
static void
test_watch_thread (void)
{
  struct pollfd watch = { .events = POLLIN };
  siginfo_t info;
  int ends[2];
  pid_t pid;

  g_assert_cmpint (pipe2 (ends, O_CLOEXEC), ==, 0);
  pid = fork ();
  if (pid == 0) {
    char byte;

    close (ends[1]);
    _exit (read (ends[0], &byte, 1) == 0 ? 5 : 6);
  }
  watch.fd = nego_exec_watch_open_thread (pid, NULL);
  g_assert_cmpint (watch.fd, >=, 0);
  g_assert_cmpint (poll (&watch, 1, 0), ==, 0);
  close (ends[1]);
  g_assert_cmpint (poll (&watch, 1, -1), ==, 1);
  g_assert_cmpint (waitid (P_PID, (id_t) pid, &info, WEXITED | WNOHANG), ==, 0);
  g_assert_cmpint (info.si_status, ==, 5);
  close (watch.fd);
  close (ends[0]);
}

static void
test_too_long_arguments (void)
{
  g_autofree char *arg = g_strnfill (200000, 'x');
  const char *const argv[] = { "true", arg, NULL };
  NegoExecSpec spec
    = { .path = "/bin/true", .argv = argv, .envp = exec_run_env, .fds = { -1, -1, -1 } };
  g_autoptr (GError) error = NULL;

  if (skip_under_valgrind ())
    return;
  g_assert_null (nego_exec_start (&spec, &exec_run_callbacks, NULL, &error));
  g_assert_cmpstr (error->message, ==, "cannot execute '/bin/true': Argument list too long");
  g_clear_error (&error);
  spec.directory = "/"; /* by the helper */
  g_assert_null (nego_exec_start (&spec, &exec_run_callbacks, NULL, &error));
  g_assert_cmpstr (error->message, ==, "cannot execute '/bin/true': Argument list too long");
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
test_no_leaks (void)
{
  NegoExecSpec direct = { 0 };
  NegoExecSpec helped = { .directory = "/" };
  guint before;
  ExecRun run;

  g_free (exec_run_shell (&run, &direct, ":"));
  before = count_fds ();
  for (guint i = 0; i < 100; i++) {
    g_free (exec_run_shell (&run, &direct, ":"));
    g_free (exec_run_shell (&run, &helped, ":"));
  }
  g_assert_cmpuint (count_fds (), ==, before);
  g_assert_cmpint (waitpid (-1, NULL, WNOHANG), ==, -1);
  g_assert_cmpint (errno, ==, ECHILD);
}

int
main (int argc, char **argv)
{
  if (nego_exec_is_helper (argc, argv))
    return nego_exec_helper_main (argc, argv);
  signal (SIGPIPE, SIG_IGN);
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/exec/results", test_results);
  g_test_add_func ("/exec/surroundings", test_surroundings);
  g_test_add_func ("/exec/time-limit", test_time_limit);
  g_test_add_func ("/exec/end-at-time-limit", test_end_at_time_limit);
  g_test_add_func ("/exec/term-ignored", test_term_ignored);
  g_test_add_func ("/exec/stopped-child-takes-term", test_stopped_child_takes_term);
  g_test_add_func ("/exec/group-is-killed", test_group_is_killed);
  g_test_add_func ("/exec/group-ends-early", test_group_ends_early);
  g_test_add_func ("/exec/background-child-lives-on", test_background_child_lives_on);
  g_test_add_func ("/exec/background-child-is-killed", test_background_child_is_killed);
  g_test_add_func ("/exec/kill-and-free", test_kill_and_free);
  g_test_add_func ("/exec/not-started", test_not_started);
  g_test_add_func ("/exec/not-watched", test_not_watched);
  g_test_add_func ("/exec/too-long-arguments", test_too_long_arguments);
  g_test_add_func ("/exec/no-leaks", test_no_leaks);
  /* After the count of descriptors: the thread closes its own when it gets to it. */
  g_test_add_func ("/exec/watch-thread", test_watch_thread);
  return g_test_run ();
}
