/* SPDX-License-Identifier: MIT */
/*
 * station: what nego-hostd holds of one running guest: its record among the guests, its port, and
 * the outlet of its agent.
 */
#pragma once

#include "host-client/hostd/arrivals.h"
#include "host-client/hostd/guests.h"

typedef struct NegoStation NegoStation;

/* The strings are borrowed. */
typedef struct {
  const char *name;
  const char *uuid;       /* NULL: none is known */
  const char *connection; /* libvirt's URI; NULL: without libvirt */
  const char *agent;      /* the socket of negotiator-host-to-guest.0; NULL: it has none */
  const char *port;       /* the socket of negotiator-guest-to-host.0; NULL: it has none */
} NegoStationSpec;

/* @guests and @arrivals must outlive it. */
NegoStation *
nego_station_new (NegoGuests *guests, NegoArrivals *arrivals, const NegoStationSpec *spec);
/* The guest was renamed, or a port came or went. @spec: of the same guest. */
void nego_station_update (NegoStation *station, const NegoStationSpec *spec);
/* The guest restarts: what it told is over, and so are the calls that its agent had. */
void nego_station_reboot (NegoStation *station);
void nego_station_free (NegoStation *station);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (NegoStation, nego_station_free)
