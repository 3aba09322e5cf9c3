/* SPDX-License-Identifier: MIT */
/*
 * mounts: the mounted file systems that lie on block devices, each device once, by where it was
 * mounted first: those that can be frozen and that qemu-ga lists. No network file systems, none
 * that are in memory.
 *
 * The format is that of proc_pid_mountinfo(5).
 */
#pragma once

#include <glib.h>

typedef struct {
  char *path; /* where it is mounted */
  char *type;
  guint major, minor; /* its device */
} NegoMount;

void nego_mount_free (NegoMount *mount);

/* The mounts (NegoMount) in the order in which they were mounted, of /proc/self/mountinfo below
 * @root (sysfs.h). Errors: NEGO_ERROR_IO, with QGA's text. */
GPtrArray *nego_mounts_read (const char *root, GError **error);

/* The same of @text, which is changed. Lines that cannot be understood are left out. */
GPtrArray *nego_mounts_parse (char *text);
