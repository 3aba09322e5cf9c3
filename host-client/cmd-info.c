/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "common/error.h"
#include "common/names.h"
#include "common/client/output.h"
#include "host-client/verbs.h"
#include "qapi/decode.h"
#include "qapi/qapi-types.h"

static void
nego_cmd_add_row (GPtrArray *cells, const char *name, char *value)
{
  g_ptr_array_add (cells, g_strdup (name));
  g_ptr_array_add (cells, value);
}

static void
nego_cmd_add_negotiator (GPtrArray *cells, const QapiNegotiatorInfo *info)
{
  nego_cmd_add_row (cells, "agent", g_strdup_printf ("nego-agent %s", info->version));
  nego_cmd_add_row (cells, "instance", g_strdup (info->instance));
  nego_cmd_add_row (cells, "boot", g_strdup (info->boot_id));
  nego_cmd_add_row (cells, "frozen", g_strdup (info->frozen ? "yes" : "no"));
  nego_cmd_add_row (cells, "jobs running",
                    g_strdup_printf ("%u (limit %u)", info->jobs, info->limits->jobs_running));
}

static gboolean
nego_cmd_print_info (const QapiGuestAgentInfo *agent,
                     const QapiNegotiatorInfo *negotiator,
                     GError **error)
{
  g_autoptr (GPtrArray) cells = g_ptr_array_new_with_free_func (g_free);
  g_autoptr (GString) text = g_string_new (NULL);
  g_autoptr (GString) disabled = g_string_new (NULL);

  if (negotiator != NULL)
    nego_cmd_add_negotiator (cells, negotiator);
  nego_cmd_add_row (cells, "QGA version", g_strdup (agent->version));
  for (guint i = 0; i < agent->supported_commands->len; i++) {
    const QapiGuestAgentCommandInfo *command = agent->supported_commands->pdata[i];

    if (!command->enabled)
      g_string_append_printf (disabled, "%s%s", disabled->len > 0 ? " " : "", command->name);
  }
  nego_cmd_add_row (cells, "QGA commands", g_strdup_printf ("%u", agent->supported_commands->len));
  nego_cmd_add_row (cells, "disabled", g_strdup (disabled->str));
  nego_output_table (text, cells, 2);
  return nego_output_text (text, error);
}

/* What guest-info returned, with what negotiator-info did as a member of its own. */
static gboolean
nego_cmd_print_json (JsonNode *agent, JsonNode *negotiator, GError **error)
{
  if (negotiator != NULL)
    json_object_set_member (json_node_get_object (agent), "negotiator",
                            json_node_copy (negotiator));
  return nego_output_json_node (agent, error);
}

/* nego-host info GUEST */
int
nego_cmd_info (const NegoOptions *options)
{
  const gint64 deadline = nego_options_deadline (options, NEGO_GUEST_ANSWER_S);
  g_autoptr (GError) error = NULL;
  g_autoptr (NegoRemote) guest = nego_verb_open (options, deadline, &error);
  g_autoptr (JsonNode) agent_reply = NULL, negotiator_reply = NULL;
  g_autoptr (QapiGuestAgentInfo) agent = NULL;
  g_autoptr (QapiNegotiatorInfo) negotiator = NULL;

  if (guest != NULL)
    agent_reply = nego_remote_ask (guest, "guest-info", deadline, &error);
  if (agent_reply != NULL)
    agent = qapi_decode (&qapi_guest_agent_info_type, agent_reply, "guest-info", FALSE, &error);
  if (agent == NULL)
    return nego_verb_fail (options, error);
  negotiator_reply = nego_remote_ask (guest, "negotiator-info", deadline, &error);
  /* qemu-ga does not have it, and a guest may refuse it. */
  if (g_error_matches (error, NEGO_ERROR, NEGO_ERROR_COMMAND_NOT_FOUND)
      || g_error_matches (error, NEGO_ERROR, NEGO_ERROR_REFUSED))
    g_clear_error (&error);
  if (negotiator_reply != NULL)
    negotiator = qapi_decode (&qapi_negotiator_info_type, negotiator_reply, "negotiator-info",
                              FALSE, &error);
  if (error == NULL
      && (options->json ? nego_cmd_print_json (agent_reply, negotiator_reply, &error)
                        : nego_cmd_print_info (agent, negotiator, &error)))
    return 0;
  return nego_verb_fail (options, error);
}
