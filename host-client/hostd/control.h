/* SPDX-License-Identifier: MIT */
/*
 * control: nego-hostd's own socket, on which the host's programs ask for its guests
 * (qapi/hostd.json). Who may connect is decided by the socket's owner and mode.
 */
#pragma once

#include "host-client/hostd/guests.h"

typedef struct NegoControl NegoControl;

/* Listens on @path. @group: NULL, or who else may connect. @guests must outlive it. Errors: those
 * of listener.h. */
NegoControl *
nego_control_new (NegoGuests *guests, const char *path, const char *group, GError **error);
void nego_control_free (NegoControl *control);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (NegoControl, nego_control_free)

/* What @call, of the socket's commands, is about. */
NegoGuests *nego_control_guests_of (NegoCall *call);
