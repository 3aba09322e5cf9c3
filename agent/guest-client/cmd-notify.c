/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "agent/guest-client/verbs.h"
#include "common/json.h"
#include "common/names.h"
#include "qapi/qapi-visit.h"

#include <string.h>

/* nego-guest notify ready|NAME=VALUE */
int
nego_guest_cmd_notify (const NegoGuestOptions *options)
{
  const gint64 deadline = nego_guest_options_deadline (options, NEGO_GUEST_ANSWER_S);
  const char *equals = strchr (options->args[0], '=');
  g_autofree char *name = equals != NULL
                            ? g_strndup (options->args[0], (gsize) (equals - options->args[0]))
                            : g_strdup (options->args[0]);
  const QapiNegotiatorNotifyArgs args = {
    .name = name,
    .value = equals != NULL ? (char *) equals + 1 : NULL,
  };
  g_autoptr (GString) arguments = g_string_new (NULL);
  g_autoptr (GError) error = NULL;
  g_autoptr (NegoRemote) host = nego_guest_verb_open (options, &error);
  g_autoptr (JsonNode) reply = NULL;
  NegoJsonWriter writer;

  nego_json_writer_init (&writer, arguments);
  qapi_negotiator_notify_args_encode (&writer, &args);
  if (host != NULL)
    reply = nego_remote_call (host, "negotiator-notify", arguments->str, deadline, &error);
  return reply != NULL ? 0 : nego_guest_verb_fail (options, error);
}
