/* SPDX-License-Identifier: MIT */
/*
 * guest-get-fsinfo. The file systems are asked on threads; one that does not answer in time is
 * listed without figures.
 */
#include "config.h"

#include "agent/agent.h"
#include "agent/block-device.h"
#include "agent/fs-usage.h"
#include "agent/handlers.h"
#include "agent/mounts.h"
#include "common/names.h"

/* A call that waits for figures. */
typedef struct {
  NegoCall *call;
  GPtrArray *list; /* QapiGuestFilesystemInfo */
} NegoCmdFsinfo;

static QapiGuestFilesystemInfo *
nego_cmd_fsinfo_describe (const char *root, const NegoMount *mount)
{
  QapiGuestFilesystemInfo *info = qapi_guest_filesystem_info_new ();
  g_autofree char *path = g_strdup_printf ("/sys/dev/block/%u:%u", mount->major, mount->minor);
  g_autoptr (NegoBlockDevice) device = nego_block_device_new (root, path);

  info->mountpoint = g_strdup (mount->path);
  info->type = g_strdup (mount->type);
  info->disk = g_ptr_array_new_with_free_func ((GDestroyNotify) qapi_guest_disk_address_free);
  if (device == NULL) {
    info->name = g_strdup_printf ("%u:%u", mount->major, mount->minor);
    return info;
  }
  info->name = g_strdup (device->name);
  nego_block_device_add_disks (root, device, info->disk);
  return info;
}

static void
nego_cmd_fsinfo_set_usage (QapiGuestFilesystemInfo *info, const NegoFsUsage *usage)
{
  info->has_used_bytes = info->has_total_bytes = info->has_total_bytes_privileged = TRUE;
  info->used_bytes = usage->used;
  info->total_bytes = usage->total;
  info->total_bytes_privileged = usage->privileged;
}

static void
nego_cmd_fsinfo_free (gpointer data)
{
  NegoCmdFsinfo *self = data;

  nego_call_unref (self->call);
  g_ptr_array_unref (self->list);
  g_free (self);
}

static void
nego_cmd_fsinfo_answered_cb (GPtrArray *answers, gpointer user_data)
{
  NegoCmdFsinfo *self = user_data;

  for (guint i = 0; i < answers->len; i++) {
    const NegoFsUsage *usage = answers->pdata[i];

    if (usage != NULL && usage->known)
      nego_cmd_fsinfo_set_usage (self->list->pdata[i], usage);
  }
  qapi_guest_get_fsinfo_return (self->call, self->list);
}

void
nego_cmd_guest_get_fsinfo (NegoCall *call)
{
  NegoAgent *agent = nego_agent_of (call);
  GError *error = NULL;
  g_autoptr (GPtrArray) mounts = nego_mounts_read (agent->root, &error);
  g_autoptr (GPtrArray) paths = NULL;
  NegoCmdFsinfo *self;

  if (mounts == NULL) {
    nego_call_fail (call, error);
    return;
  }
  self = g_new0 (NegoCmdFsinfo, 1);
  self->call = nego_call_ref (call);
  self->list = g_ptr_array_new_with_free_func ((GDestroyNotify) qapi_guest_filesystem_info_free);
  paths = g_ptr_array_new ();
  /* qemu-ga's order: the last one first. */
  for (guint i = mounts->len; i > 0; i--) {
    NegoMount *mount = mounts->pdata[i - 1];

    g_ptr_array_add (self->list, nego_cmd_fsinfo_describe (agent->root, mount));
    g_ptr_array_add (paths, mount->path);
  }
  nego_survey_ask (agent->usage, paths, NEGO_FS_USAGE_WAIT_MS, nego_cmd_fsinfo_answered_cb, self,
                   nego_cmd_fsinfo_free);
}
