/* SPDX-License-Identifier: MIT */
/*
 * handles: the files that clients have open on the other side. It takes all of them for one
 * client's, the broker's: what one leaves behind would stay open, and count, until the broker ends.
 *
 * At most NEGO_FILES_ALL are known, which is what an agent opens.
 */
#pragma once

#include <glib.h>

typedef struct NegoHandles NegoHandles;

NegoHandles *nego_handles_new (void);
void nego_handles_free (NegoHandles *handles);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (NegoHandles, nego_handles_free)

/* @client, which is only compared, has opened @handle. */
void nego_handles_add (NegoHandles *handles, guint64 handle, gconstpointer client);
/* It is closed. */
void nego_handles_remove (NegoHandles *handles, guint64 handle);
/* Takes one of @client's; FALSE: it has none. */
gboolean nego_handles_take (NegoHandles *handles, gconstpointer client, guint64 *handle);
