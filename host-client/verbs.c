/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "host-client/verbs.h"

#include "common/client/output.h"
#include "common/client/result.h"
#include "common/names.h"

gint64
nego_verb_open_deadline (void)
{
  return g_get_monotonic_time () + (gint64) NEGO_GUEST_ANSWER_S * G_USEC_PER_SEC;
}

NegoRemote *
nego_verb_open (const NegoOptions *options, gint64 deadline, GError **error)
{
  g_autoptr (NegoRoute) route = nego_route_new (options, deadline, error);

  return route != NULL ? nego_route_open (route, deadline, error) : NULL;
}

NegoRemote *
nego_verb_reopen (gint64 deadline, gpointer user_data, GError **error)
{
  const NegoResult *result = user_data;

  return nego_verb_open (result->owner, deadline, error);
}

int
nego_verb_fail (const NegoOptions *options, const GError *error)
{
  if (options->quiet)
    return 1;
  if (options->guest != NULL)
    nego_output_say ("guest '%s': %s", options->guest, error->message);
  else
    nego_output_say ("%s", error->message);
  return 1;
}
