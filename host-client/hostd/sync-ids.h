/* SPDX-License-Identifier: MIT */
/*
 * sync-ids: the ids with which a guest synchronised in the last hour.
 *
 * An agent takes a fresh random one each time. One that comes again is the replay of a guest that
 * was restored or reverted to a snapshot, with requests behind it that the host has answered
 * already: they must not be taken for new ones.
 *
 * At most NEGO_SYNC_IDS are kept, the newest: the quota on synchronisations makes that an hour's.
 */
#pragma once

#include <glib.h>

/* All zero is empty. */
typedef struct {
  GArray *list; /* oldest first; NULL: none */
} NegoSyncIds;

/* Keeps @id. FALSE: it was there already. @now_us: monotonic. */
gboolean nego_sync_ids_add (NegoSyncIds *ids, gint64 id, gint64 now_us);
/* Whether all are older than that, so that nothing is lost with them. */
gboolean nego_sync_ids_are_over (NegoSyncIds *ids, gint64 now_us);
void nego_sync_ids_clear (NegoSyncIds *ids);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (NegoSyncIds, nego_sync_ids_clear)
