/* SPDX-License-Identifier: MIT */
/*
 * libvirt-conn: a libvirt connection and its domains; private to the module (link-libvirt.h).
 */
#pragma once

#include "host-client/link-libvirt.h"

#include <libvirt/libvirt.h>
#include <libvirt/virterror.h>

G_DEFINE_AUTOPTR_CLEANUP_FUNC (virConnect, virConnectClose)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (virDomain, virDomainFree)

struct NegoLibvirt {
  virConnect *connection;
  GMutex lock;
  GCond freed;
  guint calls; /* agent calls in flight */
  gatomicrefcount refs;
};

/* What a worker asks of the connection. */
typedef struct {
  NegoLibvirt *libvirt;
  char *text; /* a name, a UUID; NULL: none */
  char *request;
  int timeout_s;
  gboolean is_call; /* it has one of the connection's agent calls (nego_libvirt_begin_call()) */
} NegoLibvirtQuery;

/* With a reference to @libvirt and a copy of @text. */
NegoLibvirtQuery *nego_libvirt_query_new (NegoLibvirt *libvirt, const char *text);
/* Ends its agent call, too. */
void nego_libvirt_query_free (gpointer data);

NegoLibvirt *nego_libvirt_ref (NegoLibvirt *libvirt);
void nego_libvirt_unref (NegoLibvirt *libvirt);

/* What the module offers (link-libvirt.h). */
NegoLibvirt *nego_libvirt_open (const char *uri, gint64 deadline, GError **error);
gboolean nego_libvirt_is_local (NegoLibvirt *libvirt);
GPtrArray *nego_libvirt_list (NegoLibvirt *libvirt, gint64 deadline, GError **error);
NegoDomain *
nego_libvirt_find (NegoLibvirt *libvirt, const char *name, gint64 deadline, GError **error);
void nego_libvirt_free_domain (NegoDomain *domain);

/* libvirt-snapshot.c */
gboolean nego_libvirt_snapshot (NegoLibvirt *libvirt,
                                const NegoDomain *domain,
                                const NegoSnapshot *snapshot,
                                gint64 deadline,
                                GError **error);

/* Takes one of the connection's NEGO_GUEST_CALLS agent calls. FALSE: none was free before the
 * @deadline. */
gboolean nego_libvirt_begin_call (NegoLibvirt *libvirt, gint64 deadline);
void nego_libvirt_end_call (NegoLibvirt *libvirt);

/* Of this thread's last call. */
const char *nego_libvirt_last_message (void);
