/* SPDX-License-Identifier: MIT */
#define G_LOG_DOMAIN "nego-port"

#include "config.h"

#include "host-client/hostd/port.h"

#include "common/names.h"
#include "common/service/old-peer.h"
#include "common/session.h"
#include "host-client/hostd/connector.h"
#include "host-client/hostd/guests.h"

struct NegoPort {
  NegoGuest *guest;
  char *name; /* of the session */
  NegoConnector *connector;
  NegoSession *session; /* NULL: it waits for its socket */
};

/* QEMU is gone, or the port was unplugged: with it goes what the guest told. */
static void
nego_port_on_closed (NegoSession *session, const GError *error, gpointer user_data)
{
  NegoPort *port = user_data;

  if (error != NULL)
    g_info ("guest '%s': its port: %s", port->guest->name, error->message);
  g_clear_pointer (&port->session, nego_session_free);
  nego_guest_forget_notes (port->guest);
  nego_guest_set_state (port->guest, NEGO_GUEST_WAITING);
  nego_connector_again (port->connector);
}

static void
nego_port_on_connected (NegoConnector *connector, int fd, gpointer user_data)
{
  NegoPort *port = user_data;
  NegoPoller *poller = nego_guests_get_poller (port->guest->guests);
  const NegoSessionOptions options = {
    .name = port->name,
    .kind = NEGO_STREAM_SOCKET,
    .limits = { NEGO_HOSTD_MESSAGE_BYTES, NEGO_HOSTD_MESSAGE_TOKENS, NEGO_HOSTD_MESSAGE_DEPTH },
    .concurrent = TRUE,
    .needs_sync = TRUE,
    .rate = NEGO_HOSTD_INPUT_BYTES,
    .old = nego_old_peer_answer,
  };

  g_info ("guest '%s': connected to '%s'", port->guest->name, nego_connector_get_path (connector));
  port->session
    = nego_session_new (port->guest->service.dispatcher, fd, &options, nego_port_on_closed, port);
  if (poller != NULL)
    nego_session_set_poller (port->session, poller);
  nego_guest_set_state (port->guest, NEGO_GUEST_CONNECTED);
}

NegoPort *
nego_port_new (NegoGuest *guest, const char *path, NegoArrivals *arrivals)
{
  NegoPort *port = g_new0 (NegoPort, 1);

  port->guest = guest;
  port->name = g_strdup_printf ("guest '%s'", guest->name);
  port->connector = nego_connector_new (path, arrivals, nego_port_on_connected, port);
  return port;
}

void
nego_port_free (NegoPort *port)
{
  if (port == NULL)
    return;
  g_clear_pointer (&port->session, nego_session_free);
  nego_connector_free (port->connector);
  g_free (port->name);
  g_free (port);
}

const char *
nego_port_get_path (const NegoPort *port)
{
  return nego_connector_get_path (port->connector);
}
