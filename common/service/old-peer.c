/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "common/service/old-peer.h"

#include "common/error.h"
#include "common/names.h"
#include "common/old-request.h"
#include "common/service/job-wait.h"
#include "common/service/service.h"

#include <string.h>

/* The longest there is, 49 days: a script with Timeout=0 may run longer. */
#define FOREVER_MS G_MAXUINT

static void
nego_old_peer_reply (NegoCall *call, const GString *reply)
{
  nego_call_answer_raw (call, reply->str, reply->len);
}

/* Takes @error. */
static void
nego_old_peer_fail (NegoCall *call, GError *error)
{
  g_autoptr (GError) owned = error;
  g_autoptr (GString) reply = g_string_new (NULL);

  nego_old_reply_write_error (reply, owned->message);
  nego_old_peer_reply (call, reply);
}

/* Whether the policy serves the command that a request stands for. */
static gboolean
nego_old_peer_is_served (const NegoService *service, const char *command, GError **error)
{
  return nego_dispatcher_find (service->dispatcher, command, error) != NULL;
}

static void
nego_old_peer_list (NegoCall *call)
{
  const NegoService *service = nego_service_of (call);
  g_autoptr (GPtrArray) names = g_ptr_array_new_with_free_func (g_free);
  g_autoptr (GPtrArray) scripts = NULL;
  g_autoptr (GString) reply = g_string_new (NULL);
  GError *error = NULL;

  if (!nego_old_peer_is_served (service, "negotiator-list", &error)) {
    nego_old_peer_fail (call, error);
    return;
  }
  scripts = nego_registry_list (service->registry);
  for (guint i = 0; i < scripts->len; i++) {
    const NegoScript *script = scripts->pdata[i];
    g_autofree char *refusal
      = script->refusal != NULL ? NULL : nego_service_refusal (service, script);

    if (script->refusal == NULL && refusal == NULL)
      g_ptr_array_add (names, g_strdup (script->name));
  }
  nego_old_reply_write_names (reply, names);
  nego_old_peer_reply (call, reply);
}

/* Why the output of @job is not the answer, or NULL. Returns: (transfer full). */
static char *
nego_old_peer_failure (const NegoJob *job, const NegoCaptureView *output)
{
  NegoJobStatus status;

  nego_job_get_status (job, &status);
  if (status.state == NEGO_JOB_TIMED_OUT)
    return g_strdup_printf ("negotiator command '%s' timed out", status.command);
  if (status.reason != NULL)
    return g_strdup_printf ("negotiator command '%s' failed: %s", status.command, status.reason);
  if (status.state == NEGO_JOB_CANCELLED)
    return g_strdup_printf ("negotiator command '%s' was cancelled", status.command);
  if (status.signal != 0)
    return g_strdup_printf ("negotiator command '%s' was ended by signal %d", status.command,
                            status.signal);
  if (status.exit_code != 0)
    return g_strdup_printf ("negotiator command '%s' failed with exit status %d", status.command,
                            status.exit_code);
  if (output->truncated || output->len > NEGO_OLD_OUTPUT_BYTES)
    return g_strdup_printf ("the output of negotiator command '%s' is longer than %u bytes",
                            status.command, NEGO_OLD_OUTPUT_BYTES);
  return NULL;
}

static gboolean
nego_old_peer_is_over (NegoJobWait *wait)
{
  return nego_job_is_ended (wait->job);
}

static void
nego_old_peer_answer_job (NegoJobWait *wait)
{
  g_autoptr (GString) reply = g_string_new (NULL);
  g_autofree char *failure = NULL;
  NegoCaptureView output;

  nego_job_get_output (wait->job, NEGO_JOB_OUT, &output);
  failure = nego_old_peer_failure (wait->job, &output);
  if (failure != NULL)
    nego_old_reply_write_error (reply, failure);
  else
    nego_old_reply_write_output (reply, (const char *) output.data, output.len);
  nego_old_peer_reply (wait->call, reply);
}

/* Nobody can ask for the job again. */
static void
nego_old_peer_clear (NegoJobWait *wait)
{
  const NegoService *service = nego_service_of (wait->call);

  /* Somebody else may have forgotten it. */
  if (nego_job_table_find (service->jobs, nego_job_get_id (wait->job), NULL, NULL) == wait->job)
    nego_job_table_forget (service->jobs, wait->job);
}

static const NegoJobWaitClass wait_class = {
  .is_over = nego_old_peer_is_over,
  .answer = nego_old_peer_answer_job,
  .clear = nego_old_peer_clear,
};

static NegoJob *
nego_old_peer_start (NegoCall *call, const NegoOldRequest *old, GError **error)
{
  const NegoService *service = nego_service_of (call);
  NegoJobRequest request = {
    .command = old->args[0],
    .args = (const char *const *) old->args + 1,
    .input = (const guint8 *) old->input,
    .input_len = old->input != NULL ? strlen (old->input) : 0,
    .origin = nego_call_get_origin (call),
  };
  g_autoptr (NegoScript) script = NULL;
  guint8 *input;

  if (!nego_old_peer_is_served (service, "negotiator-exec", error))
    return NULL;
  script = nego_registry_find (service->registry, request.command, error);
  if (script == NULL || !nego_service_admit (service, script, &request, error))
    return NULL;
  input = (guint8 *) g_strdup (old->input);
  request.input = input;
  return nego_job_table_start (service->jobs, &request, input, g_steal_pointer (&script), error);
}

void
nego_old_peer_answer (NegoCall *call, const char *text, gsize len)
{
  g_auto (NegoOldRequest) request = { 0 };
  GError *error = NULL;
  NegoJob *job;

  if (!nego_old_request_parse (&request, text, len, &error)) {
    nego_old_peer_fail (call, error);
    return;
  }
  if (request.method == NEGO_OLD_LIST_COMMANDS) {
    nego_old_peer_list (call);
    return;
  }
  job = nego_old_peer_start (call, &request, &error);
  if (job == NULL)
    nego_old_peer_fail (call, error);
  else
    nego_job_wait_run (g_new0 (NegoJobWait, 1), &wait_class, call, job, FOREVER_MS);
}
