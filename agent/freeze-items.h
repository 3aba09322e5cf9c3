/* SPDX-License-Identifier: MIT */
/*
 * freeze-items: file systems in the order in which they are frozen or thawed: queues, which the
 * caller keeps, of NegoFreezeItem. It calls nothing that freezes.
 */
#pragma once

#include <glib.h>

/* A file system: to be frozen, frozen, or to be thawed. */
typedef struct {
  char *path;
  int fd;        /* -1: not open */
  gboolean ours; /* frozen by us */
} NegoFreezeItem;

/* @fd: of what we have frozen, transfer full; else -1. */
NegoFreezeItem *nego_freeze_item_new (const char *path, int fd);
void nego_freeze_item_free (gpointer item);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (NegoFreezeItem, nego_freeze_item_free)

/* Puts what is mounted into @todo, of all or of @wanted (NULL-terminated), the last mounted first.
 * @root: before /proc. FALSE: the mounts cannot be read. */
gboolean
nego_freeze_items_list (GQueue *todo, const char *root, const char *const *wanted, GError **error);
/* Puts what is to be thawed into @todo, in the order of mounting: all that is mounted but @given_up
 * (NULL: none), and all of @done, the last frozen first, which it empties: what we froze is thawed
 * even if its mount cannot be found any more. @error is set where the mounts cannot be read. */
void nego_freeze_items_list_thaws (
  GQueue *todo, GQueue *done, const char *root, const char *given_up, GError **error);
