/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "agent/pidfile.h"

#include "common/error.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct NegoPidfile {
  char *path;
  int fd;
};

/* Returns FALSE. */
static gboolean
nego_pidfile_fail_locked (const char *path, pid_t pid, GError **error)
{
  g_set_error (error, NEGO_ERROR, NEGO_ERROR_BUSY,
               "failed to lock the pid file '%s': process %d has it", path, pid);
  return FALSE;
}

static gboolean
nego_pidfile_lock (int fd, const char *path, GError **error)
{
  struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
  int errnum;

  if (fcntl (fd, F_SETLK, &lock) == 0)
    return TRUE;
  errnum = errno;
  if ((errnum == EACCES || errnum == EAGAIN) && fcntl (fd, F_GETLK, &lock) == 0
      && lock.l_type != F_UNLCK)
    return nego_pidfile_fail_locked (path, lock.l_pid, error);
  return nego_error_set_errno (error, errnum, "failed to lock the pid file '%s'", path);
}

/* Whether @fd is still what @path names: the last holder removes the file before its lock goes. */
static gboolean
nego_pidfile_is_current (int fd, const char *path)
{
  struct stat by_fd, by_path;

  return fstat (fd, &by_fd) == 0 && stat (path, &by_path) == 0 && by_fd.st_dev == by_path.st_dev
         && by_fd.st_ino == by_path.st_ino;
}

/* Returns a locked descriptor or -1. */
static int
nego_pidfile_open (const char *path, GError **error)
{
  for (;;) {
    int fd = open (path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, 0600);

    if (fd < 0) {
      nego_error_set_errno (error, errno, "failed to open the pid file '%s'", path);
      return -1;
    }
    if (!nego_pidfile_lock (fd, path, error)) {
      close (fd);
      return -1;
    }
    if (nego_pidfile_is_current (fd, path))
      return fd;
    close (fd);
  }
}

NegoPidfile *
nego_pidfile_new (const char *path, GError **error)
{
  g_autofree char *text = g_strdup_printf ("%d\n", getpid ());
  int fd = nego_pidfile_open (path, error);
  NegoPidfile *pidfile;

  if (fd < 0)
    return NULL;
  pidfile = g_new0 (NegoPidfile, 1);
  pidfile->path = g_strdup (path);
  pidfile->fd = fd;
  if (ftruncate (fd, 0) == 0 && write (fd, text, strlen (text)) == (ssize_t) strlen (text))
    return pidfile;
  nego_error_set_errno (error, errno, "failed to write the pid file '%s'", path);
  nego_pidfile_free (pidfile);
  return NULL;
}

gboolean
nego_pidfile_check (const char *path, GError **error)
{
  struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
  int fd = open (path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);

  if (fd < 0)
    return errno == ENOENT
           || nego_error_set_errno (error, errno, "failed to open the pid file '%s'", path);
  if (fcntl (fd, F_GETLK, &lock) < 0)
    lock.l_type = F_UNLCK;
  close (fd);
  return lock.l_type == F_UNLCK || nego_pidfile_fail_locked (path, lock.l_pid, error);
}

void
nego_pidfile_free (NegoPidfile *pidfile)
{
  if (pidfile == NULL)
    return;
  if (nego_pidfile_is_current (pidfile->fd, pidfile->path))
    unlink (pidfile->path);
  close (pidfile->fd);
  g_free (pidfile->path);
  g_free (pidfile);
}
