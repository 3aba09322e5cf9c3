/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "agent/agent.h"
#include "agent/handlers.h"
#include "agent/kernel-file.h"
#include "common/error.h"
#include "common/names.h"

#include <errno.h>

QapiGuestLoadAverage *
nego_cmd_guest_get_load (NegoCall *call, GError **error)
{
  g_autoptr (GError) cause = NULL;
  g_autofree char *text = nego_kernel_file_read (nego_agent_of (call)->root, "/proc/loadavg",
                                                 NEGO_KERNEL_FILE_BYTES, NULL, &cause);
  QapiGuestLoadAverage *load;
  double averages[3];
  char *rest = text;

  if (text == NULL) {
    g_set_error (error, NEGO_ERROR, NEGO_ERROR_IO, "cannot query load average: %s", cause->message);
    return NULL;
  }
  for (gsize i = 0; i < G_N_ELEMENTS (averages); i++) {
    char *start = rest;

    averages[i] = g_ascii_strtod (start, &rest);
    if (rest == start) {
      nego_error_set_errno (error, EINVAL, "cannot query load average");
      return NULL;
    }
  }
  load = qapi_guest_load_average_new ();
  load->load1m = averages[0];
  load->load5m = averages[1];
  load->load15m = averages[2];
  return load;
}
