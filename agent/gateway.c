/* SPDX-License-Identifier: MIT */
#define G_LOG_DOMAIN "nego-gateway"

#include "config.h"

#include "agent/gateway.h"

#include "agent/device.h"
#include "agent/transport-fd.h"
#include "agent/transport-serial.h"
#include "agent/transport-virtio.h"
#include "common/broker/broker.h"
#include "common/error.h"
#include "common/listener.h"
#include "common/names.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>

#define NEGO_GATEWAY_NO_PORT \
  "the port '" NEGO_PORT_GUEST_TO_HOST "' is not there, or another process holds it"

struct NegoGateway {
  char *name; /* of the port */
  NegoBroker *broker;
  NegoListener *listener;
  NegoDevice *device; /* NULL: an inherited connection */
  NegoStreamKind kind;
};

static void
nego_gateway_connected_cb (NegoListener *listener, int fd, gpointer user_data)
{
  const NegoGateway *gateway = user_data;

  nego_broker_add_client (gateway->broker, fd);
}

static void
nego_gateway_opened_cb (NegoDevice *device, int fd, gpointer user_data)
{
  const NegoGateway *gateway = user_data;

  g_message ("%s: open", gateway->name);
  nego_broker_set_upstream (gateway->broker, fd, gateway->kind);
}

static void
nego_gateway_ready_cb (NegoBroker *broker, gboolean ready, gpointer user_data)
{
  const NegoGateway *gateway = user_data;

  g_message ("%s: the host %s", gateway->name, ready ? "answers" : "is gone");
}

static void
nego_gateway_closed_cb (NegoBroker *broker, const GError *error, gpointer user_data)
{
  const NegoGateway *gateway = user_data;

  g_message ("%s: closed: %s", gateway->name, error != NULL ? error->message : "end of file");
  if (gateway->device == NULL)
    return;
  nego_broker_unset_upstream (broker, NEGO_GATEWAY_NO_PORT);
  nego_device_reopen (gateway->device);
}

static const NegoBrokerCallbacks callbacks = {
  .ready = nego_gateway_ready_cb,
  .closed = nego_gateway_closed_cb,
};

static gboolean
nego_gateway_open_fd (NegoGateway *gateway, const char *path, GError **error)
{
  const int fd = atoi (path); /* checked by address.h */
  NegoTransportFd what;

  if (!nego_transport_fd_look (fd, &what, error))
    return FALSE;
  if (what.listening) {
    g_set_error (error, NEGO_ERROR, NEGO_ERROR_CONFIG, "descriptor %d is not a connection", fd);
    return FALSE;
  }
  nego_broker_set_upstream (gateway->broker, fd, what.kind);
  return TRUE;
}

static gboolean
nego_gateway_open (NegoGateway *gateway, const NegoAddress *address, GError **error)
{
  switch (address->method) {
  case NEGO_METHOD_FD:
    return nego_gateway_open_fd (gateway, address->path, error);
  case NEGO_METHOD_ISA_SERIAL:
    gateway->kind = NEGO_STREAM_SERIAL;
    gateway->device = nego_device_new (address->path, NULL, nego_transport_serial_open,
                                       nego_gateway_opened_cb, gateway);
    break;
  default: /* conf.h admits no listening one */
    gateway->kind = NEGO_STREAM_PORT;
    gateway->device = nego_device_new (address->path, NEGO_VIRTIO_SUBSYSTEM,
                                       nego_transport_virtio_open, nego_gateway_opened_cb, gateway);
    break;
  }
  nego_broker_unset_upstream (gateway->broker, NEGO_GATEWAY_NO_PORT);
  return TRUE;
}

/* Who may connect: a group that is not there is no reason to have no socket. */
static gboolean
nego_gateway_open_to_group (const NegoGateway *gateway, const NegoConf *conf, GError **error)
{
  g_autoptr (GError) failure = NULL;
  gid_t gid;

  if (nego_listener_find_group (conf->host_socket_group, &gid, &failure))
    return nego_listener_set_access (gateway->listener, gid, conf->host_socket_mode, error);
  g_message ("%s: only root can use '%s'", failure->message, conf->host_socket);
  return nego_listener_set_access (gateway->listener, NEGO_LISTENER_NO_GROUP,
                                   conf->host_socket_mode & S_IRWXU, error);
}

static gboolean
nego_gateway_listen (NegoGateway *gateway, const NegoConf *conf, GError **error)
{
  g_autofree char *dir = g_path_get_dirname (conf->host_socket);

  if (mkdir (dir, 0755) < 0 && errno != EEXIST)
    return nego_error_set_errno (error, errno, "failed to make the directory '%s'", dir);
  gateway->listener = nego_listener_new_unix (conf->host_socket, error);
  if (gateway->listener == NULL || !nego_gateway_open_to_group (gateway, conf, error))
    return FALSE;
  nego_listener_set_func (gateway->listener, nego_gateway_connected_cb, gateway);
  nego_listener_set_accepting (gateway->listener, TRUE);
  return TRUE;
}

static NegoBroker *
nego_gateway_new_broker (NegoGateway *gateway)
{
  const NegoBrokerOptions options = {
    .name = gateway->name,
    .lost = "the host connection " NEGO_BROKER_LOST,
    .silent = "the host does not answer",
    .absent = "no host is connected",
    .limits = {
      .max_bytes = NEGO_GUEST_REPLY_BYTES,
      .max_tokens = NEGO_GUEST_REPLY_TOKENS,
      .max_depth = NEGO_GUEST_REPLY_DEPTH,
    },
    .requests = {
      .max_bytes = NEGO_HOSTD_MESSAGE_BYTES,
      .max_tokens = NEGO_HOSTD_MESSAGE_TOKENS,
      .max_depth = NEGO_HOSTD_MESSAGE_DEPTH,
    },
  };

  return nego_broker_new (&options, &callbacks, gateway);
}

NegoGateway *
nego_gateway_new (const NegoConf *conf, GError **error)
{
  g_autoptr (NegoGateway) gateway = NULL;
  g_autoptr (NegoAddress) address = nego_conf_get_host_port (conf);

  if (address == NULL || !conf->host_calls)
    return NULL;
  gateway = g_new0 (NegoGateway, 1);
  gateway->name = nego_address_to_string (address);
  gateway->broker = nego_gateway_new_broker (gateway);
  if (!nego_gateway_listen (gateway, conf, error) || !nego_gateway_open (gateway, address, error))
    return NULL;
  g_message ("%s: programs here find the host at '%s'", gateway->name, conf->host_socket);
  return g_steal_pointer (&gateway);
}

void
nego_gateway_free (NegoGateway *gateway)
{
  if (gateway == NULL)
    return;
  nego_device_free (gateway->device);
  nego_listener_free (gateway->listener);
  nego_broker_free (gateway->broker);
  g_free (gateway->name);
  g_free (gateway);
}
