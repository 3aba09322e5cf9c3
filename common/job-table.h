/* SPDX-License-Identifier: MIT */
/*
 * job-table: all jobs of one side: finding them by id or key, the limits on running ones, the queue
 * of those that wait for others to end, the keeping of ended ones until they are too many, too
 * large or too old, and the orderly stop.
 *
 * A limit never touches a running job: the newcomer is refused or waits, or the oldest ended one is
 * forgotten.
 */
#pragma once

#include "common/job.h"
#include "common/job-request.h"

typedef struct NegoJobTable NegoJobTable;

typedef struct {
  guint running;        /* jobs with processes to deal with, at once */
  guint queued;         /* jobs that wait for their start */
  guint retained;       /* ended jobs */
  gsize retained_bytes; /* output of ended jobs; the newest one is kept all the same */
  gsize output_bytes;   /* kept of each stream, where the script does not say otherwise */
  gsize window_bytes;   /* of each stream of a flow job */
  guint stall_ms;       /* how long such a window may stay full */
  guint expiry_ms;      /* after the end */
  guint grace_ms;       /* from TERM to KILL */
} NegoJobLimits;

/* NEGO_JOB_*, NEGO_JOBS_*, NEGO_SCRIPT_GRACE_S, NEGO_SCRIPT_OUTPUT_BYTES. */
extern const NegoJobLimits nego_job_limits_default;

/* @side: "guest" or "host": where the scripts run. */
NegoJobTable *nego_job_table_new (const char *side, const NegoJobLimits *limits);
/* Kills what runs. Nothing may be waiting for a job any more. */
void nego_job_table_free (NegoJobTable *table);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (NegoJobTable, nego_job_table_free)

/* Each run from now on gets a control group of @cgroups (transfer full), which other
 * tables may share. */
void nego_job_table_set_cgroups (NegoJobTable *table, NegoCgroupTree *cgroups);
/* NULL: there are none. */
const NegoCgroupTree *nego_job_table_get_cgroups (const NegoJobTable *table);
/* Whether MemoryMax of a key file can be kept. */
gboolean nego_job_table_limits_memory (const NegoJobTable *table);

const NegoJobLimits *nego_job_table_get_limits (const NegoJobTable *table);

/* The job that @request repeats: its key is known, with the same command, args, env and input. NULL
 * without an error: it repeats none. Errors: "key 'x' is in use" and those of a malformed key. */
NegoJob *
nego_job_table_find_repeat (NegoJobTable *table, const NegoJobRequest *request, GError **error);

/* Checks and starts @request, which repeats no job, of @script, or puts it into the queue. Takes
 * @input, the request's input, and @script. The job may have ended already. Errors: those of
 * nego_job_request_check(), NEGO_ERROR_BUSY "negotiator command 'x' is busy (limit N)", "too many
 * jobs (limit N)" and "too many queued jobs (limit N)". Returns: (transfer none), the table's until
 * the main loop runs. */
NegoJob *nego_job_table_start (NegoJobTable *table,
                               const NegoJobRequest *request,
                               guint8 *input,
                               NegoScript *script,
                               GError **error);

/* By @id or, if that is NULL, by @key. Error: NEGO_ERROR_NOT_FOUND "unknown job 'x'". */
NegoJob *nego_job_table_find (NegoJobTable *table, const char *id, const char *key, GError **error);

/* The newest @max jobs, in the order in which they were asked for. Returns: (transfer container)
 * (element-type NegoJob). */
GPtrArray *nego_job_table_list (NegoJobTable *table, guint max);

/* Nobody needs the output of @job before the offset @until any more (nego_job_release()). */
void
nego_job_table_release (NegoJobTable *table, NegoJob *job, NegoJobStream stream, guint64 until);

/* Lets @job go: nobody finds it any more, and what runs is killed. */
void nego_job_table_forget (NegoJobTable *table, NegoJob *job);

/* Jobs that run and have not ended. */
guint nego_job_table_count_running (const NegoJobTable *table);
/* Jobs that wait for their start. */
guint nego_job_table_count_queued (const NegoJobTable *table);
/* Ended jobs that are kept. */
guint nego_job_table_count_retained (const NegoJobTable *table);

/* Bytes held: output of all jobs, and input of those that wait for their start. */
gsize nego_job_table_get_size (const NegoJobTable *table);

/* While @held, jobs that wait for their start go on waiting: file systems are frozen. */
void nego_job_table_hold (NegoJobTable *table, gboolean held);

/* Cancels all jobs and starts no more; @done is called once no process is left to deal with,
 * perhaps before this returns. */
typedef void (*NegoJobTableStoppedFunc) (gpointer user_data);
void nego_job_table_stop (NegoJobTable *table, NegoJobTableStoppedFunc done, gpointer user_data);
