/* SPDX-License-Identifier: MIT */
/*
 * job: one run of a script, from the moment it is asked for until nobody refers to it: the child,
 * its input and its output, and the result. The table of all jobs, with the limits, is job-table.h;
 * what each event makes of a job's state, job-state.h.
 */
#pragma once

#include "common/audit.h"
#include "common/cgroup-tree.h"
#include "common/job-io.h"
#include "common/job-state.h"

#include <glib.h>

typedef struct NegoJob NegoJob;

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
  gint64 started_ns;          /* wall clock, since 1970; of a queued one: when it was asked for */
  gint64 elapsed_ns;          /* monotonic: until the end, or now; 0 before the start */
} NegoJobStatus;

typedef struct {
  void (*ended) (NegoJob *job,
                 gpointer user_data); /* the result is final; before the watchers hear */
  void (*gone) (NegoJob *job,
                gpointer user_data); /* its processes were dealt with; never before ended */
} NegoJobCallbacks;

/* What the jobs of one table share; it must outlive their processes. */
typedef struct {
  const char *side;        /* see script-env.h */
  guint grace_ms;          /* from TERM to KILL */
  gsize max_output;        /* kept of each stream where the script does not say otherwise */
  gsize window;            /* of each stream of a flow job */
  guint stall_ms;          /* how long such a window may stay full */
  NegoDrain *drain;        /* gets the pipes that outlive the script */
  NegoCgroupTree *cgroups; /* each run gets a group of it; NULL: none can have one */
  NegoAudit *audit;        /* each run is recorded in the log */
  NegoJobCallbacks callbacks;
  gpointer user_data;
} NegoJobOwner;

/* A queued job for @request, which was checked, of @script. */
NegoJob *
nego_job_new (const NegoJobRequest *request, const NegoScript *script, const NegoJobOwner *owner);
/* Starts the queued @job. @request and @script: those of nego_job_new(); @input, the request's, is
 * taken. When nothing can be started it has ended (FAILED), and no callback is called. */
void nego_job_start (NegoJob *job,
                     const NegoJobRequest *request,
                     guint8 *input,
                     const NegoScript *script);
NegoJob *nego_job_ref (NegoJob *job);
void nego_job_unref (NegoJob *job);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (NegoJob, nego_job_unref)

const char *nego_job_get_id (const NegoJob *job);
const char *nego_job_get_key (const NegoJob *job);
const char *nego_job_get_command (const NegoJob *job);
NegoJobState nego_job_get_state (const NegoJob *job);
gboolean nego_job_is_ended (const NegoJob *job);
/* Whether there are still processes to deal with. */
gboolean nego_job_is_live (const NegoJob *job);
/* Whether @request is the one that the job was made for; of a job with a key. */
gboolean nego_job_is_repeat (const NegoJob *job, const NegoJobRequest *request);
/* CLOCK_MONOTONIC, microseconds. */
gint64 nego_job_get_end_us (const NegoJob *job);
void nego_job_get_status (const NegoJob *job, NegoJobStatus *status);
void nego_job_get_output (const NegoJob *job, NegoJobStream stream, NegoCaptureView *output);
/* Bytes of output held. */
gsize nego_job_get_size (const NegoJob *job);
/* Of a flow job: nobody needs the stream's bytes before the offset @until any more. */
void nego_job_release (NegoJob *job, NegoJobStream stream, guint64 until);

void nego_job_get_input (const NegoJob *job, NegoJobInput *input);
/* Gives a job with an open input what it has room for of @data. Returns how much; nothing before it
 * has started, and all once nobody reads it. */
gsize nego_job_add_input (NegoJob *job, const guint8 *data, gsize len);
/* Its input ends behind what was added. */
void nego_job_end_input (NegoJob *job);

/* Sends @signal to the processes of a running job. */
void nego_job_signal (NegoJob *job, int signal);
/* KILL @ms milliseconds from now, unless it has ended by then; the last call counts. */
void nego_job_kill_after (NegoJob *job, guint ms);
/* A queued job ends at once, and the callback `ended` is called; a running one gets @signal, TERM
 * (and KILL after the grace time) or KILL, and is CANCELLED at its end. Nothing happens once the
 * job has ended. */
void nego_job_cancel (NegoJob *job, int signal);

/* Kills what runs and calls nobody any more: for a table that goes. */
void nego_job_detach (NegoJob *job);

/* Calls @func with @user_data on each change: there is output, or room for input, or the job has
 * started or ended. It may unwatch. */
gulong nego_job_watch (NegoJob *job, GHookFunc func, gpointer user_data);
void nego_job_unwatch (NegoJob *job, gulong watch);
/* For the table: calls the watchers of a job that it started. */
void nego_job_tell_watchers (NegoJob *job);
