/* SPDX-License-Identifier: MIT */
/*
 * kernel-file: the files of /proc and /sys, below a root that a test chooses ("" is the machine's).
 *
 * Paths in errors are without the root, and the texts are QGA's: what it calls an error there,
 * clients see.
 */
#pragma once

#include <glib.h>

/* The whole of the file @path below @root, with a NUL behind it. Errors: "open("PATH"): CAUSE",
 * "read("PATH"): CAUSE", "the file "PATH" is longer than @limit bytes".
 * Returns: (transfer full), or NULL. */
char *
nego_kernel_file_read (const char *root, const char *path, gsize limit, gsize *len, GError **error);

/* The directory @path below @root; -1 with errno. */
int nego_kernel_file_open_dir (const char *root, const char *path);

/* What one read of @name in @dir_fd gives, which for a value in sysfs is all, with a NUL behind it;
 * *@opened tells what failed. Returns the number of bytes, or -1 with errno. */
gssize
nego_kernel_file_read_at (int dir_fd, const char *name, char *buffer, gsize size, gboolean *opened);

/* Writes @text to @name in @dir_fd, at once. Returns FALSE with errno. */
gboolean nego_kernel_file_write_at (int dir_fd, const char *name, const char *text);

/* The numbers N of the directories PREFIXN in the directory @path below @root, sorted, at most one
 * more than @limit. Returns: (transfer full) (element-type guint64), or NULL with errno. */
GArray *nego_kernel_file_list (const char *root, const char *path, const char *prefix, guint limit);
