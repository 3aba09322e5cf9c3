/* SPDX-License-Identifier: MIT */
/*
 * domains: the running guests of one libvirt connection, and their stations; those without one of
 * our ports have none.
 *
 * A guest that something was told of is looked at, NEGO_DOMAINS_LOOKS at a time: libvirtd serves 5
 * requests of a connection at once. One that cannot be looked at stays as it was, and is looked at
 * again, with a pause that doubles up to NEGO_DOMAINS_PAUSE_MS. While libvirt is away, guests are
 * served as they were.
 */
#pragma once

#include "common/offload.h"
#include "host-client/hostd/look.h"
#include "host-client/hostd/station.h"

typedef struct NegoDomains NegoDomains;

/* @uri: of the connection, for the guests' scripts; copied. The rest must outlive it. */
NegoDomains *nego_domains_new (NegoGuests *guests,
                               NegoArrivals *arrivals,
                               NegoOffload *offload,
                               const char *uri);
void nego_domains_free (NegoDomains *domains);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (NegoDomains, nego_domains_free)

/* There is a connection, which is taken: @list (NegoLookDomain) is what runs there, but for what
 * was touched meanwhile. */
void
nego_domains_set_connection (NegoDomains *domains, NegoLookConnection *connection, GPtrArray *list);
/* It is gone. */
void nego_domains_unset_connection (NegoDomains *domains);

/* Something changed about the guest: it is looked at, now or when there is a connection. */
void nego_domains_touch (NegoDomains *domains, const char *uuid, gboolean rebooted);
