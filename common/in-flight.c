/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "common/in-flight.h"

void
nego_in_flight_add (NegoInFlight *in_flight, NegoCall *call)
{
  if (in_flight->calls == NULL)
    in_flight->calls = g_ptr_array_new_with_free_func ((GDestroyNotify) nego_call_unref);
  g_ptr_array_add (in_flight->calls, nego_call_ref (call));
}

void
nego_in_flight_remove (NegoInFlight *in_flight, NegoCall *call)
{
  g_ptr_array_remove_fast (in_flight->calls, call);
}

gboolean
nego_in_flight_cancel (NegoInFlight *in_flight, const char *id)
{
  for (guint i = 0; i < nego_in_flight_count (in_flight); i++)
    if (g_strcmp0 (nego_call_get_id (in_flight->calls->pdata[i]), id) == 0) {
      g_autoptr (NegoCall) call = g_ptr_array_steal_index_fast (in_flight->calls, i);

      nego_call_abandon (call);
      return TRUE;
    }
  return FALSE;
}

void
nego_in_flight_abandon (NegoInFlight *in_flight)
{
  while (nego_in_flight_count (in_flight) > 0) {
    g_autoptr (NegoCall) call
      = g_ptr_array_steal_index_fast (in_flight->calls, in_flight->calls->len - 1);

    nego_call_abandon (call);
  }
}

guint
nego_in_flight_count (const NegoInFlight *in_flight)
{
  return in_flight->calls != NULL ? in_flight->calls->len : 0;
}

void
nego_in_flight_clear (NegoInFlight *in_flight)
{
  nego_in_flight_abandon (in_flight);
  g_clear_pointer (&in_flight->calls, g_ptr_array_unref);
}
