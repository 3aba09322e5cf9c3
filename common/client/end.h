/* SPDX-License-Identifier: MIT */
/*
 * end: this program's end of a connection to a peer: a unix socket, or a device that it opened
 * itself. Bytes in and out, until deadlines (CLOCK_MONOTONIC, in microseconds; link.h); what they
 * mean is not its business.
 *
 * Errors: NEGO_ERROR_BUSY (another program has it), NEGO_ERROR_CLOSED, NEGO_ERROR_TIMEOUT and
 * NEGO_ERROR_IO; they name the path, and say what to look at.
 */
#pragma once

#include <glib.h>

/* What one read takes: a reply of a negotiator command in 16 of them. */
#define NEGO_END_READ_BYTES (64u << 10)

typedef struct {
  char *path;
  int fd; /* non-blocking */
  gboolean device;
  gboolean shared;   /* a multiplexer's, which serves all that come */
  gsize start, stop; /* of `in`: what was read and not used yet */
  guint8 in[NEGO_END_READ_BYTES];
} NegoEnd;

/* Connects to the socket @path, which takes no time: whether anybody answers is not known then. */
NegoEnd *nego_end_new (const char *path, GError **error);
/* The same, to a multiplexer (../broker/); for room in its backlog it waits @patience seconds at
 * most, 0 is without limit. */
NegoEnd *nego_end_new_shared (const char *path, double patience, GError **error);
NegoEnd *nego_end_new_device (const char *path, GError **error);
void nego_end_free (NegoEnd *end);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (NegoEnd, nego_end_free)

/* Writes all of @data. */
gboolean
nego_end_write (const NegoEnd *end, const char *data, gsize len, gint64 deadline, GError **error);
/* Reads something; what was there before must be used up. */
gboolean nego_end_fill (NegoEnd *end, gint64 deadline, GError **error);
/* The same of a socket, at once. FALSE without an error: nothing is there. */
gboolean nego_end_take (NegoEnd *end, GError **error);

/* Whether a connection to the socket still waits in its listener's backlog, which means that
 * another program is served: of a socket that serves one. */
gboolean nego_end_is_waiting (const NegoEnd *end);
/* Say so; return FALSE. */
gboolean nego_end_set_busy (const NegoEnd *end, GError **error);
gboolean nego_end_set_silent (const NegoEnd *end, GError **error);
