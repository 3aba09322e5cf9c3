/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "common/members.h"

#include <string.h>

void
nego_members_clear (NegoMembers *members)
{
  members->n = 0;
}

void
nego_members_begin (NegoMembers *members, gsize key, gsize key_len)
{
  members->current = (NegoFramerMember){ .key = key, .key_len = key_len };
}

void
nego_members_begin_value (NegoMembers *members, gsize value, NegoJsonKind kind)
{
  members->current.value = value;
  members->current.kind = kind;
}

void
nego_members_end (NegoMembers *members, gsize end)
{
  members->current.value_len = end - members->current.value;
  if (members->n < NEGO_FRAMER_MEMBERS)
    members->recorded[members->n] = members->current;
  members->n++;
}

void
nego_members_export (const NegoMembers *members, NegoFramerMessage *message)
{
  message->n_members = members->n;
  memcpy (message->members, members->recorded,
          MIN (members->n, NEGO_FRAMER_MEMBERS) * sizeof *message->members);
}

const NegoFramerMember *
nego_framer_message_find (const NegoFramerMessage *message, const char *name)
{
  gsize len = strlen (name);

  for (guint i = 0; i < MIN (message->n_members, NEGO_FRAMER_MEMBERS); i++) {
    const NegoFramerMember *member = &message->members[i];

    if (member->key_len == len + 2 && memcmp (message->text + member->key + 1, name, len) == 0)
      return member;
  }
  return NULL;
}
