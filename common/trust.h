/* SPDX-License-Identifier: MIT */
/*
 * trust: opening files that only root can have put there.
 *
 * Each component of an absolute path is opened in the one before, without following a symbolic
 * link, and must be owned by root (or by this process's user, when that is not root) and not be
 * writable by group or others. A sticky directory such as /tmp is writable by others like any
 * other. What passes cannot be changed by anybody else, so that it may be used by its path
 * afterwards.
 *
 * Refusals are NEGO_ERROR_REFUSED; their texts are "'PATH' is a symbolic link", "'PATH' is owned by
 * uid N", "'PATH' is writable by group or others", "'PATH' is not a directory". What does not exist
 * is NEGO_ERROR_NOT_FOUND, other failures are NEGO_ERROR_IO.
 */
#pragma once

#include <glib.h>

#include <sys/stat.h>

/* Opens the directory @path (absolute) with O_PATH. Returns -1 with an error. */
int nego_trust_open_dir (const char *path, GError **error);

/* Opens the entry @name of @dir_fd with O_PATH and checks its owner and mode; a symbolic link is
 * refused, any other kind is the caller's to judge. @dir_path is for the error texts. */
int nego_trust_open_at (
  int dir_fd, const char *dir_path, const char *name, struct stat *st, GError **error);

/* A descriptor to read from, for one that was opened with O_PATH. Returns -1 with errno. */
int nego_trust_reopen (int path_fd);
