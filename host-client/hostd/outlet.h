/* SPDX-License-Identifier: MIT */
/*
 * outlet: one guest as local programs find it: nego-hostd holds the host's end of the port
 * negotiator-host-to-guest.0, which QEMU gives to one client at a time, and offers it on a socket
 * of its own to many (common/broker/, host-client/guest-socket.h).
 *
 * An outlet whose socket cannot be made says why in the log, and leaves the port to others. An old
 * guest (docs/protocol.rst, "OLD PEERS") would not survive the synchronisation.
 */
#pragma once

#include "common/listener.h"
#include "common/poller.h"
#include "host-client/hostd/arrivals.h"

typedef struct NegoOutlet NegoOutlet;

/* Where the sockets are, and who may use them; borrowed. */
typedef struct {
  const char *dir;    /* made if it is missing */
  gid_t gid;          /* the sockets' group; NEGO_LISTENER_NO_GROUP: that of this process */
  guint mode;         /* their permissions */
  NegoPoller *poller; /* of all connections; it must outlive the outlets; NULL: none */
} NegoOutletPlace;

/* @name: the guest's. @port: QEMU's socket. @arrivals must outlive it. NULL: there can be none. */
NegoOutlet *nego_outlet_new (const NegoOutletPlace *place,
                             const char *name,
                             const char *port,
                             NegoArrivals *arrivals);
void nego_outlet_free (NegoOutlet *outlet);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (NegoOutlet, nego_outlet_free)

/* The guest starts anew, while QEMU's socket stays: calls that are out fail. */
void nego_outlet_resync (NegoOutlet *outlet);

const char *nego_outlet_get_name (const NegoOutlet *outlet);
const char *nego_outlet_get_port (const NegoOutlet *outlet);
