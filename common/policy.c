/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "common/policy.h"

struct NegoPolicy {
  GHashTable *allowed;
  GHashTable *blocked;
  gboolean allows_negotiator; /* the allow list names a negotiator command */
  NegoPolicyCommands commands;
  gboolean frozen;
};

NegoPolicy *
nego_policy_new (void)
{
  NegoPolicy *policy = g_new0 (NegoPolicy, 1);

  policy->allowed = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  policy->blocked = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  return policy;
}

void
nego_policy_free (NegoPolicy *policy)
{
  if (policy == NULL)
    return;
  g_hash_table_unref (policy->allowed);
  g_hash_table_unref (policy->blocked);
  g_free (policy);
}

static gboolean
nego_policy_is_negotiator (const char *name)
{
  return g_str_has_prefix (name, "negotiator-");
}

void
nego_policy_allow (NegoPolicy *policy, const char *name)
{
  g_hash_table_add (policy->allowed, g_strdup (name));
  if (nego_policy_is_negotiator (name))
    policy->allows_negotiator = TRUE;
}

void
nego_policy_block (NegoPolicy *policy, const char *name)
{
  g_hash_table_add (policy->blocked, g_strdup (name));
}

void
nego_policy_set_commands (NegoPolicy *policy, NegoPolicyCommands commands)
{
  policy->commands = commands;
}

void
nego_policy_set_frozen (NegoPolicy *policy, gboolean frozen)
{
  policy->frozen = frozen;
}

gboolean
nego_policy_is_frozen (const NegoPolicy *policy)
{
  return policy->frozen;
}

gboolean
nego_policy_is_read_only (const NegoPolicy *policy)
{
  return policy->commands == NEGO_POLICY_COMMANDS_READ && !policy->allows_negotiator;
}

/* allow-rpcs counts for negotiator-* only when it names one of them: a guest hardened by its
 * distribution's list can still offer its scripts. */
static gboolean
nego_policy_allows_negotiator (const NegoPolicy *policy, const QapiCommand *command)
{
  if (policy->allows_negotiator)
    return g_hash_table_contains (policy->allowed, command->name);
  switch (policy->commands) {
  case NEGO_POLICY_COMMANDS_ALL:
    return TRUE;
  case NEGO_POLICY_COMMANDS_READ:
    return (command->features & (QAPI_COMMAND_READ_ONLY | QAPI_COMMAND_RUNS_SCRIPTS)) != 0;
  case NEGO_POLICY_COMMANDS_NONE:
  default:
    return FALSE;
  }
}

static gboolean
nego_policy_allows (const NegoPolicy *policy, const QapiCommand *command)
{
  if (g_hash_table_contains (policy->blocked, command->name))
    return FALSE;
  if (nego_policy_is_negotiator (command->name))
    return nego_policy_allows_negotiator (policy, command);
  return g_hash_table_size (policy->allowed) == 0
         || g_hash_table_contains (policy->allowed, command->name);
}

NegoPolicyVerdict
nego_policy_judge (const NegoPolicy *policy, const QapiCommand *command)
{
  gboolean negotiator = nego_policy_is_negotiator (command->name);
  gboolean allow_frozen = (command->features & QAPI_COMMAND_ALLOW_FROZEN) != 0;

  /* A client that cannot sync can do nothing, and libvirt takes the agent for dead. */
  if (g_str_has_prefix (command->name, "guest-sync"))
    return NEGO_POLICY_ALLOWED;
  /* How the channel works is no command's business: a client that takes requests for concurrent,
   * when they are not, would wait for ever. */
  if (g_str_equal (command->name, "negotiator-session")
      || g_str_equal (command->name, "negotiator-cancel"))
    return NEGO_POLICY_ALLOWED;
  if (policy->frozen && !allow_frozen)
    return negotiator ? NEGO_POLICY_FROZEN : NEGO_POLICY_NOT_ALLOWED;
  /* As in qemu-ga: who may freeze must be able to thaw, whatever the lists say. */
  if (policy->frozen && !negotiator)
    return NEGO_POLICY_ALLOWED;
  return nego_policy_allows (policy, command) ? NEGO_POLICY_ALLOWED : NEGO_POLICY_NOT_ALLOWED;
}
