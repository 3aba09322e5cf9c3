/* SPDX-License-Identifier: MIT */
#define G_LOG_DOMAIN "nego-connection"

#include "config.h"

#include "host-client/hostd/connection.h"

#include "common/names.h"
#include "common/source.h"

#include <string.h>

struct NegoConnection {
  char *uri;
  NegoDomains *domains;
  NegoArrivals *arrivals;
  NegoOffload *offload;
  NegoLookListener *listener; /* of the present connection, or the one that is being opened */
  NegoOffloadTask *opening;
  GSource *retry;
  gulong wait;    /* for a change where libvirt's sockets are; 0: it does not */
  guint pause_ms; /* before the next try */
  char *reason;   /* why there is no connection, as it was logged last */
};

static void nego_connection_open (NegoConnection *connection);

static gboolean
nego_connection_on_retry (gpointer user_data)
{
  NegoConnection *connection = user_data;

  nego_source_clear (&connection->retry);
  nego_connection_open (connection);
  return G_SOURCE_REMOVE;
}

static void
nego_connection_retry_in (NegoConnection *connection, guint pause_ms)
{
  nego_source_clear (&connection->retry);
  connection->retry = nego_source_add_timeout (pause_ms, nego_connection_on_retry, connection);
}

/* A socket is there before somebody listens on it. */
static void
nego_connection_on_arrival (gpointer user_data)
{
  NegoConnection *connection = user_data;

  if (connection->opening != NULL)
    return;
  connection->pause_ms = NEGO_CONNECTION_FIRST_MS;
  nego_connection_retry_in (connection, NEGO_CONNECTION_FIRST_MS);
}

/* Of a URI with ?socket=PATH, that; else those of libvirtd and virtqemud of the system. */
static void
nego_connection_watch_sockets (NegoConnection *connection)
{
  const char *query = strchr (connection->uri, '?');
  g_autoptr (GHashTable) params
    = query != NULL ? g_uri_parse_params (query + 1, -1, "&;", G_URI_PARAMS_NONE, NULL) : NULL;
  const char *path = params != NULL ? g_hash_table_lookup (params, "socket") : NULL;

  if (connection->wait == 0)
    connection->wait
      = nego_arrivals_wait (connection->arrivals, nego_connection_on_arrival, connection);
  nego_arrivals_look_at (connection->arrivals,
                         path != NULL && path[0] == '/' ? path : NEGO_LIBVIRT_SOCKET);
}

static void
nego_connection_wait (NegoConnection *connection)
{
  nego_connection_watch_sockets (connection);
  nego_connection_retry_in (connection, connection->pause_ms);
  connection->pause_ms = MIN (connection->pause_ms * 2, NEGO_CONNECTION_PAUSE_MS);
}

static void
nego_connection_stop_waiting (NegoConnection *connection)
{
  nego_source_clear (&connection->retry);
  if (connection->wait != 0)
    nego_arrivals_leave (connection->arrivals, connection->wait);
  connection->wait = 0;
}

static void
nego_connection_log_reason (NegoConnection *connection, const char *reason)
{
  if (g_strcmp0 (connection->reason, reason) != 0)
    g_message ("no connection to '%s' now: %s", connection->uri, reason);
  g_free (connection->reason);
  connection->reason = g_strdup (reason);
}

/* Nobody hears the former connection any more. */
static void
nego_connection_drop_listener (NegoConnection *connection)
{
  if (connection->listener == NULL)
    return;
  connection->listener->user_data = NULL;
  g_clear_pointer (&connection->listener, nego_look_listener_unref);
}

static void
nego_connection_on_changed (const char *uuid, gboolean rebooted, gpointer user_data)
{
  NegoConnection *connection = user_data;

  nego_domains_touch (connection->domains, uuid, rebooted);
}

static void
nego_connection_on_closed (gpointer user_data)
{
  NegoConnection *connection = user_data;

  nego_connection_log_reason (connection, "libvirt closed it");
  nego_connection_drop_listener (connection);
  nego_domains_unset_connection (connection->domains);
  /* While it is being opened, its end is the opening's error. */
  if (connection->opening == NULL)
    nego_connection_wait (connection);
}

static void
nego_connection_on_opened (gpointer data, gpointer user_data)
{
  NegoConnection *connection = user_data;
  NegoLookOpening *opening = data;

  connection->opening = NULL;
  if (opening == NULL || opening->connection == NULL || connection->listener == NULL) {
    nego_connection_log_reason (connection, opening != NULL && opening->error != NULL
                                              ? opening->error->message
                                              : "libvirt does not answer");
    nego_connection_drop_listener (connection);
    nego_connection_wait (connection);
    return;
  }
  g_clear_pointer (&connection->reason, g_free);
  connection->pause_ms = NEGO_CONNECTION_FIRST_MS;
  g_message ("connected to '%s': %u guests run", connection->uri, opening->domains->len);
  nego_domains_set_connection (connection->domains, g_steal_pointer (&opening->connection),
                               opening->domains);
}

static void
nego_connection_open (NegoConnection *connection)
{
  nego_connection_stop_waiting (connection);
  connection->listener = g_new0 (NegoLookListener, 1);
  *connection->listener = (NegoLookListener){
    .changed = nego_connection_on_changed,
    .closed = nego_connection_on_closed,
    .user_data = connection,
  };
  g_atomic_ref_count_init (&connection->listener->refs);
  connection->opening
    = nego_offload_run (connection->offload, nego_look_open,
                        nego_look_opening_new (connection->uri, connection->listener),
                        nego_look_opening_free, NEGO_LIBVIRT_CALL_S * 1000,
                        nego_connection_on_opened, connection, NULL);
  if (connection->opening == NULL) {
    nego_connection_drop_listener (connection);
    nego_connection_wait (connection);
  }
}

NegoConnection *
nego_connection_new (const char *uri,
                     NegoGuests *guests,
                     NegoArrivals *arrivals,
                     NegoOffload *offload)
{
  NegoConnection *connection = g_new0 (NegoConnection, 1);

  connection->uri = g_strdup (uri);
  connection->arrivals = arrivals;
  connection->offload = offload;
  connection->domains = nego_domains_new (guests, arrivals, offload, uri);
  connection->pause_ms = NEGO_CONNECTION_FIRST_MS;
  nego_connection_open (connection);
  return connection;
}

void
nego_connection_free (NegoConnection *connection)
{
  if (connection == NULL)
    return;
  nego_connection_stop_waiting (connection);
  if (connection->opening != NULL)
    nego_offload_cancel (connection->opening);
  nego_connection_drop_listener (connection);
  nego_domains_free (connection->domains);
  g_free (connection->reason);
  g_free (connection->uri);
  g_free (connection);
}
