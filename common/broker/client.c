/* SPDX-License-Identifier: MIT */
#define G_LOG_DOMAIN "nego-broker"

#include "config.h"

#include "common/broker/client.h"

struct NegoBrokerClient {
  NegoSession *session;
  uid_t uid;
  gsize bytes;
  const NegoBrokerClientCallbacks *callbacks;
  gpointer user_data;
};

static gboolean
nego_broker_client_forward_cb (NegoCall *call, const char *arguments, gsize len, gpointer user_data)
{
  NegoBrokerClient *client = user_data;

  return client->callbacks->forward (client, call, arguments, len, client->user_data);
}

static void
nego_broker_client_closed_cb (NegoSession *session, const GError *error, gpointer user_data)
{
  NegoBrokerClient *client = user_data;

  g_debug ("a client is gone: %s", error != NULL ? error->message : "end of file");
  client->callbacks->closed (client, client->user_data);
}

NegoBrokerClient *
nego_broker_client_new (int fd,
                        uid_t uid,
                        const char *name,
                        const NegoFramerLimits *limits,
                        NegoDispatcher *dispatcher,
                        const NegoBrokerClientCallbacks *callbacks,
                        gpointer user_data)
{
  NegoBrokerClient *client = g_new0 (NegoBrokerClient, 1);
  const NegoSessionOptions options = {
    .name = name,
    .kind = NEGO_STREAM_SOCKET,
    .limits = *limits,
    .forward = nego_broker_client_forward_cb,
  };

  client->uid = uid;
  client->callbacks = callbacks;
  client->user_data = user_data;
  client->session
    = nego_session_new (dispatcher, fd, &options, nego_broker_client_closed_cb, client);
  return client;
}

void
nego_broker_client_set_poller (NegoBrokerClient *client, NegoPoller *poller)
{
  nego_session_set_poller (client->session, poller);
}

void
nego_broker_client_free (NegoBrokerClient *client)
{
  if (client == NULL)
    return;
  nego_session_free (client->session);
  g_free (client);
}

uid_t
nego_broker_client_get_uid (const NegoBrokerClient *client)
{
  return client->uid;
}

gsize *
nego_broker_client_get_bytes (NegoBrokerClient *client)
{
  return &client->bytes;
}
