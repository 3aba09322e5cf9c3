/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "agent/fs-usage.h"

#include <sys/statvfs.h>

void
nego_fs_usage_ask (const char *path, gpointer answer)
{
  NegoFsUsage *usage = answer;
  struct statvfs st;
  guint64 used;

  if (statvfs (path, &st) < 0)
    return;
  used = (guint64) st.f_blocks - st.f_bfree;
  usage->known = TRUE;
  usage->used = used * st.f_frsize;
  usage->total = (used + st.f_bavail) * st.f_frsize;
  usage->privileged = (guint64) st.f_blocks * st.f_frsize;
}
