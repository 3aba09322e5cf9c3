/* SPDX-License-Identifier: MIT */
#define G_LOG_DOMAIN "nego-broker"

#include "config.h"

#include "common/broker/broker.h"

#include "common/broker/calls.h"
#include "common/broker/client.h"
#include "common/broker/connection.h"
#include "common/broker/upstream.h"
#include "common/error.h"
#include "common/names.h"
#include "common/session.h"
#include "common/wire.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

/* A connection that waits until its user has fewer than NEGO_BROKER_CLIENTS_OF_USER clients. */
typedef struct {
  int fd;
  uid_t uid;
} NegoBrokerLine;

struct NegoBroker {
  NegoBrokerOptions options;
  char *name;
  NegoPolicy *policy;
  NegoDispatcher *dispatcher; /* of what the broker answers itself */
  NegoBrokerConnection *connection;
  NegoCalls *calls;
  NegoUpstream *upstream; /* NULL: none */
  GPtrArray *clients;     /* NegoBrokerClient */
  GQueue line;            /* NegoBrokerLine */
  NegoPoller *poller;     /* NULL: each connection has a source of its own */
  const NegoBrokerCallbacks *callbacks;
  gpointer user_data;
};

static gboolean
nego_broker_sync (NegoCall *call, const QapiGuestSyncArgs *args, gint64 *ret, GError **error)
{
  *ret = args->id;
  return TRUE;
}

static gboolean
nego_broker_sync_delimited (NegoCall *call,
                            const QapiGuestSyncDelimitedArgs *args,
                            gint64 *ret,
                            GError **error)
{
  nego_call_set_delimited (call);
  *ret = args->id;
  return TRUE;
}

static gboolean
nego_broker_ping (NegoCall *call, GError **error)
{
  return TRUE;
}

static void
nego_broker_tell_connection (NegoCall *call, const QapiNegotiatorConnectionArgs *args)
{
  const NegoBroker *broker = nego_call_get_context (call);

  nego_broker_connection_answer (broker->connection, call, args);
}

static gboolean
nego_broker_refuse_cancel (NegoCall *call, const QapiNegotiatorCancelArgs *args, GError **error)
{
  return nego_session_refuse_concurrent (error);
}

static QapiNegotiatorSession *
nego_broker_refuse_session (NegoCall *call, const QapiNegotiatorSessionArgs *args, GError **error)
{
  nego_session_refuse_concurrent (error);
  return NULL;
}

static const QapiHandlers handlers = {
  .guest_sync = nego_broker_sync,
  .guest_sync_delimited = nego_broker_sync_delimited,
  .guest_ping = nego_broker_ping,
  .negotiator_cancel = nego_broker_refuse_cancel,
  .negotiator_connection = nego_broker_tell_connection,
  .negotiator_session = nego_broker_refuse_session,
};

/* Whether the broker answers the command @name itself. */
static gboolean
nego_broker_knows (const NegoBroker *broker, const char *name)
{
  const QapiCommand *command = qapi_command_find (name);

  if (command == NULL || !qapi_command_is_served (command, &handlers))
    return FALSE;
  return !g_str_equal (name, "guest-ping") || nego_broker_is_ready (broker);
}

static gboolean
nego_broker_forward_cb (
  NegoBrokerClient *client, NegoCall *call, const char *arguments, gsize len, gpointer user_data)
{
  NegoBroker *broker = user_data;
  const char *reason = nego_broker_connection_get_reason (broker->connection);

  if (nego_broker_knows (broker, nego_call_get_name (call)))
    return FALSE;
  if (broker->upstream != NULL && nego_upstream_is_present (broker->upstream))
    nego_calls_take (broker->calls, call, arguments, len, client);
  else
    nego_call_fail (call, g_error_new_literal (NEGO_ERROR, NEGO_ERROR_CLOSED, reason));
  return TRUE;
}

static guint
nego_broker_count_in_line (const NegoBroker *broker, uid_t uid)
{
  guint n = 0;

  for (const GList *link = broker->line.head; link != NULL; link = link->next)
    n += ((const NegoBrokerLine *) link->data)->uid == uid;
  return n;
}

static guint
nego_broker_count_of_user (const NegoBroker *broker, uid_t uid)
{
  guint n = 0;

  for (guint i = 0; i < broker->clients->len; i++)
    n += nego_broker_client_get_uid (broker->clients->pdata[i]) == uid;
  return n;
}

static void nego_broker_serve (NegoBroker *broker, int fd, uid_t uid);

/* Serves the first one in the line whose user has room again. */
static void
nego_broker_call_next (NegoBroker *broker)
{
  for (GList *link = broker->line.head; link != NULL; link = link->next) {
    g_autofree NegoBrokerLine *next = link->data;

    if (nego_broker_count_of_user (broker, next->uid) < NEGO_BROKER_CLIENTS_OF_USER) {
      g_queue_delete_link (&broker->line, link);
      nego_broker_serve (broker, next->fd, next->uid);
      return;
    }
    g_steal_pointer (&next);
  }
}

static void
nego_broker_client_closed_cb (NegoBrokerClient *client, gpointer user_data)
{
  NegoBroker *broker = user_data;

  g_ptr_array_remove_fast (broker->clients, client);
  nego_calls_forget_client (broker->calls, client);
  nego_broker_call_next (broker);
  nego_broker_connection_set_clients (broker->connection, nego_broker_count_clients (broker));
}

static const NegoBrokerClientCallbacks client_callbacks = {
  .forward = nego_broker_forward_cb,
  .closed = nego_broker_client_closed_cb,
};

static void
nego_broker_serve (NegoBroker *broker, int fd, uid_t uid)
{
  NegoBrokerClient *client;
  NegoFramerLimits limits = broker->options.requests;

  limits.max_bytes -= NEGO_BROKER_SPLICE_BYTES;
  limits.max_tokens -= NEGO_BROKER_SPLICE_TOKENS;
  client = nego_broker_client_new (fd, uid, broker->name, &limits, broker->dispatcher,
                                   &client_callbacks, broker);
  if (broker->poller != NULL)
    nego_broker_client_set_poller (client, broker->poller);
  g_ptr_array_add (broker->clients, client);
}

/* Says why, if that can be said at once, and closes @fd. */
static void
nego_broker_turn_away (int fd, guint limit)
{
  g_autoptr (GString) line = g_string_new (NULL);
  g_autoptr (GError) error
    = g_error_new (NEGO_ERROR, NEGO_ERROR_BUSY, "too many clients (limit %u)", limit);

  nego_wire_write_error (line, error, NULL);
  if (send (fd, line->str, line->len, MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
    g_debug ("a client that is one too many does not listen");
  close (fd);
}

void
nego_broker_add_client_of (NegoBroker *broker, int fd, uid_t uid)
{
  if (uid != 0 && nego_broker_count_clients (broker) >= NEGO_BROKER_CLIENTS) {
    nego_broker_turn_away (fd, NEGO_BROKER_CLIENTS);
    return;
  }
  if (nego_broker_count_of_user (broker, uid) < NEGO_BROKER_CLIENTS_OF_USER) {
    nego_broker_serve (broker, fd, uid);
  } else if (nego_broker_count_in_line (broker, uid) >= NEGO_BROKER_LINE_OF_USER) {
    nego_broker_turn_away (fd, NEGO_BROKER_CLIENTS_OF_USER + NEGO_BROKER_LINE_OF_USER);
    return;
  } else {
    NegoBrokerLine *last = g_new (NegoBrokerLine, 1);

    *last = (NegoBrokerLine){ fd, uid };
    g_queue_push_tail (&broker->line, last);
  }
  nego_broker_connection_set_clients (broker->connection, nego_broker_count_clients (broker));
}

void
nego_broker_add_client (NegoBroker *broker, int fd)
{
  struct ucred peer;
  socklen_t len = sizeof peer;

  if (getsockopt (fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) == 0) {
    nego_broker_add_client_of (broker, fd, peer.uid);
    return;
  }
  g_warning ("%s: cannot tell whose client this is: %s", broker->name, g_strerror (errno));
  close (fd);
}

guint
nego_broker_count_clients (const NegoBroker *broker)
{
  return broker->clients->len + broker->line.length;
}

static void
nego_broker_ready_cb (NegoUpstream *upstream, gboolean ready, gpointer user_data)
{
  NegoBroker *broker = user_data;

  if (ready) {
    nego_broker_connection_set_ready (broker->connection);
    nego_calls_pump (broker->calls);
  } else {
    gboolean present = nego_upstream_is_present (upstream);
    const char *reason = present ? broker->options.silent : broker->options.absent;

    nego_broker_connection_set_reason (broker->connection, reason);
    nego_calls_lose (broker->calls);
  }
  if (broker->callbacks->ready != NULL)
    broker->callbacks->ready (broker, ready, broker->user_data);
}

static void
nego_broker_present_cb (NegoUpstream *upstream, gboolean present, gpointer user_data)
{
  NegoBroker *broker = user_data;
  const char *reason = present ? broker->options.silent : broker->options.absent;

  nego_broker_connection_set_reason (broker->connection, reason);
  if (!present)
    nego_calls_refuse (broker->calls, reason);
}

static void
nego_broker_message_cb (NegoUpstream *upstream,
                        const NegoFramerMessage *message,
                        gpointer user_data)
{
  const NegoBroker *broker = user_data;

  nego_calls_hear (broker->calls, message);
}

static void
nego_broker_drained_cb (NegoUpstream *upstream, gpointer user_data)
{
  const NegoBroker *broker = user_data;

  nego_calls_pump (broker->calls);
}

/* Whatever is out or waits was for the upstream that goes. */
static void
nego_broker_drop_upstream (NegoBroker *broker, const char *reason)
{
  NegoUpstream *upstream = g_steal_pointer (&broker->upstream);

  nego_broker_connection_set_reason (broker->connection, reason);
  nego_calls_set_upstream (broker->calls, NULL);
  nego_calls_lose (broker->calls);
  nego_calls_refuse (broker->calls, reason);
  nego_upstream_free (upstream);
}

static void
nego_broker_upstream_closed_cb (NegoUpstream *upstream, const GError *error, gpointer user_data)
{
  NegoBroker *broker = user_data;

  nego_broker_drop_upstream (broker, broker->options.absent);
  broker->callbacks->closed (broker, error, broker->user_data);
}

static const NegoUpstreamCallbacks upstream_callbacks = {
  .ready = nego_broker_ready_cb,
  .present = nego_broker_present_cb,
  .message = nego_broker_message_cb,
  .drained = nego_broker_drained_cb,
  .closed = nego_broker_upstream_closed_cb,
};

NegoBroker *
nego_broker_new (const NegoBrokerOptions *options,
                 const NegoBrokerCallbacks *callbacks,
                 gpointer user_data)
{
  NegoBroker *broker = g_new0 (NegoBroker, 1);

  broker->options = *options;
  broker->name = g_strdup (options->name);
  broker->callbacks = callbacks;
  broker->user_data = user_data;
  broker->policy = nego_policy_new ();
  broker->dispatcher = nego_dispatcher_new (&handlers, broker->policy, broker);
  broker->connection = nego_broker_connection_new (options->absent, options->port);
  broker->calls = nego_calls_new (options->lost, options->silent);
  broker->clients = g_ptr_array_new_with_free_func ((GDestroyNotify) nego_broker_client_free);
  return broker;
}

static void
nego_broker_line_free (gpointer data)
{
  NegoBrokerLine *line = data;

  close (line->fd);
  g_free (line);
}

void
nego_broker_set_poller (NegoBroker *broker, NegoPoller *poller)
{
  broker->poller = poller;
}

void
nego_broker_free (NegoBroker *broker)
{
  if (broker == NULL)
    return;
  g_ptr_array_unref (broker->clients);
  g_queue_clear_full (&broker->line, nego_broker_line_free);
  nego_calls_free (broker->calls);
  nego_upstream_free (broker->upstream);
  nego_broker_connection_free (broker->connection);
  nego_dispatcher_free (broker->dispatcher);
  nego_policy_free (broker->policy);
  g_free (broker->name);
  g_free (broker);
}

void
nego_broker_set_upstream (NegoBroker *broker, int fd, NegoStreamKind kind)
{
  nego_broker_drop_upstream (broker, broker->options.absent);
  broker->upstream = nego_upstream_new (fd, kind, broker->name, &broker->options.limits,
                                        broker->options.requests.max_bytes,
                                        broker->options.switches, &upstream_callbacks, broker);
  if (broker->poller != NULL)
    nego_upstream_set_poller (broker->upstream, broker->poller);
  if (broker->options.rate > 0)
    nego_upstream_set_rate (broker->upstream, broker->options.rate);
  nego_calls_set_upstream (broker->calls, broker->upstream);
  if (nego_upstream_is_present (broker->upstream))
    nego_broker_connection_set_reason (broker->connection, broker->options.silent);
}

void
nego_broker_unset_upstream (NegoBroker *broker, const char *reason)
{
  nego_broker_drop_upstream (broker, reason);
}

void
nego_broker_resync (NegoBroker *broker)
{
  if (broker->upstream != NULL)
    nego_upstream_sync (broker->upstream, TRUE);
}

gboolean
nego_broker_is_ready (const NegoBroker *broker)
{
  return broker->upstream != NULL && nego_upstream_is_ready (broker->upstream);
}
