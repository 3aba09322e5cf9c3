/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "common/owner.h"

#include "common/source.h"

typedef struct {
  gpointer data;
  GDestroyNotify free_data;
} NegoOwnerItem;

struct NegoOwner {
  GHashTable *items; /* key → NegoOwnerItem */
  guint away_ms;
  GSource *away; /* armed while the host is away and something is kept */
};

static void
nego_owner_item_free (gpointer data)
{
  NegoOwnerItem *item = data;

  item->free_data (item->data);
  g_free (item);
}

NegoOwner *
nego_owner_new (guint away_ms)
{
  NegoOwner *owner = g_new0 (NegoOwner, 1);

  owner->away_ms = away_ms;
  owner->items = g_hash_table_new_full (NULL, NULL, NULL, nego_owner_item_free);
  return owner;
}

void
nego_owner_free (NegoOwner *owner)
{
  if (owner == NULL)
    return;
  nego_source_clear (&owner->away);
  g_hash_table_unref (owner->items);
  g_free (owner);
}

gpointer
nego_owner_get (NegoOwner *owner, gconstpointer key)
{
  const NegoOwnerItem *item = g_hash_table_lookup (owner->items, key);

  return item != NULL ? item->data : NULL;
}

void
nego_owner_keep (NegoOwner *owner, gconstpointer key, gpointer data, GDestroyNotify free_data)
{
  NegoOwnerItem *item = g_new0 (NegoOwnerItem, 1);

  item->data = data;
  item->free_data = free_data;
  g_hash_table_insert (owner->items, (gpointer) key, item);
}

static gboolean
nego_owner_away_cb (gpointer user_data)
{
  NegoOwner *owner = user_data;

  nego_source_clear (&owner->away);
  g_hash_table_remove_all (owner->items);
  return G_SOURCE_REMOVE;
}

void
nego_owner_set_present (NegoOwner *owner, gboolean present)
{
  if (present)
    nego_source_clear (&owner->away);
  else if (owner->away == NULL && g_hash_table_size (owner->items) > 0)
    owner->away = nego_source_add_timeout (owner->away_ms, nego_owner_away_cb, owner);
}
