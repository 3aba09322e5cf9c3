/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "agent/agent.h"
#include "agent/handlers.h"
#include "common/names.h"

static QapiNegotiatorLimits *
nego_cmd_make_limits (NegoCall *call)
{
  QapiNegotiatorLimits *limits = qapi_negotiator_limits_new ();

  limits->message_bytes
    = nego_call_is_qga (call) ? NEGO_MESSAGE_BYTES_QGA : NEGO_MESSAGE_BYTES_PORT;
  limits->message_tokens = NEGO_MESSAGE_TOKENS;
  limits->message_depth = NEGO_MESSAGE_DEPTH;
  limits->reply_bytes = NEGO_REPLY_BYTES;
  limits->args = NEGO_SCRIPT_ARGS;
  limits->arg_bytes = NEGO_SCRIPT_ARG_BYTES;
  limits->env = NEGO_SCRIPT_ENV;
  limits->input_bytes = NEGO_SCRIPT_INPUT_BYTES;
  limits->output_bytes = NEGO_SCRIPT_OUTPUT_BYTES;
  limits->timeout = NEGO_SCRIPT_TIMEOUT_S;
  limits->script_runs = NEGO_SCRIPT_CONCURRENCY;
  limits->jobs_running = NEGO_JOBS_RUNNING;
  limits->jobs_retained = NEGO_JOBS_RETAINED;
  limits->jobs_retained_bytes = NEGO_JOBS_RETAINED_BYTES;
  limits->job_expiry = NEGO_JOB_EXPIRY_S;
  limits->has_status_wait = nego_call_is_qga (call);
  limits->status_wait = NEGO_EXEC_STATUS_WAIT_QGA_S;
  return limits;
}

QapiNegotiatorInfo *
nego_cmd_negotiator_info (NegoCall *call, GError **error)
{
  const NegoAgent *agent = nego_agent_of (call);
  QapiNegotiatorInfo *info = qapi_negotiator_info_new ();

  info->version = g_strdup (NEGO_VERSION);
  info->limits = nego_cmd_make_limits (call);
  info->frozen = nego_policy_is_frozen (agent->policy);
  info->jobs = nego_job_table_count_running (agent->jobs);
  info->boot_id = g_strdup (agent->boot_id);
  info->instance = g_strdup (agent->instance);
  return info;
}
