/* SPDX-License-Identifier: MIT */
/*
 * copy: one file on its way into a guest or out of it.
 *
 * It is written to a temporary name beside its place and renamed when all of it is there, its
 * SHA-256 was compared and it is on the disk; mode and time are the original's. On a link that
 * requests can be posted on, NEGO_COPY_WINDOW of them are on their way at once.
 */
#pragma once

#include "common/client/remote.h"

/* So many bytes of @total are there; @total is 0 when it is not known. */
typedef void (*NegoCopyProgressFunc) (guint64 done, guint64 total, gpointer user_data);

typedef struct {
  NegoRemote *guest;             /* borrowed */
  double answer_s;               /* how long a reply is waited for; 0: without limit */
  NegoCopyProgressFunc progress; /* may be NULL */
  gpointer user_data;
  int interrupt_fd; /* readable: it is to end, with NEGO_ERROR_INTERRUPTED, and nothing stays; -1 */
  /* The local file while it has no name of its own yet, or had none; the caller's to free. Set
   * once, atomically: who cannot wait for the end may remove it. */
  char *temporary;
  /* The engine's. */
  GQueue *requests; /* that were not answered, in order */
  gint64
    held_since; /* monotonic: since when the agent was not left to others; 0: it was not asked */
  gboolean dropping; /* it is at its end, and not interrupted any more */
} NegoCopy;

/* The guest's file @remote to the local path @local. */
gboolean nego_copy_out (NegoCopy *copy, const char *remote, const char *local, GError **error);
/* The other way. */
gboolean nego_copy_in (NegoCopy *copy, const char *local, const char *remote, GError **error);
