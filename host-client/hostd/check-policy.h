/* SPDX-License-Identifier: MIT */
/*
 * check-policy: what nego-hostd --check-policy says: the verdict on a call, in one line, and which
 * rule in which file and line decides. Nothing is run.
 */
#pragma once

#include "common/registry.h"

#include <stdio.h>

/* A guest as a person names it: a name, a UUID, or NAME,UUID. */
typedef struct {
  char *name; /* of one that was named by its UUID alone: "" */
  char *uuid; /* lower case; NULL: none */
} NegoCheckPolicyGuest;

void nego_check_policy_guest_init (NegoCheckPolicyGuest *guest, const char *word);
void nego_check_policy_guest_clear (NegoCheckPolicyGuest *guest);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (NegoCheckPolicyGuest, nego_check_policy_guest_clear)

enum {
  NEGO_CHECK_POLICY_ADMITTED,
  NEGO_CHECK_POLICY_REFUSED,
  NEGO_CHECK_POLICY_FAILED, /* the policy cannot be read, or the words are wrong */
};

/* @words: GUEST COMMAND [ARG…], NULL-terminated. @dir: of the policy. Writes to @out, or, for the
 * last of them, to the standard error. Returns: one of the above, the program's exit status. */
int
nego_check_policy (const char *dir, NegoRegistry *registry, const char *const *words, FILE *out);
