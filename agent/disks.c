/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "agent/disks.h"

#include "agent/block-device.h"
#include "agent/sysfs.h"

#include <string.h>

#define NEGO_DISKS_DIR "/sys/block"

static QapiGuestDiskInfo *
nego_disks_new_partition (const NegoBlockDevice *disk, const NegoBlockDevice *partition)
{
  QapiGuestDiskInfo *info = qapi_guest_disk_info_new ();

  info->name = g_strdup (partition->node);
  info->partition = TRUE;
  info->dependencies = g_new0 (char *, 2);
  info->dependencies[0] = g_strdup (disk->node);
  return info;
}

/* Partitions are directories in the disk's own, with its name before theirs. */
static void
nego_disks_add_partitions (const char *root, const NegoBlockDevice *disk, GPtrArray *list)
{
  g_autoptr (GPtrArray) names = nego_sysfs_list (root, disk->path, NULL);

  for (guint i = 0; names != NULL && i < names->len; i++) {
    const char *name = names->pdata[i];
    g_autofree char *path = NULL;
    g_autoptr (NegoBlockDevice) partition = NULL;

    if (!g_str_has_prefix (name, disk->name))
      continue;
    path = g_strconcat (disk->path, "/", name, NULL);
    if (nego_sysfs_exists (root, path, "partition"))
      partition = nego_block_device_new (root, path);
    if (partition != NULL && partition->node != NULL)
      g_ptr_array_add (list, nego_disks_new_partition (disk, partition));
  }
}

static char **
nego_disks_list_dependencies (const char *root, const NegoBlockDevice *disk)
{
  g_autoptr (GPtrArray) slaves = nego_block_device_list_slaves (root, disk);
  char **names;
  guint n = 0;

  if (slaves == NULL)
    return NULL;
  names = g_new0 (char *, slaves->len + 1);
  for (guint i = 0; i < slaves->len; i++) {
    const NegoBlockDevice *slave = slaves->pdata[i];

    if (slave->node != NULL)
      names[n++] = g_strdup (slave->node);
  }
  return names;
}

/* Whether there is nothing in it: a drive without a medium, a loop device without a file. */
static gboolean
nego_disks_is_empty (const char *root, const char *path)
{
  g_autofree char *size = nego_sysfs_read_attribute (root, path, "size");

  return size == NULL || g_str_equal (size, "0");
}

static void
nego_disks_add (const char *root, const NegoBlockDevice *disk, GPtrArray *list)
{
  QapiGuestDiskInfo *info;

  if (disk->node == NULL)
    return;
  info = qapi_guest_disk_info_new ();
  info->name = g_strdup (disk->node);
  info->alias = g_strdup (disk->alias);
  info->dependencies = nego_disks_list_dependencies (root, disk);
  if (!disk->is_virtual)
    info->address = nego_block_device_new_address (root, disk);
  g_ptr_array_add (list, info);
  nego_disks_add_partitions (root, disk, list);
}

/* qemu-ga's order: the last one first. */
static void
nego_disks_reverse (GPtrArray *list)
{
  for (guint i = 0, j = list->len; i + 1 < j; i++) {
    gpointer other = list->pdata[i];

    list->pdata[i] = list->pdata[--j];
    list->pdata[j] = other;
  }
}

GPtrArray *
nego_disks_list (const char *root, GError **error)
{
  g_autoptr (GPtrArray) names = nego_sysfs_list (root, NEGO_DISKS_DIR, error);
  GPtrArray *list;

  if (names == NULL) {
    g_prefix_error (error, "Can't open directory \"/sys/block\": ");
    return NULL;
  }
  list = g_ptr_array_new_with_free_func ((GDestroyNotify) qapi_guest_disk_info_free);
  for (guint i = 0; i < names->len; i++) {
    g_autofree char *path = g_strconcat (NEGO_DISKS_DIR "/", (const char *) names->pdata[i], NULL);
    g_autoptr (NegoBlockDevice) disk = NULL;

    if (!nego_disks_is_empty (root, path))
      disk = nego_block_device_new (root, path);
    if (disk != NULL)
      nego_disks_add (root, disk, list);
  }
  nego_disks_reverse (list);
  return list;
}
