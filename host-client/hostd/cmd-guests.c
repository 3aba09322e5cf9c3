/* SPDX-License-Identifier: MIT */
/*
 * What nego-hostd tells the host's programs of its guests, now or as soon as it is true. The
 * context is the control socket's NegoGuests.
 */
#include "config.h"

#include "common/error.h"
#include "common/names.h"
#include "common/source.h"
#include "host-client/hostd/control.h"
#include "host-client/hostd/handlers.h"

#include <math.h>
#include <string.h>

static const QapiNegotiatorGuestState states[] = {
  [NEGO_GUEST_WAITING] = QAPI_NEGOTIATOR_GUEST_STATE_WAITING,
  [NEGO_GUEST_CONNECTED] = QAPI_NEGOTIATOR_GUEST_STATE_CONNECTED,
  [NEGO_GUEST_SYNCHRONISED] = QAPI_NEGOTIATOR_GUEST_STATE_SYNCHRONISED,
};

static QapiNegotiatorNote *
nego_cmd_describe_note (const NegoNote *note, gboolean with_value)
{
  QapiNegotiatorNote *ret = qapi_negotiator_note_new ();

  ret->name = g_strdup (note->name);
  ret->value = with_value ? g_strdup (note->value) : NULL;
  ret->time_ns = note->time_ns;
  return ret;
}

static QapiNegotiatorGuest *
nego_cmd_describe_guest (const NegoGuest *guest, gboolean with_values)
{
  QapiNegotiatorGuest *ret = qapi_negotiator_guest_new ();

  ret->name = g_strdup (guest->name);
  ret->uuid = g_strdup (guest->uuid);
  ret->connection = g_strdup (guest->connection);
  ret->state = states[guest->state];
  ret->jobs = nego_job_table_count_running (guest->service.jobs);
  ret->notes = g_ptr_array_new_with_free_func ((GDestroyNotify) qapi_negotiator_note_free);
  for (guint i = 0; i < nego_notes_count (&guest->notes); i++)
    g_ptr_array_add (ret->notes,
                     nego_cmd_describe_note (nego_notes_get (&guest->notes, i), with_values));
  return ret;
}

GPtrArray *
nego_cmd_negotiator_guests (NegoCall *call, const QapiNegotiatorGuestsArgs *args, GError **error)
{
  NegoGuests *guests = nego_control_guests_of (call);
  g_autoptr (GPtrArray) part = NULL;
  GPtrArray *list = g_ptr_array_new_with_free_func ((GDestroyNotify) qapi_negotiator_guest_free);

  if (args->guest != NULL) {
    const NegoGuest *guest = nego_guests_find (guests, args->guest);

    if (guest != NULL && (args->after == NULL || strcmp (guest->name, args->after) > 0))
      g_ptr_array_add (list, nego_cmd_describe_guest (guest, TRUE));
    return list;
  }
  part = nego_guests_list (guests, args->after, NEGO_GUESTS_LISTED);
  for (guint i = 0; i < part->len; i++)
    g_ptr_array_add (list, nego_cmd_describe_guest (part->pdata[i], FALSE));
  return list;
}

/* A call that waits. */
typedef struct {
  NegoCall *call;
  NegoGuests *guests;
  char *guest, *name, *value;
  gulong watch;
  GSource *timer;
} NegoCmdWait;

static void
nego_cmd_wait_free (NegoCmdWait *wait)
{
  nego_source_clear (&wait->timer);
  if (wait->watch != 0)
    nego_guests_unwatch (wait->guests, wait->watch);
  nego_call_unref (wait->call);
  g_free (wait->guest);
  g_free (wait->name);
  g_free (wait->value);
  g_free (wait);
}

/* Answers, and is over, if the guest has told it. */
static gboolean
nego_cmd_wait_look (NegoCmdWait *wait)
{
  const NegoGuest *guest = nego_guests_find (wait->guests, wait->guest);
  const NegoNote *note = guest != NULL ? nego_notes_find (&guest->notes, wait->name) : NULL;
  g_autoptr (QapiNegotiatorNote) ret = NULL;

  if (note == NULL || (wait->value != NULL && g_strcmp0 (wait->value, note->value) != 0))
    return FALSE;
  ret = nego_cmd_describe_note (note, TRUE);
  qapi_negotiator_wait_return (wait->call, ret);
  nego_cmd_wait_free (wait);
  return TRUE;
}

static void
nego_cmd_wait_on_change (gpointer user_data)
{
  nego_cmd_wait_look (user_data);
}

static gboolean
nego_cmd_wait_on_time_over (gpointer user_data)
{
  NegoCmdWait *wait = user_data;
  g_autofree char *guest = nego_error_quote (wait->guest);
  g_autofree char *name = nego_error_quote (wait->name);

  nego_call_fail (wait->call, g_error_new (NEGO_ERROR, NEGO_ERROR_TIMEOUT,
                                           "guest '%s' has not told '%s' in time", guest, name));
  nego_cmd_wait_free (wait);
  return G_SOURCE_REMOVE;
}

static void
nego_cmd_wait_on_abandoned (NegoCall *call, gpointer user_data)
{
  nego_cmd_wait_free (user_data);
}

void
nego_cmd_negotiator_wait (NegoCall *call, const QapiNegotiatorWaitArgs *args)
{
  NegoCmdWait *wait;

  if (args->has_timeout && args->timeout < 0) {
    nego_call_fail (call, g_error_new_literal (NEGO_ERROR, NEGO_ERROR_GENERIC,
                                               "timeout must not be below 0"));
    return;
  }
  wait = g_new0 (NegoCmdWait, 1);
  wait->call = nego_call_ref (call);
  wait->guests = nego_control_guests_of (call);
  wait->guest = g_strdup (args->guest);
  wait->name = g_strdup (args->name);
  wait->value = g_strdup (args->value);
  if (nego_cmd_wait_look (wait))
    return;
  wait->watch = nego_guests_watch (wait->guests, nego_cmd_wait_on_change, wait);
  if (args->has_timeout)
    wait->timer
      = nego_source_add_timeout ((guint) MIN (ceil (args->timeout * 1000), (double) G_MAXUINT),
                                 nego_cmd_wait_on_time_over, wait);
  nego_call_set_abandon (call, nego_cmd_wait_on_abandoned, wait);
}
