/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "agent/block-device.h"

#include "agent/disk-address.h"
#include "agent/sysfs.h"
#include "common/names.h"

#define NEGO_BLOCK_DEVICE_VIRTUAL "/sys/devices/virtual/block/"
/* Device-mapper devices on each other; the kernel has no loops. */
#define NEGO_BLOCK_DEVICE_LEVELS 16u

/* udev's record, whose format is its own affair, but which has not changed since its first years:
 * libudev would read the same. */
static char *
nego_block_device_read_record (const char *root, const char *uevent)
{
  g_autofree char *major = nego_sysfs_find_value (uevent, "MAJOR");
  g_autofree char *minor = nego_sysfs_find_value (uevent, "MINOR");
  g_autofree char *path = NULL;

  if (major == NULL || minor == NULL)
    return NULL;
  path = g_strdup_printf ("/run/udev/data/b%s:%s", major, minor);
  return nego_sysfs_read (root, path, NULL);
}

NegoBlockDevice *
nego_block_device_new (const char *root, const char *path)
{
  NegoBlockDevice *device = g_new0 (NegoBlockDevice, 1);
  g_autofree char *uevent = NULL;
  g_autofree char *name = NULL;
  g_autofree char *record = NULL;

  device->path = nego_sysfs_read_link (root, path);
  if (device->path == NULL)
    device->path = g_strdup (path);
  uevent = nego_sysfs_read_attribute (root, device->path, "uevent");
  if (uevent == NULL) {
    nego_block_device_free (device);
    return NULL;
  }
  device->name = g_path_get_basename (device->path);
  device->is_virtual = g_str_has_prefix (device->path, NEGO_BLOCK_DEVICE_VIRTUAL);
  name = nego_sysfs_find_value (uevent, "DEVNAME");
  if (name != NULL)
    device->node = g_strconcat ("/dev/", name, NULL);
  record = nego_block_device_read_record (root, uevent);
  if (record != NULL) {
    device->serial = nego_sysfs_find_value (record, "E:ID_SERIAL");
    device->alias = nego_sysfs_find_value (record, "E:DM_NAME");
  }
  if (device->alias == NULL && device->is_virtual)
    device->alias = nego_sysfs_read_attribute (root, device->path, "dm/name");
  return device;
}

void
nego_block_device_free (NegoBlockDevice *device)
{
  if (device == NULL)
    return;
  g_free (device->path);
  g_free (device->name);
  g_free (device->node);
  g_free (device->serial);
  g_free (device->alias);
  g_free (device);
}

QapiGuestDiskAddress *
nego_block_device_new_address (const char *root, const NegoBlockDevice *device)
{
  QapiGuestDiskAddress *address = qapi_guest_disk_address_new ();

  nego_disk_address_find (root, device->path, address);
  address->dev = g_strdup (device->node);
  address->serial = g_strdup (device->serial);
  return address;
}

GPtrArray *
nego_block_device_list_slaves (const char *root, const NegoBlockDevice *device)
{
  g_autofree char *dir = g_strconcat (device->path, "/slaves", NULL);
  g_autoptr (GPtrArray) names = nego_sysfs_list (root, dir, NULL);
  GPtrArray *slaves;

  if (names == NULL)
    return NULL;
  slaves = g_ptr_array_new_with_free_func ((GDestroyNotify) nego_block_device_free);
  for (guint i = 0; i < names->len && i < NEGO_BLOCK_DEVICE_DISKS; i++) {
    g_autofree char *path = g_strconcat (dir, "/", (const char *) names->pdata[i], NULL);
    NegoBlockDevice *slave = nego_block_device_new (root, path);

    if (slave != NULL)
      g_ptr_array_add (slaves, slave);
  }
  return slaves;
}

static void
nego_block_device_add_below (const char *root,
                             const NegoBlockDevice *device,
                             GPtrArray *addresses,
                             guint levels)
{
  g_autoptr (GPtrArray) slaves = NULL;

  if (addresses->len >= NEGO_BLOCK_DEVICE_DISKS || levels == 0)
    return;
  if (!device->is_virtual) {
    g_ptr_array_add (addresses, nego_block_device_new_address (root, device));
    return;
  }
  slaves = nego_block_device_list_slaves (root, device);
  for (guint i = 0; slaves != NULL && i < slaves->len; i++)
    nego_block_device_add_below (root, slaves->pdata[i], addresses, levels - 1);
}

void
nego_block_device_add_disks (const char *root, const NegoBlockDevice *device, GPtrArray *addresses)
{
  nego_block_device_add_below (root, device, addresses, NEGO_BLOCK_DEVICE_LEVELS);
}
