/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "common/pipe.h"

#include "common/error.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

/* A program that was started with 0, 1 or 2 closed gets these numbers for its pipes. */
static gboolean
nego_pipe_lift (int *fd, GError **error)
{
  int lifted;

  if (*fd > STDERR_FILENO)
    return TRUE;
  lifted = fcntl (*fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
  if (lifted < 0)
    return nego_error_set_errno (error, errno, "cannot make a pipe to a child process");
  close (*fd);
  *fd = lifted;
  return TRUE;
}

/* @ours: which end is ours, 0 (reading) or 1. */
static gboolean
nego_pipe_open (int ours, int *our_fd, int *child_fd, GError **error)
{
  int ends[2];

  if (pipe2 (ends, O_CLOEXEC) != 0)
    return nego_error_set_errno (error, errno, "cannot make a pipe to a child process");
  if (!nego_pipe_lift (&ends[0], error) || !nego_pipe_lift (&ends[1], error)) {
    close (ends[0]);
    close (ends[1]);
    return FALSE;
  }
  /* Cannot fail for a pipe. */
  fcntl (ends[ours], F_SETFL, O_NONBLOCK);
  *our_fd = ends[ours];
  *child_fd = ends[1 - ours];
  return TRUE;
}

gboolean
nego_pipe_open_output (int *our_fd, int *child_fd, GError **error)
{
  return nego_pipe_open (0, our_fd, child_fd, error);
}

gboolean
nego_pipe_open_input (int *our_fd, int *child_fd, GError **error)
{
  return nego_pipe_open (1, our_fd, child_fd, error);
}

void
nego_pipe_fill_standard (void)
{
  int fd;

  do
    fd = open ("/dev/null", O_RDWR | O_CLOEXEC);
  while (fd >= 0 && fd <= STDERR_FILENO);
  if (fd > STDERR_FILENO)
    close (fd);
}

void
nego_pipe_close (int *fd)
{
  if (*fd >= 0)
    close (*fd);
  *fd = -1;
}
