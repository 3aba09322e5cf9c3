/* SPDX-License-Identifier: MIT */
/*
 * watch: tells when something changes at some paths (inotify).
 *
 * What changed is for the owner to look up: a call says only which kinds of events there were.
 */
#pragma once

#include <glib.h>

#include <sys/inotify.h>

typedef struct NegoWatch NegoWatch;

/* @mask: the events' bits, with IN_IGNORED when a watched path is gone. Freeing the watch from here
 * is right. */
typedef void (*NegoWatchFunc) (NegoWatch *watch, guint32 mask, gpointer user_data);

/* NULL with @error when the user's inotify instances are used up. */
NegoWatch *nego_watch_new (NegoWatchFunc changed, gpointer user_data, GError **error);
void nego_watch_free (NegoWatch *watch);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (NegoWatch, nego_watch_free)

/* Watches @path for the events @mask; a path that is watched already gets the new mask. Returns its
 * number, or -1 when it cannot be watched: it is not there, most likely. */
int nego_watch_add (NegoWatch *watch, const char *path, guint32 mask);
/* @number: -1 is none. */
void nego_watch_remove (NegoWatch *watch, int number);
