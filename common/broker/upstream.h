/* SPDX-License-Identifier: MIT */
/*
 * upstream: the broker's one connection to the other side: absent -> syncing -> ready -> …
 *
 * It syncs with a number that is fresh and random each time, and hands out nothing that came before
 * the answer. Malformed input, an error without an id and "not synchronised" say that the two sides
 * do not agree on what was sent: it syncs again. While calls are out and nothing arrives for
 * NEGO_BROKER_QUIET_MS, it asks with a guest-ping; unanswered, that is the same.
 *
 * QEMU keeps a host's connection to a port while the guest reboots or its agent is started anew. So
 * on a port that negotiator-session switches, this command stands for guest-ping, every
 * NEGO_BROKER_QUIET_MS while calls are out, and before the first one after such a pause: its reply
 * says whether the other side is still the one that was told.
 */
#pragma once

#include "common/framer.h"
#include "common/stream.h"

typedef struct NegoUpstream NegoUpstream;

typedef struct {
  /* It became ready, or is so no longer: what is out is lost. */
  void (*ready) (NegoUpstream *upstream, gboolean ready, gpointer user_data);
  /* A port: its host came, or went away (after that it is not ready). */
  void (*present) (NegoUpstream *upstream, gboolean present, gpointer user_data);
  /* A reply or event, while it is ready. */
  void (*message) (NegoUpstream *upstream, const NegoFramerMessage *message, gpointer user_data);
  /* There is room for more again. */
  void (*drained) (NegoUpstream *upstream, gpointer user_data);
  /* The descriptor is of no more use. From the main loop, last; freeing it from here is right. */
  void (*closed) (NegoUpstream *upstream, const GError *error, gpointer user_data);
} NegoUpstreamCallbacks;

/* Takes @fd. @name: for the log, borrowed. @request_bytes: of one request as the other side takes
 * them. @callbacks: static; none of them is called from here. */
NegoUpstream *nego_upstream_new (int fd,
                                 NegoStreamKind kind,
                                 const char *name,
                                 const NegoFramerLimits *limits,
                                 gsize request_bytes,
                                 gboolean switches,
                                 const NegoUpstreamCallbacks *callbacks,
                                 gpointer user_data);
void nego_upstream_set_poller (NegoUpstream *upstream, NegoPoller *poller);
/* Of what is read (stream.h). */
void nego_upstream_set_rate (NegoUpstream *upstream, guint rate);
void nego_upstream_free (NegoUpstream *upstream);

gboolean nego_upstream_is_ready (const NegoUpstream *upstream);
/* Whether anybody is there: FALSE on a port whose host is away. */
gboolean nego_upstream_is_present (const NegoUpstream *upstream);
/* Whether one more request may be sent: the other side takes them. */
gboolean nego_upstream_has_room (NegoUpstream *upstream);

/* Syncs (again). Unless @always, only if the last sync was sent NEGO_BROKER_SYNC_MS ago or more. */
void nego_upstream_sync (NegoUpstream *upstream, gboolean always);

/* Sends a request while it is ready. @arguments: an object's text, or NULL; @key (or NULL) is added
 * to it as the member "key". @id 0: nobody wants the reply. FALSE: it was not sent, since it is
 * longer than the other side takes. */
gboolean nego_upstream_send (NegoUpstream *upstream,
                             const char *name,
                             const char *arguments,
                             gsize len,
                             const char *key,
                             guint64 id);
/* Whether replies are waited for; said before the first request is sent. */
void nego_upstream_set_waiting (NegoUpstream *upstream, gboolean waiting);
