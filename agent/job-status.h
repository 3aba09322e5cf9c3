/* SPDX-License-Identifier: MIT */
/*
 * job-status: a job and pieces of its output as NegotiatorJobStatus, so that the reply line stays
 * below NEGO_REPLY_BYTES.
 */
#pragma once

#include "common/job.h"
#include "qapi/qapi-types.h"

/* What is asked of the output. Offsets count from the script's first byte. */
typedef struct {
  gsize offsets[NEGO_JOB_STREAMS];
  gboolean base64; /* no text in any case */
} NegoJobStatusQuery;

/* Checks that @job has output up to the offsets. Errors: NEGO_ERROR_GENERIC. */
gboolean
nego_job_status_check (const NegoJob *job, const NegoJobStatusQuery *query, GError **error);

/* Whether there is something beyond the offsets, or the job has ended. */
gboolean nego_job_status_has_news (const NegoJob *job, const NegoJobStatusQuery *query);

/* @query: checked. */
QapiNegotiatorJobStatus *
nego_job_status_new (const NegoJob *job, const NegoJobStatusQuery *query, const char *instance);
