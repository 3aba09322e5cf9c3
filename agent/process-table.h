/* SPDX-License-Identifier: MIT */
/*
 * process-table: all processes of guest-exec: those that run, and those that have ended and whose
 * result nobody has asked for. Both are bounded: a further start is refused, and of the ended ones
 * the oldest is forgotten.
 */
#pragma once

#include "agent/process.h"

typedef struct NegoProcessTable NegoProcessTable;

typedef struct {
  guint running;
  guint ended;
  gsize ended_bytes;  /* output of the ended ones in all */
  gsize input_bytes;  /* input that waits, of all */
  gsize stream_bytes; /* kept of each stream */
  gsize reply_bytes;  /* of both streams in a result (nego_process_table_fit ()) */
} NegoProcessLimits;

extern const NegoProcessLimits nego_process_limits_default;

/* @limits are copied. */
NegoProcessTable *nego_process_table_new (const NegoProcessLimits *limits);
/* Those that run run on. */
void nego_process_table_free (NegoProcessTable *table);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (NegoProcessTable, nego_process_table_free)

/* How much output of a process a reply carries, both streams together. */
void nego_process_table_set_reply_bytes (NegoProcessTable *table, gsize bytes);

/* Starts a process; max_bytes of @spec is the table's. Returns its id, or 0. Errors:
 * NEGO_ERROR_BUSY at a limit, NEGO_ERROR_IO. */
GPid nego_process_table_start (NegoProcessTable *table, NegoProcessSpec *spec, GError **error);

/* Returns: (transfer none): valid until the main loop runs again. Errors: NEGO_ERROR_NOT_FOUND. */
NegoProcess *nego_process_table_find (NegoProcessTable *table, gint64 pid, GError **error);
/* Its result was given away. */
void nego_process_table_forget (NegoProcessTable *table, NegoProcess *process);

/* Takes one that has ended out of the table: it is the caller's. */
void nego_process_table_take (NegoProcessTable *table, NegoProcess *process);
/* Takes it back (transfer full), unless a newer process has its number. */
void nego_process_table_put_back (NegoProcessTable *table, NegoProcess *process);

/* Shortens both views so that together they fit a reply: what one does not need the other has. */
void nego_process_table_fit (const NegoProcessTable *table, NegoProcessResult *result);
