/* SPDX-License-Identifier: MIT */
/*
 * client: one local program of the broker: a session, the user behind it, and its share of events.
 */
#pragma once

#include "common/session.h"

#include <sys/types.h>

typedef struct NegoBrokerClient NegoBrokerClient;

typedef struct {
  /* A call that the broker's own handlers do not answer: as NegoSessionForwardFunc. */
  gboolean (*forward) (
    NegoBrokerClient *client, NegoCall *call, const char *arguments, gsize len, gpointer user_data);
  /* From the main loop, once, last; freeing it from here is right. */
  void (*closed) (NegoBrokerClient *client, gpointer user_data);
} NegoBrokerClientCallbacks;

/* Takes @fd; @limits: of requests. @callbacks: static. @dispatcher must outlive it. */
NegoBrokerClient *nego_broker_client_new (int fd,
                                          uid_t uid,
                                          const char *name,
                                          const NegoFramerLimits *limits,
                                          NegoDispatcher *dispatcher,
                                          const NegoBrokerClientCallbacks *callbacks,
                                          gpointer user_data);
void nego_broker_client_set_poller (NegoBrokerClient *client, NegoPoller *poller);
void nego_broker_client_free (NegoBrokerClient *client);

uid_t nego_broker_client_get_uid (const NegoBrokerClient *client);
/* The bytes of events that wait for it. */
gsize *nego_broker_client_get_bytes (NegoBrokerClient *client);
