/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "agent/file-table.h"

#include "common/error.h"
#include "common/names.h"

struct NegoFileTable {
  NegoOffload *offload;
  gint64 last;         /* the last handle that was given */
  guint n_files;       /* of all owners */
  GHashTable *opening; /* NegoFile, owned: those that are being opened */
};

/* The files of one owner; kept for it under the table's address. */
typedef struct {
  NegoFileTable *table;
  GHashTable *files; /* handle → NegoFile */
} NegoFileSet;

NegoFileTable *
nego_file_table_new (NegoOffload *offload)
{
  NegoFileTable *table = g_new0 (NegoFileTable, 1);

  table->offload = offload;
  table->opening = g_hash_table_new (NULL, NULL);
  table->last = g_get_real_time () / G_USEC_PER_SEC;
  return table;
}

void
nego_file_table_free (NegoFileTable *table)
{
  GHashTableIter iter;
  gpointer file;

  if (table == NULL)
    return;
  g_hash_table_iter_init (&iter, table->opening);
  while (g_hash_table_iter_next (&iter, &file, NULL))
    nego_file_release (file, table->offload);
  g_hash_table_unref (table->opening);
  g_free (table);
}

static void
nego_file_set_free (gpointer data)
{
  NegoFileSet *set = data;
  GHashTableIter iter;
  gpointer file;

  g_hash_table_iter_init (&iter, set->files);
  while (g_hash_table_iter_next (&iter, NULL, &file)) {
    set->table->n_files--;
    nego_file_release (file, set->table->offload);
  }
  g_hash_table_unref (set->files);
  g_free (set);
}

static NegoFileSet *
nego_file_table_get_set (NegoFileTable *table, NegoOwner *owner)
{
  NegoFileSet *set = nego_owner_get (owner, table);

  if (set == NULL) {
    set = g_new0 (NegoFileSet, 1);
    set->table = table;
    set->files = g_hash_table_new_full (g_int64_hash, g_int64_equal, g_free, NULL);
    nego_owner_keep (owner, table, set, nego_file_set_free);
  }
  return set;
}

NegoFile *
nego_file_table_reserve (NegoFileTable *table, NegoOwner *owner, GError **error)
{
  const NegoFileSet *set = nego_file_table_get_set (table, owner);
  const gboolean full = g_hash_table_size (set->files) >= NEGO_FILES;
  NegoFile *file;

  if (full || table->n_files + g_hash_table_size (table->opening) >= NEGO_FILES_ALL) {
    g_set_error (error, NEGO_ERROR, NEGO_ERROR_BUSY, "too many open files (limit %u)",
                 full ? NEGO_FILES : NEGO_FILES_ALL);
    return NULL;
  }
  file = nego_file_new ();
  g_hash_table_add (table->opening, file);
  return file;
}

void
nego_file_table_give_up (NegoFileTable *table, NegoFile *file)
{
  g_hash_table_remove (table->opening, file);
  nego_file_release (file, table->offload);
}

gint64
nego_file_table_add (NegoFileTable *table, NegoOwner *owner, NegoFile *file)
{
  NegoFileSet *set = nego_file_table_get_set (table, owner);
  gint64 *handle = g_new (gint64, 1);

  *handle = ++table->last;
  g_hash_table_remove (table->opening, file);
  g_hash_table_insert (set->files, handle, file);
  table->n_files++;
  return *handle;
}

NegoFile *
nego_file_table_find (NegoFileTable *table, NegoOwner *owner, gint64 handle, GError **error)
{
  const NegoFileSet *set = nego_owner_get (owner, table);
  NegoFile *file = set != NULL ? g_hash_table_lookup (set->files, &handle) : NULL;

  if (file == NULL)
    g_set_error (error, NEGO_ERROR, NEGO_ERROR_NOT_FOUND,
                 "handle '%" G_GINT64_FORMAT "' has not been found", handle);
  return file;
}

NegoFile *
nego_file_table_steal (NegoFileTable *table, NegoOwner *owner, gint64 handle, GError **error)
{
  NegoFile *file = nego_file_table_find (table, owner, handle, error);
  const NegoFileSet *set = nego_owner_get (owner, table);

  if (file == NULL)
    return NULL;
  g_hash_table_remove (set->files, &handle);
  table->n_files--;
  return file;
}
