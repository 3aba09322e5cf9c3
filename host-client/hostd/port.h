/* SPDX-License-Identifier: MIT */
/*
 * port: the host's end of a guest's port negotiator-guest-to-host.0: connects to its socket, serves
 * the guest's calls there, and connects again when the connection ends.
 */
#pragma once

#include "host-client/hostd/arrivals.h"
#include "host-client/hostd/guest.h"

typedef struct NegoPort NegoPort;

/* @path: of QEMU's socket, copied. @guest and @arrivals must outlive it. */
NegoPort *nego_port_new (NegoGuest *guest, const char *path, NegoArrivals *arrivals);
void nego_port_free (NegoPort *port);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (NegoPort, nego_port_free)

const char *nego_port_get_path (const NegoPort *port);
