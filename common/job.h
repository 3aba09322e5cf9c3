/* SPDX-License-Identifier: MIT */
/*
 * job: one run of a script, from its start until nobody refers to it: the child, its input and its
 * kept output, and the result. The table of all jobs, with the limits, is job-table.h.
 */
#pragma once

#include "common/drain.h"
#include "common/job-request.h"

#include <glib.h>

typedef struct NegoJob NegoJob;

typedef enum {
  NEGO_JOB_RUNNING,
  NEGO_JOB_EXITED,
  NEGO_JOB_SIGNALLED,
  NEGO_JOB_TIMED_OUT,
  NEGO_JOB_CANCELLED, /* nego_job_cancel() came before its end */
  NEGO_JOB_FAILED,    /* the script was never executed */
} NegoJobState;

typedef enum {
  NEGO_JOB_OUT,
  NEGO_JOB_ERR,
  NEGO_JOB_STREAMS,
} NegoJobStream;

/* The strings are the job's. */
typedef struct {
  const char *id;
  const char *key; /* NULL: none */
  const char *command;
  const char *user;   /* NULL: the agent's */
  const char *reason; /* of NEGO_JOB_FAILED, else NULL */
  NegoJobState state;
  gboolean ended;
  int exit_code;              /* -1: it has none */
  int signal;                 /* 0: none */
  gboolean output_still_open; /* a background child holds a stream */
  gint64 started_ns;          /* wall clock, since 1970 */
  gint64 elapsed_ns;          /* monotonic: until the end, or now */
} NegoJobStatus;

typedef struct {
  const guint8 *data; /* all that is kept; borrowed until the main loop runs */
  gsize len;
  gboolean final;     /* nothing will be added */
  gboolean truncated; /* more was written than is kept */
} NegoJobOutput;

typedef struct {
  void (*ended) (NegoJob *job,
                 gpointer user_data); /* the result is final; before the watchers hear */
  void (*gone) (NegoJob *job,
                gpointer user_data); /* its processes were dealt with; never before ended */
} NegoJobCallbacks;

/* Starts @request, which was checked, of @script; both are copied as far as needed, but @input,
 * which is taken. @side: see script-env.h. @drain gets the pipes that outlive the script, @grace_ms
 * is from TERM to KILL. When nothing can be started the job has ended (FAILED) and no callback is
 * called. */
NegoJob *nego_job_start (const NegoJobRequest *request,
                         guint8 *input,
                         const NegoScript *script,
                         const char *side,
                         guint grace_ms,
                         NegoDrain *drain,
                         const NegoJobCallbacks *callbacks,
                         gpointer user_data);
NegoJob *nego_job_ref (NegoJob *job);
void nego_job_unref (NegoJob *job);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (NegoJob, nego_job_unref)

const char *nego_job_get_id (const NegoJob *job);
const char *nego_job_get_key (const NegoJob *job);
const char *nego_job_get_command (const NegoJob *job);
gboolean nego_job_is_ended (const NegoJob *job);
/* Whether there are still processes to deal with. */
gboolean nego_job_is_live (const NegoJob *job);
/* Whether @request is the one that the job was started with; of a job with a key. */
gboolean nego_job_is_repeat (const NegoJob *job, const NegoJobRequest *request);
/* CLOCK_MONOTONIC, microseconds. */
gint64 nego_job_get_end_us (const NegoJob *job);
void nego_job_get_status (const NegoJob *job, NegoJobStatus *status);
void nego_job_get_output (const NegoJob *job, NegoJobStream stream, NegoJobOutput *output);
/* Bytes of output held. */
gsize nego_job_get_size (const NegoJob *job);

/* TERM, and KILL after the grace time. Nothing happens once the job has ended. */
void nego_job_cancel (NegoJob *job);

/* Kills what runs and calls nobody any more: for a table that goes. */
void nego_job_detach (NegoJob *job);

/* Calls @func with @user_data on each change: output was added, the job has ended. It may unwatch.
 */
gulong nego_job_watch (NegoJob *job, GHookFunc func, gpointer user_data);
void nego_job_unwatch (NegoJob *job, gulong watch);
