/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "common/names.h"
#include "common/client/job-name.h"
#include "common/client/result.h"
#include "host-client/errand.h"
#include "host-client/verbs.h"

typedef struct {
  const NegoOptions *options;
  NegoRemote *guest;
  char *job; /* NULL: there is none */
  GError *error;
} NegoCmdOpening;

static void
nego_cmd_open_job (gpointer data)
{
  NegoCmdOpening *self = data;
  const gint64 deadline = nego_options_deadline (self->options, NEGO_GUEST_ANSWER_S);

  self->guest = nego_verb_open (self->options, deadline, &self->error);
  if (self->guest != NULL)
    self->job = nego_job_name_find (self->guest, self->options->args[0], deadline, &self->error);
}

/* nego-host attach GUEST JOB */
int
nego_cmd_attach (const NegoOptions *options)
{
  NegoCmdOpening opening = { .options = options };
  g_autofree char *job = NULL;
  g_autoptr (GError) error = NULL;
  g_autoptr (QapiNegotiatorJobStatus) status = NULL;
  g_auto (NegoResult) result = { .signal_fd = -1 };
  NegoRun run = {
    .flow = TRUE,
    .silence = NEGO_GUEST_ANSWER_S,
    .input_fd = -1,
    .put = nego_result_put,
    .reopen = nego_verb_reopen,
    .user_data = &result,
  };

  nego_result_init (&result, options->json, options->quiet, options->guest);
  result.owner = (gpointer) options;
  nego_errand_run (nego_cmd_open_job, &opening, result.signal_fd);
  error = opening.error;
  job = opening.job;
  run.job = job;
  run.signal_fd = result.signal_fd;
  run.interrupted_by = &result.interrupted_by;
  if (job != NULL)
    status = nego_run_do (&run, opening.guest, &error);
  else
    g_clear_pointer (&opening.guest, nego_remote_free);
  return nego_result_finish (&result, &run, status, error);
}
