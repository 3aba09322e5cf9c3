/* SPDX-License-Identifier: MIT */
/*
 * job-fixture: a job table, and /bin/sh as the script: the tests' own scripts are its arguments.
 */
#pragma once

#include "common/error.h"
#include "common/job-table.h"

typedef struct {
  NegoJobTable *table;
  NegoScript script; /* /bin/sh: the tests' scripts are arguments */
} JobFixture;

/* For g_test_add (); @limits: NegoJobLimits, NULL for the defaults. */
void job_fixture_set_up (JobFixture *fixture, gconstpointer limits);
void job_fixture_tear_down (JobFixture *fixture, gconstpointer limits);
/* Replaces a text of the script's. */
void job_fixture_set (char **text, const char *value);
/* Starts a request, with a copy of its input. */
NegoJob *job_fixture_try_start (JobFixture *fixture, const NegoJobRequest *request, GError **error);
NegoJob *job_fixture_start_request (JobFixture *fixture, const NegoJobRequest *request);
/* Starts `sh -c SCRIPT`. */
NegoJob *job_fixture_start (JobFixture *fixture, const char *script);
void job_fixture_assert_error (JobFixture *fixture,
                               const NegoJobRequest *request,
                               NegoErrorCode code,
                               const char *text);
NegoJobStatus job_fixture_wait_ended (NegoJob *job);
void job_fixture_wait_gone (NegoJob *job);
/* Waits until the job has written something. */
void job_fixture_wait_output (NegoJob *job);
/* The job's output becomes @text. */
void job_fixture_wait_text (NegoJob *job, const char *text);
void job_fixture_assert_output (NegoJob *job,
                                NegoJobStream stream,
                                const char *text,
                                gboolean truncated);
/* Open descriptors of this process. */
guint job_fixture_count_fds (void);
