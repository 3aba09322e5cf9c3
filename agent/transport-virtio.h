/* SPDX-License-Identifier: MIT */
/*
 * transport-virtio: finds and opens a virtio port.
 *
 * udev makes /dev/virtio-ports/NAME; without it the kernel's list of ports is searched for NAME.
 */
#pragma once

#include <glib.h>

/* Opens @path; for NEGO_VIRTIO_DEV_DIR/NAME also by NAME. @node gets the path that was tried last
 * (transfer full). Returns the descriptor, or a negative errno: -EBUSY means that another process
 * has the port, -ENOENT and -ENODEV that it is not there. */
int nego_transport_virtio_open (const char *path, char **node);

/* The device node of the port @name under the list @sys_dir, in @dev_dir; NULL: there is none.
 * Returns: (transfer full). */
char *nego_transport_virtio_find (const char *name, const char *sys_dir, const char *dev_dir);
