/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "common/broker/handles.h"

#include "common/names.h"

typedef struct {
  guint64 handle;
  gconstpointer client;
} NegoHandle;

struct NegoHandles {
  GArray *list; /* NegoHandle */
};

NegoHandles *
nego_handles_new (void)
{
  NegoHandles *handles = g_new0 (NegoHandles, 1);

  handles->list = g_array_new (FALSE, FALSE, sizeof (NegoHandle));
  return handles;
}

void
nego_handles_free (NegoHandles *handles)
{
  if (handles == NULL)
    return;
  g_array_unref (handles->list);
  g_free (handles);
}

void
nego_handles_add (NegoHandles *handles, guint64 handle, gconstpointer client)
{
  const NegoHandle entry = { handle, client };

  nego_handles_remove (handles, handle);
  if (handles->list->len < NEGO_FILES_ALL)
    g_array_append_val (handles->list, entry);
}

void
nego_handles_remove (NegoHandles *handles, guint64 handle)
{
  for (guint i = 0; i < handles->list->len; i++)
    if (g_array_index (handles->list, NegoHandle, i).handle == handle) {
      g_array_remove_index_fast (handles->list, i);
      return;
    }
}

gboolean
nego_handles_take (NegoHandles *handles, gconstpointer client, guint64 *handle)
{
  for (guint i = 0; i < handles->list->len; i++) {
    const NegoHandle *entry = &g_array_index (handles->list, NegoHandle, i);

    if (entry->client != client)
      continue;
    *handle = entry->handle;
    g_array_remove_index_fast (handles->list, i);
    return TRUE;
  }
  return FALSE;
}
