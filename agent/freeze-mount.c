/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "agent/freeze-mount.h"

#include "common/names.h"
#include "common/pipe.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <unistd.h>

static int
nego_freeze_real_freeze (const char *path, int fd)
{
  return ioctl (fd, FIFREEZE, 0) < 0 ? errno : 0;
}

static int
nego_freeze_real_thaw (const char *path, int fd)
{
  return ioctl (fd, FITHAW, 0) < 0 ? errno : 0;
}

const NegoFreezeOps nego_freeze_ops_real = {
  .freeze = nego_freeze_real_freeze,
  .thaw = nego_freeze_real_thaw,
};

static int
nego_freeze_mount_open (const char *path)
{
  /* A file can be a mount point, too. What is in its place now might be a FIFO or a terminal. */
  return open (path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
}

/* Who has to deal with what was frozen. */
enum {
  NEGO_FREEZE_MOUNT_RUNS,
  NEGO_FREEZE_MOUNT_ENDED,    /* the owner */
  NEGO_FREEZE_MOUNT_GIVEN_UP, /* the thread */
};

struct NegoFreezeMount {
  gatomicrefcount refs; /* the owner's and the thread's */
  int state;            /* atomic */
  const NegoFreezeOps *ops;
  char *path;
  int fd;
  int open_errno, errnum;
  NegoOffloadTask *task;
  NegoFreezeMountFunc done;
  NegoFreezeUndoneFunc undone; /* once it is given up */
  gpointer user_data;
};

static void
nego_freeze_mount_unref (gpointer data)
{
  NegoFreezeMount *mount = data;

  if (!g_atomic_ref_count_dec (&mount->refs))
    return;
  nego_pipe_close (&mount->fd);
  g_free (mount->path);
  g_free (mount);
}

static void
nego_freeze_mount_thread (gpointer data)
{
  NegoFreezeMount *mount = data;

  if (g_atomic_int_get (&mount->state) == NEGO_FREEZE_MOUNT_GIVEN_UP)
    return;
  mount->fd = nego_freeze_mount_open (mount->path);
  mount->open_errno = mount->fd < 0 ? errno : 0;
  if (mount->fd >= 0)
    mount->errnum = mount->ops->freeze (mount->path, mount->fd);
  if (g_atomic_int_compare_and_exchange (&mount->state, NEGO_FREEZE_MOUNT_RUNS,
                                         NEGO_FREEZE_MOUNT_ENDED))
    return;
  if (mount->fd >= 0 && mount->errnum == 0)
    mount->ops->thaw (mount->path, mount->fd);
}

static void
nego_freeze_mount_ended_cb (gpointer data, gpointer user_data)
{
  NegoFreezeMount *mount = data;
  int fd = mount->fd;

  if (g_atomic_int_get (&mount->state) == NEGO_FREEZE_MOUNT_GIVEN_UP) {
    mount->undone (mount, mount->user_data);
    return;
  }
  mount->fd = -1;
  mount->done (mount->open_errno, mount->errnum, fd, mount->user_data);
  nego_freeze_mount_unref (mount);
}

NegoFreezeMount *
nego_freeze_mount_start (NegoOffload *offload,
                         const NegoFreezeOps *ops,
                         const char *path,
                         NegoFreezeMountFunc done,
                         gpointer user_data,
                         GError **error)
{
  NegoFreezeMount *mount = g_new0 (NegoFreezeMount, 1);

  g_atomic_ref_count_init (&mount->refs);
  g_atomic_ref_count_inc (&mount->refs);
  mount->ops = ops;
  mount->path = g_strdup (path);
  mount->fd = -1;
  mount->done = done;
  mount->user_data = user_data;
  mount->task = nego_offload_run (offload, nego_freeze_mount_thread, mount, nego_freeze_mount_unref,
                                  0, nego_freeze_mount_ended_cb, NULL, error);
  if (mount->task != NULL)
    return mount;
  nego_freeze_mount_unref (mount);
  return NULL;
}

const char *
nego_freeze_mount_get_path (const NegoFreezeMount *mount)
{
  return mount->path;
}

int
nego_freeze_mount_give_up (NegoFreezeMount *mount, NegoFreezeUndoneFunc undone, gpointer user_data)
{
  int fd = -1;

  mount->undone = undone;
  mount->user_data = user_data;
  if (g_atomic_int_compare_and_exchange (&mount->state, NEGO_FREEZE_MOUNT_RUNS,
                                         NEGO_FREEZE_MOUNT_GIVEN_UP)) {
    /* From here on it is the task's alone. */
    nego_freeze_mount_unref (mount);
    return -1;
  }
  nego_offload_cancel (mount->task);
  if (mount->open_errno == 0 && mount->errnum == 0) {
    fd = mount->fd;
    mount->fd = -1;
  }
  nego_freeze_mount_unref (mount);
  return fd;
}

typedef struct {
  NegoThawResult result; /* first: what is told of it */
  const NegoFreezeOps *ops;
  char *path;
  int fd;
} NegoThawMount;

static void
nego_thaw_mount_free (gpointer data)
{
  NegoThawMount *mount = data;

  nego_pipe_close (&mount->fd);
  g_free (mount->path);
  g_free (mount);
}

static void
nego_thaw_mount_thread (gpointer data)
{
  NegoThawMount *mount = data;
  int errnum = 0;

  if (mount->fd < 0)
    mount->fd = nego_freeze_mount_open (mount->path);
  if (mount->fd < 0) {
    mount->result.errnum = errno;
    return;
  }
  /* As qemu-ga: kernels before 2.6.35 counted. */
  while (mount->result.n < NEGO_THAWS && (errnum = mount->ops->thaw (mount->path, mount->fd)) == 0)
    mount->result.n++;
  /* The others: it is not frozen, or cannot be. */
  if (errnum != EINVAL && errnum != EOPNOTSUPP && errnum != ENOTTY)
    mount->result.errnum = errnum;
}

gboolean
nego_thaw_mount_start (NegoOffload *offload,
                       const NegoFreezeOps *ops,
                       const char *path,
                       int fd,
                       guint wait_ms,
                       NegoOffloadDoneFunc done,
                       NegoOffloadDoneFunc ended,
                       gpointer user_data)
{
  NegoThawMount *mount = g_new0 (NegoThawMount, 1);
  NegoOffloadTask *task;

  mount->ops = ops;
  mount->path = g_strdup (path);
  mount->fd = fd;
  task = nego_offload_run (offload, nego_thaw_mount_thread, mount, nego_thaw_mount_free, wait_ms,
                           done, user_data, NULL);
  if (task != NULL)
    nego_offload_await (task, ended);
  return task != NULL;
}
