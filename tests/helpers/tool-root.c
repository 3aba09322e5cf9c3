/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "tests/helpers/tool-root.h"

#include <glib/gstdio.h>

#include <ftw.h>
#include <unistd.h>

#define LOG "calls"

void
tool_root_init (ToolRoot *root)
{
  g_autoptr (GError) error = NULL;

  root->path = g_dir_make_tmp ("nego-root-XXXXXX", &error);
  g_assert_no_error (error);
}

static int
remove_one (const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
  return remove (path);
}

void
tool_root_clear (ToolRoot *root)
{
  g_assert_cmpint (nftw (root->path, remove_one, 16, FTW_DEPTH | FTW_PHYS), ==, 0);
  g_clear_pointer (&root->path, g_free);
}

void
tool_root_add_file (ToolRoot *root, const char *name, const char *text)
{
  g_autofree char *path = g_build_filename (root->path, name, NULL);
  g_autofree char *parent = g_path_get_dirname (path);

  g_assert_cmpint (g_mkdir_with_parents (parent, 0755), ==, 0);
  g_assert_true (g_file_set_contents (path, text, -1, NULL));
}

void
tool_root_remove_file (ToolRoot *root, const char *name)
{
  g_autofree char *path = g_build_filename (root->path, name, NULL);

  g_assert_cmpint (g_remove (path), ==, 0);
}

char *
tool_root_read_file (ToolRoot *root, const char *name)
{
  g_autofree char *path = g_build_filename (root->path, name, NULL);
  char *text = NULL;

  return g_file_get_contents (path, &text, NULL, NULL) ? text : g_strdup ("");
}

void
tool_root_add (ToolRoot *root, const char *name, const char *script)
{
  g_autofree char *file = g_build_filename ("usr/sbin", name, NULL);
  g_autofree char *path = g_build_filename (root->path, file, NULL);
  g_autoptr (GString) text
    = g_string_new ("#!/bin/sh\n"
                    "{ printf '%s' \"${0##*/}\"; for a; do printf '<%s>' \"$a\"; done; echo; }"
                    " >>'@ROOT@/" LOG "'\n");

  g_string_append (text, script);
  g_string_append_c (text, '\n');
  g_string_replace (text, "@ROOT@", root->path, 0);
  tool_root_add_file (root, file, text->str);
  g_assert_cmpint (g_chmod (path, 0755), ==, 0);
}

void
tool_root_assert_log (ToolRoot *root, const char *log)
{
  g_autofree char *got = tool_root_read_file (root, LOG);

  g_assert_cmpstr (got, ==, log);
  tool_root_add_file (root, LOG, "");
}
