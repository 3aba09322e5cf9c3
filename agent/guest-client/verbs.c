/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "agent/guest-client/verbs.h"

#include "common/client/link-socket.h"
#include "common/client/output.h"
#include "common/error.h"
#include "common/json.h"
#include "common/names.h"
#include "qapi/decode.h"
#include "qapi/qapi-types.h"
#include "qapi/qapi-visit.h"

/* What the agent may be late with its answer. */
#define GRACE_S 10

/* The port has one owner, and that is to be the agent. */
static void
nego_guest_verb_explain_busy (GError **error)
{
  if (error != NULL && g_error_matches (*error, NEGO_ERROR, NEGO_ERROR_BUSY)
      && g_file_test (NEGO_HOST_SOCKET, G_FILE_TEST_EXISTS)) {
    g_autofree char *text
      = g_strdup_printf ("%s: nego-agent has it, and offers '%s'; leave out --character-device",
                         (*error)->message, NEGO_HOST_SOCKET);

    g_clear_error (error);
    g_set_error_literal (error, NEGO_ERROR, NEGO_ERROR_BUSY, text);
  }
}

NegoRemote *
nego_guest_verb_open (const NegoGuestOptions *options, GError **error)
{
  const double patience = options->has_timeout ? options->timeout : NEGO_GUEST_ANSWER_S;
  const char *socket = options->socket != NULL ? options->socket : NEGO_HOST_SOCKET;
  NegoLink *link;

  if (options->device != NULL) {
    link = nego_link_socket_new_device (options->device, patience, error);
    if (link == NULL)
      nego_guest_verb_explain_busy (error);
  } else {
    link = nego_link_socket_new_shared (socket, patience, error);
  }
  return link != NULL ? nego_remote_new (link) : NULL;
}

gboolean
nego_guest_verb_await (NegoRemote *host, double wait, GError **error)
{
  const QapiNegotiatorConnectionArgs args = { .has_wait = TRUE, .wait = wait };
  const gint64 deadline
    = g_get_monotonic_time () + (gint64) ((wait + GRACE_S) * G_TIME_SPAN_SECOND);
  g_autoptr (GString) arguments = g_string_new (NULL);
  g_autoptr (JsonNode) reply = NULL;
  g_autoptr (QapiNegotiatorConnection) connection = NULL;
  NegoJsonWriter writer;

  nego_json_writer_init (&writer, arguments);
  qapi_negotiator_connection_args_encode (&writer, &args);
  reply = nego_remote_call (host, "negotiator-connection", arguments->str, deadline, error);
  if (reply != NULL)
    connection = qapi_decode (&qapi_negotiator_connection_type, reply, "negotiator-connection",
                              FALSE, error);
  if (connection == NULL)
    return FALSE;
  if (!connection->connected)
    g_set_error (error, NEGO_ERROR, NEGO_ERROR_TIMEOUT, "the host did not come in time: %s",
                 connection->reason != NULL ? connection->reason : "no reason given");
  return connection->connected;
}

int
nego_guest_verb_fail (const NegoGuestOptions *options, const GError *error)
{
  if (!options->quiet)
    nego_output_say ("%s", error->message);
  return 1;
}
