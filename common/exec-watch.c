/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "common/exec-watch.h"

#include "common/error.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

typedef struct {
  pid_t pid;
  int fd; /* the thread's end of the pipe: it may outlive the watcher's */
} NegoExecWatch;

static gpointer
nego_exec_watch_run (gpointer data)
{
  g_autofree NegoExecWatch *watch = data;
  siginfo_t info;

  while (waitid (P_PID, (id_t) watch->pid, &info, WEXITED | WNOWAIT) != 0 && errno == EINTR)
    ;
  /* The end of the pipe tells: nothing of the thread's is open any more when it is heard. */
  close (watch->fd);
  return NULL;
}

int
nego_exec_watch_open_thread (pid_t pid, GError **error)
{
  NegoExecWatch *watch;
  GThread *thread;
  g_autoptr (GError) failure = NULL;
  int ends[2];

  if (pipe2 (ends, O_CLOEXEC | O_NONBLOCK) != 0) {
    nego_error_set_errno (error, errno, "cannot watch a child process");
    return -1;
  }
  watch = g_new (NegoExecWatch, 1);
  *watch = (NegoExecWatch){ pid, ends[1] };
  thread = g_thread_try_new ("exec-watch", nego_exec_watch_run, watch, &failure);
  if (thread == NULL) {
    g_set_error (error, NEGO_ERROR, NEGO_ERROR_IO, "cannot watch a child process: %s",
                 failure->message);
    g_free (watch);
    close (ends[1]);
    close (ends[0]);
    return -1;
  }
  g_thread_unref (thread);
  return ends[0];
}

int
nego_exec_watch_open_other (pid_t pid)
{
  return (int) syscall (SYS_pidfd_open, pid, 0);
}

int
nego_exec_watch_open (pid_t pid, GError **error)
{
  int fd = nego_exec_watch_open_other (pid);

  if (fd >= 0)
    return fd;
  /* EPERM: seccomp filters of containers that are older than the call. */
  if (errno == ENOSYS || errno == EPERM)
    return nego_exec_watch_open_thread (pid, error);
  nego_error_set_errno (error, errno, "cannot watch a child process");
  return -1;
}
