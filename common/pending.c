/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "common/pending.h"

#include "common/names.h"

#include <string.h>

void
nego_pending_item_free (NegoPendingItem *item)
{
  if (item == NULL)
    return;
  g_clear_error (&item->error);
  g_free (item->name);
  g_free (item->arguments);
  g_free (item->id);
  g_free (item);
}

static gsize
nego_pending_item_bytes (const NegoPendingItem *item)
{
  return item->arguments_len + (item->name != NULL ? strlen (item->name) : 0)
         + (item->id != NULL ? strlen (item->id) : 0)
         + (item->error != NULL ? strlen (item->error->message) : 0);
}

void
nego_pending_push (NegoPending *pending, NegoPendingItem *item)
{
  pending->bytes += nego_pending_item_bytes (item);
  pending->syncs += item->sync;
  g_queue_push_tail (&pending->items, item);
}

static void
nego_pending_uncount (NegoPending *pending, const NegoPendingItem *item)
{
  pending->bytes -= nego_pending_item_bytes (item);
  pending->syncs -= item->sync;
}

NegoPendingItem *
nego_pending_pop (NegoPending *pending)
{
  NegoPendingItem *item = g_queue_pop_head (&pending->items);

  if (item == NULL)
    return NULL;
  nego_pending_uncount (pending, item);
  return item;
}

void
nego_pending_drop_to_sync (NegoPending *pending)
{
  const NegoPendingItem *first;

  while ((first = g_queue_peek_head (&pending->items)) != NULL && !first->sync)
    nego_pending_item_free (nego_pending_pop (pending));
}

void
nego_pending_cancel (NegoPending *pending, const char *id)
{
  for (GList *link = pending->items.head; link != NULL; link = link->next) {
    NegoPendingItem *item = link->data;

    if (g_strcmp0 (item->id, id) != 0)
      continue;
    nego_pending_uncount (pending, item);
    nego_pending_item_free (item);
    g_queue_delete_link (&pending->items, link);
    return;
  }
}

void
nego_pending_clear (NegoPending *pending)
{
  while (!nego_pending_is_empty (pending))
    nego_pending_item_free (nego_pending_pop (pending));
}

gboolean
nego_pending_is_empty (const NegoPending *pending)
{
  return pending->items.length == 0;
}

gboolean
nego_pending_has_sync (const NegoPending *pending)
{
  return pending->syncs > 0;
}

gboolean
nego_pending_has_room (const NegoPending *pending)
{
  return pending->items.length <= NEGO_SESSION_PENDING && pending->bytes < NEGO_SESSION_QUEUE_BYTES;
}

gboolean
nego_pending_is_sync (const char *name)
{
  return g_str_equal (name, "guest-sync") || g_str_equal (name, "guest-sync-delimited");
}
