/* SPDX-License-Identifier: MIT */
/*
 * file-table: which handle is which open file. A handle is its client's own: to others it is
 * unknown, and it is closed when that client goes (common/owner.h says when).
 */
#pragma once

#include "agent/file.h"
#include "common/owner.h"

typedef struct NegoFileTable NegoFileTable;

/* Closes on threads of @offload, which must outlive the table. */
NegoFileTable *nego_file_table_new (NegoOffload *offload);
/* All owners must have gone. Files that are being opened are closed as soon as they are. */
void nego_file_table_free (NegoFileTable *table);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (NegoFileTable, nego_file_table_free)

/* One more file for @owner, still to be opened, or NULL: NEGO_ERROR_BUSY names the limit. It is
 * borrowed until nego_file_table_add(), or nego_file_table_give_up(), which closes it. */
NegoFile *nego_file_table_reserve (NegoFileTable *table, NegoOwner *owner, GError **error);
void nego_file_table_give_up (NegoFileTable *table, NegoFile *file);
/* @file is open; returns its handle. Handles do not repeat, not after a restart either: they count
 * on from the time of the start. */
gint64 nego_file_table_add (NegoFileTable *table, NegoOwner *owner, NegoFile *file);

/* The file, borrowed, or NULL and QGA's error. */
NegoFile *
nego_file_table_find (NegoFileTable *table, NegoOwner *owner, gint64 handle, GError **error);
/* The same, and @handle is no more. Returns: (transfer full). */
NegoFile *
nego_file_table_steal (NegoFileTable *table, NegoOwner *owner, gint64 handle, GError **error);
