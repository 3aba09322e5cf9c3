/* SPDX-License-Identifier: MIT */
/*
 * systemd: what the service manager is told: that the daemon is ready, reloads, stops, and is
 * alive.
 *
 * Fact: sd_notify(3): a datagram of VARIABLE=VALUE lines to the socket $NOTIFY_SOCKET, which may be
 * abstract ("@…"); WATCHDOG_USEC and WATCHDOG_PID, sd_watchdog_enabled(3). Without these variables
 * nothing is done.
 */
#pragma once

#include <glib.h>

typedef struct NegoSystemd NegoSystemd;

/* Takes the variables out of the environment: children must not speak for us. Begins to tell that
 * we are alive, if that is wanted: the only timer of an idle daemon. */
NegoSystemd *nego_systemd_new (void);
void nego_systemd_free (NegoSystemd *systemd);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (NegoSystemd, nego_systemd_free)

/* @state: "READY=1", "STOPPING=1", … */
void nego_systemd_tell (const NegoSystemd *systemd, const char *state);
