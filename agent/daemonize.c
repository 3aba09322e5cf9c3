/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "agent/daemonize.h"

#include "common/error.h"

#include <glib-unix.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

/* What a shell makes of a process that a signal ended. */
#define NEGO_DAEMONIZE_SIGNALLED 128

G_NORETURN static void
nego_daemonize_wait (int fd, pid_t child)
{
  char byte;
  ssize_t n;
  int status = 0;

  do
    n = read (fd, &byte, 1);
  while (n < 0 && errno == EINTR);
  if (n == 1)
    _exit (EXIT_SUCCESS);
  while (waitpid (child, &status, 0) < 0 && errno == EINTR)
    ;
  _exit (WIFEXITED (status) ? WEXITSTATUS (status) : NEGO_DAEMONIZE_SIGNALLED + WTERMSIG (status));
}

gboolean
nego_daemonize_fork (int *ready_fd, GError **error)
{
  int fds[2];
  pid_t child;

  if (pipe2 (fds, O_CLOEXEC) < 0)
    return nego_error_set_errno (error, errno, "failed to make a pipe to the daemon");
  child = fork ();
  if (child < 0) {
    nego_error_set_errno (error, errno, "failed to go into the background");
    close (fds[0]);
    close (fds[1]);
    return FALSE;
  }
  if (child > 0) {
    close (fds[1]);
    nego_daemonize_wait (fds[0], child);
  }
  close (fds[0]);
  *ready_fd = fds[1];
  if (setsid () < 0 || chdir ("/") < 0)
    return nego_error_set_errno (error, errno, "failed to leave the terminal's session");
  return TRUE;
}

void
nego_daemonize_ready (int ready_fd)
{
  int null = open ("/dev/null", O_RDWR | O_CLOEXEC);

  if (null >= 0) {
    dup2 (null, STDIN_FILENO);
    dup2 (null, STDOUT_FILENO);
    dup2 (null, STDERR_FILENO);
    close (null);
  }
  /* The parent may be gone already: then nobody wants to know. */
  if (write (ready_fd, "", 1) < 0)
    g_debug ("nobody waits for the daemon: %s", g_strerror (errno));
  close (ready_fd);
}
