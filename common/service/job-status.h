/* SPDX-License-Identifier: MIT */
/*
 * job-status: a job as replies and events have it: with pieces of its output as
 * NegotiatorJobStatus, so that the reply line stays below NEGO_REPLY_BYTES, or without as
 * NegotiatorJobSummary.
 */
#pragma once

#include "common/job.h"
#include "common/piece.h"
#include "qapi/qapi-types.h"

/* What is asked of the output. Offsets count from the script's first byte. */
typedef struct {
  guint64 offsets[NEGO_JOB_STREAMS];
  gboolean given[NEGO_JOB_STREAMS]; /* else from the first byte that is kept */
  gboolean base64;                  /* no text in any case */
  gboolean no_output;               /* offsets only */
} NegoJobStatusQuery;

/* Checks that @job has output up to the offsets that are given, and from there on, and fills in the
 * others. Errors: NEGO_ERROR_GENERIC. */
gboolean nego_job_status_check (const NegoJob *job, NegoJobStatusQuery *query, GError **error);

/* Whether there is something beyond the offsets, or the job has ended. */
gboolean nego_job_status_has_news (const NegoJob *job, const NegoJobStatusQuery *query);

/* @query: checked. */
QapiNegotiatorJobStatus *
nego_job_status_new (const NegoJob *job, const NegoJobStatusQuery *query, const char *instance);

/* Without the reason of a failure. */
QapiNegotiatorJobSummary *nego_job_status_new_summary (const NegoJob *job, const char *instance);

QapiNegotiatorOutputEncoding nego_job_status_encoding (const NegoPiece *piece);
