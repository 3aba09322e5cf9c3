/* SPDX-License-Identifier: MIT */
/*
 * bulk: long strings among a request's arguments (the data of guest-file-write), found in the
 * framer's text and copied out at memory's speed, since json-glib takes two nanoseconds and more
 * for each byte of a string, and several copies of it.
 *
 * It reads only what the framer wrote: strict JSON without blanks, each string in one spelling.
 */
#pragma once

#include <glib.h>

typedef struct {
  char *key;
  char *value;
} NegoBulkMember;

typedef struct {
  GString *text;      /* the arguments, with "" for the long strings */
  GPtrArray *members; /* of NegoBulkMember */
} NegoBulk;

/* Looks for members of the object @arguments whose strings are longer than NEGO_BULK_BYTES. FALSE:
 * there is none, and @bulk is empty. */
gboolean nego_bulk_take (NegoBulk *bulk, const char *arguments, gsize len);
void nego_bulk_clear (NegoBulk *bulk);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (NegoBulk, nego_bulk_clear)
