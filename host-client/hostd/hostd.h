/* SPDX-License-Identifier: MIT */
/*
 * hostd: the daemon's parts, from the settings to the orderly end.
 */
#pragma once

#include "host-client/hostd/settings.h"

typedef struct NegoHostd NegoHostd;

/* Begins to serve. Errors: of the control socket, the rules, and inotify. */
NegoHostd *nego_hostd_new (const NegoSettings *settings, GError **error);
void nego_hostd_free (NegoHostd *hostd);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (NegoHostd, nego_hostd_free)

/* Runs until nego_hostd_stop (). */
void nego_hostd_run (NegoHostd *hostd);
/* Reads the rules again; broken ones are told in the log, and the old ones stay. */
void nego_hostd_reload (NegoHostd *hostd);
/* Terminates the guests' jobs and ends nego_hostd_run (). A second call does not wait for the jobs.
 */
void nego_hostd_stop (NegoHostd *hostd);
