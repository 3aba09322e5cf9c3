/* SPDX-License-Identifier: MIT */
/*
 * freeze-mount: freezing and thawing one file system, on threads (offload.h): both block, a freeze
 * as long as it takes to write what waits to be written.
 *
 * A freeze that nobody waits for any more undoes itself: no file system stays frozen that nobody
 * knows of.
 */
#pragma once

#include "common/offload.h"

/* The system calls. Both return 0 or an errno. */
typedef struct {
  int (*freeze) (const char *path, int fd);
  int (*thaw) (const char *path, int fd);
} NegoFreezeOps;

/* ioctl_fifreeze(2). */
extern const NegoFreezeOps nego_freeze_ops_real;

typedef struct NegoFreezeMount NegoFreezeMount;

/* @open_errno, @errnum: 0, or why it was not opened or frozen. @fd: the directory, the caller's
 * from here on; frozen if both are 0; -1 with @open_errno. */
typedef void (*NegoFreezeMountFunc) (int open_errno, int errnum, int fd, gpointer user_data);

/* Freezes what is mounted on @path. NULL: too much waits for threads. */
NegoFreezeMount *nego_freeze_mount_start (NegoOffload *offload,
                                          const NegoFreezeOps *ops,
                                          const char *path,
                                          NegoFreezeMountFunc done,
                                          gpointer user_data,
                                          GError **error);
const char *nego_freeze_mount_get_path (const NegoFreezeMount *mount);
/* The thread has ended, and what it froze is thawed. */
typedef void (*NegoFreezeUndoneFunc) (NegoFreezeMount *mount, gpointer user_data);
/* Gives it up. Returns its descriptor, the caller's, if it is frozen, and frees @mount; else -1: if
 * it is frozen later, it is thawed at once, and @undone is called then, after which @mount is gone,
 * unless the offload goes first. Only before @done was called. */
int
nego_freeze_mount_give_up (NegoFreezeMount *mount, NegoFreezeUndoneFunc undone, gpointer user_data);

typedef struct {
  guint n;    /* how often it was frozen */
  int errnum; /* 0, or why it could not be opened or thawed, other than that it was not frozen */
} NegoThawResult;

/* Thaws what is mounted on @path: as @fd (transfer full), or by the path where that is -1. @done
 * gets a NegoThawResult; NULL: it takes longer than @wait_ms, and @ended gets the result
 * when there is one. FALSE: too much waits for threads, and neither is called. */
gboolean nego_thaw_mount_start (NegoOffload *offload,
                                const NegoFreezeOps *ops,
                                const char *path,
                                int fd,
                                guint wait_ms,
                                NegoOffloadDoneFunc done,
                                NegoOffloadDoneFunc ended,
                                gpointer user_data);
