/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "common/target.h"

#include "common/error.h"

#include <sys/stat.h>

gboolean
nego_target_check (const char *path, GError **error)
{
  struct stat st;

  if (lstat (path, &st) < 0 || S_ISREG (st.st_mode))
    return TRUE;
  g_set_error (error, NEGO_ERROR, NEGO_ERROR_GENERIC,
               S_ISLNK (st.st_mode) ? "'%s' is a symbolic link; name the file that it points to"
                                    : "'%s' is there, and is not a regular file",
               path);
  return FALSE;
}
