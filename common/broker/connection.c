/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "common/broker/connection.h"

#include "common/error.h"
#include "common/source.h"

/* The longest wait; a caller that means "for ever" can ask again. */
#define NEGO_CONNECTION_WAIT_MAX_S (30.0 * 86400)

struct NegoBrokerConnection {
  char *reason; /* NULL: it is there */
  char *port;
  gint64 since_us;
  guint clients;
  GQueue waits; /* NegoBrokerConnectionWait; one a client at most */
};

typedef struct {
  NegoBrokerConnection *connection;
  NegoCall *call;
  GSource *timer;
} NegoBrokerConnectionWait;

NegoBrokerConnection *
nego_broker_connection_new (const char *reason, const char *port)
{
  NegoBrokerConnection *connection = g_new0 (NegoBrokerConnection, 1);

  connection->reason = g_strdup (reason);
  connection->port = g_strdup (port);
  return connection;
}

void
nego_broker_connection_free (NegoBrokerConnection *connection)
{
  if (connection == NULL)
    return;
  g_assert (connection->waits.length == 0);
  g_free (connection->reason);
  g_free (connection->port);
  g_free (connection);
}

static void
nego_broker_connection_tell (const NegoBrokerConnection *connection, NegoCall *call)
{
  g_autoptr (QapiNegotiatorConnection) ret = qapi_negotiator_connection_new ();

  ret->connected = connection->reason == NULL;
  ret->reason = g_strdup (connection->reason);
  ret->port = g_strdup (connection->port);
  ret->has_since_ns = ret->connected;
  ret->since_ns = connection->since_us * 1000;
  ret->clients = connection->clients;
  qapi_negotiator_connection_return (call, ret);
}

static void
nego_broker_connection_wait_free (NegoBrokerConnectionWait *wait)
{
  g_queue_remove (&wait->connection->waits, wait);
  nego_source_clear (&wait->timer);
  nego_call_unref (wait->call);
  g_free (wait);
}

static void
nego_broker_connection_wait_end (NegoBrokerConnectionWait *wait)
{
  NegoBrokerConnection *connection = wait->connection;
  g_autoptr (NegoCall) call = nego_call_ref (wait->call);

  nego_broker_connection_wait_free (wait);
  nego_broker_connection_tell (connection, call);
}

static gboolean
nego_broker_connection_on_time_over (gpointer user_data)
{
  nego_broker_connection_wait_end (user_data);
  return G_SOURCE_REMOVE;
}

static void
nego_broker_connection_on_abandoned (NegoCall *call, gpointer user_data)
{
  nego_broker_connection_wait_free (user_data);
}

void
nego_broker_connection_set_ready (NegoBrokerConnection *connection)
{
  g_clear_pointer (&connection->reason, g_free);
  connection->since_us = g_get_real_time ();
  while (connection->waits.length > 0)
    nego_broker_connection_wait_end (g_queue_peek_head (&connection->waits));
}

void
nego_broker_connection_set_reason (NegoBrokerConnection *connection, const char *reason)
{
  g_free (connection->reason);
  connection->reason = g_strdup (reason);
}

const char *
nego_broker_connection_get_reason (const NegoBrokerConnection *connection)
{
  return connection->reason;
}

void
nego_broker_connection_set_clients (NegoBrokerConnection *connection, guint clients)
{
  connection->clients = clients;
}

void
nego_broker_connection_answer (NegoBrokerConnection *connection,
                               NegoCall *call,
                               const QapiNegotiatorConnectionArgs *args)
{
  NegoBrokerConnectionWait *wait;

  if (args->has_wait && !(args->wait >= 0)) {
    nego_call_fail (call, g_error_new_literal (NEGO_ERROR, NEGO_ERROR_GENERIC,
                                               "wait must not be below 0"));
    return;
  }
  if (connection->reason == NULL || !args->has_wait || args->wait == 0) {
    nego_broker_connection_tell (connection, call);
    return;
  }
  wait = g_new0 (NegoBrokerConnectionWait, 1);
  wait->connection = connection;
  wait->call = nego_call_ref (call);
  wait->timer
    = nego_source_add_timeout ((guint) (MIN (args->wait, NEGO_CONNECTION_WAIT_MAX_S) * 1000),
                               nego_broker_connection_on_time_over, wait);
  g_queue_push_tail (&connection->waits, wait);
  nego_call_set_abandon (call, nego_broker_connection_on_abandoned, wait);
}
