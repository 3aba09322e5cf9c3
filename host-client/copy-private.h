/* SPDX-License-Identifier: MIT */
/*
 * copy-private: what both ways of a copy share: requests that are answered in order, and the hash.
 */
#pragma once

#include "host-client/copy.h"
#include "qapi/qapi-types.h"

/* A file's SHA-256, in stretches that one negotiator-file-stat hashes. */
typedef struct {
  GChecksum *checksum;
  guint64 size;
  GPtrArray *hashes;
} NegoCopyHash;

/* Before the first request and after the last one. */
void nego_copy_begin (NegoCopy *copy);
void nego_copy_end (NegoCopy *copy);

/* Sends a request, where the link can, without waiting. Takes @arguments. */
gboolean nego_copy_send (NegoCopy *copy, const char *command, char *arguments, GError **error);
/* The reply to the oldest request. */
JsonNode *nego_copy_receive (NegoCopy *copy, GError **error);
/* Sends a request when nothing else is on its way, and waits for its reply. Takes @arguments. */
JsonNode *nego_copy_ask (NegoCopy *copy, const char *command, char *arguments, GError **error);

/* @text as a JSON string. */
char *nego_copy_quote (const char *text);

/* Closes the guest's file, as well as that goes. */
void nego_copy_drop (NegoCopy *copy, gint64 handle);

void nego_copy_hash_init (NegoCopyHash *hash);
void nego_copy_hash_clear (NegoCopyHash *hash);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (NegoCopyHash, nego_copy_hash_clear)
void nego_copy_hash_add (NegoCopyHash *hash, const guint8 *data, gsize len);

QapiNegotiatorFileStat *
nego_copy_stat (NegoCopy *copy, gint64 handle, guint64 offset, guint count, GError **error);
/* Compares what was hashed here with the guest's file. */
gboolean nego_copy_compare (NegoCopy *copy, gint64 handle, NegoCopyHash *hash, GError **error);

void nego_copy_tell (const NegoCopy *copy, guint64 done, guint64 total);

/* Bytes of one piece, @in to the guest or out of it. */
guint nego_copy_piece (const NegoCopy *copy, gboolean in);
