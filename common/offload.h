/* SPDX-License-Identifier: MIT */
/*
 * offload: work that may block (statfs on a dead server, a name look-up, fsync), done on a thread
 * of a bounded pool, with a deadline, for a main loop that must not wait.
 *
 * A thread cannot be stopped: what passes its deadline keeps its thread until the kernel lets go of
 * it, and when all threads are held so, new work waits in the queue and ends late itself.
 * All functions but NegoOffloadFunc are of the thread that owns the main context.
 */
#pragma once

#include <glib.h>

typedef struct NegoOffload NegoOffload;
typedef struct NegoOffloadTask NegoOffloadTask;

/* On a thread of the pool: reads and writes @data only. */
typedef void (*NegoOffloadFunc) (gpointer data);
/* In the main context, once: @data with what the function left in it (it is freed afterwards), or
 * NULL: the deadline passed first. Not called after nego_offload_cancel (). */
typedef void (*NegoOffloadDoneFunc) (gpointer data, gpointer user_data);

/* Serves the default main context of the calling thread. */
NegoOffload *nego_offload_new (void);
/* Cancels all that goes on; threads in a call end when that does. */
void nego_offload_free (NegoOffload *offload);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (NegoOffload, nego_offload_free)

/* Has @func called with @data (transfer full, freed with @free_data, on any thread); @timeout_ms 0
 * is no deadline. Returns the task, for cancelling until @done is called, or NULL with
 * NEGO_ERROR_BUSY when too many wait (NEGO_OFFLOAD_WAITING); @data is freed then, too. */
NegoOffloadTask *nego_offload_run (NegoOffload *offload,
                                   NegoOffloadFunc func,
                                   gpointer data,
                                   GDestroyNotify free_data,
                                   guint timeout_ms,
                                   NegoOffloadDoneFunc done,
                                   gpointer user_data,
                                   GError **error);

/* When @task ends after its deadline, which @done was told of, @ended is called as @done would have
 * been, with the same user_data. */
void nego_offload_await (NegoOffloadTask *task, NegoOffloadDoneFunc ended);

/* Nobody wants its end any more: what has not started is not done. */
void nego_offload_cancel (NegoOffloadTask *task);

/* The same, for what must be done and whose end nobody waits for: it is never refused, so the
 * caller bounds how many there are, and nego_offload_free() lets it be done. */
void nego_offload_push (NegoOffload *offload,
                        NegoOffloadFunc func,
                        gpointer data,
                        GDestroyNotify free_data);

/* What must not be cut off by the end of the process. */
typedef struct NegoOffloadHold NegoOffloadHold;

NegoOffloadHold *nego_offload_hold (NegoOffload *offload);
/* It is done. On any thread. */
void nego_offload_drop (NegoOffloadHold *hold);
/* For the end of the process: blocks until nothing is held any more, @timeout_ms at the most. */
void nego_offload_wait (NegoOffload *offload, guint timeout_ms);
