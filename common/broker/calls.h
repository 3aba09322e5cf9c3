/* SPDX-License-Identifier: MIT */
/*
 * calls: the broker's calls: those that wait, those that are out, and the subscriptions that came
 * of them; who may touch which job.
 *
 * A call is sent once, when the upstream is ready and fewer than NEGO_BROKER_CALLS are out; the
 * order of a client's calls is its session's, which has one of them at a time.
 */
#pragma once

#include "common/broker/client.h"
#include "common/broker/upstream.h"

typedef struct NegoCalls NegoCalls;

/* @lost, @silent: as NegoBrokerOptions. */
NegoCalls *nego_calls_new (const char *lost, const char *silent);
/* All clients are gone by then. */
void nego_calls_free (NegoCalls *calls);

/* NULL: there is none. Borrowed. */
void nego_calls_set_upstream (NegoCalls *calls, NegoUpstream *upstream);

/* Takes @call of @client, for the upstream that there is. */
void nego_calls_take (
  NegoCalls *calls, NegoCall *call, const char *arguments, gsize len, NegoBrokerClient *client);
/* @client, which is only compared, has gone: what it left open on the other side is closed. */
void nego_calls_forget_client (NegoCalls *calls, gconstpointer client);
/* Sends what waits, as far as there is room. */
void nego_calls_pump (NegoCalls *calls);
/* What is out is lost: each call fails once, and the subscriptions end. */
void nego_calls_lose (NegoCalls *calls);
/* What waits fails with @reason. */
void nego_calls_refuse (NegoCalls *calls, const char *reason);
/* A message of the upstream: a reply, or an event. */
void nego_calls_hear (NegoCalls *calls, const NegoFramerMessage *message);
