/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "common/names.h"
#include "common/client/job-name.h"
#include "common/client/output.h"
#include "host-client/verbs.h"
#include "qapi/qapi-visit.h"

/* As much of an id as tells jobs apart; attach, kill and forget take it. */
#define ID_SHOWN 12

/* How it ended, in a few letters. */
static char *
nego_cmd_describe_state (const QapiNegotiatorJobSummary *job)
{
  const char *state = qapi_negotiator_job_state_to_string (job->state);

  if (job->has_exitcode)
    return g_strdup_printf ("%s %" G_GINT64_FORMAT, state, job->exitcode);
  if (job->has_signal)
    return g_strdup_printf ("%s %" G_GINT64_FORMAT, state, job->signal);
  return g_strdup (state);
}

static gboolean
nego_cmd_print_jobs (const GPtrArray *jobs, GError **error)
{
  static const char *const heads[]
    = { "JOB", "COMMAND", "STATE", "STARTED", "SECONDS", "OUT", "ERR", "KEY" };
  g_autoptr (GPtrArray) cells = g_ptr_array_new_with_free_func (g_free);
  g_autoptr (GString) text = g_string_new (NULL);

  for (guint i = 0; i < G_N_ELEMENTS (heads); i++)
    g_ptr_array_add (cells, g_strdup (heads[i]));
  for (guint i = 0; i < jobs->len; i++) {
    const QapiNegotiatorJobSummary *job = jobs->pdata[i];
    g_autoptr (GDateTime) started
      = g_date_time_new_from_unix_local (job->started_ns / G_GINT64_CONSTANT (1000000000));

    g_ptr_array_add (cells, g_strndup (job->job, ID_SHOWN));
    g_ptr_array_add (cells, g_strdup (job->command));
    g_ptr_array_add (cells, nego_cmd_describe_state (job));
    g_ptr_array_add (cells,
                     started != NULL ? g_date_time_format (started, "%F %T") : g_strdup (""));
    g_ptr_array_add (cells, g_strdup_printf ("%.1f", (double) job->elapsed_ns / 1e9));
    g_ptr_array_add (cells, g_strdup_printf ("%" G_GINT64_FORMAT, job->out_next));
    g_ptr_array_add (cells, g_strdup_printf ("%" G_GINT64_FORMAT, job->err_next));
    g_ptr_array_add (cells, g_strdup (job->key != NULL ? job->key : ""));
  }
  nego_output_table (text, cells, G_N_ELEMENTS (heads));
  return nego_output_text (text, error);
}

static gboolean
nego_cmd_print_jobs_json (GPtrArray *jobs, GError **error)
{
  g_autoptr (GString) text = g_string_new (NULL);
  NegoJsonWriter writer;

  nego_json_writer_init (&writer, text);
  qapi_negotiator_job_summary_list_encode (&writer, jobs);
  g_string_append_c (text, '\n');
  return nego_output_text (text, error);
}

/* nego-host jobs GUEST */
int
nego_cmd_jobs (const NegoOptions *options)
{
  const gint64 deadline = nego_options_deadline (options, NEGO_GUEST_ANSWER_S);
  g_autoptr (GError) error = NULL;
  g_autoptr (NegoRemote) guest = nego_verb_open (options, deadline, &error);
  g_autoptr (GPtrArray) jobs = guest != NULL ? nego_job_name_list (guest, deadline, &error) : NULL;

  if (jobs == NULL)
    return nego_verb_fail (options, error);
  if (options->json ? !nego_cmd_print_jobs_json (jobs, &error)
                    : !nego_cmd_print_jobs (jobs, &error))
    return nego_verb_fail (options, error);
  return 0;
}
