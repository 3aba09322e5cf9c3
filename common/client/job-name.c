/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "common/client/job-name.h"

#include "common/error.h"
#include "qapi/qapi-visit.h"

#include <string.h>

GPtrArray *
nego_job_name_list (NegoRemote *guest, gint64 deadline, GError **error)
{
  g_autoptr (JsonNode) reply = nego_remote_ask (guest, "negotiator-jobs", deadline, error);

  return reply != NULL
           ? qapi_negotiator_job_summary_list_decode (reply, "negotiator-jobs", FALSE, error)
           : NULL;
}

/* The jobs whose id begins with @name. */
static const QapiNegotiatorJobSummary *
nego_job_name_match (const GPtrArray *jobs, const char *name, guint *matches)
{
  const QapiNegotiatorJobSummary *match = NULL;

  *matches = 0;
  for (guint i = 0; i < jobs->len; i++) {
    const QapiNegotiatorJobSummary *job = jobs->pdata[i];

    if (g_strcmp0 (job->key, name) == 0 || strcmp (job->job, name) == 0) {
      *matches = 1;
      return job;
    }
    if (g_str_has_prefix (job->job, name)) {
      match = job;
      ++*matches;
    }
  }
  return match;
}

char *
nego_job_name_find (NegoRemote *guest, const char *name, gint64 deadline, GError **error)
{
  g_autoptr (GPtrArray) jobs = nego_job_name_list (guest, deadline, error);
  const QapiNegotiatorJobSummary *job;
  guint matches;

  if (jobs == NULL)
    return NULL;
  job = nego_job_name_match (jobs, name, &matches);
  if (matches == 1)
    return g_strdup (job->job);
  if (matches == 0)
    g_set_error (error, NEGO_ERROR, NEGO_ERROR_NOT_FOUND,
                 "unknown job '%s' (nego-host jobs lists them)", name);
  else
    g_set_error (error, NEGO_ERROR, NEGO_ERROR_GENERIC, "'%s' is the beginning of %u jobs' names",
                 name, matches);
  return NULL;
}
