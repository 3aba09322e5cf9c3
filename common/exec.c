/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "common/exec.h"

#include "common/error.h"
#include "common/exec-watch.h"
#include "common/pipe.h"
#include "common/process-group.h"
#include "common/source.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

/* What the helper may report: longer than any of its texts with a path in it. */
#define REPORT_BYTES 8192u
/* Members of a group that end just while they are looked at: after so many the grace time counts.
 */
#define MEMBER_TRIES 8u

typedef enum {
  RUNNING,
  TERMINATING, /* TERM was sent, the timer sends KILL */
  KILLED,      /* KILL was sent: nothing is left to be done to the group */
} NegoExecPhase;

struct NegoExec {
  const NegoExecCallbacks *callbacks;
  gpointer user_data;
  pid_t pid; /* and the group's number; 0 once reaped */
  int watch_fd;
  int report_fd; /* -1 without a helper */
  NegoExecPhase phase;
  gboolean timed_out;
  gboolean exited;
  NegoCgroup *cgroup; /* borrowed; NULL: none */
  guint grace_ms;
  gboolean kill_rest;
  gboolean survives;
  GSource *watch;
  GSource *timer;
};

/* No signal will be sent any more. @flags: WNOHANG, or 0 to wait for the end. */
static void
nego_exec_reap (NegoExec *exec, int flags)
{
  siginfo_t info;

  nego_source_clear (&exec->timer);
  /* Those that left the process group did not hear TERM, and there is nothing to wait for. */
  if (exec->cgroup != NULL && exec->phase != RUNNING)
    nego_cgroup_kill (exec->cgroup);
  /* By pid, not by pidfd: waitid() knows that since Linux 5.4 only, and the pid of an unreaped
   * child of ours is as good. */
  while (waitid (P_PID, (id_t) exec->pid, &info, WEXITED | flags) != 0 && errno == EINTR)
    ;
  exec->pid = 0;
}

static char *
nego_exec_read_report (NegoExec *exec)
{
  char text[REPORT_BYTES];
  ssize_t n;

  if (exec->report_fd < 0)
    return NULL;
  do
    n = read (exec->report_fd, text, sizeof text);
  while (n < 0 && errno == EINTR);
  return n > 0 ? g_utf8_make_valid (text, n) : NULL;
}

static void
nego_exec_tell_exited (NegoExec *exec, const siginfo_t *info)
{
  g_autofree char *reason = nego_exec_read_report (exec);
  NegoExecResult result = { .timed_out = exec->timed_out, .status = info->si_status };

  if (reason != NULL) {
    result.outcome = NEGO_EXEC_FAILED;
    result.reason = reason;
    result.timed_out = FALSE;
  } else if (info->si_code == CLD_EXITED) {
    result.outcome = NEGO_EXEC_EXITED;
  } else {
    result.outcome = NEGO_EXEC_SIGNALLED;
  }
  exec->exited = TRUE;
  exec->callbacks->exited (exec, &result, exec->user_data);
}

/* Whether the child has ended. It stays a zombie, and so its group's number taken. */
static gboolean
nego_exec_has_ended (const NegoExec *exec, siginfo_t *info)
{
  *info = (siginfo_t){ 0 };
  if (waitid (P_PID, (id_t) exec->pid, info, WEXITED | WNOHANG | WNOWAIT) != 0)
    return errno != EINTR;
  return info->si_pid != 0;
}

static gboolean nego_exec_on_member_ended (int fd, GIOCondition condition, gpointer user_data);

/* The leader has ended between TERM and KILL. Returns whether others of its group are left, or may
 * be, for which the grace time goes on; it is over when the last of them has ended. */
static gboolean
nego_exec_await_group (NegoExec *exec)
{
  for (guint i = 0; i < MEMBER_TRIES; i++) {
    pid_t member = nego_process_group_find_member (exec->pid);

    if (member <= 0)
      return member != 0;
    nego_pipe_close (&exec->watch_fd);
    exec->watch_fd = nego_exec_watch_open_other (member);
    if (exec->watch_fd < 0 && errno != ESRCH)
      return TRUE;
    /* Its number may have become another process's before it was opened. */
    if (exec->watch_fd >= 0 && nego_process_group_has (exec->pid, member)) {
      exec->watch = nego_source_add_fd (exec->watch_fd, G_IO_IN, nego_exec_on_member_ended, exec);
      return TRUE;
    }
  }
  return TRUE;
}

static gboolean
nego_exec_on_member_ended (int fd, GIOCondition condition, gpointer user_data)
{
  NegoExec *exec = user_data;

  nego_source_clear (&exec->watch);
  if (nego_exec_await_group (exec))
    return G_SOURCE_REMOVE;
  nego_exec_reap (exec, WNOHANG);
  exec->callbacks->gone (exec, exec->user_data);
  return G_SOURCE_REMOVE;
}

static gboolean
nego_exec_on_ended (int fd, GIOCondition condition, gpointer user_data)
{
  NegoExec *exec = user_data;
  siginfo_t info;

  if (!nego_exec_has_ended (exec, &info))
    return G_SOURCE_CONTINUE;
  nego_source_clear (&exec->watch);
  /* The unreaped child still keeps the group's number. */
  if (exec->kill_rest && exec->phase == RUNNING)
    nego_exec_kill (exec, SIGKILL);
  if (exec->phase != TERMINATING || !nego_exec_await_group (exec))
    nego_exec_reap (exec, WNOHANG);
  nego_exec_tell_exited (exec, &info);
  if (exec->pid == 0)
    exec->callbacks->gone (exec, exec->user_data);
  return G_SOURCE_REMOVE;
}

static gboolean
nego_exec_on_grace_over (gpointer user_data)
{
  NegoExec *exec = user_data;

  nego_exec_kill (exec, SIGKILL);
  nego_source_clear (&exec->timer);
  if (exec->exited) {
    nego_source_clear (&exec->watch);
    nego_exec_reap (exec, WNOHANG);
    exec->callbacks->gone (exec, exec->user_data);
  }
  return G_SOURCE_REMOVE;
}

static gboolean
nego_exec_on_time_over (gpointer user_data)
{
  NegoExec *exec = user_data;
  siginfo_t info;

  /* It ended in time, and the main loop was late: the watch tells it in this very turn. */
  if (nego_exec_has_ended (exec, &info))
    return G_SOURCE_REMOVE;
  exec->timed_out = TRUE;
  nego_exec_terminate (exec);
  return G_SOURCE_REMOVE;
}

GPid
nego_exec_get_pid (const NegoExec *exec)
{
  return exec->pid;
}

void
nego_exec_kill (NegoExec *exec, int signal)
{
  if (exec->pid == 0)
    return;
  kill (-exec->pid, signal);
  if (signal != SIGKILL)
    return;
  exec->phase = KILLED;
  if (exec->cgroup != NULL)
    nego_cgroup_kill (exec->cgroup);
}

void
nego_exec_terminate (NegoExec *exec)
{
  if (exec->pid == 0 || exec->phase != RUNNING)
    return;
  exec->phase = TERMINATING;
  nego_exec_kill (exec, SIGTERM);
  /* A stopped process takes the TERM only when it goes on. */
  nego_exec_kill (exec, SIGCONT);
  nego_source_clear (&exec->timer);
  exec->timer = nego_source_add_timeout (exec->grace_ms, nego_exec_on_grace_over, exec);
}

static int
nego_exec_add_fds (posix_spawn_file_actions_t *actions, const int fds[3], int report_fd)
{
  int rc = 0;

  for (int i = 0; i < 3 && rc == 0; i++) {
    if (fds[i] >= 0)
      rc = posix_spawn_file_actions_adddup2 (actions, fds[i], i);
    else
      rc = posix_spawn_file_actions_addopen (actions, i, "/dev/null", i == 0 ? O_RDONLY : O_WRONLY,
                                             0);
  }
  /* After the others: one of them may have been this number. */
  if (rc == 0 && report_fd >= 0)
    rc = posix_spawn_file_actions_adddup2 (actions, report_fd, NEGO_EXEC_HELPER_FD);
#if defined(__GLIBC__) && __GLIBC_PREREQ(2, 34)
  /* Everything of ours is close-on-exec; this is for what was inherited from whoever started us. */
  if (rc == 0)
    rc = posix_spawn_file_actions_addclosefrom_np (actions,
                                                   report_fd >= 0 ? NEGO_EXEC_HELPER_FD + 1 : 3);
#endif
  /* "/" cannot fail, so that an error of posix_spawn() is one of execve(). */
  if (rc == 0)
    rc = posix_spawn_file_actions_addchdir_np (actions, "/");
  return rc;
}

/* Returns 0 or an errno. */
static int
nego_exec_spawn (const char *path,
                 const char *const *argv,
                 const char *const *envp,
                 const int fds[3],
                 int report_fd,
                 pid_t *pid)
{
  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attr;
  sigset_t all, none;
  int rc;

  sigfillset (&all);
  sigemptyset (&none);
  rc = posix_spawn_file_actions_init (&actions);
  if (rc != 0)
    return rc;
  rc = posix_spawnattr_init (&attr);
  if (rc == 0) {
    posix_spawnattr_setpgroup (&attr, 0);
    posix_spawnattr_setsigdefault (&attr, &all);
    posix_spawnattr_setsigmask (&attr, &none);
    posix_spawnattr_setflags (&attr, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGDEF
                                       | POSIX_SPAWN_SETSIGMASK);
    rc = nego_exec_add_fds (&actions, fds, report_fd);
    if (rc == 0)
      rc = posix_spawn (pid, path, &actions, &attr, (char *const *) argv, (char *const *) envp);
    posix_spawnattr_destroy (&attr);
  }
  posix_spawn_file_actions_destroy (&actions);
  return rc;
}

static int
nego_exec_spawn_helper (const NegoExecSpec *spec, int *report_fd, pid_t *pid)
{
  g_autoptr (GPtrArray) argv = nego_exec_helper_argv (spec);
  g_autoptr (GPtrArray) envp = nego_exec_helper_envp (spec);
  int ends[2];
  int rc;

  if (pipe2 (ends, O_CLOEXEC | O_NONBLOCK) != 0)
    return errno;
  rc = nego_exec_spawn ("/proc/self/exe", (const char *const *) argv->pdata,
                        (const char *const *) envp->pdata, spec->fds, ends[1], pid);
  close (ends[1]);
  if (rc != 0)
    close (ends[0]);
  else
    *report_fd = ends[0];
  return rc;
}

static gboolean
nego_exec_watch (NegoExec *exec, GError **error)
{
  exec->watch_fd = nego_exec_watch_open (exec->pid, error);
  if (exec->watch_fd < 0)
    return FALSE;
  exec->watch = nego_source_add_fd (exec->watch_fd, G_IO_IN, nego_exec_on_ended, exec);
  return TRUE;
}

static gboolean
nego_exec_needs_helper (const NegoExecSpec *spec)
{
  return spec->user != NULL || spec->group != NULL || spec->other_user || spec->directory != NULL
         || spec->nice != 0 || spec->no_new_privs || spec->cgroup != NULL;
}

NegoExec *
nego_exec_start (const NegoExecSpec *spec,
                 const NegoExecCallbacks *callbacks,
                 gpointer user_data,
                 GError **error)
{
  g_autoptr (NegoExec) exec = g_new0 (NegoExec, 1);
  gboolean helped = nego_exec_needs_helper (spec);
  int rc;

  exec->callbacks = callbacks;
  exec->user_data = user_data;
  exec->cgroup = spec->cgroup;
  exec->grace_ms = spec->grace_ms;
  exec->kill_rest = spec->kill_rest;
  exec->survives = spec->survives;
  exec->watch_fd = -1;
  exec->report_fd = -1;
  if (helped)
    rc = nego_exec_spawn_helper (spec, &exec->report_fd, &exec->pid);
  else
    rc = nego_exec_spawn (spec->path, spec->argv, spec->envp, spec->fds, -1, &exec->pid);
  if (rc != 0) {
    /* Too long are the script's arguments, whoever is handed them. */
    g_autofree char *reason
      = nego_exec_reason (helped && rc != E2BIG ? "/proc/self/exe" : spec->path, rc);

    exec->pid = 0;
    if (spec->errnum != NULL)
      *spec->errnum = rc;
    g_set_error_literal (error, NEGO_ERROR, NEGO_ERROR_IO, reason);
    return NULL;
  }
  if (!nego_exec_watch (exec, error)) {
    nego_exec_kill (exec, SIGKILL);
    /* Nobody would reap it later. It takes no longer than a process takes to die of KILL. */
    nego_exec_reap (exec, 0);
    return NULL;
  }
  if (spec->timeout_ms > 0)
    exec->timer = nego_source_add_timeout (spec->timeout_ms, nego_exec_on_time_over, exec);
  return g_steal_pointer (&exec);
}

void
nego_exec_free (NegoExec *exec)
{
  if (exec == NULL)
    return;
  nego_source_clear (&exec->watch);
  if (exec->pid != 0) {
    if (!exec->survives)
      nego_exec_kill (exec, SIGKILL);
    nego_exec_reap (exec, WNOHANG);
  }
  nego_source_clear (&exec->timer);
  nego_pipe_close (&exec->watch_fd);
  nego_pipe_close (&exec->report_fd);
  g_free (exec);
}

char *
nego_exec_reason (const char *path, int errnum)
{
  if (errnum == ENOEXEC)
    return g_strdup_printf (
      "cannot execute '%s': it is no program and has no interpreter line (#!)", path);
  /* The file was there a moment ago: what is missing is most likely behind its #!. */
  if (errnum == ENOENT)
    return g_strdup_printf ("cannot execute '%s': it, or its interpreter, does not exist", path);
  return g_strdup_printf ("cannot execute '%s': %s", path, g_strerror (errnum));
}
