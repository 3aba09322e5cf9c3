/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "common/names.h"
#include "common/client/output.h"
#include "host-client/verbs.h"

/* nego-host ping GUEST */
int
nego_cmd_ping (const NegoOptions *options)
{
  const gint64 deadline = nego_options_deadline (options, NEGO_GUEST_ANSWER_S);
  g_autoptr (GError) error = NULL;
  g_autoptr (NegoRemote) guest = nego_verb_open (options, deadline, &error);
  g_autoptr (JsonNode) pong = NULL;
  g_autoptr (GString) text = g_string_new (NULL);
  const gint64 started = g_get_monotonic_time ();
  gint64 took;

  if (guest != NULL)
    pong = nego_remote_ask (guest, "guest-ping", deadline, &error);
  if (pong == NULL)
    return nego_verb_fail (options, error);
  took = g_get_monotonic_time () - started;
  if (options->json)
    g_string_printf (text, "{\"elapsed-ns\": %" G_GINT64_FORMAT "}\n", took * 1000);
  else if (!options->quiet)
    g_string_printf (text, "the agent answered in %.1f ms\n", (double) took / 1000);
  return nego_output_text (text, &error) ? 0 : nego_verb_fail (options, error);
}
