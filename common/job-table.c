/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "common/job-table.h"

#include "common/error.h"
#include "common/job-queue.h"
#include "common/names.h"
#include "common/source.h"

#include <signal.h>

struct NegoJobTable {
  NegoJobLimits limits;
  NegoJobOwner owner;
  char *side;
  GHashTable *by_id;      /* id → job, with a reference: all that are not forgotten */
  GQueue jobs;            /* the same, in the order in which they were asked for */
  GHashTable *by_key;     /* key → job */
  GHashTable *live;       /* set of jobs with processes to deal with, with a reference */
  GHashTable *per_script; /* command → number of live jobs */
  NegoJobQueue queue;
  GQueue retained; /* ended jobs, oldest first */
  gsize retained_bytes;
  guint running;
  GSource *expiry; /* for the oldest retained job; only while there is one */
  gboolean held;   /* no queued job is started */
  gboolean stopping;
  NegoJobTableStoppedFunc stopped;
  gpointer stopped_data;
};

const NegoJobLimits nego_job_limits_default = {
  .running = NEGO_JOBS_RUNNING,
  .queued = NEGO_JOBS_QUEUED,
  .retained = NEGO_JOBS_RETAINED,
  .retained_bytes = NEGO_JOBS_RETAINED_BYTES,
  .output_bytes = NEGO_SCRIPT_OUTPUT_BYTES,
  .window_bytes = NEGO_JOB_WINDOW_BYTES,
  .stall_ms = NEGO_JOB_STALL_S * 1000,
  .expiry_ms = NEGO_JOB_EXPIRY_S * 1000,
  .grace_ms = NEGO_SCRIPT_GRACE_S * 1000,
};

static void nego_job_table_on_ended (NegoJob *job, gpointer user_data);
static void nego_job_table_on_gone (NegoJob *job, gpointer user_data);

NegoJobTable *
nego_job_table_new (const char *side, const NegoJobLimits *limits)
{
  NegoJobTable *table = g_new0 (NegoJobTable, 1);

  table->limits = *limits;
  table->side = g_strdup (side);
  table->owner = (NegoJobOwner){
    .side = table->side,
    .grace_ms = limits->grace_ms,
    .max_output = limits->output_bytes,
    .window = limits->window_bytes,
    .stall_ms = limits->stall_ms,
    .drain = nego_drain_new (NEGO_JOBS_DRAINED),
    .audit = nego_audit_new (),
    .callbacks = { nego_job_table_on_ended, nego_job_table_on_gone },
    .user_data = table,
  };
  table->by_id
    = g_hash_table_new_full (g_str_hash, g_str_equal, NULL, (GDestroyNotify) nego_job_unref);
  table->by_key = g_hash_table_new (g_str_hash, g_str_equal);
  table->live = g_hash_table_new_full (NULL, NULL, (GDestroyNotify) nego_job_unref, NULL);
  table->per_script = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  return table;
}

void
nego_job_table_free (NegoJobTable *table)
{
  GHashTableIter iter;
  gpointer job;

  if (table == NULL)
    return;
  nego_source_clear (&table->expiry);
  g_hash_table_iter_init (&iter, table->live);
  while (g_hash_table_iter_next (&iter, &job, NULL))
    nego_job_detach (job);
  nego_job_queue_clear (&table->queue);
  g_queue_clear (&table->retained);
  g_queue_clear (&table->jobs);
  g_hash_table_unref (table->live);
  g_hash_table_unref (table->by_key);
  g_hash_table_unref (table->by_id);
  g_hash_table_unref (table->per_script);
  nego_cgroup_tree_unref (table->owner.cgroups);
  nego_drain_free (table->owner.drain);
  nego_audit_free (table->owner.audit);
  g_free (table->side);
  g_free (table);
}

static gboolean
nego_job_table_knows (NegoJobTable *table, NegoJob *job)
{
  return g_hash_table_lookup (table->by_id, nego_job_get_id (job)) == job;
}

static void
nego_job_table_add (NegoJobTable *table, NegoJob *job)
{
  g_hash_table_insert (table->by_id, (gpointer) nego_job_get_id (job), job);
  if (nego_job_get_key (job) != NULL)
    g_hash_table_insert (table->by_key, (gpointer) nego_job_get_key (job), job);
  g_queue_push_tail (&table->jobs, job);
}

/* Nobody finds @job any more. */
static void
nego_job_table_remove (NegoJobTable *table, NegoJob *job)
{
  g_queue_remove (&table->jobs, job);
  if (nego_job_get_key (job) != NULL)
    g_hash_table_remove (table->by_key, nego_job_get_key (job));
  g_hash_table_remove (table->by_id, nego_job_get_id (job));
}

void
nego_job_table_forget (NegoJobTable *table, NegoJob *job)
{
  g_autoptr (NegoJob) held G_GNUC_UNUSED = nego_job_ref (job);

  if (nego_job_is_ended (job)) {
    g_queue_remove (&table->retained, job);
    table->retained_bytes -= nego_job_get_size (job);
  }
  nego_job_table_remove (table, job);
  nego_job_cancel (job, SIGKILL);
}

static gboolean nego_job_table_on_expiry (gpointer user_data);

/* Arms the timer for the oldest job, since it is the first to expire. */
static void
nego_job_table_arm_expiry (NegoJobTable *table)
{
  const NegoJob *oldest = g_queue_peek_head (&table->retained);
  gint64 due_ms;

  nego_source_clear (&table->expiry);
  if (oldest == NULL)
    return;
  due_ms
    = (nego_job_get_end_us (oldest) - g_get_monotonic_time ()) / 1000 + table->limits.expiry_ms + 1;
  table->expiry
    = nego_source_add_timeout ((guint) MAX (due_ms, 0), nego_job_table_on_expiry, table);
}

static gboolean
nego_job_table_on_expiry (gpointer user_data)
{
  NegoJobTable *table = user_data;
  gint64 limit = g_get_monotonic_time () - (gint64) table->limits.expiry_ms * 1000;
  NegoJob *oldest;

  while ((oldest = g_queue_peek_head (&table->retained)) != NULL
         && nego_job_get_end_us (oldest) <= limit)
    nego_job_table_forget (table, oldest);
  nego_job_table_arm_expiry (table);
  return G_SOURCE_REMOVE;
}

/* Keeps the ended @job, and forgets older ones for it. */
static void
nego_job_table_retain (NegoJobTable *table, NegoJob *job)
{
  gboolean first = g_queue_is_empty (&table->retained);

  g_queue_push_tail (&table->retained, job);
  table->retained_bytes += nego_job_get_size (job);
  while (table->retained.length > 1
         && (table->retained.length > table->limits.retained
             || table->retained_bytes > table->limits.retained_bytes))
    nego_job_table_forget (table, g_queue_peek_head (&table->retained));
  /* Not at each end: a timer that comes too early, for a forgotten job, is set again. */
  if (first)
    nego_job_table_arm_expiry (table);
}

static guint
nego_job_table_count_live (NegoJobTable *table, const char *command)
{
  return GPOINTER_TO_UINT (g_hash_table_lookup (table->per_script, command));
}

static void
nego_job_table_set_live (NegoJobTable *table, const char *command, guint count)
{
  if (count == 0)
    g_hash_table_remove (table->per_script, command);
  else
    g_hash_table_insert (table->per_script, g_strdup (command), GUINT_TO_POINTER (count));
}

/* Of a job that ran, or waited. */
static void
nego_job_table_on_ended (NegoJob *job, gpointer user_data)
{
  NegoJobTable *table = user_data;

  if (g_hash_table_contains (table->live, job))
    table->running--;
  else
    nego_job_order_free (nego_job_queue_remove (&table->queue, job));
  if (nego_job_table_knows (table, job))
    nego_job_table_retain (table, job);
}

/* Starts @job, which there is room for. */
static void
nego_job_table_run (NegoJobTable *table,
                    NegoJob *job,
                    const NegoJobRequest *request,
                    guint8 *input,
                    const NegoScript *script)
{
  nego_job_start (job, request, input, script);
  if (nego_job_is_ended (job)) {
    nego_job_table_retain (table, job);
    return;
  }
  g_hash_table_add (table->live, nego_job_ref (job));
  nego_job_table_set_live (table, script->name,
                           nego_job_table_count_live (table, script->name) + 1);
  table->running++;
}

static gboolean
nego_job_table_has_room (NegoJobTable *table, const NegoScript *script, GError **error);

static gboolean
nego_job_table_may_start (const NegoScript *script, gpointer user_data)
{
  return nego_job_table_has_room (user_data, script, NULL);
}

static void
nego_job_table_run_queued (NegoJobTable *table)
{
  NegoJobOrder *next;

  while (!table->held
         && (next = nego_job_queue_take (&table->queue, nego_job_table_may_start, table)) != NULL) {
    g_autoptr (NegoJobOrder) order = next;

    nego_job_table_run (table, order->job, order->request, g_steal_pointer (&order->input),
                        order->script);
    nego_job_tell_watchers (order->job);
  }
}

void
nego_job_table_hold (NegoJobTable *table, gboolean held)
{
  table->held = held;
  if (!held && !table->stopping)
    nego_job_table_run_queued (table);
}

static void
nego_job_table_on_gone (NegoJob *job, gpointer user_data)
{
  NegoJobTable *table = user_data;
  const char *command = nego_job_get_command (job);

  nego_job_table_set_live (table, command, nego_job_table_count_live (table, command) - 1);
  g_hash_table_remove (table->live, job);
  if (table->stopping && g_hash_table_size (table->live) == 0)
    table->stopped (table->stopped_data);
  else
    nego_job_table_run_queued (table);
}

NegoJob *
nego_job_table_find_repeat (NegoJobTable *table, const NegoJobRequest *request, GError **error)
{
  NegoJob *job;

  if (request->key == NULL || !nego_job_request_check_key (request, error))
    return NULL;
  job = g_hash_table_lookup (table->by_key, request->key);
  if (job == NULL || nego_job_is_repeat (job, request))
    return job;
  g_set_error (error, NEGO_ERROR, NEGO_ERROR_BUSY, "key '%s' is in use", request->key);
  return NULL;
}

static gboolean
nego_job_table_has_room (NegoJobTable *table, const NegoScript *script, GError **error)
{
  if (table->stopping) {
    g_set_error_literal (error, NEGO_ERROR, NEGO_ERROR_BUSY, "the agent is stopping");
    return FALSE;
  }
  if (nego_job_table_count_live (table, script->name) >= script->conf->concurrency) {
    g_set_error (error, NEGO_ERROR, NEGO_ERROR_BUSY, "negotiator command '%s' is busy (limit %u)",
                 script->name, script->conf->concurrency);
    return FALSE;
  }
  if (g_hash_table_size (table->live) >= table->limits.running) {
    g_set_error (error, NEGO_ERROR, NEGO_ERROR_BUSY, "too many jobs (limit %u)",
                 table->limits.running);
    return FALSE;
  }
  return TRUE;
}

/* Whether @request may start now, or, if not, may wait: then @queued is TRUE. */
static gboolean
nego_job_table_admit (NegoJobTable *table,
                      const NegoJobRequest *request,
                      const NegoScript *script,
                      gboolean *queued,
                      GError **error)
{
  g_autoptr (GError) refusal = NULL;

  *queued = FALSE;
  if (!nego_job_request_check (request, script, error))
    return FALSE;
  if (nego_job_table_has_room (table, script, &refusal))
    return TRUE;
  if (!request->queue || table->stopping) {
    g_propagate_error (error, g_steal_pointer (&refusal));
    return FALSE;
  }
  if (nego_job_queue_count (&table->queue) >= table->limits.queued) {
    g_set_error (error, NEGO_ERROR, NEGO_ERROR_BUSY, "too many queued jobs (limit %u)",
                 table->limits.queued);
    return FALSE;
  }
  *queued = TRUE;
  return TRUE;
}

NegoJob *
nego_job_table_start (NegoJobTable *table,
                      const NegoJobRequest *request,
                      guint8 *input,
                      NegoScript *script,
                      GError **error)
{
  g_autofree guint8 *taken = input;
  g_autoptr (NegoScript) owned = script;
  gboolean queued;
  NegoJob *job;

  if (!nego_job_table_admit (table, request, script, &queued, error))
    return NULL;
  job = nego_job_new (request, script, &table->owner);
  nego_job_table_add (table, job);
  if (queued)
    nego_job_queue_push (&table->queue, job, request, g_steal_pointer (&taken),
                         g_steal_pointer (&owned));
  else
    nego_job_table_run (table, job, request, g_steal_pointer (&taken), script);
  return job;
}

NegoJob *
nego_job_table_find (NegoJobTable *table, const char *id, const char *key, GError **error)
{
  NegoJob *job = id != NULL ? g_hash_table_lookup (table->by_id, id)
                            : g_hash_table_lookup (table->by_key, key);

  if (job == NULL) {
    g_autofree char *quoted = nego_error_quote (id != NULL ? id : key);

    g_set_error (error, NEGO_ERROR, NEGO_ERROR_NOT_FOUND, "unknown job '%s'", quoted);
  }
  return job;
}

void
nego_job_table_set_cgroups (NegoJobTable *table, NegoCgroupTree *cgroups)
{
  table->owner.cgroups = cgroups;
}

const NegoCgroupTree *
nego_job_table_get_cgroups (const NegoJobTable *table)
{
  return table->owner.cgroups;
}

gboolean
nego_job_table_limits_memory (const NegoJobTable *table)
{
  return table->owner.cgroups != NULL && nego_cgroup_tree_limits_memory (table->owner.cgroups);
}

const NegoJobLimits *
nego_job_table_get_limits (const NegoJobTable *table)
{
  return &table->limits;
}

guint
nego_job_table_count_running (const NegoJobTable *table)
{
  return table->running;
}

guint
nego_job_table_count_queued (const NegoJobTable *table)
{
  return nego_job_queue_count (&table->queue);
}

guint
nego_job_table_count_retained (const NegoJobTable *table)
{
  return table->retained.length;
}

GPtrArray *
nego_job_table_list (NegoJobTable *table, guint max)
{
  const guint n = MIN (table->jobs.length, max);
  GPtrArray *list = g_ptr_array_sized_new (n);

  for (GList *link = g_queue_peek_nth_link (&table->jobs, table->jobs.length - n); link != NULL;
       link = link->next)
    g_ptr_array_add (list, link->data);
  return list;
}

gsize
nego_job_table_get_size (const NegoJobTable *table)
{
  gsize size = table->retained_bytes + nego_job_queue_get_size (&table->queue);
  GHashTableIter iter;
  gpointer job;

  g_hash_table_iter_init (&iter, table->live);
  while (g_hash_table_iter_next (&iter, &job, NULL))
    if (!nego_job_is_ended (job))
      size += nego_job_get_size (job);
  return size;
}

void
nego_job_table_release (NegoJobTable *table, NegoJob *job, NegoJobStream stream, guint64 until)
{
  const gsize before = nego_job_get_size (job);

  nego_job_release (job, stream, until);
  if (nego_job_is_ended (job) && nego_job_table_knows (table, job))
    table->retained_bytes -= before - nego_job_get_size (job);
}

void
nego_job_table_stop (NegoJobTable *table, NegoJobTableStoppedFunc done, gpointer user_data)
{
  GHashTableIter iter;
  gpointer job;

  table->stopping = TRUE;
  table->stopped = done;
  table->stopped_data = user_data;
  while (nego_job_queue_count (&table->queue) > 0)
    nego_job_cancel (nego_job_queue_peek (&table->queue), SIGTERM);
  if (g_hash_table_size (table->live) == 0) {
    done (user_data);
    return;
  }
  /* Cancelling ends no running job by itself: the children's ends come from the main loop. */
  g_hash_table_iter_init (&iter, table->live);
  while (g_hash_table_iter_next (&iter, &job, NULL))
    nego_job_cancel (job, SIGTERM);
}
