/* SPDX-License-Identifier: MIT */
/* What ends a job from here: kill, and forget. */
#include "config.h"

#include "common/names.h"
#include "common/client/job-name.h"
#include "host-client/verbs.h"
#include "qapi/qapi-visit.h"

/* Asks for @command with @arguments of the job that is named. */
static int
nego_cmd_ask (const NegoOptions *options,
              const char *command,
              GString *(*make_arguments) (const NegoOptions *options, char *job))
{
  const gint64 deadline = nego_options_deadline (options, NEGO_GUEST_ANSWER_S);
  g_autoptr (GError) error = NULL;
  g_autoptr (NegoRemote) guest = nego_verb_open (options, deadline, &error);
  g_autofree char *job
    = guest != NULL ? nego_job_name_find (guest, options->args[0], deadline, &error) : NULL;
  g_autoptr (GString) arguments = NULL;
  g_autoptr (JsonNode) reply = NULL;

  if (job == NULL)
    return nego_verb_fail (options, error);
  arguments = make_arguments (options, job);
  reply = nego_remote_call (guest, command, arguments->str, deadline, &error);
  return reply != NULL ? 0 : nego_verb_fail (options, error);
}

static GString *
nego_cmd_kill_arguments (const NegoOptions *options, char *job)
{
  GString *text = g_string_new (NULL);
  const char *name = options->signal != NULL ? options->signal : "TERM";
  const QapiNegotiatorExecSignalArgs args = {
    .job = job,
    .signal = (char *) (g_str_has_prefix (name, "SIG") ? name + 3 : name),
    .has_kill_after = options->has_kill_after,
    .kill_after = options->kill_after,
  };
  NegoJsonWriter writer;

  nego_json_writer_init (&writer, text);
  qapi_negotiator_exec_signal_args_encode (&writer, &args);
  return text;
}

static GString *
nego_cmd_forget_arguments (const NegoOptions *options, char *job)
{
  GString *text = g_string_new (NULL);
  const QapiNegotiatorExecForgetArgs args = { .job = job };
  NegoJsonWriter writer;

  nego_json_writer_init (&writer, text);
  qapi_negotiator_exec_forget_args_encode (&writer, &args);
  return text;
}

/* nego-host kill GUEST JOB */
int
nego_cmd_kill (const NegoOptions *options)
{
  return nego_cmd_ask (options, "negotiator-exec-signal", nego_cmd_kill_arguments);
}

/* nego-host forget GUEST JOB */
int
nego_cmd_forget (const NegoOptions *options)
{
  return nego_cmd_ask (options, "negotiator-exec-forget", nego_cmd_forget_arguments);
}
