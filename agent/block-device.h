/* SPDX-License-Identifier: MIT */
/*
 * block-device: what sysfs, and udev where it is there, say of a block device. Nothing here opens
 * the device or blocks: not even its serial number is read from the kernel, which
 * asks the disk for it (virtio_blk).
 */
#pragma once

#include "qapi/qapi-types.h"

typedef struct {
  char *path;   /* its directory, "/sys/devices/…", without the root */
  char *name;   /* the last part of that: "vda1" */
  char *node;   /* "/dev/vda1"; NULL: it has none */
  char *serial; /* udev's ID_SERIAL, or NULL */
  char *alias;  /* the device mapper's name for it, or NULL */
  gboolean is_virtual;
} NegoBlockDevice;

/* The device whose directory or link in sysfs is @path, "/sys/dev/block/8:1" say, below @root
 * (sysfs.h); NULL: there is none. */
NegoBlockDevice *nego_block_device_new (const char *root, const char *path);
void nego_block_device_free (NegoBlockDevice *device);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (NegoBlockDevice, nego_block_device_free)

/* Where it is attached, with its node and serial number. */
QapiGuestDiskAddress *nego_block_device_new_address (const char *root,
                                                     const NegoBlockDevice *device);

/* Adds to @addresses (QapiGuestDiskAddress) those of the disks that @device lies on, itself if it
 * is no virtual one; at most NEGO_BLOCK_DEVICE_DISKS. */
void
nego_block_device_add_disks (const char *root, const NegoBlockDevice *device, GPtrArray *addresses);

/* The devices that it lies on (NegoBlockDevice); NULL: it is of a kind that lies on none. */
GPtrArray *nego_block_device_list_slaves (const char *root, const NegoBlockDevice *device);
