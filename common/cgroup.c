/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "common/cgroup.h"

#include "common/error.h"
#include "common/names.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Rounds of looking for processes that were not killed yet, on kernels before 5.14: a frozen group
 * forks no more, so that the second finds nothing. */
#define KILL_ROUNDS 16u

struct NegoCgroup {
  char *path;
};

/* Descriptors are opened as they are needed: of groups there may be more than this process may have
 * open. */
static int
nego_cgroup_open_directory (const NegoCgroup *group)
{
  return open (group->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
}

NegoCgroup *
nego_cgroup_open (const char *path, GError **error)
{
  g_autoptr (NegoCgroup) group = g_new0 (NegoCgroup, 1);
  int fd;

  group->path = g_strdup (path);
  fd = nego_cgroup_open_directory (group);
  if (fd < 0) {
    nego_error_set_errno (error, errno, "cannot open the control group '%s'", path);
    return NULL;
  }
  close (fd);
  return g_steal_pointer (&group);
}

NegoCgroup *
nego_cgroup_new (const char *parent, const char *name, GError **error)
{
  g_autofree char *path = g_build_filename (parent, name, NULL);
  NegoCgroup *group;

  if (mkdir (path, 0755) != 0) {
    nego_error_set_errno (error, errno, "cannot make the control group '%s'", path);
    return NULL;
  }
  group = nego_cgroup_open (path, error);
  if (group == NULL)
    rmdir (path);
  return group;
}

void
nego_cgroup_free (NegoCgroup *group)
{
  if (group == NULL)
    return;
  g_free (group->path);
  g_free (group);
}

const char *
nego_cgroup_get_path (const NegoCgroup *group)
{
  return group->path;
}

gboolean
nego_cgroup_write (const NegoCgroup *group, const char *name, const char *text, GError **error)
{
  g_autofree char *path = g_build_filename (group->path, name, NULL);
  const int fd = open (path, O_WRONLY | O_CLOEXEC | O_NOFOLLOW);
  gssize n = fd < 0 ? -1 : write (fd, text, strlen (text));
  const int errnum = errno;

  if (fd >= 0)
    close (fd);
  return n >= 0 || nego_error_set_errno (error, errnum, "cannot write '%s' to '%s'", text, path);
}

/* The text of @name below @directory. */
static char *
nego_cgroup_read_at (int directory, const char *name)
{
  const int fd = openat (directory, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
  g_autofree char *text = g_malloc (NEGO_CGROUP_FILE_BYTES + 1);
  gsize len = 0;
  gssize n;

  if (fd < 0)
    return NULL;
  while ((n = read (fd, text + len, NEGO_CGROUP_FILE_BYTES - len)) > 0)
    len += (gsize) n;
  close (fd);
  if (n < 0)
    return NULL;
  text[len] = '\0';
  return g_realloc (g_steal_pointer (&text), len + 1);
}

char *
nego_cgroup_read (const NegoCgroup *group, const char *name)
{
  g_autofree char *path = g_build_filename (group->path, name, NULL);

  return nego_cgroup_read_at (AT_FDCWD, path);
}

gboolean
nego_cgroup_limit_memory (const NegoCgroup *group, guint64 bytes, GError **error)
{
  g_autofree char *text = g_strdup_printf ("%" G_GUINT64_FORMAT, bytes);

  /* One of a script's processes killed, the others left to go on without it: nobody wants that. */
  return nego_cgroup_write (group, "memory.oom.group", "1", error)
         && nego_cgroup_write (group, "memory.max", text, error);
}

gboolean
nego_cgroup_is_populated (const NegoCgroup *group)
{
  g_autofree char *events = nego_cgroup_read (group, "cgroup.events");

  return events != NULL && strstr (events, "populated 1") != NULL;
}

typedef void (*NegoCgroupVisit) (int parent, const char *name, int fd, gpointer user_data);

/* Calls @visit for all groups below the directory @fd, the lowest first. */
static void
nego_cgroup_walk (int fd, guint depth, NegoCgroupVisit visit, gpointer user_data)
{
  const int own = openat (fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  DIR *directory = own >= 0 ? fdopendir (own) : NULL;
  const struct dirent *entry;

  if (directory == NULL) {
    if (own >= 0)
      close (own);
    return;
  }
  while ((entry = readdir (directory)) != NULL) {
    int child;

    if (entry->d_type != DT_DIR || entry->d_name[0] == '.')
      continue;
    child = openat (fd, entry->d_name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    if (child < 0)
      continue;
    if (depth + 1 < NEGO_CGROUP_DEPTH)
      nego_cgroup_walk (child, depth + 1, visit, user_data);
    visit (fd, entry->d_name, child, user_data);
    close (child);
  }
  closedir (directory);
}

/* KILL to the processes of the group at @fd that are not in the set @killed, and puts them there.
 */
static void
nego_cgroup_kill_members (int parent, const char *name, int fd, gpointer killed)
{
  g_autofree char *text = nego_cgroup_read_at (fd, "cgroup.procs");
  g_auto (GStrv) lines = g_strsplit (text != NULL ? text : "", "\n", -1);

  for (char **line = lines; *line != NULL; line++) {
    const int pid = atoi (*line);

    /* 0 stands for a process of another pid namespace. */
    if (pid > 1 && g_hash_table_add (killed, GINT_TO_POINTER (pid)))
      kill (pid, SIGKILL);
  }
}

static void
nego_cgroup_kill_each (const NegoCgroup *group)
{
  g_autoptr (GHashTable) killed = g_hash_table_new (NULL, NULL);
  const int fd = nego_cgroup_open_directory (group);
  guint before;

  if (fd < 0)
    return;

  /* Frozen processes fork no others, and die of KILL all the same. */
  nego_cgroup_write (group, "cgroup.freeze", "1", NULL);
  for (guint i = 0; i < KILL_ROUNDS; i++) {
    before = g_hash_table_size (killed);
    nego_cgroup_walk (fd, 0, nego_cgroup_kill_members, killed);
    nego_cgroup_kill_members (-1, NULL, fd, killed);
    if (g_hash_table_size (killed) == before)
      break;
  }
  nego_cgroup_write (group, "cgroup.freeze", "0", NULL);
  close (fd);
}

void
nego_cgroup_kill (const NegoCgroup *group)
{
  /* Since Linux 5.14. */
  if (!nego_cgroup_write (group, "cgroup.kill", "1", NULL))
    nego_cgroup_kill_each (group);
}

static void
nego_cgroup_remove_child (int parent, const char *name, int fd, gpointer user_data)
{
  unlinkat (parent, name, AT_REMOVEDIR);
}

gboolean
nego_cgroup_remove (const NegoCgroup *group, GError **error)
{
  int fd;

  if (rmdir (group->path) == 0)
    return TRUE;
  fd = nego_cgroup_open_directory (group);
  if (fd >= 0) {
    nego_cgroup_walk (fd, 0, nego_cgroup_remove_child, NULL);
    close (fd);
  }
  return rmdir (group->path) == 0
         || nego_error_set_errno (error, errno, "cannot remove the control group '%s'",
                                  group->path);
}
