/* SPDX-License-Identifier: MIT */
/*
 * fs-usage: how full a file system is (statvfs(3)), in bytes. Asking blocks as long as the file
 * system does not answer.
 */
#pragma once

#include <glib.h>

typedef struct {
  gboolean known; /* it answered */
  guint64 used;
  guint64 total;      /* that others than root can use */
  guint64 privileged; /* that root can use */
} NegoFsUsage;

/* Asks the file system that is mounted on @path: @answer is a NegoFsUsage. */
void nego_fs_usage_ask (const char *path, gpointer answer);
