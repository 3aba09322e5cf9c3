/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "agent/guest-client/verbs.h"
#include "common/client/output.h"
#include "common/error.h"
#include "common/names.h"
#include "qapi/decode.h"
#include "qapi/qapi-types.h"

static void
nego_guest_cmd_add_row (GPtrArray *cells, const char *name, char *value)
{
  g_ptr_array_add (cells, g_strdup (name));
  g_ptr_array_add (cells, value);
}

static char *
nego_guest_cmd_format_time (gint64 ns)
{
  g_autoptr (GDateTime) time
    = g_date_time_new_from_unix_local (ns / G_GINT64_CONSTANT (1000000000));

  return time != NULL ? g_date_time_format_iso8601 (time) : g_strdup ("");
}

static gboolean
nego_guest_cmd_print_info (const QapiNegotiatorInfo *info,
                           const QapiNegotiatorConnection *connection,
                           GError **error)
{
  g_autoptr (GPtrArray) cells = g_ptr_array_new_with_free_func (g_free);
  g_autoptr (GString) text = g_string_new (NULL);

  nego_guest_cmd_add_row (cells, "host", g_strdup_printf ("negotiator %s", info->version));
  nego_guest_cmd_add_row (cells, "instance", g_strdup (info->instance));
  nego_guest_cmd_add_row (cells, "boot", g_strdup (info->boot_id));
  if (connection != NULL && connection->has_since_ns)
    nego_guest_cmd_add_row (cells, "connected since",
                            nego_guest_cmd_format_time (connection->since_ns));
  if (connection != NULL)
    nego_guest_cmd_add_row (cells, "programs", g_strdup_printf ("%u", connection->clients));
  nego_guest_cmd_add_row (cells, "jobs running",
                          g_strdup_printf ("%u (limit %u)", info->jobs,
                                           info->limits->jobs_running));
  nego_output_table (text, cells, 2);
  return nego_output_text (text, error);
}

/* What negotiator-info returned, with what negotiator-connection did as a member of its own. */
static gboolean
nego_guest_cmd_print_json (JsonNode *info, JsonNode *connection, GError **error)
{
  if (connection != NULL)
    json_object_set_member (json_node_get_object (info), "connection", json_node_copy (connection));
  return nego_output_json_node (info, error);
}

/* nego-guest info */
int
nego_guest_cmd_info (const NegoGuestOptions *options)
{
  const gint64 deadline = nego_guest_options_deadline (options, NEGO_GUEST_ANSWER_S);
  g_autoptr (GError) error = NULL;
  g_autoptr (NegoRemote) host = nego_guest_verb_open (options, &error);
  g_autoptr (JsonNode) info_reply = NULL, connection_reply = NULL;
  g_autoptr (QapiNegotiatorInfo) info = NULL;
  g_autoptr (QapiNegotiatorConnection) connection = NULL;

  if (host != NULL)
    info_reply = nego_remote_ask (host, "negotiator-info", deadline, &error);
  if (info_reply != NULL)
    info = qapi_decode (&qapi_negotiator_info_type, info_reply, "negotiator-info", FALSE, &error);
  /* The agent's answer; there is none of it behind a port that we opened ourselves. */
  if (info != NULL && options->device == NULL)
    connection_reply = nego_remote_ask (host, "negotiator-connection", deadline, &error);
  if (connection_reply != NULL)
    connection = qapi_decode (&qapi_negotiator_connection_type, connection_reply,
                              "negotiator-connection", FALSE, &error);
  if (error == NULL
      && (options->json ? nego_guest_cmd_print_json (info_reply, connection_reply, &error)
                        : nego_guest_cmd_print_info (info, connection, &error)))
    return 0;
  return nego_guest_verb_fail (options, error);
}
