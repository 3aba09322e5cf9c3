/* SPDX-License-Identifier: MIT */
/*
 * errand: work that may block, on a thread, while the main thread listens for signals.
 *
 * The signals are blocked before (nego_result_init()): a thread that libvirt makes inherits the
 * mask, and one of libvirt's without it would take the signal, and the process with it.
 */
#pragma once

#include <glib.h>

typedef struct NegoErrand NegoErrand;

typedef void (*NegoErrandFunc) (gpointer data);

/* Begins it. Errors: NEGO_ERROR_IO, or those of G_THREAD_ERROR. */
NegoErrand *nego_errand_new (NegoErrandFunc func, gpointer data, GError **error);
/* Waits until it has ended (returns 0), a signal is there to be read from @signal_fd (its number),
 * or @timeout_ms are over (-1; where that is -1, they never are). @signal_fd: -1 is none. */
int nego_errand_wait (NegoErrand *errand, int signal_fd, int timeout_ms);
/* Waits until it has ended. */
void nego_errand_free (NegoErrand *errand);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (NegoErrand, nego_errand_free)

/* Calls @func on a thread. A signal at @signal_fd meanwhile ends the process, as it would have
 * without us: for work that nobody else has heard of yet. */
void nego_errand_run (NegoErrandFunc func, gpointer data, int signal_fd);

/* Ends the process by @signal, with nothing more done. */
void nego_errand_die (int signal) G_GNUC_NORETURN;
