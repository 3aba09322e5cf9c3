/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "agent/agent.h"

#include "agent/handlers.h"
#include "common/error.h"
#include "common/random.h"

#define NEGO_AGENT_BOOT_ID_FILE "/proc/sys/kernel/random/boot_id"

static char *
nego_agent_read_boot_id (void)
{
  char *text = NULL;

  if (!g_file_get_contents (NEGO_AGENT_BOOT_ID_FILE, &text, NULL, NULL))
    return NULL;
  return g_strstrip (text);
}

NegoAgent *
nego_agent_new (NegoPolicy *policy, NegoRegistry *registry, NegoJobTable *jobs)
{
  NegoAgent *agent = g_new0 (NegoAgent, 1);

  agent->policy = policy;
  agent->registry = registry;
  agent->jobs = jobs;
  agent->instance = nego_random_name ();
  agent->boot_id = nego_agent_read_boot_id ();
  agent->dispatcher = nego_dispatcher_new (&nego_handlers, policy, agent);
  return agent;
}

void
nego_agent_free (NegoAgent *agent)
{
  if (agent == NULL)
    return;
  nego_dispatcher_free (agent->dispatcher);
  nego_job_table_free (agent->jobs);
  nego_registry_free (agent->registry);
  nego_policy_free (agent->policy);
  g_free (agent->instance);
  g_free (agent->boot_id);
  g_free (agent);
}

gboolean
nego_agent_check_job_name (const char *job, const char *key, GError **error)
{
  if ((job == NULL) != (key == NULL))
    return TRUE;
  g_set_error_literal (error, NEGO_ERROR, NEGO_ERROR_GENERIC, "one of job and key must be given");
  return FALSE;
}

NegoAgent *
nego_agent_of (NegoCall *call)
{
  return nego_call_get_context (call);
}
