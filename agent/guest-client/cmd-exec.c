/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "agent/guest-client/verbs.h"
#include "common/client/output.h"
#include "common/client/result.h"
#include "common/names.h"
#include "common/random.h"

#include <string.h>
#include <unistd.h>

/* For NegoRun.reopen; @user_data: the NegoResult. */
static NegoRemote *
nego_guest_cmd_reopen (gint64 deadline, gpointer user_data, GError **error)
{
  const NegoResult *result = user_data;
  const NegoGuestOptions *options = result->owner;
  const double left = (double) MAX (deadline - g_get_monotonic_time (), 0) / G_TIME_SPAN_SECOND;
  g_autoptr (NegoRemote) host = nego_guest_verb_open (options, error);

  if (host == NULL || (options->device == NULL && !nego_guest_verb_await (host, left, error)))
    return NULL;
  return g_steal_pointer (&host);
}

/* Says which job was started. */
static int
nego_guest_cmd_print_job (const QapiNegotiatorJobStatus *status)
{
  g_autoptr (GString) text = g_string_new (NULL);

  nego_output_escape (text, status->job, strlen (status->job));
  g_string_append_c (text, '\n');
  return nego_output_text (text, NULL) ? 0 : NEGO_RESULT_FAILED;
}

/* nego-guest exec COMMAND [ARG…] */
int
nego_guest_cmd_exec (const NegoGuestOptions *options)
{
  const gboolean has_input
    = !options->no_input && !options->detach && !options->old && !isatty (STDIN_FILENO);
  g_autofree char *key = options->key != NULL ? g_strdup (options->key) : nego_random_name ();
  g_autoptr (GError) error = NULL;
  g_autoptr (QapiNegotiatorJobStatus) status = NULL;
  g_auto (NegoResult) result = { .signal_fd = -1 };
  NegoRemote *host;
  NegoRun run = {
    .command = options->args[0],
    .args = (const char *const *) options->args + 1,
    .key = key,
    .detach = options->detach,
    .flow = !options->json && !options->detach,
    .timeout = options->timeout,
    .silence = options->has_timeout && options->timeout > 0
                 ? MIN (options->timeout, NEGO_GUEST_ANSWER_S)
                 : NEGO_GUEST_ANSWER_S,
    .input_fd = has_input ? STDIN_FILENO : -1,
    .put = nego_result_put,
    .reopen = nego_guest_cmd_reopen,
    .user_data = &result,
  };
  int code;

  if (nego_guest_ask_old (options, &code))
    return code;
  host = nego_guest_verb_open (options, &error);
  nego_result_init (&result, options->json, options->quiet, NULL);
  result.owner = (gpointer) options;
  run.signal_fd = result.signal_fd;
  run.interrupted_by = &result.interrupted_by;
  if (host != NULL)
    status = nego_run_do (&run, host, &error);
  if (status != NULL && options->detach && !options->json)
    return nego_guest_cmd_print_job (status);
  return nego_result_finish (&result, &run, status, error);
}
