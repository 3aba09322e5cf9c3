/* SPDX-License-Identifier: MIT */
/*
 * disk-address: where a disk is attached, read off its path in sysfs, with qemu-ga's rules: libvirt
 * finds a domain's disk by the numbers.
 */
#pragma once

#include "qapi/qapi-types.h"

/* Sets bus-type, bus, target, unit, pci-controller and ccw-address of @address for the device whose
 * directory is @path, "/sys/devices/…", below @root (sysfs.h). What is not known is -1 for the
 * controller, and 0 else. */
void nego_disk_address_find (const char *root, const char *path, QapiGuestDiskAddress *address);
