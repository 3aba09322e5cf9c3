/* SPDX-License-Identifier: MIT */
/*
 * tool-root: a directory that stands for the guest's root, with programs of the test's own. Each
 * call of one is a line in its log: the program's name and its arguments in angle brackets.
 */
#pragma once

#include <glib.h>

typedef struct {
  char *path;
} ToolRoot;

void tool_root_init (ToolRoot *root);
/* Removes all. */
void tool_root_clear (ToolRoot *root);

/* Writes the file @name, with the directories that it needs. */
void tool_root_add_file (ToolRoot *root, const char *name, const char *text);
void tool_root_remove_file (ToolRoot *root, const char *name);
char *tool_root_read_file (ToolRoot *root, const char *name);
/* A program in /usr/sbin: records its call, then runs @script, lines of sh; @ROOT@ there is the
 * directory. */
void tool_root_add (ToolRoot *root, const char *name, const char *script);

/* The calls so far are @log; forgets them. */
void tool_root_assert_log (ToolRoot *root, const char *log);
