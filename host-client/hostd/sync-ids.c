/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "host-client/hostd/sync-ids.h"

#include "common/names.h"

typedef struct {
  gint64 id, time_us;
} NegoSyncId;

/* Forgets those that are older than an hour. */
static void
nego_sync_ids_expire (NegoSyncIds *ids, gint64 now_us)
{
  guint n = 0;

  while (n < ids->list->len
         && g_array_index (ids->list, NegoSyncId, n).time_us
              <= now_us - (gint64) NEGO_SYNC_ID_S * G_USEC_PER_SEC)
    n++;
  if (n > 0)
    g_array_remove_range (ids->list, 0, n);
}

gboolean
nego_sync_ids_are_over (NegoSyncIds *ids, gint64 now_us)
{
  if (ids->list == NULL)
    return TRUE;
  nego_sync_ids_expire (ids, now_us);
  return ids->list->len == 0;
}

gboolean
nego_sync_ids_add (NegoSyncIds *ids, gint64 id, gint64 now_us)
{
  const NegoSyncId entry = { id, now_us };

  if (ids->list == NULL)
    ids->list = g_array_new (FALSE, FALSE, sizeof (NegoSyncId));
  nego_sync_ids_expire (ids, now_us);
  for (guint i = 0; i < ids->list->len; i++)
    if (g_array_index (ids->list, NegoSyncId, i).id == id)
      return FALSE;
  if (ids->list->len >= NEGO_SYNC_IDS)
    g_array_remove_index (ids->list, 0);
  g_array_append_val (ids->list, entry);
  return TRUE;
}

void
nego_sync_ids_clear (NegoSyncIds *ids)
{
  g_clear_pointer (&ids->list, g_array_unref);
}
