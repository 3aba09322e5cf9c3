/* SPDX-License-Identifier: MIT */
/*
 * pidfile: the daemon's pid file, "PID\n", which is locked (F_SETLK) for as long as the process
 * lives, so that there is one daemon a file. It is removed with the object.
 */
#pragma once

#include <glib.h>

typedef struct NegoPidfile NegoPidfile;

/* Makes it (mode 0600) or takes over one that nobody has locked. The lock is this process's: a
 * child does not inherit it. Errors: NEGO_ERROR_BUSY "failed to lock the pid file '…': process N
 * has it", NEGO_ERROR_IO. */
NegoPidfile *nego_pidfile_new (const char *path, GError **error);
/* Whether nobody has it locked, without writing anything: while file systems are frozen, and
 * nego_pidfile_new() would wait. The same errors. */
gboolean nego_pidfile_check (const char *path, GError **error);
void nego_pidfile_free (NegoPidfile *pidfile);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (NegoPidfile, nego_pidfile_free)
