/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "common/names.h"
#include "common/client/job-name.h"
#include "common/client/result.h"
#include "host-client/verbs.h"

/* nego-host attach GUEST JOB */
int
nego_cmd_attach (const NegoOptions *options)
{
  const gint64 deadline = nego_options_deadline (options, NEGO_GUEST_ANSWER_S);
  g_autofree char *job = NULL;
  g_autoptr (GError) error = NULL;
  g_autoptr (QapiNegotiatorJobStatus) status = NULL;
  g_auto (NegoResult) result = { .signal_fd = -1 };
  NegoRemote *guest = nego_verb_open (options, deadline, &error);
  NegoRun run = {
    .flow = TRUE,
    .silence = NEGO_GUEST_ANSWER_S,
    .input_fd = -1,
    .put = nego_result_put,
    .reopen = nego_verb_reopen,
    .user_data = &result,
  };

  if (guest != NULL)
    job = nego_job_name_find (guest, options->args[0], deadline, &error);
  if (job == NULL && guest != NULL)
    nego_remote_free (guest);
  nego_result_init (&result, options->json, options->quiet, options->guest);
  result.owner = (gpointer) options;
  run.job = job;
  run.signal_fd = result.signal_fd;
  run.interrupted_by = &result.interrupted_by;
  if (job != NULL)
    status = nego_run_do (&run, guest, &error);
  return nego_result_finish (&result, &run, status, error);
}
