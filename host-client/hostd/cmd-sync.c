/* SPDX-License-Identifier: MIT */
/*
 * The guest's guest-sync-delimited and guest-sync on its port: they begin its dialogue, so there is
 * a limit on them, and one that comes again is the replay of a restored snapshot.
 */
#define G_LOG_DOMAIN "nego-guest"

#include "config.h"

#include "common/error.h"
#include "common/names.h"
#include "host-client/hostd/guest.h"
#include "host-client/hostd/handlers.h"

static gboolean
nego_cmd_admit_sync (NegoGuest *guest, gint64 id, GError **error)
{
  const gint64 now = g_get_monotonic_time ();

  if (!nego_quota_take (&guest->syncs, 1, now)) {
    nego_guest_complain (guest, "it synchronises more than %u times a second", NEGO_HOSTD_SYNCS);
    g_set_error (error, NEGO_ERROR, NEGO_ERROR_BUSY,
                 "too many synchronisations (limit %u a second)", NEGO_HOSTD_SYNCS);
    return FALSE;
  }
  if (!nego_sync_ids_add (&guest->sync_ids, id, now)) {
    nego_guest_complain (guest, "it synchronises with an id of the last hour: was it restored?");
    g_set_error_literal (error, NEGO_ERROR, NEGO_ERROR_REFUSED,
                         "the id of the synchronisation was used before");
    return FALSE;
  }
  g_info ("guest '%s' has synchronised", guest->name);
  nego_guest_set_state (guest, NEGO_GUEST_SYNCHRONISED);
  return TRUE;
}

gboolean
nego_cmd_host_sync (NegoCall *call, const QapiGuestSyncArgs *args, gint64 *ret, GError **error)
{
  return nego_cmd_admit_sync (nego_guest_of (call), args->id, error)
         && nego_cmd_guest_sync (call, args, ret, error);
}

gboolean
nego_cmd_host_sync_delimited (NegoCall *call,
                              const QapiGuestSyncDelimitedArgs *args,
                              gint64 *ret,
                              GError **error)
{
  return nego_cmd_admit_sync (nego_guest_of (call), args->id, error)
         && nego_cmd_guest_sync_delimited (call, args, ret, error);
}
