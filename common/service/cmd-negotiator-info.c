/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "common/service/service.h"
#include "common/service/handlers.h"
#include "common/names.h"

static QapiNegotiatorLimits *
nego_cmd_describe_limits (NegoCall *call, const NegoJobLimits *jobs)
{
  QapiNegotiatorLimits *limits = qapi_negotiator_limits_new ();
  gboolean qga = nego_call_is_qga (call);

  limits->message_bytes = qga ? NEGO_MESSAGE_BYTES_QGA : NEGO_MESSAGE_BYTES_PORT;
  limits->message_tokens = NEGO_MESSAGE_TOKENS;
  limits->message_depth = NEGO_MESSAGE_DEPTH;
  limits->reply_bytes = NEGO_REPLY_BYTES;
  limits->args = NEGO_SCRIPT_ARGS;
  limits->arg_bytes = NEGO_SCRIPT_ARG_BYTES - 1; /* the kernel counts the final NUL */
  limits->env = NEGO_SCRIPT_ENV;
  limits->input_bytes = NEGO_SCRIPT_INPUT_BYTES;
  limits->output_bytes = jobs->output_bytes;
  limits->timeout = NEGO_SCRIPT_TIMEOUT_S;
  limits->script_runs = NEGO_SCRIPT_CONCURRENCY;
  limits->jobs_running = jobs->running;
  limits->jobs_queued = jobs->queued;
  limits->jobs_retained = jobs->retained;
  limits->jobs_retained_bytes = jobs->retained_bytes;
  limits->job_expiry = jobs->expiry_ms / 1000.0;
  limits->job_window_bytes = jobs->window_bytes;
  limits->job_input_bytes = NEGO_JOB_INPUT_BYTES;
  limits->has_status_wait = qga;
  limits->status_wait = NEGO_EXEC_STATUS_WAIT_QGA_S;
  return limits;
}

QapiNegotiatorInfo *
nego_cmd_negotiator_info (NegoCall *call, GError **error)
{
  NegoService *service = nego_service_of (call);
  QapiNegotiatorInfo *info = qapi_negotiator_info_new ();

  info->version = g_strdup (NEGO_VERSION);
  info->limits = nego_cmd_describe_limits (call, nego_job_table_get_limits (service->jobs));
  info->events = nego_call_get_feeds (call) != NULL;
  info->frozen = nego_policy_is_frozen (service->policy);
  info->jobs = nego_job_table_count_running (service->jobs);
  info->boot_id = g_strdup (service->boot_id);
  info->instance = g_strdup (service->instance);
  info->cgroup = nego_job_table_get_cgroups (service->jobs) != NULL;
  return info;
}
