/* SPDX-License-Identifier: MIT */
/*
 * negotiator-exec and negotiator-exec-status: both name a job, and answer with it now or, if they
 * may wait, when there is something to tell. With "stream" the channel is told of the rest by
 * events behind the reply.
 */
#include "config.h"

#include "common/service/service.h"
#include "common/service/handlers.h"
#include "common/service/job-feed.h"
#include "common/service/job-status.h"
#include "common/service/job-wait.h"
#include "common/base64.h"
#include "common/error.h"
#include "common/names.h"

#include <string.h>

typedef void (*NegoCmdReturnFunc) (NegoCall *call, const QapiNegotiatorJobStatus *ret);

/* A call that waits for a job. */
typedef struct {
  NegoJobWait wait;
  NegoJobStatusQuery query;
  gboolean until_news; /* else until the end */
  gboolean stream;
  NegoCmdReturnFunc answer;
} NegoCmdWait;

/* Whether the reply @ret leaves nothing to tell. */
static gboolean
nego_cmd_is_complete (const QapiNegotiatorJobStatus *ret)
{
  return ret->exited && ret->out_eof && ret->err_eof;
}

static void
nego_cmd_answer (NegoJobWait *wait)
{
  const NegoCmdWait *self = (NegoCmdWait *) wait;
  const NegoService *service = nego_service_of (wait->call);
  g_autoptr (QapiNegotiatorJobStatus) ret
    = nego_job_status_new (wait->job, &self->query, service->instance);
  const guint64 offsets[NEGO_JOB_STREAMS] = {
    [NEGO_JOB_OUT] = (guint64) ret->out_next,
    [NEGO_JOB_ERR] = (guint64) ret->err_next,
  };
  NegoFeeds *feeds
    = self->stream && !nego_cmd_is_complete (ret) ? nego_call_get_feeds (wait->call) : NULL;

  /* Before the answer, which lets the session go on: a sync behind this call ends it. */
  if (feeds != NULL)
    nego_job_feed_add (feeds, wait->job, offsets, self->query.base64, service->instance);
  self->answer (wait->call, ret);
  if (feeds != NULL)
    nego_job_feed_begin (feeds, wait->job);
}

static gboolean
nego_cmd_is_over (NegoJobWait *wait)
{
  const NegoCmdWait *self = (NegoCmdWait *) wait;

  return self->until_news ? nego_job_status_has_news (wait->job, &self->query)
                          : nego_job_is_ended (wait->job);
}

static const NegoJobWaitClass wait_class = {
  .is_over = nego_cmd_is_over,
  .answer = nego_cmd_answer,
};

/* Whether the channel of @call can be told by events. */
static gboolean
nego_cmd_check_stream (NegoCall *call, GError **error)
{
  NegoFeeds *feeds = nego_call_get_feeds (call);

  if (feeds != NULL)
    return nego_feeds_have_room (feeds, error);
  g_set_error_literal (error, NEGO_ERROR, NEGO_ERROR_GENERIC, "this channel carries no events");
  return FALSE;
}

/* The job that @args ask for: the one there is already, or a new one. */
static NegoJob *
nego_cmd_start (NegoCall *call, const QapiNegotiatorExecArgs *args, GError **error)
{
  const NegoService *service = nego_service_of (call);
  NegoJobRequest request = {
    .command = args->command,
    .args = (const char *const *) args->arg,
    .env = (const char *const *) args->env,
    .key = args->key,
    .input_open = args->input,
    .flow = args->flow,
    .queue = args->queue,
    .origin = nego_call_get_origin (call),
  };
  g_autofree guint8 *input = NULL;
  g_autoptr (NegoScript) script = NULL;
  g_autoptr (GError) failure = NULL;
  NegoJob *job;

  if (args->has_timeout && !(args->timeout > 0)) {
    g_set_error_literal (error, NEGO_ERROR, NEGO_ERROR_GENERIC, "timeout must be above 0");
    return NULL;
  }
  request.timeout_ms = args->has_timeout ? nego_job_wait_to_ms (args->timeout) : 0;
  if (args->input_data != NULL) {
    input = nego_base64_decode (args->input_data, &request.input_len, error);
    if (input == NULL)
      return NULL;
    request.input = input;
  }
  job = nego_job_table_find_repeat (service->jobs, &request, &failure);
  if (failure != NULL) {
    g_propagate_error (error, g_steal_pointer (&failure));
    return NULL;
  }
  if (job != NULL)
    return job;
  script = nego_registry_find (service->registry, args->command, error);
  if (script == NULL || !nego_service_admit (service, script, &request, error))
    return NULL;
  return nego_job_table_start (service->jobs, &request, g_steal_pointer (&input),
                               g_steal_pointer (&script), error);
}

void
nego_cmd_negotiator_exec (NegoCall *call, const QapiNegotiatorExecArgs *args)
{
  const guint wait_ms = args->has_wait ? nego_job_wait_to_ms (args->wait) : NEGO_EXEC_WAIT_S * 1000;
  GError *error = NULL;
  NegoJob *job = NULL;
  NegoCmdWait *wait;

  if (nego_job_wait_check (args->has_wait, args->wait, &error)
      && (!args->stream || nego_cmd_check_stream (call, &error)))
    job = nego_cmd_start (call, args, &error);
  if (job == NULL) {
    nego_call_fail (call, error);
    return;
  }
  wait = g_new0 (NegoCmdWait, 1);
  wait->query.base64 = args->encoding == QAPI_NEGOTIATOR_ENCODING_BASE64;
  wait->until_news = wait->stream = args->stream;
  wait->answer = qapi_negotiator_exec_return;
  /* A repeat may find that the output's beginning is gone. */
  nego_job_status_check (job, &wait->query, NULL);
  nego_job_wait_run (&wait->wait, &wait_class, call, job, wait_ms);
}

/* Reads an offset of the arguments. */
static gboolean
nego_cmd_take_offset (
  const char *name, gint64 value, NegoJobStatusQuery *query, NegoJobStream stream, GError **error)
{
  if (value < 0) {
    g_set_error (error, NEGO_ERROR, NEGO_ERROR_GENERIC, "%s must not be below 0", name);
    return FALSE;
  }
  query->given[stream] = TRUE;
  query->offsets[stream] = (guint64) value;
  return TRUE;
}

/* The job that @args name, and what is asked of it. */
static NegoJob *
nego_cmd_find (const NegoService *service,
               const QapiNegotiatorExecStatusArgs *args,
               NegoJobStatusQuery *query,
               GError **error)
{
  NegoJob *job;

  if (!nego_service_check_job_name (args->job, args->key, error)
      || !nego_job_wait_check (args->has_wait, args->wait, error)
      || (args->has_out_offset
          && !nego_cmd_take_offset ("out-offset", args->out_offset, query, NEGO_JOB_OUT, error))
      || (args->has_err_offset
          && !nego_cmd_take_offset ("err-offset", args->err_offset, query, NEGO_JOB_ERR, error)))
    return NULL;
  query->base64 = args->encoding == QAPI_NEGOTIATOR_ENCODING_BASE64;
  job = nego_job_table_find (service->jobs, args->job, args->key, error);
  return job != NULL && nego_job_status_check (job, query, error) ? job : NULL;
}

/* The caller has what lies before the offsets that it gives. */
static void
nego_cmd_release (const NegoService *service, NegoJob *job, const NegoJobStatusQuery *query)
{
  for (NegoJobStream i = 0; i < NEGO_JOB_STREAMS; i++)
    if (query->given[i])
      nego_job_table_release (service->jobs, job, i, query->offsets[i]);
}

void
nego_cmd_negotiator_exec_status (NegoCall *call, const QapiNegotiatorExecStatusArgs *args)
{
  const NegoService *service = nego_service_of (call);
  NegoFeeds *feeds = nego_call_get_feeds (call);
  NegoJobStatusQuery query = { 0 };
  GError *error = NULL;
  NegoJob *job = nego_cmd_find (service, args, &query, &error);
  gboolean is_told;
  NegoCmdWait *wait;

  if (job == NULL) {
    nego_call_fail (call, error);
    return;
  }
  if (args->has_stream && !args->stream && feeds != NULL)
    nego_feeds_end (feeds, job);
  is_told = args->stream && feeds != NULL && nego_feeds_find (feeds, job) != NULL;
  if (args->stream && !is_told && !nego_cmd_check_stream (call, &error)) {
    nego_call_fail (call, error);
    return;
  }
  nego_cmd_release (service, job, &query);
  if (is_told)
    query.no_output = nego_job_feed_get_offsets (feeds, job, query.offsets);
  wait = g_new0 (NegoCmdWait, 1);
  wait->query = query;
  wait->until_news = TRUE;
  wait->stream = args->stream && !is_told;
  wait->answer = qapi_negotiator_exec_status_return;
  nego_job_wait_run (&wait->wait, &wait_class, call, job,
                     is_told || !args->has_wait ? 0 : nego_job_wait_bound (call, args->wait));
}
