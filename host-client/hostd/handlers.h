/* SPDX-License-Identifier: MIT */
/*
 * handlers: which commands of the schema nego-hostd serves, and by which function: those for its
 * guests, and those on its own socket for the host's programs (control.h). A command that is not in
 * a table does not exist there.
 */
#pragma once

#include "common/service/handlers.h"

extern const QapiHandlers nego_guest_handlers;
extern const QapiHandlers nego_control_handlers;

/* cmd-sync.c */
gboolean
nego_cmd_host_sync (NegoCall *call, const QapiGuestSyncArgs *args, gint64 *ret, GError **error);
gboolean nego_cmd_host_sync_delimited (NegoCall *call,
                                       const QapiGuestSyncDelimitedArgs *args,
                                       gint64 *ret,
                                       GError **error);

/* cmd-notify.c */
gboolean
nego_cmd_negotiator_notify (NegoCall *call, const QapiNegotiatorNotifyArgs *args, GError **error);

/* cmd-guests.c */
GPtrArray *
nego_cmd_negotiator_guests (NegoCall *call, const QapiNegotiatorGuestsArgs *args, GError **error);
void nego_cmd_negotiator_wait (NegoCall *call, const QapiNegotiatorWaitArgs *args);
