/* SPDX-License-Identifier: MIT */
/*
 * poller: many descriptors behind one of the main loop, by epoll. A main loop that has a source
 * with a descriptor for each of hundreds of peers looks at all of them whenever one has something
 * to say, and so does the kernel's poll(2): with 500 guests that was nine tenths of the work.
 *
 * Of the thread that owns the main context.
 */
#pragma once

#include <glib.h>

typedef struct NegoPoller NegoPoller;
typedef struct NegoPollerEntry NegoPollerEntry;

/* @condition: what holds; 0: after nego_poller_wake (). Removing any entry from here is right. */
typedef void (*NegoPollerFunc) (GIOCondition condition, gpointer user_data);

/* In the thread's default main context. Errors: NEGO_ERROR_IO. */
NegoPoller *nego_poller_new (GError **error);
/* Nobody may be in it any more. */
void nego_poller_free (NegoPoller *poller);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (NegoPoller, nego_poller_free)

/* Calls @func while @condition, or G_IO_HUP or G_IO_ERR, holds for @fd, which stays the caller's;
 * NULL: the kernel cannot watch it. */
NegoPollerEntry *nego_poller_add (
  NegoPoller *poller, int fd, GIOCondition condition, NegoPollerFunc func, gpointer user_data);
/* FALSE, with errno: it is watched no more. */
gboolean nego_poller_modify (NegoPollerEntry *entry, GIOCondition condition);
/* Says no more of its descriptor. */
void nego_poller_stop (NegoPollerEntry *entry);
/* Calls its function once, in the next turn of the main loop. */
void nego_poller_wake (NegoPollerEntry *entry);
/* Before the descriptor is closed. */
void nego_poller_remove (NegoPollerEntry *entry);
