/* SPDX-License-Identifier: MIT */
/*
 * control: nego-hostd's own socket, on which the host's programs ask for its guests
 * (qapi/hostd.json). Who may connect is decided by the socket's owner and mode.
 */
#pragma once

#include "host-client/hostd/guests.h"

#include <sys/types.h>

typedef struct NegoControl NegoControl;

/* Listens on @path; @gid and @mode: who may connect (nego_listener_set_access ()). @guests must
 * outlive it. Errors: those of listener.h. */
NegoControl *
nego_control_new (NegoGuests *guests, const char *path, gid_t gid, guint mode, GError **error);
void nego_control_free (NegoControl *control);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (NegoControl, nego_control_free)

/* What @call, of the socket's commands, is about. */
NegoGuests *nego_control_guests_of (NegoCall *call);
