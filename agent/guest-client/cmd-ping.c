/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "agent/guest-client/verbs.h"
#include "common/client/output.h"
#include "common/names.h"

/* nego-guest ping: to the host and back, not only to the agent. */
int
nego_guest_cmd_ping (const NegoGuestOptions *options)
{
  const gint64 deadline = nego_guest_options_deadline (options, NEGO_GUEST_ANSWER_S);
  g_autoptr (GError) error = NULL;
  g_autoptr (NegoRemote) host = nego_guest_verb_open (options, &error);
  g_autoptr (JsonNode) reply = NULL;
  g_autoptr (GString) text = g_string_new (NULL);
  const gint64 started = g_get_monotonic_time ();
  gint64 took;

  if (host != NULL)
    reply = nego_remote_ask (host, "negotiator-info", deadline, &error);
  if (reply == NULL)
    return nego_guest_verb_fail (options, error);
  took = g_get_monotonic_time () - started;
  if (options->json)
    g_string_printf (text, "{\"elapsed-ns\": %" G_GINT64_FORMAT "}\n", took * 1000);
  else if (!options->quiet)
    g_string_printf (text, "the host answered in %.1f ms\n", (double) took / 1000);
  return nego_output_text (text, &error) ? 0 : nego_guest_verb_fail (options, error);
}
