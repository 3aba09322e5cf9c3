/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "tests/helpers/exec-run.h"

#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static void
on_exited (NegoExec *exec, const NegoExecResult *result, gpointer user_data)
{
  ExecRun *run = user_data;

  g_assert_cmpuint (run->gone, ==, 0);
  run->exited++;
  run->result = *result;
  run->reason = g_strdup (result->reason);
  run->result.reason = NULL;
}

static void
on_gone (NegoExec *exec, gpointer user_data)
{
  ExecRun *run = user_data;

  g_assert_cmpuint (run->exited, ==, 1);
  run->gone++;
  nego_exec_free (exec);
  run->exec = NULL;
}

const NegoExecCallbacks exec_run_callbacks = { on_exited, on_gone };
const char *const exec_run_env[] = { "PATH=/usr/bin:/bin:/usr/sbin:/sbin", NULL };

void
exec_run_start (ExecRun *run, NegoExecSpec *spec)
{
  g_autoptr (GError) error = NULL;

  *run = (ExecRun){ 0 };
  if (spec->envp == NULL)
    spec->envp = exec_run_env;
  run->exec = nego_exec_start (spec, &exec_run_callbacks, run, &error);
  g_assert_no_error (error);
}

void
exec_run_wait_exited (ExecRun *run)
{
  while (run->exited == 0)
    g_main_context_iteration (NULL, TRUE);
  run->gone_at_exit = run->gone == 1;
}

void
exec_run_wait_gone (ExecRun *run)
{
  exec_run_wait_exited (run);
  while (run->gone == 0)
    g_main_context_iteration (NULL, TRUE);
}

void
exec_run_clear (ExecRun *run)
{
  g_free (run->reason);
}

char *
exec_run_shell (ExecRun *run, NegoExecSpec *spec, const char *script)
{
  const char *const argv[] = { "sh", "-c", script, NULL };
  int fd = memfd_create ("output", MFD_CLOEXEC);
  char *text = g_malloc0 (65536);

  spec->path = "/bin/sh";
  spec->argv = argv;
  spec->fds[0] = spec->fds[2] = -1;
  spec->fds[1] = fd;
  exec_run_start (run, spec);
  exec_run_wait_gone (run);
  g_assert_cmpint (pread (fd, text, 65535, 0), >=, 0);
  close (fd);
  return text;
}

int
exec_run_start_shell (ExecRun *run, NegoExecSpec *spec, const char *script)
{
  const char *const argv[] = { "sh", "-c", script, NULL };
  int ends[2];

  g_assert_cmpint (pipe2 (ends, O_CLOEXEC), ==, 0);
  spec->path = "/bin/sh";
  spec->argv = argv;
  spec->fds[0] = spec->fds[2] = -1;
  spec->fds[1] = ends[1];
  exec_run_start (run, spec);
  close (ends[1]);
  return ends[0];
}

void
exec_run_assert_result (ExecRun *run, NegoExecOutcome outcome, int status, gboolean timed_out)
{
  g_assert_cmpstr (run->reason, ==, NULL);
  g_assert_cmpint (run->result.outcome, ==, outcome);
  g_assert_cmpint (run->result.status, ==, status);
  g_assert_cmpint (run->result.timed_out, ==, timed_out);
  g_assert_cmpuint (run->exited, ==, 1);
}
