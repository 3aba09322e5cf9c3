/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "common/port-host.h"

#include "common/names.h"

static gboolean
nego_port_host_is_recent (gint64 since, gint64 now)
{
  return since != 0 && now - since < NEGO_PORT_EARLY_MS * G_TIME_SPAN_MILLISECOND;
}

gboolean
nego_port_host_take_open (NegoPortHost *host, gint64 now)
{
  const gboolean expected = nego_port_host_is_recent (host->early_us, now);

  host->leaving = FALSE;
  if (host->present)
    return FALSE;
  host->present = TRUE;
  host->data_us = host->early_us;
  host->early_us = 0;
  return !expected;
}

gboolean
nego_port_host_take_data (NegoPortHost *host, gboolean at_end, gint64 now)
{
  gboolean forget = FALSE;

  if (!at_end)
    forget = nego_port_host_take_open (host, now);
  if (host->present) {
    host->data_us = now;
    return forget;
  }
  if (nego_port_host_is_recent (host->early_us, now))
    return FALSE;
  forget = host->early_us != 0; /* a host came and left unseen */
  host->early_us = now;
  return forget;
}

gboolean
nego_port_host_take_hangup (NegoPortHost *host)
{
  const gboolean forget = host->present;

  if (forget)
    *host = (NegoPortHost){ 0 };
  return forget;
}

gboolean
nego_port_host_take_end (NegoPortHost *host, gint64 now)
{
  if (!host->present)
    return FALSE;
  host->leaving = nego_port_host_is_recent (host->data_us, now);
  return host->leaving ? FALSE : nego_port_host_take_hangup (host);
}

void
nego_port_host_take_timeout (NegoPortHost *host)
{
  host->leaving = FALSE;
  host->data_us = 0;
}
