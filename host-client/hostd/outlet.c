/* SPDX-License-Identifier: MIT */
#define G_LOG_DOMAIN "nego-outlet"

#include "config.h"

#include "host-client/hostd/outlet.h"

#include "common/broker/broker.h"
#include "common/error.h"
#include "common/names.h"
#include "host-client/guest-socket.h"
#include "host-client/hostd/connector.h"

#include <errno.h>
#include <sys/stat.h>

#define NEGO_OUTLET_NO_PORT "the guest's port is not there, or another program holds it"

struct NegoOutlet {
  char *name;
  NegoBroker *broker;
  NegoConnector *connector;
  NegoListener *listener;
};

static void
nego_outlet_on_client (NegoListener *listener, int fd, gpointer user_data)
{
  const NegoOutlet *outlet = user_data;

  nego_broker_add_client (outlet->broker, fd);
}

static void
nego_outlet_on_connected (NegoConnector *connector, int fd, gpointer user_data)
{
  const NegoOutlet *outlet = user_data;

  nego_broker_set_upstream (outlet->broker, fd, NEGO_STREAM_SOCKET);
}

static void
nego_outlet_on_ready (NegoBroker *broker, gboolean ready, gpointer user_data)
{
  const NegoOutlet *outlet = user_data;

  g_info ("guest '%s': its agent %s", outlet->name, ready ? "answers" : "does not answer");
}

static void
nego_outlet_on_closed (NegoBroker *broker, const GError *error, gpointer user_data)
{
  const NegoOutlet *outlet = user_data;

  nego_broker_unset_upstream (broker, NEGO_OUTLET_NO_PORT);
  nego_connector_again (outlet->connector);
}

static const NegoBrokerCallbacks callbacks = {
  .ready = nego_outlet_on_ready,
  .closed = nego_outlet_on_closed,
};

static NegoBroker *
nego_outlet_new_broker (NegoOutlet *outlet, const char *port)
{
  const NegoBrokerOptions options = {
    .name = outlet->name,
    .port = port,
    .lost = "the connection to the guest " NEGO_BROKER_LOST,
    .silent = "the guest's agent does not answer",
    .absent = NEGO_OUTLET_NO_PORT,
    .limits = {
      .max_bytes = NEGO_GUEST_REPLY_BYTES_QGA,
      .max_tokens = NEGO_GUEST_REPLY_TOKENS,
      .max_depth = NEGO_GUEST_REPLY_DEPTH,
    },
    .requests = {
      .max_bytes = NEGO_MESSAGE_BYTES_PORT,
      .max_tokens = NEGO_MESSAGE_TOKENS,
      .max_depth = NEGO_MESSAGE_DEPTH,
    },
    .switches = TRUE,
    .rate = NEGO_HOSTD_INPUT_BYTES,
  };

  return nego_broker_new (&options, &callbacks, outlet);
}

static gboolean
nego_outlet_listen (NegoOutlet *outlet, const NegoOutletPlace *place, GError **error)
{
  g_autofree char *path = nego_guest_socket_path (place->dir, outlet->name);

  if (path == NULL) {
    g_set_error (error, NEGO_ERROR, NEGO_ERROR_GENERIC, "its name is too long for a socket in '%s'",
                 place->dir);
    return FALSE;
  }
  if (mkdir (place->dir, 0755) < 0 && errno != EEXIST)
    return nego_error_set_errno (error, errno, "failed to make the directory '%s'", place->dir);
  outlet->listener = nego_listener_new_unix (path, error);
  if (outlet->listener == NULL
      || !nego_listener_set_access (outlet->listener, place->gid, place->mode, error))
    return FALSE;
  if (place->poller != NULL)
    nego_listener_set_poller (outlet->listener, place->poller);
  nego_listener_set_func (outlet->listener, nego_outlet_on_client, outlet);
  nego_listener_set_accepting (outlet->listener, TRUE);
  return TRUE;
}

NegoOutlet *
nego_outlet_new (const NegoOutletPlace *place,
                 const char *name,
                 const char *port,
                 NegoArrivals *arrivals)
{
  g_autoptr (NegoOutlet) outlet = g_new0 (NegoOutlet, 1);
  g_autoptr (GError) error = NULL;

  outlet->name = g_strdup (name);
  if (!nego_outlet_listen (outlet, place, &error)) {
    g_warning ("guest '%s' is not offered to local programs: %s", name, error->message);
    return NULL;
  }
  outlet->connector = nego_connector_new (port, arrivals, nego_outlet_on_connected, outlet);
  outlet->broker = nego_outlet_new_broker (outlet, nego_connector_get_path (outlet->connector));
  if (place->poller != NULL)
    nego_broker_set_poller (outlet->broker, place->poller);
  return g_steal_pointer (&outlet);
}

void
nego_outlet_free (NegoOutlet *outlet)
{
  if (outlet == NULL)
    return;
  nego_listener_free (outlet->listener);
  nego_broker_free (outlet->broker);
  nego_connector_free (outlet->connector);
  g_free (outlet->name);
  g_free (outlet);
}

void
nego_outlet_resync (NegoOutlet *outlet)
{
  nego_broker_resync (outlet->broker);
}

const char *
nego_outlet_get_name (const NegoOutlet *outlet)
{
  return outlet->name;
}

const char *
nego_outlet_get_port (const NegoOutlet *outlet)
{
  return nego_connector_get_path (outlet->connector);
}
