/* SPDX-License-Identifier: MIT */
/*
 * guest: one guest that is served: its identity, which comes from libvirt or the command line and
 * never from a message, its jobs, what it told, and how much it may ask. It is the context of the
 * handlers (handlers.h) and the same for all connections of the guest's port.
 */
#pragma once

#include "common/service/service.h"
#include "host-client/hostd/notes.h"
#include "common/quota.h"
#include "host-client/hostd/sync-ids.h"

#include <glib.h>

typedef struct NegoGuests NegoGuests;

typedef enum {
  NEGO_GUEST_WAITING,      /* for its port */
  NEGO_GUEST_CONNECTED,    /* nobody in the guest has synchronised */
  NEGO_GUEST_SYNCHRONISED, /* since then */
} NegoGuestState;

typedef struct {
  NegoService service; /* first: the handlers of common/service/ see only this */
  NegoGuests *guests;
  char *name;
  char *uuid;       /* canonical, lower case; NULL: none is known */
  char *connection; /* libvirt's URI; NULL: without libvirt */
  NegoGuestState state;
  NegoNotes notes;
  NegoSyncIds sync_ids;
  NegoQuota calls, syncs, lines;
  guint unlogged; /* lines since the last one in the log */
} NegoGuest;

/* Strings are copied; @guests must outlive it. */
NegoGuest *
nego_guest_new (NegoGuests *guests, const char *name, const char *uuid, const char *connection);
/* Its sessions must be gone. What runs is killed. */
void nego_guest_free (NegoGuest *guest);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (NegoGuest, nego_guest_free)

/* Tells those who wait for something of a guest (nego_guests_watch ()). */
void nego_guest_set_state (NegoGuest *guest, NegoGuestState state);
/* It stopped, or starts anew: what it told is over. */
void nego_guest_forget_notes (NegoGuest *guest);

/* A line in the log about what the guest did wrong, as long as there are not too many. */
void nego_guest_complain (NegoGuest *guest, const char *format, ...) G_GNUC_PRINTF (2, 3);

/* The guest that @call came from. */
NegoGuest *nego_guest_of (NegoCall *call);
