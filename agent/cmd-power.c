/* SPDX-License-Identifier: MIT */
/*
 * guest-shutdown, guest-suspend-disk, -ram and -hybrid: no reply when they succeed.
 */
#define G_LOG_DOMAIN "nego-power"

#include "config.h"

#include "agent/agent.h"
#include "agent/handlers.h"
#include "common/error.h"

static void
nego_cmd_power_done (const GError *error, gpointer user_data)
{
  g_autoptr (NegoCall) call = user_data;

  if (error != NULL)
    nego_call_fail (call, g_error_copy (error));
  else
    nego_call_end_silently (call);
}

static void
nego_cmd_run_power (NegoCall *call, NegoPowerAction action)
{
  g_message ("%s asks for %s", nego_call_get_origin (call), nego_call_get_name (call));
  nego_power_run (nego_agent_of (call)->power, action, nego_cmd_power_done, nego_call_ref (call));
}

void
nego_cmd_guest_shutdown (NegoCall *call, const QapiGuestShutdownArgs *args)
{
  if (args->mode == NULL || g_str_equal (args->mode, "powerdown"))
    nego_cmd_run_power (call, NEGO_POWER_POWERDOWN);
  else if (g_str_equal (args->mode, "halt"))
    nego_cmd_run_power (call, NEGO_POWER_HALT);
  else if (g_str_equal (args->mode, "reboot"))
    nego_cmd_run_power (call, NEGO_POWER_REBOOT);
  else /* QGA's text has no closing bracket. */
    nego_call_fail (
      call, g_error_new_literal (NEGO_ERROR, NEGO_ERROR_GENERIC,
                                 "mode is invalid (valid values are: halt|powerdown|reboot"));
}

void
nego_cmd_guest_suspend_disk (NegoCall *call)
{
  nego_cmd_run_power (call, NEGO_POWER_SUSPEND_DISK);
}

void
nego_cmd_guest_suspend_ram (NegoCall *call)
{
  nego_cmd_run_power (call, NEGO_POWER_SUSPEND_RAM);
}

void
nego_cmd_guest_suspend_hybrid (NegoCall *call)
{
  nego_cmd_run_power (call, NEGO_POWER_SUSPEND_HYBRID);
}
