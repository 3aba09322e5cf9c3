/* SPDX-License-Identifier: MIT */
/*
 * device: a device node that may be missing, held by another process, unplugged and plugged in
 * again: opens it as soon as it can be opened.
 *
 * It waits without polling: for changes in the directories on the way to the node, for its holder's
 * close, and for the kernel's device messages. What flows through the descriptor is not its
 * business.
 */
#pragma once

#include <glib.h>

typedef struct NegoDevice NegoDevice;

/* Returns a descriptor or a negative errno, and in @node what to watch (transfer full). */
typedef int (*NegoDeviceOpenFunc) (const char *path, char **node);
/* The device is open; @fd is the callee's. Never called from within nego_device_new (). Freeing the
 * device from here is right. */
typedef void (*NegoDeviceOpenedFunc) (NegoDevice *device, int fd, gpointer user_data);

/* @subsystem: the kernel's name of the device's kind, or NULL for one that comes with its node.
 * @path and @subsystem are copied. */
NegoDevice *nego_device_new (const char *path,
                             const char *subsystem,
                             NegoDeviceOpenFunc open,
                             NegoDeviceOpenedFunc opened,
                             gpointer user_data);
void nego_device_free (NegoDevice *device);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (NegoDevice, nego_device_free)

/* The descriptor was closed by its owner: opens the device again when it can. */
void nego_device_reopen (NegoDevice *device);
