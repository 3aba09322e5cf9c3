/* SPDX-License-Identifier: MIT */
/*
 * What can be done to a job besides asking for it: negotiator-jobs, -exec-input, -exec-signal and
 * -exec-forget.
 */
#include "config.h"

#include "common/service/service.h"
#include "common/service/handlers.h"
#include "common/service/job-status.h"
#include "common/service/job-wait.h"
#include "common/base64.h"
#include "common/error.h"
#include "common/names.h"

#include <signal.h>

static NegoJob *
nego_cmd_find_job (NegoCall *call, const char *job, const char *key, GError **error)
{
  if (!nego_service_check_job_name (job, key, error))
    return NULL;
  return nego_job_table_find (nego_service_of (call)->jobs, job, key, error);
}

GPtrArray *
nego_cmd_negotiator_jobs (NegoCall *call, GError **error)
{
  const NegoService *service = nego_service_of (call);
  g_autoptr (GPtrArray) jobs = nego_job_table_list (service->jobs, NEGO_JOBS_LISTED);
  GPtrArray *list
    = g_ptr_array_new_with_free_func ((GDestroyNotify) qapi_negotiator_job_summary_free);

  for (guint i = 0; i < jobs->len; i++)
    g_ptr_array_add (list, nego_job_status_new_summary (jobs->pdata[i], service->instance));
  return list;
}

/* A call of negotiator-exec-input that waits for room. */
typedef struct {
  NegoJobWait wait;
  guint8 *data;
  gsize len;
  guint64 offset; /* of the data in the input */
  gboolean eof;
} NegoCmdInput;

static gboolean
nego_cmd_input_is_over (NegoJobWait *wait)
{
  NegoCmdInput *self = (NegoCmdInput *) wait;
  gsize known, taken;

  /* Until there is no room: only then somebody tells when there is. Another call may have brought
   * the same data meanwhile. */
  do {
    NegoJobInput input;

    nego_job_get_input (wait->job, &input);
    known = (gsize) MIN (input.next - self->offset, self->len);
    if (known < self->len && input.ended)
      return TRUE;
    taken = nego_job_add_input (wait->job, self->data + known, self->len - known);
  } while (taken > 0 && known + taken < self->len);
  if (known + taken < self->len)
    return FALSE;
  if (self->eof)
    nego_job_end_input (wait->job);
  return TRUE;
}

static void
nego_cmd_input_answer (NegoJobWait *wait)
{
  QapiNegotiatorJobInput ret = { 0 };
  NegoJobInput input;

  nego_job_get_input (wait->job, &input);
  ret.in_next = (gint64) input.next;
  ret.has_in_closed = ret.in_closed = input.closed;
  qapi_negotiator_exec_input_return (wait->call, &ret);
}

static void
nego_cmd_input_clear (NegoJobWait *wait)
{
  g_free (((NegoCmdInput *) wait)->data);
}

static const NegoJobWaitClass input_class = {
  .is_over = nego_cmd_input_is_over,
  .answer = nego_cmd_input_answer,
  .clear = nego_cmd_input_clear,
};

/* Whether the data is input that @job may take, or has already. */
static gboolean
nego_cmd_input_place (NegoCmdInput *self, const NegoJob *job, gint64 offset, GError **error)
{
  NegoJobInput input;

  nego_job_get_input (job, &input);
  if (!input.takes) {
    g_set_error (error, NEGO_ERROR, NEGO_ERROR_GENERIC, "job '%s' takes no input",
                 nego_job_get_id (job));
    return FALSE;
  }
  if (offset < 0) {
    g_set_error_literal (error, NEGO_ERROR, NEGO_ERROR_GENERIC, "offset must not be below 0");
    return FALSE;
  }
  if ((guint64) offset > input.next) {
    g_set_error (error, NEGO_ERROR, NEGO_ERROR_GENERIC,
                 "input from %" G_GUINT64_FORMAT " on is missing", input.next);
    return FALSE;
  }
  self->offset = (guint64) offset;
  if (!input.ended || input.next - self->offset >= self->len)
    return TRUE;
  g_set_error (error, NEGO_ERROR, NEGO_ERROR_GENERIC,
               "the input of job '%s' has ended (%" G_GUINT64_FORMAT " bytes)",
               nego_job_get_id (job), input.next);
  return FALSE;
}

void
nego_cmd_negotiator_exec_input (NegoCall *call, const QapiNegotiatorExecInputArgs *args)
{
  NegoCmdInput *self = g_new0 (NegoCmdInput, 1);
  GError *error = NULL;
  NegoJob *job = NULL;

  self->eof = args->eof;
  if (nego_job_wait_check (args->has_wait, args->wait, &error))
    job = nego_cmd_find_job (call, args->job, args->key, &error);
  if (job != NULL && args->input_data != NULL)
    self->data = nego_base64_decode (args->input_data, &self->len, &error);
  if (error == NULL && nego_cmd_input_place (self, job, args->offset, &error)) {
    nego_job_wait_run (&self->wait, &input_class, call, job,
                       args->has_wait ? nego_job_wait_bound (call, args->wait) : 0);
    return;
  }
  nego_call_fail (call, error);
  g_free (self->data);
  g_free (self);
}

typedef struct {
  const char *name;
  int number;
  gboolean ends; /* what it does to a process that does not care */
} NegoCmdSignal;

static const NegoCmdSignal signals[] = {
  { "HUP", SIGHUP, TRUE },    { "INT", SIGINT, TRUE },    { "QUIT", SIGQUIT, TRUE },
  { "KILL", SIGKILL, TRUE },  { "TERM", SIGTERM, TRUE },  { "USR1", SIGUSR1, FALSE },
  { "USR2", SIGUSR2, FALSE }, { "ALRM", SIGALRM, FALSE }, { "CONT", SIGCONT, FALSE },
  { "STOP", SIGSTOP, FALSE }, { "TSTP", SIGTSTP, FALSE }, { "WINCH", SIGWINCH, FALSE },
};

static const NegoCmdSignal *
nego_cmd_find_signal (const char *name, GError **error)
{
  g_autofree char *quoted = NULL;

  for (guint i = 0; i < G_N_ELEMENTS (signals); i++)
    if (g_str_equal (signals[i].name, name))
      return &signals[i];
  quoted = nego_error_quote (name);
  g_set_error (error, NEGO_ERROR, NEGO_ERROR_GENERIC, "unknown signal '%s'", quoted);
  return NULL;
}

static gboolean
nego_cmd_send_signal (NegoJob *job, const NegoCmdSignal *signal, GError **error)
{
  if (nego_job_is_ended (job)) {
    g_set_error (error, NEGO_ERROR, NEGO_ERROR_GENERIC, "job '%s' has ended",
                 nego_job_get_id (job));
    return FALSE;
  }
  if (nego_job_get_state (job) != NEGO_JOB_QUEUED) {
    nego_job_signal (job, signal->number);
    return TRUE;
  }
  if (signal->ends) {
    nego_job_cancel (job, signal->number);
    return TRUE;
  }
  g_set_error (error, NEGO_ERROR, NEGO_ERROR_GENERIC, "job '%s' has not started",
               nego_job_get_id (job));
  return FALSE;
}

gboolean
nego_cmd_negotiator_exec_signal (NegoCall *call,
                                 const QapiNegotiatorExecSignalArgs *args,
                                 GError **error)
{
  const NegoCmdSignal *signal = nego_cmd_find_signal (args->signal, error);
  NegoJob *job;

  if (signal == NULL)
    return FALSE;
  if (args->has_kill_after && !(args->kill_after >= 0)) {
    g_set_error_literal (error, NEGO_ERROR, NEGO_ERROR_GENERIC, "kill-after must not be below 0");
    return FALSE;
  }
  job = nego_cmd_find_job (call, args->job, args->key, error);
  if (job == NULL || !nego_cmd_send_signal (job, signal, error))
    return FALSE;
  if (args->has_kill_after)
    nego_job_kill_after (job, nego_job_wait_to_ms (args->kill_after));
  return TRUE;
}

gboolean
nego_cmd_negotiator_exec_forget (NegoCall *call,
                                 const QapiNegotiatorExecForgetArgs *args,
                                 GError **error)
{
  NegoJob *job = nego_cmd_find_job (call, args->job, args->key, error);

  if (job == NULL)
    return FALSE;
  nego_job_table_forget (nego_service_of (call)->jobs, job);
  return TRUE;
}
