/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "tests/helpers/script-dir.h"

#include "common/trust.h"

#include <glib/gstdio.h>

#include <fcntl.h>
#include <ftw.h>
#include <string.h>
#include <unistd.h>

static gboolean
is_safe (const char *dir)
{
  int fd = nego_trust_open_dir (dir, NULL);

  if (fd < 0)
    return FALSE;
  close (fd);
  return access (dir, W_OK) == 0;
}

char *
script_dir_new (void)
{
  g_autofree char *current = g_get_current_dir ();
  const char *const places[] = { current, g_get_home_dir (), "/run" };

  for (guint i = 0; i < G_N_ELEMENTS (places); i++)
    if (is_safe (places[i])) {
      g_autofree char *dir = g_build_filename (places[i], ".nego-test-XXXXXX", NULL);

      /* 0755: other users' scripts are run from it. */
      g_assert_nonnull (g_mkdtemp_full (dir, 0755));
      return g_steal_pointer (&dir);
    }
  g_test_skip ("neither the working directory, the home nor /run is safe from other users");
  return NULL;
}

static int
remove_entry (const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
  return remove (path);
}

void
script_dir_free (char *dir)
{
  if (dir != NULL)
    g_assert_cmpint (nftw (dir, remove_entry, 16, FTW_DEPTH | FTW_PHYS), ==, 0);
  g_free (dir);
}

char *
script_dir_add (const char *dir, const char *name, mode_t mode, const char *text)
{
  g_autofree char *path = g_build_filename (dir, name, NULL);
  int fd = open (path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

  g_assert_cmpint (fd, >=, 0);
  g_assert_cmpint (write (fd, text, strlen (text)), ==, (ssize_t) strlen (text));
  g_assert_cmpint (fchmod (fd, mode), ==, 0);
  close (fd);
  return g_steal_pointer (&path);
}
