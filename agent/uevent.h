/* SPDX-License-Identifier: MIT */
/*
 * uevent: tells when a device of one subsystem comes, goes or changes, as the kernel announces it:
 * there need be no udev.
 */
#pragma once

#include <glib.h>

typedef struct NegoUevent NegoUevent;

/* Freeing the uevent from here is right. */
typedef void (*NegoUeventFunc) (NegoUevent *uevent, gpointer user_data);

/* NULL with @error where the kernel does not say: in a container, for example. @subsystem is
 * copied. */
NegoUevent *
nego_uevent_new (const char *subsystem, NegoUeventFunc changed, gpointer user_data, GError **error);
void nego_uevent_free (NegoUevent *uevent);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (NegoUevent, nego_uevent_free)
