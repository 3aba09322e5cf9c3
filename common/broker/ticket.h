/* SPDX-License-Identifier: MIT */
/*
 * ticket: one client's call on its way to the other side and back, and what of it the broker must
 * know: which job it is about, and whether it subscribes.
 */
#pragma once

#include "common/call.h"

#include <sys/types.h>

typedef enum {
  NEGO_TICKET_OTHER,
  NEGO_TICKET_EXEC,   /* starts a job, or finds the one with its key */
  NEGO_TICKET_STATUS, /* of a job that is there */
  NEGO_TICKET_JOB,    /* anything else about one */
  NEGO_TICKET_FORGET,
  NEGO_TICKET_JOBS,  /* the list of them */
  NEGO_TICKET_OPEN,  /* a file, whose handle comes back */
  NEGO_TICKET_CLOSE, /* one */
} NegoTicketKind;

typedef struct {
  gpointer calls, client; /* the owner's, for the owner */
  guint64 id;             /* 0: it was not sent */
  NegoCall *call;
  uid_t uid;
  char *name, *arguments; /* NULL: none */
  gsize len;
  NegoTicketKind kind;
  char *job, *key;   /* as the client gave them */
  guint64 handle;    /* likewise, of a file to close; 0: none */
  char *own_key;     /* of an exec without one */
  gboolean reserved; /* the key, at the owner's */
  gboolean stream;   /* subscribes */
  gboolean unsubscribe;
} NegoTicket;

/* Takes a reference to @call. */
NegoTicket *nego_ticket_new (
  gpointer calls, NegoCall *call, const char *arguments, gsize len, gpointer client, uid_t uid);
/* Takes the argument "stream" out of the request. */
void nego_ticket_drop_stream (NegoTicket *ticket);
void nego_ticket_free (NegoTicket *ticket);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (NegoTicket, nego_ticket_free)
