/* SPDX-License-Identifier: MIT */
/*
 * keys: whether an object of a JSON text has a key twice; private to framer.c.
 *
 * Keys are compared as bytes of the lexer's text, which spells equal strings equally: "a" and
 * "\u0061" are one. A few keys are compared with each other as they come; an object with more is
 * sorted when it closes, so that no choice of keys makes it cost more than n log n, as a hash table
 * whose function an attacker knows would.
 */
#pragma once

#include <glib.h>

typedef struct NegoKeys NegoKeys;

NegoKeys *nego_keys_new (void);
void nego_keys_free (NegoKeys *keys);
/* Forgets all objects. */
void nego_keys_clear (NegoKeys *keys);

/* An object opens. */
void nego_keys_open (NegoKeys *keys);
/* The innermost object has a key: @len bytes at @start of @text, which only grows until the object
 * closes. FALSE: it has it already. */
gboolean nego_keys_add (NegoKeys *keys, const char *text, gsize start, gsize len);
/* The innermost object closes. FALSE: it has a key twice that nego_keys_add() did not find. */
gboolean nego_keys_close (NegoKeys *keys, const char *text);
