/* SPDX-License-Identifier: MIT */
/*
 * guest-get-disks, guest-get-diskstats. NVMe disks are asked for their health; one that does not
 * tell in time is listed without.
 */
#include "config.h"

#include "agent/agent.h"
#include "agent/disk-stats.h"
#include "agent/disks.h"
#include "agent/handlers.h"
#include "agent/nvme-smart.h"
#include "common/names.h"

/* A call that waits for the health of disks. */
typedef struct {
  NegoCall *call;
  GPtrArray *disks;
  GPtrArray *asked; /* QapiGuestDiskInfo: borrowed from disks */
} NegoCmdDisks;

static void
nego_cmd_disks_free (gpointer data)
{
  NegoCmdDisks *self = data;

  nego_call_unref (self->call);
  g_ptr_array_unref (self->asked);
  g_ptr_array_unref (self->disks);
  g_free (self);
}

static void
nego_cmd_disks_answered_cb (GPtrArray *answers, gpointer user_data)
{
  NegoCmdDisks *self = user_data;

  for (guint i = 0; i < answers->len; i++) {
    const NegoNvmeSmart *smart = answers->pdata[i];
    QapiGuestDiskInfo *disk = self->asked->pdata[i];

    if (smart != NULL && smart->known)
      disk->smart = nego_nvme_smart_parse (smart);
  }
  qapi_guest_get_disks_return (self->call, self->disks);
}

void
nego_cmd_guest_get_disks (NegoCall *call)
{
  NegoAgent *agent = nego_agent_of (call);
  GError *error = NULL;
  GPtrArray *disks = nego_disks_list (agent->root, &error);
  g_autoptr (GPtrArray) nodes = NULL;
  NegoCmdDisks *self;

  if (disks == NULL) {
    nego_call_fail (call, error);
    return;
  }
  self = g_new0 (NegoCmdDisks, 1);
  self->call = nego_call_ref (call);
  self->disks = disks;
  self->asked = g_ptr_array_new ();
  nodes = g_ptr_array_new ();
  for (guint i = 0; i < disks->len; i++) {
    QapiGuestDiskInfo *disk = disks->pdata[i];

    if (disk->address == NULL || disk->address->bus_type != QAPI_GUEST_DISK_BUS_TYPE_NVME)
      continue;
    g_ptr_array_add (self->asked, disk);
    g_ptr_array_add (nodes, disk->name);
  }
  nego_survey_ask (agent->smart, nodes, NEGO_NVME_SMART_WAIT_MS, nego_cmd_disks_answered_cb, self,
                   nego_cmd_disks_free);
}

GPtrArray *
nego_cmd_guest_get_diskstats (NegoCall *call, GError **error)
{
  return nego_disk_stats_read (nego_agent_of (call)->root, error);
}
