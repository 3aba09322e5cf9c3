/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "agent/guest-client/verbs.h"
#include "common/error.h"
#include "common/json.h"
#include "common/names.h"
#include "qapi/decode.h"
#include "qapi/qapi-types.h"
#include "qapi/qapi-visit.h"

/* How long wait waits, unless --timeout says otherwise: a host's reboot takes longer, a restart of
 * nego-hostd does not. */
#define WAIT_S 30
/* What the agent may be late with its answer. */
#define GRACE_S 10
/* The longest wait that is asked for at once. */
#define WAIT_MAX_S (30.0 * 86400)

static gboolean
nego_guest_cmd_await (NegoRemote *host, const NegoGuestOptions *options, GError **error)
{
  const double wait = !options->has_timeout   ? WAIT_S
                      : options->timeout == 0 ? WAIT_MAX_S
                                              : options->timeout;
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

/* nego-guest wait */
int
nego_guest_cmd_wait (const NegoGuestOptions *options)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (NegoRemote) host = nego_guest_verb_open (options, &error);

  if (host != NULL
      && (options->device == NULL
            ? nego_guest_cmd_await (host, options, &error)
            : nego_remote_sync (host, nego_guest_options_deadline (options, WAIT_S), &error)))
    return 0;
  return nego_guest_verb_fail (options, error);
}
