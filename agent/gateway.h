/* SPDX-License-Identifier: MIT */
/*
 * gateway: the guest's programs' way to the host: the port to nego-hostd, and the socket on which
 * local programs share it through a broker.
 *
 * The port is waited for as any channel's (device.h); without it, or without a host on it, the
 * programs are told so at once. Who may use the socket are root and the members of a group.
 */
#pragma once

#include "agent/conf.h"

typedef struct NegoGateway NegoGateway;

/* Of @conf: host-port, host-socket and what belongs to them. Returns NULL without an error when the
 * settings want none. Errors: a socket that cannot be offered, a descriptor that is no connection.
 */
NegoGateway *nego_gateway_new (const NegoConf *conf, GError **error);
void nego_gateway_free (NegoGateway *gateway);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (NegoGateway, nego_gateway_free)
