/* SPDX-License-Identifier: MIT */
/*
 * channel: one way to the agent: opens its address when that can be opened, serves what comes over
 * it, and opens it again after it was lost.
 *
 *   virtio-serial, isa-serial: waiting -> open -> waiting …, one session at a time (device.h)
 *   unix-listen, vsock-listen: up to NEGO_CHANNEL_CLIENTS sessions; more wait in the kernel
 *   fd: one of both, by what the descriptor is; a connection that ends ends the channel
 *
 * Messages are up to 64 MiB on the QGA channel and 1 MiB on others (common/names.h). Nothing that a
 * peer does ends the agent. What is said over a connection is session.h's.
 */
#pragma once

#include "agent/conf.h"
#include "common/dispatch.h"

typedef struct NegoChannel NegoChannel;

/* A channel that cannot come back has ended: an inherited connection. Freeing it from here is
 * right. */
typedef void (*NegoChannelEndedFunc) (NegoChannel *channel, gpointer user_data);

/* @vsock_peers: see NegoConf. Errors: an address that another process has (unix, vsock), a
 * descriptor that is nothing to serve; a device that is not there is none. @dispatcher must outlive
 * the channel. */
NegoChannel *nego_channel_new (const NegoConfChannel *conf,
                               const GArray *vsock_peers,
                               NegoDispatcher *dispatcher,
                               NegoChannelEndedFunc ended,
                               gpointer user_data,
                               GError **error);
void nego_channel_free (NegoChannel *channel);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (NegoChannel, nego_channel_free)

/* How long a port whose session was stuck stays closed: not at all, unless the last reopening for
 * that reason, at @last_us, was less than NEGO_CHANNEL_REOPEN_S before @now_us (both monotonic; 0:
 * there was none). */
guint nego_channel_stuck_pause_ms (gint64 last_us, gint64 now_us);
