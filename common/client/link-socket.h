/* SPDX-License-Identifier: MIT */
/*
 * link-socket: a unix socket with an agent behind it: QEMU's end of a port, or an agent's
 * unix-listen channel.
 *
 * A connection begins with 0xFF and guest-sync-delimited with a random id; everything up to its
 * reply is somebody else's. A request that is harmless is sent along with the sync, any other one
 * only after the reply: QEMU serves one client at a time and takes up the bytes of the next one
 * when the first leaves, even if that next one has given up meanwhile.
 *
 * Or a device, a virtio port that this program opened itself: there requests are not posted, since
 * the other side answers in any order.
 *
 * No threads, no main loop: a call polls the socket until the reply is there or the deadline.
 */
#pragma once

#include "common/client/link.h"

/* Connects, which takes no time: whether anybody answers is seen by the first sync or call. The
 * reply to a sync is awaited for @patience seconds at most, 0 is without limit; but a port that
 * another program holds is told after NEGO_GUEST_SYNC_S, however patient. */
NegoLink *nego_link_socket_new (const char *path, double patience, GError **error);
/* The same, to a multiplexer (common/broker/): it serves all that come, so @patience is for waiting
 * until it gets round to this one, too. */
NegoLink *nego_link_socket_new_shared (const char *path, double patience, GError **error);
/* Opens the device @path, for as long as the link lives. Errors: NEGO_ERROR_BUSY (another process
 * has it), NEGO_ERROR_NOT_FOUND, NEGO_ERROR_IO. */
NegoLink *nego_link_socket_new_device (const char *path, double patience, GError **error);
