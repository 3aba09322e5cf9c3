/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "common/trust.h"

#include "common/error.h"
#include "common/pipe.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

static gboolean
nego_trust_check (const char *path, const struct stat *st, GError **error)
{
  if (S_ISLNK (st->st_mode)) {
    g_set_error (error, NEGO_ERROR, NEGO_ERROR_REFUSED, "'%s' is a symbolic link", path);
    return FALSE;
  }
  if (st->st_uid != 0 && st->st_uid != geteuid ()) {
    g_set_error (error, NEGO_ERROR, NEGO_ERROR_REFUSED, "'%s' is owned by uid %u", path,
                 (unsigned) st->st_uid);
    return FALSE;
  }
  if ((st->st_mode & (S_IWGRP | S_IWOTH)) != 0) {
    g_set_error (error, NEGO_ERROR, NEGO_ERROR_REFUSED, "'%s' is writable by group or others",
                 path);
    return FALSE;
  }
  return TRUE;
}

/* Opens @name in @dir_fd and checks it; @path names it in errors. */
static int
nego_trust_open (int dir_fd, const char *name, const char *path, struct stat *st, GError **error)
{
  int fd = openat (dir_fd, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);

  if (fd < 0 || fstat (fd, st) != 0) {
    nego_error_set_errno (error, errno, "cannot open '%s'", path);
    nego_pipe_close (&fd);
    return -1;
  }
  if (!nego_trust_check (path, st, error))
    nego_pipe_close (&fd);
  return fd;
}

int
nego_trust_open_dir (const char *path, GError **error)
{
  g_auto (GStrv) names = g_strsplit (path, "/", -1);
  g_autoptr (GString) walked = g_string_new ("/");
  struct stat st;
  int dir = nego_trust_open (AT_FDCWD, "/", "/", &st, error);

  for (char **name = names; *name != NULL && dir >= 0; name++) {
    int next;

    if (**name == '\0')
      continue;
    if (walked->len > 1)
      g_string_append_c (walked, '/');
    g_string_append (walked, *name);
    next = nego_trust_open (dir, *name, walked->str, &st, error);
    close (dir);
    dir = next;
    if (dir >= 0 && !S_ISDIR (st.st_mode)) {
      g_set_error (error, NEGO_ERROR, NEGO_ERROR_REFUSED, "'%s' is not a directory", walked->str);
      nego_pipe_close (&dir);
    }
  }
  return dir;
}

int
nego_trust_open_at (
  int dir_fd, const char *dir_path, const char *name, struct stat *st, GError **error)
{
  g_autofree char *path = g_build_filename (dir_path, name, NULL);

  return nego_trust_open (dir_fd, name, path, st, error);
}

int
nego_trust_reopen (int path_fd)
{
  char link[sizeof "/proc/self/fd/-2147483648"];

  g_snprintf (link, sizeof link, "/proc/self/fd/%d", path_fd);
  return open (link, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
}
