/* SPDX-License-Identifier: MIT */
/*
 * connection: follows the guests of one libvirt connection: opens it, hears its events, and opens
 * it again when it ends.
 *
 * Between two tries it waits, twice as long each time up to NEGO_CONNECTION_PAUSE_MS, unless
 * something changes where libvirt's sockets are.
 */
#pragma once

#include "host-client/hostd/domains.h"

typedef struct NegoConnection NegoConnection;

/* The arguments but @uri must outlive it. */
NegoConnection *nego_connection_new (const char *uri,
                                     NegoGuests *guests,
                                     NegoArrivals *arrivals,
                                     NegoOffload *offload);
void nego_connection_free (NegoConnection *connection);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (NegoConnection, nego_connection_free)
