/* SPDX-License-Identifier: MIT */
/*
 * pending: the requests of one session that wait for their turn, in order, with the errors of
 * malformed ones between them; private to session.c.
 *
 * Bounded by number and by bytes: a peer chooses the size of each text. It starts nothing.
 */
#pragma once

#include <glib.h>

typedef struct {
  char *name;    /* of the command; NULL: `arguments` are a message of the Python negotiator */
  GError *error; /* set: the answer, and neither name nor arguments */
  char *arguments;
  gsize arguments_len;
  char *id;
  gboolean sync; /* guest-sync or guest-sync-delimited */
  guint64 mark;  /* the stream's position when the request's bytes arrived */
} NegoPendingItem;

void nego_pending_item_free (NegoPendingItem *item);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (NegoPendingItem, nego_pending_item_free)

typedef struct {
  GQueue items; /* NegoPendingItem */
  gsize bytes;  /* of all their texts */
  guint syncs;
} NegoPending;

/* A zeroed NegoPending is empty. Takes @item. */
void nego_pending_push (NegoPending *pending, NegoPendingItem *item);
/* The first one (transfer full), or NULL. */
NegoPendingItem *nego_pending_pop (NegoPending *pending);
/* Drops what waits before the first sync. */
void nego_pending_drop_to_sync (NegoPending *pending);
/* Drops the first one with @id, a respelled JSON value. */
void nego_pending_cancel (NegoPending *pending, const char *id);
void nego_pending_clear (NegoPending *pending);

gboolean nego_pending_is_empty (const NegoPending *pending);
gboolean nego_pending_has_sync (const NegoPending *pending);
/* Whether one more may come. One more than NEGO_SESSION_PENDING may, since it may be the sync that
 * ends the waiting. */
gboolean nego_pending_has_room (const NegoPending *pending);

/* Whether @name is a command that overtakes. */
gboolean nego_pending_is_sync (const char *name);
