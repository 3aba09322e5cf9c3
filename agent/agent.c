/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "agent/agent.h"

#include "agent/fs-usage.h"
#include "agent/handlers.h"
#include "agent/nvme-smart.h"
#include "common/names.h"

NegoAgent *
nego_agent_new (NegoPolicy *policy, NegoRegistry *registry, NegoJobTable *jobs)
{
  NegoAgent *agent = g_new0 (NegoAgent, 1);

  const NegoFreezeSettings freeze = { .hook = NULL };

  nego_service_init (&agent->service, &nego_handlers, policy, registry, jobs);
  agent->offload = nego_offload_new ();
  agent->processes = nego_process_table_new (&nego_process_limits_default);
  agent->tools = nego_tools_new ("");
  agent->power = nego_power_new (agent->tools, agent->offload);
  agent->clock = &nego_clock_real;
  agent->root = "";
  agent->trim_func = nego_trim_real;
  nego_agent_set_freeze (agent, &freeze, NULL, NULL);
  agent->usage = nego_survey_new (agent->offload, nego_fs_usage_ask, sizeof (NegoFsUsage));
  agent->smart = nego_survey_new (agent->offload, nego_nvme_smart_ask, sizeof (NegoNvmeSmart));
  agent->files = nego_file_table_new (agent->offload);
  return agent;
}

static void
nego_agent_frozen_cb (gboolean frozen, gpointer user_data)
{
  NegoAgent *agent = user_data;

  nego_policy_set_frozen (agent->service.policy, frozen);
  if (agent->frozen_func != NULL)
    agent->frozen_func (frozen, agent->frozen_data);
}

void
nego_agent_set_freeze (NegoAgent *agent,
                       const NegoFreezeSettings *settings,
                       NegoFreezeChangedFunc changed,
                       gpointer user_data)
{
  NegoFreezeSettings all = *settings;

  nego_freeze_free (agent->freeze);
  if (all.ops == NULL)
    all.ops = &nego_freeze_ops_real;
  all.boot_id = agent->service.boot_id;
  agent->frozen_func = changed;
  agent->frozen_data = user_data;
  agent->freeze = nego_freeze_new (&all, nego_agent_frozen_cb, agent);
  nego_policy_set_frozen (agent->service.policy, nego_freeze_is_frozen (agent->freeze));
}

void
nego_agent_free (NegoAgent *agent)
{
  if (agent == NULL)
    return;
  nego_power_free (agent->power);
  nego_tools_free (agent->tools);
  nego_process_table_free (agent->processes);
  nego_trim_free (agent->trim);
  nego_freeze_free (agent->freeze);
  nego_survey_free (agent->usage);
  nego_survey_free (agent->smart);
  nego_file_table_free (agent->files);
  nego_offload_wait (agent->offload, NEGO_FILE_END_WAIT_MS);
  nego_offload_free (agent->offload);
  nego_service_clear (&agent->service);
  g_free (agent);
}

NegoAgent *
nego_agent_of (NegoCall *call)
{
  return nego_call_get_context (call);
}
