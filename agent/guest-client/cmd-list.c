/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "agent/guest-client/verbs.h"
#include "common/client/output.h"
#include "common/names.h"
#include "qapi/decode.h"
#include "qapi/qapi-types.h"

#include <string.h>

/* As negotiator-guest did: names alone. */
static gboolean
nego_guest_cmd_print_names (const GPtrArray *commands, GError **error)
{
  g_autoptr (GString) text = g_string_new (NULL);

  for (guint i = 0; i < commands->len; i++) {
    const QapiNegotiatorCommand *command = commands->pdata[i];

    nego_output_escape (text, command->name, strlen (command->name));
    g_string_append_c (text, '\n');
  }
  return nego_output_text (text, error);
}

static gboolean
nego_guest_cmd_print_commands (const GPtrArray *commands, GError **error)
{
  g_autoptr (GPtrArray) cells = g_ptr_array_new_with_free_func (g_free);
  g_autoptr (GString) text = g_string_new (NULL);

  for (guint i = 0; i < commands->len; i++) {
    const QapiNegotiatorCommand *command = commands->pdata[i];
    const char *description = command->description != NULL ? command->description : "";
    const char *reason = command->reason != NULL ? command->reason : "no reason given";

    g_ptr_array_add (cells, g_strdup (command->name));
    g_ptr_array_add (cells, command->enabled
                              ? g_strdup (description)
                              : g_strdup_printf ("%s%s(may not run: %s)", description,
                                                 *description != '\0' ? " " : "", reason));
  }
  nego_output_table (text, cells, 2);
  return nego_output_text (text, error);
}

/* nego-guest list */
int
nego_guest_cmd_list (const NegoGuestOptions *options)
{
  const gint64 deadline = nego_guest_options_deadline (options, NEGO_GUEST_ANSWER_S);
  g_autoptr (GError) error = NULL;
  g_autoptr (NegoRemote) host = NULL;
  g_autoptr (JsonNode) reply = NULL;
  g_autoptr (GPtrArray) commands = NULL;
  gboolean printed;
  int status;

  if (nego_guest_ask_old (options, &status))
    return status;
  host = nego_guest_verb_open (options, &error);
  if (host != NULL)
    reply = nego_remote_ask (host, "negotiator-list", deadline, &error);
  if (reply != NULL)
    commands
      = qapi_decode_list (&qapi_negotiator_command_type, reply, "negotiator-list", FALSE, &error);
  if (commands == NULL)
    return nego_guest_verb_fail (options, error);
  if (options->json)
    printed = nego_output_json_node (reply, &error);
  else
    printed = options->old ? nego_guest_cmd_print_names (commands, &error)
                           : nego_guest_cmd_print_commands (commands, &error);
  return printed ? 0 : nego_guest_verb_fail (options, error);
}
