/* SPDX-License-Identifier: MIT */
/*
 * connection: what local programs are told of the broker's upstream: whether it answers, since
 * when, why not; and the calls that wait for it to answer.
 */
#pragma once

#include "qapi/qapi-commands.h"

typedef struct NegoConnection NegoConnection;

/* @reason: static. */
NegoConnection *nego_connection_new (const char *reason);
/* Those who wait are abandoned first: no client is left. */
void nego_connection_free (NegoConnection *connection);

/* There is a connection since now; those who wait are answered. */
void nego_connection_set_ready (NegoConnection *connection);
/* There is none. */
void nego_connection_set_reason (NegoConnection *connection, const char *reason);
/* NULL: there is a connection. */
const char *nego_connection_get_reason (const NegoConnection *connection);
void nego_connection_set_clients (NegoConnection *connection, guint clients);

/* The command negotiator-connection. */
void nego_connection_answer (NegoConnection *connection,
                             NegoCall *call,
                             const QapiNegotiatorConnectionArgs *args);
