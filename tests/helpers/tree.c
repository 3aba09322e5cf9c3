/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "tests/helpers/tree.h"

#include <ftw.h>
#include <stdio.h>
#include <unistd.h>

char *
tree_new (const TreeEntry *entries, gsize n_entries)
{
  g_autoptr (GError) error = NULL;
  char *root = g_dir_make_tmp ("negotest-XXXXXX", &error);

  g_assert_no_error (error);
  for (gsize i = 0; i < n_entries; i++) {
    g_autofree char *path = g_strconcat (root, entries[i].path, NULL);
    g_autofree char *above = g_path_get_dirname (path);

    g_assert_cmpint (g_mkdir_with_parents (above, 0700), ==, 0);
    if (entries[i].target != NULL)
      g_assert_cmpint (symlink (entries[i].target, path), ==, 0);
    else if (entries[i].text == NULL)
      g_assert_cmpint (g_mkdir_with_parents (path, 0700), ==, 0);
    else
      g_file_set_contents (path, entries[i].text, -1, &error);
    g_assert_no_error (error);
  }
  return root;
}

static int
remove_one (const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
  return remove (path);
}

void
tree_free (char *root)
{
  g_assert_cmpint (nftw (root, remove_one, 16, FTW_DEPTH | FTW_PHYS), ==, 0);
  g_free (root);
}
