/* SPDX-License-Identifier: MIT */
/*
 * sweep: one thing that is done in each guest of a fleet, in several at once, and how far that is.
 * May be used from any thread.
 */
#pragma once

#include "host-client/fleet.h"

typedef enum {
  NEGO_SWEEP_WAITS,
  NEGO_SWEEP_RUNS,
  NEGO_SWEEP_SUCCEEDED,
  NEGO_SWEEP_FAILED,
} NegoSweepState;

typedef struct NegoSweep NegoSweep;

/* On a thread, the one with the number @worker; @index is the guest's in nego_fleet_get_guests().
 * Returns whether it succeeded. */
typedef gboolean (*NegoSweepFunc) (const NegoFleetGuest *guest,
                                   guint index,
                                   guint worker,
                                   gpointer user_data);

/* @fleet is borrowed; @parallel: guests at once. */
NegoSweep *
nego_sweep_new (NegoFleet *fleet, guint parallel, NegoSweepFunc func, gpointer user_data);
void nego_sweep_free (NegoSweep *sweep);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (NegoSweep, nego_sweep_free)

/* Does it; returns when all that was begun has ended. */
void nego_sweep_run (NegoSweep *sweep);
/* No other guest is begun. */
void nego_sweep_stop (NegoSweep *sweep);

/* How many guests are in @state. */
guint nego_sweep_count (NegoSweep *sweep, NegoSweepState state);
/* Appends how far it is, and for whom it waits. */
void nego_sweep_append_progress (NegoSweep *sweep, GString *out);
/* Appends how it ended: "3 guests: 2 succeeded, 1 failed: NAME". */
void nego_sweep_append_summary (NegoSweep *sweep, GString *out);
