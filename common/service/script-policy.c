/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "common/service/script-policy.h"

char *
nego_script_policy_refusal (const NegoPolicy *policy, const NegoScript *script)
{
  if (!nego_policy_is_read_only (policy) || script->conf->read_only)
    return NULL;
  return g_strdup_printf ("'commands = read' in [negotiator]: '%s.conf' does not say ReadOnly=true",
                          script->path);
}
