/* SPDX-License-Identifier: MIT */
#define G_LOG_DOMAIN "nego-guest"

#include "config.h"

#include "host-client/hostd/guests.h"
#include "host-client/hostd/handlers.h"

gboolean
nego_cmd_negotiator_notify (NegoCall *call, const QapiNegotiatorNotifyArgs *args, GError **error)
{
  NegoGuest *guest = nego_guest_of (call);

  if (!nego_notes_set (&guest->notes, args->name, args->value, error))
    return FALSE;
  g_debug ("guest '%s' tells '%s'", guest->name, args->name);
  nego_guests_tell (guest->guests);
  return TRUE;
}
