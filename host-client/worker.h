/* SPDX-License-Identifier: MIT */
/*
 * worker: a call that may block for ever, made with a deadline.
 *
 * libvirt's API blocks, and not every wait in it has a limit of its own. The call is made on a
 * thread; when the deadline passes first, the caller goes on, and the thread cleans up after itself
 * whenever its call ends.
 */
#pragma once

#include <glib.h>

/* On the thread. Returns its result, or NULL, with @error or without. */
typedef gpointer (*NegoWorkerFunc) (gpointer data, GError **error);

/* Calls @func with @data, which it takes and frees with @free_data; @free_result is for a result
 * that nobody waits for any more. NULL with NEGO_ERROR_TIMEOUT at the @deadline (link.h); where
 * that is over already, @func is not called. */
gpointer nego_worker_run (NegoWorkerFunc func,
                          gpointer data,
                          GDestroyNotify free_data,
                          GDestroyNotify free_result,
                          gint64 deadline,
                          GError **error);
