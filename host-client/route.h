/* SPDX-License-Identifier: MIT */
/*
 * route: the ways to one guest, and the choice among them.
 *
 * The port negotiator-host-to-guest.0 comes first, if its socket is on this machine: it leaves
 * libvirt's agent to others. It is reached through nego-hostd where that has it (guest-socket.h),
 * which serves many programs at once, else by its own socket. When it is busy or silent,
 * there is libvirt's agent call on org.qemu.guest_agent.0.
 *
 * Errors say what to do next; they are NEGO_ERROR_CLOSED for a guest that does not exist, does not
 * run or has no channel, else those of link.h.
 */
#pragma once

#include "common/client/old-remote.h"
#include "common/client/remote.h"
#include "host-client/libvirt-module.h"
#include "host-client/options.h"

typedef struct NegoRoute NegoRoute;

/* To the guest or socket that @options name, which must outlive the route. */
NegoRoute *nego_route_new (const NegoOptions *options, gint64 deadline, GError **error);

/* To a guest that is known already; the three must outlive the route. */
NegoRoute *nego_route_new_for_domain (const NegoOptions *options,
                                      const NegoLibvirtModule *module,
                                      NegoLibvirt *libvirt,
                                      const NegoDomain *domain,
                                      GError **error);

void nego_route_free (NegoRoute *route);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (NegoRoute, nego_route_free)

/* Whether the Python negotiator's daemon answers in the guest, which QMP would end; NULL: none, or
 * nego-hostd has the port, or nobody in the guest has it open. */
NegoOldRemote *nego_route_open_old (NegoRoute *route, gint64 deadline);

/* Takes the best way on which somebody answers. */
NegoRemote *nego_route_open (NegoRoute *route, gint64 deadline, GError **error);
