/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "common/offload.h"

#include "common/error.h"
#include "common/names.h"
#include "common/source.h"

/* What is held, counted; shared with the threads. */
struct NegoOffloadHold {
  gatomicrefcount refs;
  GMutex lock;
  GCond none;
  guint n;
};

struct NegoOffload {
  GThreadPool *pool;
  GMainContext *context;
  GHashTable *tasks; /* those whose end somebody wants */
  NegoOffloadHold *holds;
};

struct NegoOffloadTask {
  int refs;             /* the owner's, if it wants its end, and the thread's */
  int unwanted;         /* atomic: the thread need not start it */
  NegoOffload *offload; /* the owner's thread only; NULL: nobody wants its end */
  GMainContext *context;
  NegoOffloadFunc func;
  gpointer data;
  GDestroyNotify free_data;
  GSource *timer;
  NegoOffloadDoneFunc done;  /* NULL: nobody ever wanted its end */
  NegoOffloadDoneFunc ended; /* after the deadline; NULL: nobody wants to know */
  gpointer user_data;
};

static void
nego_offload_task_unref (gpointer data)
{
  NegoOffloadTask *task = data;

  if (!g_atomic_int_dec_and_test (&task->refs))
    return;
  if (task->free_data != NULL)
    task->free_data (task->data);
  g_main_context_unref (task->context);
  g_free (task);
}

/* The owner has no more to do with @task. */
static void
nego_offload_task_leave (NegoOffloadTask *task)
{
  NegoOffload *offload = g_steal_pointer (&task->offload);

  g_atomic_int_set (&task->unwanted, TRUE);
  nego_source_clear (&task->timer);
  g_hash_table_remove (offload->tasks, task);
}

static gboolean
nego_offload_ended_cb (gpointer user_data)
{
  NegoOffloadTask *task = user_data;

  if (task->offload == NULL)
    return G_SOURCE_REMOVE;
  /* The thread's reference, which this source holds, keeps the data until we return. */
  nego_offload_task_leave (task);
  task->done (task->data, task->user_data);
  return G_SOURCE_REMOVE;
}

static gboolean
nego_offload_late_cb (gpointer user_data)
{
  NegoOffloadTask *task = user_data;
  NegoOffloadDoneFunc done = task->done;
  gpointer done_data = task->user_data;

  if (task->ended != NULL) {
    task->done = g_steal_pointer (&task->ended);
    nego_source_clear (&task->timer);
  } else {
    nego_offload_task_leave (task);
  }
  done (NULL, done_data);
  return G_SOURCE_REMOVE;
}

static void
nego_offload_thread (gpointer data, gpointer user_data)
{
  NegoOffloadTask *task = data;
  g_autoptr (GSource) source = NULL;

  if (g_atomic_int_get (&task->unwanted)) {
    nego_offload_task_unref (task);
    return;
  }
  task->func (task->data);
  if (task->done == NULL) {
    nego_offload_task_unref (task);
    return;
  }
  source = g_idle_source_new ();
  g_source_set_priority (source, G_PRIORITY_DEFAULT);
  g_source_set_callback (source, nego_offload_ended_cb, task, nego_offload_task_unref);
  g_source_attach (source, task->context);
}

NegoOffload *
nego_offload_new (void)
{
  NegoOffload *offload = g_new0 (NegoOffload, 1);

  /* Not exclusive: threads are started when they are needed, so this cannot fail. */
  offload->pool = g_thread_pool_new (nego_offload_thread, NULL, NEGO_OFFLOAD_THREADS, FALSE, NULL);
  offload->context = g_main_context_ref_thread_default ();
  offload->tasks = g_hash_table_new_full (NULL, NULL, nego_offload_task_unref, NULL);
  offload->holds = g_new0 (NegoOffloadHold, 1);
  g_atomic_ref_count_init (&offload->holds->refs);
  g_mutex_init (&offload->holds->lock);
  g_cond_init (&offload->holds->none);
  return offload;
}

static void
nego_offload_hold_unref (NegoOffloadHold *hold)
{
  if (!g_atomic_ref_count_dec (&hold->refs))
    return;
  g_mutex_clear (&hold->lock);
  g_cond_clear (&hold->none);
  g_free (hold);
}

void
nego_offload_free (NegoOffload *offload)
{
  GHashTableIter iter;
  gpointer key;

  if (offload == NULL)
    return;
  g_hash_table_iter_init (&iter, offload->tasks);
  while (g_hash_table_iter_next (&iter, &key, NULL)) {
    NegoOffloadTask *task = key;

    task->offload = NULL;
    g_atomic_int_set (&task->unwanted, TRUE);
    nego_source_clear (&task->timer);
    g_hash_table_iter_remove (&iter);
  }
  /* Not at once: what waits is unwanted and ends when a thread comes to it. */
  g_thread_pool_free (offload->pool, FALSE, FALSE);
  g_hash_table_unref (offload->tasks);
  nego_offload_hold_unref (offload->holds);
  g_main_context_unref (offload->context);
  g_free (offload);
}

static NegoOffloadTask *
nego_offload_task_new (NegoOffload *offload,
                       NegoOffloadFunc func,
                       gpointer data,
                       GDestroyNotify free_data)
{
  NegoOffloadTask *task = g_new0 (NegoOffloadTask, 1);

  task->refs = 1;
  task->context = g_main_context_ref (offload->context);
  task->func = func;
  task->data = data;
  task->free_data = free_data;
  return task;
}

NegoOffloadTask *
nego_offload_run (NegoOffload *offload,
                  NegoOffloadFunc func,
                  gpointer data,
                  GDestroyNotify free_data,
                  guint timeout_ms,
                  NegoOffloadDoneFunc done,
                  gpointer user_data,
                  GError **error)
{
  NegoOffloadTask *task;

  if (g_thread_pool_unprocessed (offload->pool) >= NEGO_OFFLOAD_WAITING) {
    if (free_data != NULL)
      free_data (data);
    g_set_error (error, NEGO_ERROR, NEGO_ERROR_BUSY, "too much work that blocks waits (limit %u)",
                 NEGO_OFFLOAD_WAITING);
    return NULL;
  }
  task = nego_offload_task_new (offload, func, data, free_data);
  task->refs = 2;
  task->offload = offload;
  task->done = done;
  task->user_data = user_data;
  if (timeout_ms > 0)
    task->timer = nego_source_add_timeout (timeout_ms, nego_offload_late_cb, task);
  g_hash_table_add (offload->tasks, task);
  /* Without a new thread the task waits for one that there is; if there is none, for its deadline.
   */
  g_thread_pool_push (offload->pool, task, NULL);
  return task;
}

void
nego_offload_await (NegoOffloadTask *task, NegoOffloadDoneFunc ended)
{
  task->ended = ended;
}

void
nego_offload_cancel (NegoOffloadTask *task)
{
  nego_offload_task_leave (task);
}

void
nego_offload_push (NegoOffload *offload,
                   NegoOffloadFunc func,
                   gpointer data,
                   GDestroyNotify free_data)
{
  g_thread_pool_push (offload->pool, nego_offload_task_new (offload, func, data, free_data), NULL);
}

NegoOffloadHold *
nego_offload_hold (NegoOffload *offload)
{
  NegoOffloadHold *hold = offload->holds;

  g_atomic_ref_count_inc (&hold->refs);
  g_mutex_lock (&hold->lock);
  hold->n++;
  g_mutex_unlock (&hold->lock);
  return hold;
}

void
nego_offload_drop (NegoOffloadHold *hold)
{
  g_mutex_lock (&hold->lock);
  if (--hold->n == 0)
    g_cond_broadcast (&hold->none);
  g_mutex_unlock (&hold->lock);
  nego_offload_hold_unref (hold);
}

void
nego_offload_wait (NegoOffload *offload, guint timeout_ms)
{
  const gint64 end = g_get_monotonic_time () + timeout_ms * G_TIME_SPAN_MILLISECOND;
  NegoOffloadHold *hold = offload->holds;

  g_mutex_lock (&hold->lock);
  while (hold->n > 0 && g_cond_wait_until (&hold->none, &hold->lock, end))
    ;
  g_mutex_unlock (&hold->lock);
}
