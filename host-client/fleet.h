/* SPDX-License-Identifier: MIT */
/*
 * fleet: the guests of one or more libvirt connections that a verb is about, and connections enough
 * to talk to several of them at once: each carries NEGO_GUEST_CALLS agent calls, and a guest that
 * does not answer holds one for seconds.
 */
#pragma once

#include "common/json.h"
#include "host-client/options.h"
#include "host-client/route.h"

typedef struct NegoFleet NegoFleet;

typedef struct {
  char *label;        /* its name; with "@HOST" where several have it */
  const char *host;   /* its connection's URI; NULL: libvirt's default */
  guint host_index;   /* in the order of --connect */
  NegoDomain *domain; /* NULL: there is none */
  char *reason;       /* why it cannot be reached, or NULL */
} NegoFleetGuest;

/* Opens the connections of @options, all at once, and finds the guests that --all, --match or the
 * list of names mean. A connection that cannot be opened, and a name without a guest, is a guest
 * with a reason. Errors: NEGO_ERROR_CLOSED for none at all. */
NegoFleet *nego_fleet_new (const NegoOptions *options, gint64 deadline, GError **error);
void nego_fleet_free (NegoFleet *fleet);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (NegoFleet, nego_fleet_free)

/* (element-type NegoFleetGuest) */
const GPtrArray *nego_fleet_get_guests (const NegoFleet *fleet);

/* A way to @guest for the worker number @worker; NEGO_GUEST_CALLS workers share a
 * connection, and wait together until it is open; they do not wait for each other's calls. May be
 * called from any thread. */
NegoRoute *nego_fleet_new_route (
  NegoFleet *fleet, const NegoFleetGuest *guest, guint worker, gint64 deadline, GError **error);

/* The connection that @guest is on, for the worker number @worker. Borrowed. */
NegoLibvirt *nego_fleet_open (
  NegoFleet *fleet, const NegoFleetGuest *guest, guint worker, gint64 deadline, GError **error);
const NegoLibvirtModule *nego_fleet_get_module (const NegoFleet *fleet);

/* Writes what the JSON object about @guest begins with: its label and its UUID. */
void nego_fleet_write_guest (NegoJsonWriter *writer, const NegoFleetGuest *guest);
