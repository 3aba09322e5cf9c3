/* SPDX-License-Identifier: MIT */
/*
 * in-flight: the calls of one session that have started and are not answered; private to session.c.
 *
 * It owns a reference to each. How many there may be is the session's.
 */
#pragma once

#include "common/call.h"

typedef struct {
  GPtrArray *calls; /* NegoCall; NULL: none yet */
} NegoInFlight;

/* A zeroed NegoInFlight is empty. Takes a reference to @call. */
void nego_in_flight_add (NegoInFlight *in_flight, NegoCall *call);
/* @call was answered. */
void nego_in_flight_remove (NegoInFlight *in_flight, NegoCall *call);
/* Abandons the one with @id, a respelled JSON value. FALSE: there is none. */
gboolean nego_in_flight_cancel (NegoInFlight *in_flight, const char *id);
/* Abandons them all. */
void nego_in_flight_abandon (NegoInFlight *in_flight);
guint nego_in_flight_count (const NegoInFlight *in_flight);
/* Abandons them all, and frees what it allocated. */
void nego_in_flight_clear (NegoInFlight *in_flight);
