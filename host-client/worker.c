/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "host-client/worker.h"

#include "common/error.h"

typedef struct {
  GMutex lock;
  GCond ended;
  gboolean is_ended, is_abandoned;
  NegoWorkerFunc func;
  gpointer data;
  GDestroyNotify free_data, free_result;
  gpointer result;
  GError *error;
} NegoWorker;

static void
nego_worker_free (NegoWorker *worker)
{
  if (worker->result != NULL)
    worker->free_result (worker->result);
  g_clear_error (&worker->error);
  worker->free_data (worker->data);
  g_mutex_clear (&worker->lock);
  g_cond_clear (&worker->ended);
  g_free (worker);
}

static gpointer
nego_worker_thread (gpointer user_data)
{
  NegoWorker *worker = user_data;
  gboolean is_abandoned;

  worker->result = worker->func (worker->data, &worker->error);
  g_mutex_lock (&worker->lock);
  worker->is_ended = TRUE;
  is_abandoned = worker->is_abandoned;
  g_cond_signal (&worker->ended);
  g_mutex_unlock (&worker->lock);
  if (is_abandoned)
    nego_worker_free (worker);
  return NULL;
}

/* Returns whether @worker ended before the @deadline; else it is its own. */
static gboolean
nego_worker_wait (NegoWorker *worker, gint64 deadline)
{
  gboolean is_ended, go_on = TRUE;

  g_mutex_lock (&worker->lock);
  while (!worker->is_ended && go_on) {
    if (deadline == G_MAXINT64)
      g_cond_wait (&worker->ended, &worker->lock);
    else
      go_on = g_cond_wait_until (&worker->ended, &worker->lock, deadline);
  }
  is_ended = worker->is_ended;
  worker->is_abandoned = !is_ended;
  g_mutex_unlock (&worker->lock);
  return is_ended;
}

gpointer
nego_worker_run (NegoWorkerFunc func,
                 gpointer data,
                 GDestroyNotify free_data,
                 GDestroyNotify free_result,
                 gint64 deadline,
                 GError **error)
{
  g_autoptr (GThread) thread = NULL;
  NegoWorker *worker;
  gpointer result;

  /* What nobody waits for is not begun. */
  if (deadline <= g_get_monotonic_time ()) {
    free_data (data);
    g_set_error_literal (error, NEGO_ERROR, NEGO_ERROR_TIMEOUT,
                         "the time was over before libvirt could be asked");
    return NULL;
  }
  worker = g_new0 (NegoWorker, 1);
  g_mutex_init (&worker->lock);
  g_cond_init (&worker->ended);
  worker->func = func;
  worker->data = data;
  worker->free_data = free_data;
  worker->free_result = free_result;
  thread = g_thread_try_new ("libvirt", nego_worker_thread, worker, error);
  if (thread == NULL) {
    nego_worker_free (worker);
    return NULL;
  }
  if (!nego_worker_wait (worker, deadline)) {
    g_set_error_literal (error, NEGO_ERROR, NEGO_ERROR_TIMEOUT, "libvirt does not answer");
    return NULL;
  }
  /* Its last steps, so that they do not run beside the process's end. */
  g_thread_join (g_steal_pointer (&thread));
  result = g_steal_pointer (&worker->result);
  if (worker->error != NULL)
    g_propagate_error (error, g_steal_pointer (&worker->error));
  nego_worker_free (worker);
  return result;
}
