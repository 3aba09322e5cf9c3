/* SPDX-License-Identifier: MIT */
/* A child and its control group, which is a directory that looks like one; real ones are in
 * tests/vm/test_job_cgroup.py. */
#include "config.h"

#include "common/exec.h"
#include "tests/helpers/exec-run.h"
#include "tests/helpers/valgrind.h"

#include <signal.h>
#include <unistd.h>

static const char *const files[] = { "cgroup.procs", "cgroup.kill" };

typedef struct {
  char *dir;
  NegoCgroup *group;
} Fixture;

static void
set_up (Fixture *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;

  f->dir = g_dir_make_tmp ("nego-exec-XXXXXX", NULL);
  for (guint i = 0; i < G_N_ELEMENTS (files); i++) {
    g_autofree char *path = g_build_filename (f->dir, files[i], NULL);

    g_assert_true (g_file_set_contents (path, "", -1, NULL));
  }
  f->group = nego_cgroup_open (f->dir, &error);
  g_assert_no_error (error);
}

static void
tear_down (Fixture *f, gconstpointer data)
{
  for (guint i = 0; i < G_N_ELEMENTS (files); i++) {
    g_autofree char *path = g_build_filename (f->dir, files[i], NULL);

    unlink (path);
  }
  nego_cgroup_free (f->group);
  g_assert_cmpint (rmdir (f->dir), ==, 0);
  g_free (f->dir);
}

static void
assert_text (Fixture *f, const char *name, const char *expected)
{
  g_autofree char *text = nego_cgroup_read (f->group, name);

  g_assert_cmpstr (text, ==, expected);
}

static void
test_is_entered (Fixture *f, gconstpointer data)
{
  NegoExecSpec spec = { .cgroup = f->group };
  g_autofree char *text = NULL;
  ExecRun run;

  if (skip_under_valgrind ())
    return;
  text = exec_run_shell (&run, &spec, "echo done");
  exec_run_assert_result (&run, NEGO_EXEC_EXITED, 0, FALSE);
  g_assert_cmpstr (text, ==, "done\n");
  assert_text (f, "cgroup.procs", "0");
  /* What is left of it after a good end lives on. */
  assert_text (f, "cgroup.kill", "");
}

static void
test_cannot_be_entered (Fixture *f, gconstpointer data)
{
  g_autofree char *procs = g_build_filename (f->dir, "cgroup.procs", NULL);
  g_autofree char *expected = g_strdup_printf (
    "cannot enter the control group: cannot write '0' to '%s': No such file or directory", procs);
  NegoExecSpec spec = { .cgroup = f->group };
  ExecRun run;

  if (skip_under_valgrind ())
    return;
  unlink (procs);
  g_free (exec_run_shell (&run, &spec, "exit 0"));
  g_assert_cmpint (run.result.outcome, ==, NEGO_EXEC_FAILED);
  g_assert_cmpstr (run.reason, ==, expected);
  exec_run_clear (&run);
}

static void
test_is_killed_when_the_time_is_over (Fixture *f, gconstpointer data)
{
  NegoExecSpec spec = { .cgroup = f->group, .timeout_ms = 1, .grace_ms = 60000 };
  ExecRun run;

  if (skip_under_valgrind ())
    return;
  /* TERM ends all of the process group: what is left is not waited for. */
  g_free (exec_run_shell (&run, &spec, "exec sleep 60"));
  exec_run_assert_result (&run, NEGO_EXEC_SIGNALLED, SIGTERM, TRUE);
  assert_text (f, "cgroup.kill", "1");
}

static void
test_is_killed_by_kill (Fixture *f, gconstpointer data)
{
  NegoExecSpec spec = { .cgroup = f->group };
  char byte;
  ExecRun run;
  int fd;

  if (skip_under_valgrind ())
    return;
  fd = exec_run_start_shell (&run, &spec, "echo; exec sleep 60");
  g_assert_cmpint (read (fd, &byte, 1), ==, 1);
  nego_exec_kill (run.exec, SIGCONT);
  assert_text (f, "cgroup.kill", "");
  nego_exec_kill (run.exec, SIGKILL);
  assert_text (f, "cgroup.kill", "1");
  exec_run_wait_gone (&run);
  exec_run_assert_result (&run, NEGO_EXEC_SIGNALLED, SIGKILL, FALSE);
  close (fd);
}

static void
test_rest_is_killed (Fixture *f, gconstpointer data)
{
  NegoExecSpec spec = { .cgroup = f->group, .kill_rest = TRUE };
  ExecRun run;

  if (skip_under_valgrind ())
    return;
  g_free (exec_run_shell (&run, &spec, "exit 3"));
  exec_run_assert_result (&run, NEGO_EXEC_EXITED, 3, FALSE);
  assert_text (f, "cgroup.kill", "1");
}

int
main (int argc, char **argv)
{
  if (nego_exec_is_helper (argc, argv))
    return nego_exec_helper_main (argc, argv);
  signal (SIGPIPE, SIG_IGN);
  g_test_init (&argc, &argv, NULL);
#define ADD(name, func) g_test_add ("/exec-cgroup/" name, Fixture, NULL, set_up, func, tear_down)
  ADD ("cannot-be-entered", test_cannot_be_entered);
  ADD ("is-entered", test_is_entered);
  ADD ("is-killed-by-kill", test_is_killed_by_kill);
  ADD ("is-killed-when-the-time-is-over", test_is_killed_when_the_time_is_over);
  ADD ("rest-is-killed", test_rest_is_killed);
  return g_test_run ();
}
