/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "common/names.h"
#include "common/client/output.h"
#include "host-client/verbs.h"
#include "qapi/decode.h"
#include "qapi/qapi-types.h"

static gboolean
nego_cmd_print_commands (const GPtrArray *commands, GError **error)
{
  g_autoptr (GPtrArray) cells = g_ptr_array_new_with_free_func (g_free);
  g_autoptr (GString) text = g_string_new (NULL);

  for (guint i = 0; i < commands->len; i++) {
    const QapiNegotiatorCommand *command = commands->pdata[i];
    const char *description = command->description != NULL ? command->description : "";

    g_ptr_array_add (cells, g_strdup (command->name));
    if (command->enabled)
      g_ptr_array_add (cells, g_strdup (description));
    else
      g_ptr_array_add (cells, g_strdup_printf ("%s%s(may not run: %s)", description,
                                               *description != '\0' ? " " : "",
                                               command->reason != NULL ? command->reason
                                                                       : "no reason given"));
  }
  nego_output_table (text, cells, 2);
  return nego_output_text (text, error);
}

/* nego-host commands GUEST */
int
nego_cmd_commands (const NegoOptions *options)
{
  const gint64 deadline = nego_options_deadline (options, NEGO_GUEST_ANSWER_S);
  g_autoptr (GError) error = NULL;
  g_autoptr (NegoRemote) guest = nego_verb_open (options, deadline, &error);
  g_autoptr (JsonNode) reply = NULL;
  g_autoptr (GPtrArray) commands = NULL;

  if (guest != NULL)
    reply = nego_remote_ask (guest, "negotiator-list", deadline, &error);
  if (reply != NULL)
    commands
      = qapi_decode_list (&qapi_negotiator_command_type, reply, "negotiator-list", FALSE, &error);
  if (commands == NULL)
    return nego_verb_fail (options, error);
  if (options->json ? nego_output_json_node (reply, &error)
                    : nego_cmd_print_commands (commands, &error))
    return 0;
  return nego_verb_fail (options, error);
}
