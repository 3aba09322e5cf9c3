/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "agent/freeze-items.h"

#include "agent/mounts.h"
#include "common/pipe.h"

NegoFreezeItem *
nego_freeze_item_new (const char *path, int fd)
{
  NegoFreezeItem *item = g_new0 (NegoFreezeItem, 1);

  item->path = g_strdup (path);
  item->fd = fd;
  item->ours = fd >= 0;
  return item;
}

void
nego_freeze_item_free (gpointer data)
{
  NegoFreezeItem *item = data;

  nego_pipe_close (&item->fd);
  g_free (item->path);
  g_free (item);
}

gboolean
nego_freeze_items_list (GQueue *todo, const char *root, const char *const *wanted, GError **error)
{
  g_autoptr (GPtrArray) mounts = nego_mounts_read (root, error);

  for (guint i = 0; mounts != NULL && i < mounts->len; i++) {
    const NegoMount *mount = mounts->pdata[i];

    if (wanted == NULL || g_strv_contains (wanted, mount->path))
      g_queue_push_head (todo, nego_freeze_item_new (mount->path, -1));
  }
  return mounts != NULL;
}

static NegoFreezeItem *
nego_freeze_items_take (GQueue *items, const char *path)
{
  for (GList *link = items->head; link != NULL; link = link->next) {
    NegoFreezeItem *item = link->data;

    if (!g_str_equal (item->path, path))
      continue;
    g_queue_delete_link (items, link);
    return item;
  }
  return NULL;
}

void
nego_freeze_items_list_thaws (
  GQueue *todo, GQueue *done, const char *root, const char *given_up, GError **error)
{
  g_autoptr (GPtrArray) mounts = nego_mounts_read (root, error);
  NegoFreezeItem *item;

  for (guint i = 0; mounts != NULL && i < mounts->len; i++) {
    const NegoMount *mount = mounts->pdata[i];

    /* The thread that freezes it thaws it, too; to do so here would wait for that. */
    if (g_strcmp0 (mount->path, given_up) == 0)
      continue;
    item = nego_freeze_items_take (done, mount->path);
    g_queue_push_tail (todo, item != NULL ? item : nego_freeze_item_new (mount->path, -1));
  }
  while ((item = g_queue_pop_tail (done)) != NULL)
    g_queue_push_head (todo, item);
}
