/* SPDX-License-Identifier: MIT */
/*
 * look: what libvirt is asked: its connection with events, all running guests, one guest. These are
 * calls that block, for the threads of offload.h: each reads and writes its own data only.
 *
 * Fact: virEventRegisterDefaultImpl () of libvirt 6.1 and later puts its sources into GLib's
 * default main context (src/util/vireventglib.c), where events and the end of a connection are then
 * told.
 */
#pragma once

#include <glib.h>

#include <libvirt/libvirt.h>

/* A guest as libvirt describes it. */
typedef struct {
  char *name, *uuid;
  gboolean unknown; /* libvirt lists it, and could not describe it now: but for name and UUID */
  gboolean active;
  char *agent; /* the socket of negotiator-host-to-guest.0 on this machine; NULL: it has none */
  char *port;  /* the socket of negotiator-guest-to-host.0 on this machine; NULL: it has none */
} NegoLookDomain;

void nego_look_domain_free (NegoLookDomain *domain);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (NegoLookDomain, nego_look_domain_free)

/* Who is told; in the main context. Counted, since libvirt lets go of it on any thread. */
typedef struct {
  /* Something changed about the guest @uuid; @rebooted: it starts anew. */
  void (*changed) (const char *uuid, gboolean rebooted, gpointer user_data);
  /* The connection is of no more use. */
  void (*closed) (gpointer user_data);
  gpointer user_data; /* NULL: nobody is told any more */
  gatomicrefcount refs;
} NegoLookListener;

NegoLookListener *nego_look_listener_ref (NegoLookListener *listener);
void nego_look_listener_unref (gpointer listener);

/* Before the first connection. */
void nego_look_start (void);

#define NEGO_LOOK_EVENTS 4

/* With what is registered there, each of which keeps it open. */
typedef struct {
  virConnectPtr handle;
  int events[NEGO_LOOK_EVENTS];
  guint n_events;
  gboolean tells_end;
} NegoLookConnection;

/* Closes @connection, once; it blocks. */
void nego_look_hang_up (gpointer connection);
/* Closes it, if that was not done, and frees it. */
void nego_look_connection_free (gpointer connection);

/* Opens a connection, listens to it, and lists its running guests. */
typedef struct {
  char *uri;
  NegoLookListener *listener;     /* with a reference */
  NegoLookConnection *connection; /* NULL: the error says why */
  GPtrArray *domains;             /* NegoLookDomain */
  GError *error;
} NegoLookOpening;

NegoLookOpening *nego_look_opening_new (const char *uri, NegoLookListener *listener);
void nego_look_open (gpointer opening);
void nego_look_opening_free (gpointer opening);

/* Describes one guest. */
typedef struct {
  virConnectPtr connection; /* with a reference */
  char *uuid;
  NegoLookDomain *domain; /* never unknown; NULL and no error: there is none any more */
  GError *error;
} NegoLookQuestion;

NegoLookQuestion *nego_look_question_new (virConnectPtr connection, const char *uuid);
void nego_look_ask (gpointer question);
void nego_look_question_free (gpointer question);
