/* SPDX-License-Identifier: MIT */
/*
 * broker: the multiplexer: one upstream connection to an agent or to nego-hostd, and many local
 * clients that each see a channel of their own.
 *
 * Each client's requests are run in order, and syncs, guest-ping and negotiator-connection are
 * answered here; everything else goes upstream with an id of the broker's, at most
 * NEGO_BROKER_CALLS at a time, and the reply comes back with the client's. Nothing is ever sent
 * twice. Without an upstream a call fails at once, with the reason; when the upstream changes, each
 * call that is out fails once, with the option "lost".
 *
 * A client that goes away, or syncs, ends the waiting of its calls and its subscriptions; a run
 * that it was still waiting for, and gave no key, is ended, since nobody could find it; and when it
 * goes, the files that it has open on the other side are closed. A client that does not take its
 * events loses the subscription at NEGO_BROKER_EVENTS_BYTES.
 *
 * A job belongs to the user that started it: others but root get "unknown job 'x'" and do not see
 * it in negotiator-jobs. A name that the broker does not know (it was restarted) is admitted as
 * job, since nobody guesses 128 random bits, and as key only to negotiator-exec, which may make a
 * job with it, and to root. Who may connect at all is the socket's mode.
 *
 * All of it lives in the main loop's thread: its timers are in the global default context.
 */
#pragma once

#include "common/framer.h"
#include "common/stream.h"

#include <glib.h>

#include <sys/types.h>

typedef struct NegoBroker NegoBroker;

typedef struct {
  const char *name;          /* of the upstream, for the log */
  const char *port;          /* of the upstream, for clients; NULL: they are not told */
  const char *lost;          /* "the host connection changed; the command may have run" */
  const char *silent;        /* "the host does not answer" */
  const char *absent;        /* the reason at first: "no host is connected" */
  NegoFramerLimits limits;   /* of one message of the upstream */
  NegoFramerLimits requests; /* of one request as the upstream takes them; clients have some less */
  /* The upstream runs requests in order unless negotiator-session tells it otherwise: the
   * host-to-guest port. */
  gboolean switches;
  guint rate; /* bytes a second that a socket upstream is read, and at once; 0: any number */
} NegoBrokerOptions;

typedef struct {
  /* The upstream became ready (it answered a sync), or is so no longer. May be NULL. */
  void (*ready) (NegoBroker *broker, gboolean ready, gpointer user_data);
  /* The upstream's descriptor is of no more use, and closed; its reason is in place. From the main
   * loop; nego_broker_set_upstream () may be called from here. A port whose host goes away stays.
   */
  void (*closed) (NegoBroker *broker, const GError *error, gpointer user_data);
} NegoBrokerCallbacks;

/* The strings of @options and @callbacks: static, but for name. */
NegoBroker *nego_broker_new (const NegoBrokerOptions *options,
                             const NegoBrokerCallbacks *callbacks,
                             gpointer user_data);
/* Its connections to come are in @poller (stream.h), which must outlive it. */
void nego_broker_set_poller (NegoBroker *broker, NegoPoller *poller);
/* Ends all connections. */
void nego_broker_free (NegoBroker *broker);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (NegoBroker, nego_broker_free)

/* Takes @fd, connected or opened, in place of the one before, and syncs. */
void nego_broker_set_upstream (NegoBroker *broker, int fd, NegoStreamKind kind);
/* There is no upstream now, for @reason: what clients are told. */
void nego_broker_unset_upstream (NegoBroker *broker, const char *reason);
/* The other end may have been started anew, unseen: syncs again; what is out fails. */
void nego_broker_resync (NegoBroker *broker);
gboolean nego_broker_is_ready (const NegoBroker *broker);

/* Takes @fd, a connection of a local program on a unix socket. Beyond NEGO_BROKER_CLIENTS_OF_USER
 * of its user it waits until one of them has gone; beyond NEGO_BROKER_LINE_OF_USER that wait, or,
 * unless it is root's, NEGO_BROKER_CLIENTS in all, it is told so and closed. */
void nego_broker_add_client (NegoBroker *broker, int fd);
/* The same for a client of whom is known that it is @uid's. */
void nego_broker_add_client_of (NegoBroker *broker, int fd, uid_t uid);
guint nego_broker_count_clients (const NegoBroker *broker);
