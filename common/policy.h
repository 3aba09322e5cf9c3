/* SPDX-License-Identifier: MIT */
/*
 * policy: which commands may run: block-rpcs, allow-rpcs, [negotiator] commands, and the frozen
 * state.
 *
 * A verdict is a pure function of the settings; the caller acts on it.
 */
#pragma once

#include "qapi/qapi-commands.h"

#include <glib.h>

typedef struct NegoPolicy NegoPolicy;

/* [negotiator] commands: what is served of negotiator-* when allow-rpcs names none of them. */
typedef enum {
  NEGO_POLICY_COMMANDS_ALL,
  NEGO_POLICY_COMMANDS_READ, /* commands of the schema feature "read-only", and read-only scripts */
  NEGO_POLICY_COMMANDS_NONE,
} NegoPolicyCommands;

NegoPolicy *nego_policy_new (void);
void nego_policy_free (NegoPolicy *policy);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (NegoPolicy, nego_policy_free)

/* Adds to the lists. An empty allow list allows everything (as qemu-ga). */
void nego_policy_allow (NegoPolicy *policy, const char *name);
void nego_policy_block (NegoPolicy *policy, const char *name);
void nego_policy_set_commands (NegoPolicy *policy, NegoPolicyCommands commands);
void nego_policy_set_frozen (NegoPolicy *policy, gboolean frozen);
gboolean nego_policy_is_frozen (const NegoPolicy *policy);

/* Whether only read-only scripts may be run. */
gboolean nego_policy_is_read_only (const NegoPolicy *policy);

typedef enum {
  NEGO_POLICY_ALLOWED,
  NEGO_POLICY_NOT_ALLOWED, /* by the settings; guest-* also while frozen, as QGA has it since 10.0
                            */
  NEGO_POLICY_FROZEN,      /* negotiator-*: not while frozen */
} NegoPolicyVerdict;

/* Whether @command may run. guest-sync and guest-sync-delimited always may. */
NegoPolicyVerdict nego_policy_judge (const NegoPolicy *policy, const QapiCommand *command);
