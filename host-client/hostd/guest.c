/* SPDX-License-Identifier: MIT */
#define G_LOG_DOMAIN "nego-guest"

#include "config.h"

#include "host-client/hostd/guest.h"

#include "common/error.h"
#include "common/names.h"
#include "host-client/hostd/admission.h"
#include "host-client/hostd/guests.h"
#include "host-client/hostd/handlers.h"

#include <stdarg.h>

/* Before each command. */
static gboolean
nego_guest_gate (gpointer context, const char *name, GError **error)
{
  NegoGuest *guest = context;

  if (nego_quota_take (&guest->calls, 1, g_get_monotonic_time ()))
    return TRUE;
  nego_guest_complain (guest, "it calls more than %u times a second", NEGO_HOSTD_CALLS);
  g_set_error (error, NEGO_ERROR, NEGO_ERROR_BUSY, "too many calls (limit %u a second)",
               NEGO_HOSTD_CALLS);
  return FALSE;
}

static NegoJobTable *
nego_guest_new_jobs (const NegoGuests *guests)
{
  NegoJobLimits limits = nego_job_limits_default;
  NegoCgroupTree *cgroups = nego_guests_get_cgroups (guests);
  NegoJobTable *jobs;

  limits.running = NEGO_HOSTD_RUNNING;
  limits.queued = NEGO_HOSTD_QUEUED;
  limits.output_bytes = NEGO_HOSTD_OUTPUT_BYTES;
  limits.retained_bytes = NEGO_HOSTD_RETAINED_BYTES;
  jobs = nego_job_table_new ("host", &limits);
  if (cgroups != NULL)
    nego_job_table_set_cgroups (jobs, nego_cgroup_tree_ref (cgroups));
  return jobs;
}

NegoGuest *
nego_guest_new (NegoGuests *guests, const char *name, const char *uuid, const char *connection)
{
  const gint64 now = g_get_monotonic_time ();
  NegoGuest *guest = g_new0 (NegoGuest, 1);

  guest->guests = guests;
  guest->name = g_strdup (name);
  guest->uuid = g_strdup (uuid);
  guest->connection = g_strdup (connection);
  nego_service_init (&guest->service, &nego_guest_handlers, nego_policy_new (),
                     nego_guests_new_registry (guests), nego_guest_new_jobs (guests));
  guest->service.rules = &nego_admission;
  nego_dispatcher_set_gate (guest->service.dispatcher, nego_guest_gate);
  nego_quota_init (&guest->calls, NEGO_HOSTD_CALLS, NEGO_HOSTD_CALLS_BURST, now);
  nego_quota_init (&guest->syncs, NEGO_HOSTD_SYNCS, NEGO_HOSTD_SYNCS_BURST, now);
  /* In tenths of a line: its rate is below one a second. */
  nego_quota_init (&guest->lines, 10 / NEGO_HOSTD_LOG_S, 10 * NEGO_HOSTD_LOG_BURST, now);
  return guest;
}

void
nego_guest_free (NegoGuest *guest)
{
  if (guest == NULL)
    return;
  nego_service_clear (&guest->service);
  nego_notes_clear (&guest->notes);
  nego_sync_ids_clear (&guest->sync_ids);
  g_free (guest->name);
  g_free (guest->uuid);
  g_free (guest->connection);
  g_free (guest);
}

void
nego_guest_set_state (NegoGuest *guest, NegoGuestState state)
{
  if (guest->state == state)
    return;
  guest->state = state;
  nego_guests_tell (guest->guests);
}

void
nego_guest_forget_notes (NegoGuest *guest)
{
  if (nego_notes_count (&guest->notes) == 0)
    return;
  nego_notes_clear (&guest->notes);
  nego_guests_tell (guest->guests);
}

void
nego_guest_complain (NegoGuest *guest, const char *format, ...)
{
  g_autofree char *text = NULL;
  va_list args;

  if (!nego_quota_take (&guest->lines, 10, g_get_monotonic_time ())) {
    guest->unlogged++;
    return;
  }
  va_start (args, format);
  text = g_strdup_vprintf (format, args);
  va_end (args);
  if (guest->unlogged > 0)
    g_warning ("guest '%s': %s (and %u times more that are not in the log)", guest->name, text,
               guest->unlogged);
  else
    g_warning ("guest '%s': %s", guest->name, text);
  guest->unlogged = 0;
}

NegoGuest *
nego_guest_of (NegoCall *call)
{
  return nego_call_get_context (call);
}
