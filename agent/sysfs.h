/* SPDX-License-Identifier: MIT */
/*
 * sysfs: reading the files of /proc and /sys, and udev's records of devices. None of these blocks.
 *
 * @root stands before each path: "" on a machine, a directory of fixtures in tests.
 */
#pragma once

#include <glib.h>

/* The whole file @path; more than NEGO_SYSFS_FILE_BYTES is an error. Errors: NEGO_ERROR_*, the text
 * is the cause alone. Returns: (transfer full). */
char *nego_sysfs_read (const char *root, const char *path, GError **error);

/* The file @name of the directory @dir, without white space around it; NULL: it cannot be read, or
 * is empty. */
char *nego_sysfs_read_attribute (const char *root, const char *dir, const char *name);

/* Where the link @path leads to, as an absolute path without @root; NULL: it is none. The links of
 * sysfs lead to real directories. */
char *nego_sysfs_read_link (const char *root, const char *path);

gboolean nego_sysfs_exists (const char *root, const char *dir, const char *name);

/* The names in the directory @path, sorted, without those that begin with a dot; NULL: it cannot be
 * read. At most NEGO_SYSFS_NAMES. Errors: NEGO_ERROR_*, the text is the cause alone. */
GPtrArray *nego_sysfs_list (const char *root, const char *path, GError **error);

/* The value of @key in @text, which has lines of KEY=VALUE (a uevent file; with the prefix "E:" a
 * record of udev's); NULL: none, or an empty one. */
char *nego_sysfs_find_value (const char *text, const char *key);
