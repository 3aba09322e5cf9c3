/* SPDX-License-Identifier: MIT */
/*
 * guest-get-time and guest-set-time.
 */
#define G_LOG_DOMAIN "nego-time"

#include "config.h"

#include "agent/agent.h"
#include "agent/handlers.h"
#include "common/error.h"
#include "common/names.h"

gboolean
nego_cmd_guest_get_time (NegoCall *call, gint64 *ret, GError **error)
{
  *ret = g_get_real_time () * 1000;
  return TRUE;
}

/* A setting of the time, for its thread. */
typedef struct {
  const NegoClock *clock;
  gboolean given; /* else the hardware clock is read */
  gint64 ns;
  GError *error;
} NegoCmdTime;

static void
nego_cmd_time_free (gpointer data)
{
  NegoCmdTime *self = data;

  g_clear_error (&self->error);
  g_free (self);
}

static void
nego_cmd_time_set (gpointer data)
{
  NegoCmdTime *self = data;

  if (self->given)
    nego_clock_set (self->clock, self->ns, &self->error);
  else
    nego_clock_read (self->clock, &self->error);
}

static void
nego_cmd_time_done (gpointer data, gpointer user_data)
{
  g_autoptr (NegoCall) call = user_data;
  NegoCmdTime *self = data;

  if (self == NULL)
    nego_call_fail (call, g_error_new (NEGO_ERROR, NEGO_ERROR_TIMEOUT,
                                       "the clock does not answer (limit %u s)", NEGO_CLOCK_S));
  else if (self->error != NULL)
    nego_call_fail (call, g_steal_pointer (&self->error));
  else
    qapi_guest_set_time_return (call);
}

void
nego_cmd_guest_set_time (NegoCall *call, const QapiGuestSetTimeArgs *args)
{
  NegoAgent *agent = nego_agent_of (call);
  NegoCmdTime *self;
  GError *error = NULL;

  if (args->has_time && !nego_clock_is_valid (args->time)) {
    nego_call_fail (call, g_error_new_literal (NEGO_ERROR, NEGO_ERROR_GENERIC, "Invalid time"));
    return;
  }
  g_info ("%s sets the time", nego_call_get_origin (call));
  self = g_new0 (NegoCmdTime, 1);
  self->clock = agent->clock;
  self->given = args->has_time;
  self->ns = args->time;
  if (nego_offload_run (agent->offload, nego_cmd_time_set, self, nego_cmd_time_free,
                        NEGO_CLOCK_S * 1000, nego_cmd_time_done, nego_call_ref (call), &error)
      == NULL) {
    nego_call_fail (call, error);
    nego_call_unref (call);
  }
}
