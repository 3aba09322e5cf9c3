/* SPDX-License-Identifier: MIT */
/*
 * connector: a unix socket of QEMU that may be missing, held by another program, closed and made
 * again: connects to it as soon as it can.
 *
 * It waits for the socket by inotify (arrivals.h). A socket that is there and takes nobody is tried
 * again with a pause that doubles up to NEGO_CONNECTOR_PAUSE_MS: nothing tells when its backlog has
 * room. One that nobody listens on any more waits for the next change. What flows through the
 * connection is not its business. QEMU serves one connection at a time: another program's makes
 * ours silent, until that one ends.
 */
#pragma once

#include "host-client/hostd/arrivals.h"

typedef struct NegoConnector NegoConnector;

/* The connection is there; @fd, non-blocking, is the callee's. Never called from within
 * nego_connector_new () or nego_connector_again (). Freeing the connector from here is right. */
typedef void (*NegoConnectorFunc) (NegoConnector *connector, int fd, gpointer user_data);

/* Connects to @path (copied). @arrivals must outlive it. */
NegoConnector *nego_connector_new (const char *path,
                                   NegoArrivals *arrivals,
                                   NegoConnectorFunc connected,
                                   gpointer user_data);
void nego_connector_free (NegoConnector *connector);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (NegoConnector, nego_connector_free)

/* The connection ended, and its owner closed it: connects again when it can. */
void nego_connector_again (NegoConnector *connector);

const char *nego_connector_get_path (const NegoConnector *connector);
