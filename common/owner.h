/* SPDX-License-Identifier: MIT */
/*
 * owner: a channel's client, as those see it who keep something for it (file handles).
 *
 * A socket's client goes with its connection, and what is kept for it goes at once. On a virtio
 * port a host that leaves may be back with its next request (Proxmox VE connects anew for each
 * one), or leave unseen: there it goes when the host was away for NEGO_OWNER_AWAY_S, or the port
 * closes.
 */
#pragma once

#include <glib.h>

typedef struct NegoOwner NegoOwner;

/* For the main loop's thread: its timer is in the global default context. @away_ms: how long a
 * port's host may be away.
 */
NegoOwner *nego_owner_new (guint away_ms);
/* Frees all that is kept. */
void nego_owner_free (NegoOwner *owner);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (NegoOwner, nego_owner_free)

/* What is kept under @key, an address that nobody else uses; or NULL. */
gpointer nego_owner_get (NegoOwner *owner, gconstpointer key);
/* Keeps @data under @key, where nothing is kept; @free_data is called in the main context. */
void nego_owner_keep (NegoOwner *owner, gconstpointer key, gpointer data, GDestroyNotify free_data);

/* A port's host came or went. */
void nego_owner_set_present (NegoOwner *owner, gboolean present);
