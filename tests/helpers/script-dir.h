/* SPDX-License-Identifier: MIT */
/*
 * script-dir: a temporary directory that trust.h accepts. The usual ones are below /tmp, which is
 * writable by everybody; this one is below the first of the working directory, the user's home and
 * /run that is safe.
 */
#pragma once

#include <glib.h>

#include <sys/types.h>

/* NULL, and the running test skipped with the reason, when there is no safe place. */
char *script_dir_new (void);
/* Removes the directory and frees @dir. */
void script_dir_free (char *dir);

/* Writes the file @name of @dir. Returns its path. */
char *script_dir_add (const char *dir, const char *name, mode_t mode, const char *text);
