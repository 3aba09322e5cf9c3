/* SPDX-License-Identifier: MIT */
/*
 * members: where the members of the outermost object are in the message's text; private to
 * framer.c.
 */
#pragma once

#include "common/framer.h"

typedef struct {
  NegoFramerMember current; /* the one that is being read */
  NegoFramerMember recorded[NEGO_FRAMER_MEMBERS];
  guint n; /* all that are whole */
} NegoMembers;

void nego_members_clear (NegoMembers *members);
/* A member begins with its key. */
void nego_members_begin (NegoMembers *members, gsize key, gsize key_len);
void nego_members_begin_value (NegoMembers *members, gsize value, NegoJsonKind kind);
/* Its value ends before @end. */
void nego_members_end (NegoMembers *members, gsize end);

void nego_members_export (const NegoMembers *members, NegoFramerMessage *message);
