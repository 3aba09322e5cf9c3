/* SPDX-License-Identifier: MIT */
/*
 * connection: what local programs are told of the broker's upstream: whether it answers, since
 * when, why not; and the calls that wait for it to answer.
 */
#pragma once

#include "qapi/qapi-commands.h"

typedef struct NegoBrokerConnection NegoBrokerConnection;

/* @port: of the upstream, copied; NULL: nobody is told. */
NegoBrokerConnection *nego_broker_connection_new (const char *reason, const char *port);
/* Those who wait are abandoned first: no client is left. */
void nego_broker_connection_free (NegoBrokerConnection *connection);

/* There is a connection since now; those who wait are answered. */
void nego_broker_connection_set_ready (NegoBrokerConnection *connection);
/* There is none. */
void nego_broker_connection_set_reason (NegoBrokerConnection *connection, const char *reason);
/* NULL: there is a connection. */
const char *nego_broker_connection_get_reason (const NegoBrokerConnection *connection);
void nego_broker_connection_set_clients (NegoBrokerConnection *connection, guint clients);

/* The command negotiator-connection. */
void nego_broker_connection_answer (NegoBrokerConnection *connection,
                                    NegoCall *call,
                                    const QapiNegotiatorConnectionArgs *args);
