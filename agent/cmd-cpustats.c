/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "agent/agent.h"
#include "agent/cpu-stats.h"
#include "agent/handlers.h"
#include "agent/kernel-file.h"
#include "common/names.h"

#include <unistd.h>

GPtrArray *
nego_cmd_guest_get_cpustats (NegoCall *call, GError **error)
{
  g_autofree char *text = nego_kernel_file_read (nego_agent_of (call)->root, "/proc/stat",
                                                 NEGO_KERNEL_FILE_BYTES, NULL, error);

  if (text == NULL)
    return NULL;
  return nego_cpu_stats_parse (text, (guint64) sysconf (_SC_CLK_TCK));
}
