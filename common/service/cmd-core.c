/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "common/service/service.h"
#include "common/service/handlers.h"

gboolean
nego_cmd_guest_sync (NegoCall *call, const QapiGuestSyncArgs *args, gint64 *ret, GError **error)
{
  *ret = args->id;
  return TRUE;
}

gboolean
nego_cmd_guest_sync_delimited (NegoCall *call,
                               const QapiGuestSyncDelimitedArgs *args,
                               gint64 *ret,
                               GError **error)
{
  nego_call_set_delimited (call);
  *ret = args->id;
  return TRUE;
}

gboolean
nego_cmd_guest_ping (NegoCall *call, GError **error)
{
  return TRUE;
}

static void
nego_cmd_add_command (const QapiCommand *command, gboolean enabled, gpointer user_data)
{
  GPtrArray *commands = user_data;
  QapiGuestAgentCommandInfo *info = qapi_guest_agent_command_info_new ();

  info->name = g_strdup (command->name);
  info->enabled = enabled;
  info->success_response = (command->features & QAPI_COMMAND_NO_SUCCESS_RESPONSE) == 0;
  g_ptr_array_add (commands, info);
}

QapiGuestAgentInfo *
nego_cmd_guest_info (NegoCall *call, GError **error)
{
  QapiGuestAgentInfo *info = qapi_guest_agent_info_new ();

  info->version = g_strdup (NEGO_QGA_VERSION);
  info->supported_commands
    = g_ptr_array_new_with_free_func ((GDestroyNotify) qapi_guest_agent_command_info_free);
  nego_dispatcher_each (nego_service_of (call)->dispatcher, nego_cmd_add_command,
                        info->supported_commands);
  return info;
}
