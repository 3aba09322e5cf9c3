/* SPDX-License-Identifier: MIT */
/*
 * listener: a listening socket, unix or vsock, and who may connect to it.
 *
 * A unix socket's file is made with mode 0600; nego_listener_set_access () opens it to more. A file
 * that nobody listens on any more is replaced, one of another listener is an error. The file goes
 * with the listener, if it is still its own.
 */
#pragma once

#include "common/poller.h"

#include <glib.h>

#include <sys/types.h>

#define NEGO_LISTENER_NO_GROUP ((gid_t) -1)

typedef struct NegoListener NegoListener;

/* A client is connected; @fd is the callee's. */
typedef void (*NegoListenerFunc) (NegoListener *listener, int fd, gpointer user_data);

/* Errors: NEGO_ERROR_BUSY "another process listens on '…'", NEGO_ERROR_IO. */
NegoListener *nego_listener_new_unix (const char *path, GError **error);
/* Who may connect to the unix socket: the group @gid (NEGO_LISTENER_NO_GROUP: as it is) and the
 * permissions @mode. */
gboolean nego_listener_set_access (NegoListener *listener, gid_t gid, guint mode, GError **error);
/* The number of @group, for that; a look-up that may block. Errors: NEGO_ERROR_NOT_FOUND "there is
 * no group '…'". */
gboolean nego_listener_find_group (const char *group, gid_t *gid, GError **error);
/* @peers: CIDs (guint32) whose connections are taken, VMADDR_CID_ANY for all; copied. NULL or
 * empty: the host only. */
NegoListener *
nego_listener_new_vsock (guint32 cid, guint32 port, const GArray *peers, GError **error);
/* Takes @fd, a listening socket of another maker: its file, if it has one, stays. */
NegoListener *nego_listener_new_fd (int fd, const GArray *peers, GError **error);
/* Who the client of the connection @fd is, as the kernel says it: "process 12, user 0", "CID 2";
 * NULL if that is not known. Returns: (transfer full). */
char *nego_listener_describe_client (int fd);

void nego_listener_free (NegoListener *listener);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (NegoListener, nego_listener_free)

void
nego_listener_set_func (NegoListener *listener, NegoListenerFunc connected, gpointer user_data);

/* It is one of many in @poller, which must outlive it, instead of a source of its own in the main
 * loop. */
void nego_listener_set_poller (NegoListener *listener, NegoPoller *poller);

/* At first it accepts nobody. Those who connect meanwhile wait in the kernel. */
void nego_listener_set_accepting (NegoListener *listener, gboolean accepting);
