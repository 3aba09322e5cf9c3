/* SPDX-License-Identifier: MIT */
/*
 * guest-fsfreeze-status, guest-fsfreeze-freeze, guest-fsfreeze-freeze-list, guest-fsfreeze-thaw.
 */
#include "config.h"

#include "agent/agent.h"
#include "agent/handlers.h"

gboolean
nego_cmd_guest_fsfreeze_status (NegoCall *call, QapiGuestFsfreezeStatus *ret, GError **error)
{
  *ret = nego_freeze_is_frozen (nego_agent_of (call)->freeze) ? QAPI_GUEST_FSFREEZE_STATUS_FROZEN
                                                              : QAPI_GUEST_FSFREEZE_STATUS_THAWED;
  return TRUE;
}

static void
nego_cmd_fsfreeze_frozen_cb (gint64 count, const GError *error, gpointer user_data)
{
  g_autoptr (NegoCall) call = user_data;

  if (error != NULL)
    nego_call_fail (call, g_error_copy (error));
  else
    qapi_guest_fsfreeze_freeze_return (call, count);
}

void
nego_cmd_guest_fsfreeze_freeze (NegoCall *call)
{
  nego_freeze_freeze (nego_agent_of (call)->freeze, NULL, nego_cmd_fsfreeze_frozen_cb,
                      nego_call_ref (call));
}

static void
nego_cmd_fsfreeze_list_frozen_cb (gint64 count, const GError *error, gpointer user_data)
{
  g_autoptr (NegoCall) call = user_data;

  if (error != NULL)
    nego_call_fail (call, g_error_copy (error));
  else
    qapi_guest_fsfreeze_freeze_list_return (call, count);
}

void
nego_cmd_guest_fsfreeze_freeze_list (NegoCall *call, const QapiGuestFsfreezeFreezeListArgs *args)
{
  nego_freeze_freeze (nego_agent_of (call)->freeze, (const char *const *) args->mountpoints,
                      nego_cmd_fsfreeze_list_frozen_cb, nego_call_ref (call));
}

static void
nego_cmd_fsfreeze_thawed_cb (gint64 count, const GError *error, gpointer user_data)
{
  g_autoptr (NegoCall) call = user_data;

  if (error != NULL)
    nego_call_fail (call, g_error_copy (error));
  else
    qapi_guest_fsfreeze_thaw_return (call, count);
}

void
nego_cmd_guest_fsfreeze_thaw (NegoCall *call)
{
  nego_freeze_thaw (nego_agent_of (call)->freeze, nego_cmd_fsfreeze_thawed_cb,
                    nego_call_ref (call));
}
