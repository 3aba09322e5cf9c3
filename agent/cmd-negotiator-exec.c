/* SPDX-License-Identifier: MIT */
/*
 * negotiator-exec and negotiator-exec-status: both name a job, and answer with it now or, if they
 * may wait, when there is something to tell. A call that is abandoned meanwhile leaves its job as
 * it is.
 */
#include "config.h"

#include "agent/agent.h"
#include "agent/handlers.h"
#include "agent/job-status.h"
#include "agent/script-policy.h"
#include "common/base64.h"
#include "common/error.h"
#include "common/names.h"
#include "common/source.h"

#include <math.h>
#include <string.h>

typedef void (*NegoCmdReturnFunc) (NegoCall *call, const QapiNegotiatorJobStatus *ret);

/* A call that waits for a job. */
typedef struct {
  NegoCall *call;
  NegoJob *job;
  NegoJobStatusQuery query;
  gboolean until_end; /* else until there is news */
  NegoCmdReturnFunc answer;
  gulong watch;
  GSource *timer;
} NegoCmdWait;

static void
nego_cmd_wait_free (NegoCmdWait *wait)
{
  nego_source_clear (&wait->timer);
  if (wait->watch != 0)
    nego_job_unwatch (wait->job, wait->watch);
  nego_job_unref (wait->job);
  nego_call_unref (wait->call);
  g_free (wait);
}

static void
nego_cmd_wait_answer (NegoCmdWait *wait)
{
  const NegoAgent *agent = nego_agent_of (wait->call);
  g_autoptr (QapiNegotiatorJobStatus) ret
    = nego_job_status_new (wait->job, &wait->query, agent->instance);

  wait->answer (wait->call, ret);
  nego_cmd_wait_free (wait);
}

static gboolean
nego_cmd_wait_is_over (const NegoCmdWait *wait)
{
  return wait->until_end ? nego_job_is_ended (wait->job)
                         : nego_job_status_has_news (wait->job, &wait->query);
}

static void
nego_cmd_on_change (gpointer user_data)
{
  if (nego_cmd_wait_is_over (user_data))
    nego_cmd_wait_answer (user_data);
}

static gboolean
nego_cmd_on_wait_over (gpointer user_data)
{
  nego_cmd_wait_answer (user_data);
  return G_SOURCE_REMOVE;
}

static void
nego_cmd_on_abandoned (NegoCall *call, gpointer user_data)
{
  nego_cmd_wait_free (user_data);
}

/* Answers @call with @job, within @wait_ms. */
static void
nego_cmd_wait (NegoCall *call,
               NegoJob *job,
               const NegoJobStatusQuery *query,
               guint wait_ms,
               gboolean until_end,
               NegoCmdReturnFunc answer)
{
  NegoCmdWait *wait = g_new0 (NegoCmdWait, 1);

  wait->call = nego_call_ref (call);
  wait->job = nego_job_ref (job);
  wait->query = *query;
  wait->until_end = until_end;
  wait->answer = answer;
  if (wait_ms == 0 || nego_cmd_wait_is_over (wait)) {
    nego_cmd_wait_answer (wait);
    return;
  }
  wait->watch = nego_job_watch (job, nego_cmd_on_change, wait);
  wait->timer = nego_source_add_timeout (wait_ms, nego_cmd_on_wait_over, wait);
  nego_call_set_abandon (call, nego_cmd_on_abandoned, wait);
}

/* Seconds that a caller gave, in milliseconds, rounded up. */
static guint
nego_cmd_to_ms (double seconds)
{
  return seconds < G_MAXUINT / 1000 ? (guint) ceil (seconds * 1000) : G_MAXUINT;
}

static gboolean
nego_cmd_check_wait (gboolean has_wait, double wait, GError **error)
{
  if (!has_wait || wait >= 0)
    return TRUE;
  g_set_error_literal (error, NEGO_ERROR, NEGO_ERROR_GENERIC, "wait must not be below 0");
  return FALSE;
}

static NegoScript *
nego_cmd_find_script (const NegoAgent *agent, const char *name, GError **error)
{
  g_autoptr (NegoScript) script = nego_registry_find (agent->registry, name, error);
  g_autofree char *refusal = NULL;

  if (script == NULL)
    return NULL;
  refusal = nego_script_policy_refusal (agent->policy, script);
  if (refusal != NULL) {
    g_set_error (error, NEGO_ERROR, NEGO_ERROR_REFUSED, "negotiator command '%s' is refused by %s",
                 script->name, refusal);
    return NULL;
  }
  return g_steal_pointer (&script);
}

/* The job that @args ask for: the one there is already, or a new one. */
static NegoJob *
nego_cmd_start (const NegoAgent *agent, const QapiNegotiatorExecArgs *args, GError **error)
{
  NegoJobRequest request = {
    .command = args->command,
    .args = (const char *const *) args->arg,
    .env = (const char *const *) args->env,
    .key = args->key,
  };
  g_autofree guint8 *input = NULL;
  g_autoptr (NegoScript) script = NULL;
  g_autoptr (GError) failure = NULL;
  NegoJob *job;

  if (args->has_timeout && !(args->timeout > 0)) {
    g_set_error_literal (error, NEGO_ERROR, NEGO_ERROR_GENERIC, "timeout must be above 0");
    return NULL;
  }
  request.timeout_ms = args->has_timeout ? nego_cmd_to_ms (args->timeout) : 0;
  if (args->input_data != NULL) {
    input = nego_base64_decode (args->input_data, &request.input_len, error);
    if (input == NULL)
      return NULL;
    request.input = input;
  }
  job = nego_job_table_find_repeat (agent->jobs, &request, &failure);
  if (failure != NULL) {
    g_propagate_error (error, g_steal_pointer (&failure));
    return NULL;
  }
  if (job != NULL)
    return job;
  script = nego_cmd_find_script (agent, args->command, error);
  if (script == NULL)
    return NULL;
  return nego_job_table_start (agent->jobs, &request, g_steal_pointer (&input), script, error);
}

void
nego_cmd_negotiator_exec (NegoCall *call, const QapiNegotiatorExecArgs *args)
{
  NegoJobStatusQuery query = { .base64 = args->encoding == QAPI_NEGOTIATOR_ENCODING_BASE64 };
  guint wait_ms = args->has_wait ? nego_cmd_to_ms (args->wait) : NEGO_EXEC_WAIT_S * 1000;
  GError *error = NULL;
  NegoJob *job = NULL;

  if (nego_cmd_check_wait (args->has_wait, args->wait, &error))
    job = nego_cmd_start (nego_agent_of (call), args, &error);
  if (job == NULL)
    nego_call_fail (call, error);
  else
    nego_cmd_wait (call, job, &query, wait_ms, TRUE, qapi_negotiator_exec_return);
}

/* Reads an offset of the arguments. */
static gboolean
nego_cmd_take_offset (const char *name, gint64 value, gsize *offset, GError **error)
{
  if (value < 0) {
    g_set_error (error, NEGO_ERROR, NEGO_ERROR_GENERIC, "%s must not be below 0", name);
    return FALSE;
  }
  *offset = (gsize) value;
  return TRUE;
}

/* The job that @args name, and what is asked of it. */
static NegoJob *
nego_cmd_find (const NegoAgent *agent,
               const QapiNegotiatorExecStatusArgs *args,
               NegoJobStatusQuery *query,
               GError **error)
{
  NegoJob *job;

  if ((args->job == NULL) == (args->key == NULL)) {
    g_set_error_literal (error, NEGO_ERROR, NEGO_ERROR_GENERIC, "one of job and key must be given");
    return NULL;
  }
  if (!nego_cmd_check_wait (args->has_wait, args->wait, error)
      || !nego_cmd_take_offset ("out-offset", args->out_offset, &query->offsets[NEGO_JOB_OUT],
                                error)
      || !nego_cmd_take_offset ("err-offset", args->err_offset, &query->offsets[NEGO_JOB_ERR],
                                error))
    return NULL;
  query->base64 = args->encoding == QAPI_NEGOTIATOR_ENCODING_BASE64;
  job = nego_job_table_find (agent->jobs, args->job, args->key, error);
  return job != NULL && nego_job_status_check (job, query, error) ? job : NULL;
}

void
nego_cmd_negotiator_exec_status (NegoCall *call, const QapiNegotiatorExecStatusArgs *args)
{
  NegoJobStatusQuery query = { 0 };
  GError *error = NULL;
  NegoJob *job = nego_cmd_find (nego_agent_of (call), args, &query, &error);
  guint wait_ms;

  if (job == NULL) {
    nego_call_fail (call, error);
    return;
  }
  wait_ms = args->has_wait ? nego_cmd_to_ms (args->wait) : 0;
  /* libvirt's other calls to the guest's agent queue up behind this one. */
  if (nego_call_is_qga (call))
    wait_ms = MIN (wait_ms, NEGO_EXEC_STATUS_WAIT_QGA_S * 1000);
  nego_cmd_wait (call, job, &query, wait_ms, FALSE, qapi_negotiator_exec_status_return);
}
