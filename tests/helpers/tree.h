/* SPDX-License-Identifier: MIT */
/*
 * tree: a directory of fixtures, for what reads /proc, /sys and /run.
 */
#pragma once

#include <glib.h>

typedef struct {
  const char *path;   /* absolute, within the tree */
  const char *text;   /* a file's; NULL with target NULL: a directory */
  const char *target; /* of a link */
} TreeEntry;

/* Makes a directory with @entries, and the directories above each. Returns its path. */
char *tree_new (const TreeEntry *entries, gsize n_entries);
/* Removes the directory and frees @root. */
void tree_free (char *root);
