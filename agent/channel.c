/* SPDX-License-Identifier: MIT */
#define G_LOG_DOMAIN "nego-channel"

#include "config.h"

#include "agent/channel.h"

#include "agent/device.h"
#include "agent/transport-fd.h"
#include "agent/transport-serial.h"
#include "agent/transport-virtio.h"
#include "common/error.h"
#include "common/listener.h"
#include "common/names.h"
#include "common/service/old-peer.h"
#include "common/session.h"

#include <glib-unix.h>

#include <fcntl.h>
#include <stdlib.h>

struct NegoChannel {
  char *name;
  gboolean qga;
  NegoDispatcher *dispatcher;
  NegoStreamKind kind;

  /* One of them, or neither: an inherited connection. */
  NegoDevice *device;
  NegoListener *listener;

  GPtrArray *sessions;
  gint64 stuck_us; /* monotonic: the last reopening of a stuck port, or the next; 0: none */
  GSource *reopen;

  NegoChannelEndedFunc ended;
  gpointer user_data;
};

static gboolean
nego_channel_reopen_cb (gpointer user_data)
{
  NegoChannel *channel = user_data;

  g_clear_pointer (&channel->reopen, g_source_unref);
  nego_device_reopen (channel->device);
  return G_SOURCE_REMOVE;
}

guint
nego_channel_stuck_pause_ms (gint64 last_us, gint64 now_us)
{
  gint64 passed_ms = (now_us - last_us) / 1000;

  if (last_us == 0 || passed_ms >= NEGO_CHANNEL_REOPEN_S * 1000)
    return 0;
  return (guint) (NEGO_CHANNEL_REOPEN_S * 1000 - passed_ms);
}

/* libvirt's error state ends only when the port is closed and opened again. */
static void
nego_channel_reopen_stuck (NegoChannel *channel)
{
  gint64 now_us = g_get_monotonic_time ();
  guint pause_ms = nego_channel_stuck_pause_ms (channel->stuck_us, now_us);

  channel->stuck_us = now_us + (gint64) pause_ms * 1000;
  if (pause_ms == 0) {
    nego_device_reopen (channel->device);
    return;
  }
  g_warning ("%s: stuck again: it is opened again in %u s", channel->name, pause_ms / 1000);
  channel->reopen = g_timeout_source_new (pause_ms);
  g_source_set_callback (channel->reopen, nego_channel_reopen_cb, channel, NULL);
  g_source_attach (channel->reopen, g_main_context_get_thread_default ());
}

static void
nego_channel_closed_cb (NegoSession *session, const GError *error, gpointer user_data)
{
  NegoChannel *channel = user_data;
  gboolean stuck = g_error_matches (error, NEGO_ERROR, NEGO_ERROR_TIMEOUT);

  if (channel->device != NULL)
    g_message ("%s: closed: %s", channel->name, error != NULL ? error->message : "end of file");
  else
    g_debug ("%s: a client is gone: %s", channel->name,
             error != NULL ? error->message : "end of file");
  g_ptr_array_remove_fast (channel->sessions, session);
  if (channel->device != NULL && stuck)
    nego_channel_reopen_stuck (channel);
  else if (channel->device != NULL)
    nego_device_reopen (channel->device);
  else if (channel->listener != NULL)
    nego_listener_set_accepting (channel->listener, TRUE);
  else
    channel->ended (channel, channel->user_data);
}

static void
nego_channel_serve (NegoChannel *channel, int fd)
{
  g_autofree char *client = nego_listener_describe_client (fd);
  g_autofree char *name
    = client != NULL ? g_strdup_printf ("%s (%s)", channel->name, client) : NULL;
  const NegoSessionOptions options = {
    .name = name != NULL ? name : channel->name,
    .kind = channel->kind,
    .limits = {
      .max_bytes = channel->qga ? NEGO_MESSAGE_BYTES_QGA : NEGO_MESSAGE_BYTES_PORT,
      .max_tokens = NEGO_MESSAGE_TOKENS,
      .max_depth = NEGO_MESSAGE_DEPTH,
    },
    .qga = channel->qga,
    .old = channel->qga ? NULL : nego_old_peer_answer,
  };

  g_ptr_array_add (channel->sessions, nego_session_new (channel->dispatcher, fd, &options,
                                                        nego_channel_closed_cb, channel));
}

static void
nego_channel_opened_cb (NegoDevice *device, int fd, gpointer user_data)
{
  NegoChannel *channel = user_data;

  g_message ("%s: open", channel->name);
  nego_channel_serve (channel, fd);
}

static void
nego_channel_connected_cb (NegoListener *listener, int fd, gpointer user_data)
{
  NegoChannel *channel = user_data;

  nego_channel_serve (channel, fd);
  if (channel->sessions->len >= NEGO_CHANNEL_CLIENTS)
    nego_listener_set_accepting (listener, FALSE);
}

static gboolean
nego_channel_listen (NegoChannel *channel, NegoListener *listener)
{
  if (listener == NULL)
    return FALSE;
  channel->kind = NEGO_STREAM_SOCKET;
  channel->listener = listener;
  nego_listener_set_func (listener, nego_channel_connected_cb, channel);
  nego_listener_set_accepting (listener, TRUE);
  return TRUE;
}

static gboolean
nego_channel_open_vsock (NegoChannel *channel,
                         const char *path,
                         const GArray *vsock_peers,
                         GError **error)
{
  guint32 cid, port;

  return nego_address_parse_vsock (path, &cid, &port, error)
         && nego_channel_listen (channel, nego_listener_new_vsock (cid, port, vsock_peers, error));
}

static gboolean
nego_channel_open_fd (NegoChannel *channel,
                      const char *path,
                      const GArray *vsock_peers,
                      GError **error)
{
  int fd = atoi (path); /* checked by address.h */
  NegoTransportFd what;

  if (!nego_transport_fd_look (fd, &what, error))
    return FALSE;
  fcntl (fd, F_SETFD, FD_CLOEXEC);
  if (what.listening)
    return nego_channel_listen (channel, nego_listener_new_fd (fd, vsock_peers, error));
  channel->kind = what.kind;
  nego_channel_serve (channel, fd);
  return TRUE;
}

static gboolean
nego_channel_open (NegoChannel *channel,
                   const NegoAddress *address,
                   const GArray *vsock_peers,
                   GError **error)
{
  switch (address->method) {
  case NEGO_METHOD_VIRTIO_SERIAL:
    channel->kind = NEGO_STREAM_PORT;
    channel->device = nego_device_new (address->path, NEGO_VIRTIO_SUBSYSTEM,
                                       nego_transport_virtio_open, nego_channel_opened_cb, channel);
    return TRUE;
  case NEGO_METHOD_ISA_SERIAL:
    channel->kind = NEGO_STREAM_SERIAL;
    channel->device = nego_device_new (address->path, NULL, nego_transport_serial_open,
                                       nego_channel_opened_cb, channel);
    return TRUE;
  case NEGO_METHOD_UNIX_LISTEN:
    return nego_channel_listen (channel, nego_listener_new_unix (address->path, error));
  case NEGO_METHOD_VSOCK_LISTEN:
    return nego_channel_open_vsock (channel, address->path, vsock_peers, error);
  case NEGO_METHOD_FD:
  default:
    return nego_channel_open_fd (channel, address->path, vsock_peers, error);
  }
}

NegoChannel *
nego_channel_new (const NegoConfChannel *conf,
                  const GArray *vsock_peers,
                  NegoDispatcher *dispatcher,
                  NegoChannelEndedFunc ended,
                  gpointer user_data,
                  GError **error)
{
  g_autoptr (NegoChannel) channel = g_new0 (NegoChannel, 1);

  channel->name = nego_address_to_string (conf->address);
  channel->qga = conf->qga;
  channel->dispatcher = dispatcher;
  channel->sessions = g_ptr_array_new_with_free_func ((GDestroyNotify) nego_session_free);
  channel->ended = ended;
  channel->user_data = user_data;
  if (!nego_channel_open (channel, conf->address, vsock_peers, error))
    return NULL;
  return g_steal_pointer (&channel);
}

void
nego_channel_free (NegoChannel *channel)
{
  if (channel == NULL)
    return;
  if (channel->reopen != NULL) {
    g_source_destroy (channel->reopen);
    g_source_unref (channel->reopen);
  }
  nego_device_free (channel->device);
  nego_listener_free (channel->listener);
  g_ptr_array_unref (channel->sessions);
  g_free (channel->name);
  g_free (channel);
}
