/* SPDX-License-Identifier: MIT */
/*
 * transport-serial: opens a serial line and makes it raw, as qemu-ga's isa-serial does.
 */
#pragma once

#include <glib.h>

/* Returns the descriptor, or a negative errno. What had arrived before is dropped. @node gets @path
 * (transfer full). */
int nego_transport_serial_open (const char *path, char **node);
