/* SPDX-License-Identifier: MIT */
/*
 * arrivals: tells those who wait for a path when something may have come there (inotify), all of
 * them with one inotify instance: a user has 128 of these only, and there may be more guests.
 */
#pragma once

#include <glib.h>

typedef struct NegoArrivals NegoArrivals;

/* Errors: those of watch.h. */
NegoArrivals *nego_arrivals_new (GError **error);
/* Nobody may wait any more. */
void nego_arrivals_free (NegoArrivals *arrivals);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (NegoArrivals, nego_arrivals_free)

/* Calls @func whenever something changes in a directory that somebody waits at, until
 * nego_arrivals_leave (), which @func may call. */
gulong nego_arrivals_wait (NegoArrivals *arrivals, GHookFunc func, gpointer user_data);
void nego_arrivals_leave (NegoArrivals *arrivals, gulong wait);

/* Watches the directory of @path, or the nearest one above it that there is. */
void nego_arrivals_look_at (NegoArrivals *arrivals, const char *path);
