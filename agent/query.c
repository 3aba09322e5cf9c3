/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "agent/query.h"

#include "agent/agent.h"
#include "common/error.h"

/* What the thread has, and what it leaves. */
typedef struct {
  const NegoQuery *query;
  gpointer arguments;
  gpointer result;
  GError *error;
} NegoQueryWork;

static void
nego_query_work_free (gpointer data)
{
  NegoQueryWork *work = data;

  if (work->query->free_arguments != NULL)
    work->query->free_arguments (work->arguments);
  if (work->result != NULL)
    work->query->free_result (work->result);
  g_clear_error (&work->error);
  g_free (work);
}

static void
nego_query_work_cb (gpointer data)
{
  NegoQueryWork *work = data;

  work->result = work->query->func (work->arguments, &work->error);
}

static void
nego_query_done_cb (gpointer data, gpointer user_data)
{
  NegoQueryWork *work = data;
  g_autoptr (NegoCall) call = user_data;

  if (work == NULL)
    nego_call_fail (call, g_error_new_literal (NEGO_ERROR, NEGO_ERROR_TIMEOUT,
                                               "no answer from the kernel in time"));
  else if (work->result == NULL)
    nego_call_fail (call, g_steal_pointer (&work->error));
  else
    work->query->answer (call, work->result);
}

static void
nego_query_abandoned_cb (NegoCall *call, gpointer user_data)
{
  nego_offload_cancel (user_data);
  nego_call_unref (call);
}

void
nego_query_start (const NegoQuery *query, NegoCall *call, gpointer arguments)
{
  NegoQueryWork *work = g_new0 (NegoQueryWork, 1);
  GError *error = NULL;
  NegoOffloadTask *task;

  work->query = query;
  work->arguments = arguments;
  task = nego_offload_run (nego_agent_of (call)->offload, nego_query_work_cb, work,
                           nego_query_work_free, query->timeout_s * 1000, nego_query_done_cb, call,
                           &error);
  if (task == NULL) {
    nego_call_fail (call, error);
    return;
  }
  nego_call_ref (call);
  nego_call_set_abandon (call, nego_query_abandoned_cb, task);
}
