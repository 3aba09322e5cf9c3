/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "agent/agent.h"

#include "agent/handlers.h"

#include <errno.h>
#include <sys/random.h>

#define NEGO_AGENT_BOOT_ID_FILE "/proc/sys/kernel/random/boot_id"

static char *
nego_agent_make_instance (void)
{
  guint32 bits[4];
  gsize i;

  /* 16 bytes come whole or not at all (getrandom (2)); early in boot the kernel may lack entropy,
   * and an instance need only differ, not be secret. */
  if (getrandom (bits, sizeof bits, GRND_NONBLOCK) != (ssize_t) sizeof bits)
    for (i = 0; i < G_N_ELEMENTS (bits); i++)
      bits[i] = g_random_int ();
  return g_strdup_printf ("%08x%08x%08x%08x", bits[0], bits[1], bits[2], bits[3]);
}

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
  agent->instance = nego_agent_make_instance ();
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

NegoAgent *
nego_agent_of (NegoCall *call)
{
  return nego_call_get_context (call);
}
