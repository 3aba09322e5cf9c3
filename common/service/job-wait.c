/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "common/service/job-wait.h"

#include "common/error.h"
#include "common/names.h"
#include "common/source.h"

#include <math.h>

/* Nothing but its owner ends the wait from here on. */
static void
nego_job_wait_disarm (NegoJobWait *wait)
{
  nego_source_clear (&wait->timer);
  if (wait->watch != 0)
    nego_job_unwatch (wait->job, wait->watch);
  wait->watch = 0;
}

static void
nego_job_wait_free (NegoJobWait *wait)
{
  nego_job_wait_disarm (wait);
  if (wait->klass->clear != NULL)
    wait->klass->clear (wait);
  nego_job_unref (wait->job);
  nego_call_unref (wait->call);
  g_free (wait);
}

/* The answer lets the session start its next call, which may change the job. */
static void
nego_job_wait_answer (NegoJobWait *wait)
{
  nego_job_wait_disarm (wait);
  wait->klass->answer (wait);
  nego_job_wait_free (wait);
}

static void
nego_job_wait_on_change (gpointer user_data)
{
  NegoJobWait *wait = user_data;

  if (wait->klass->is_over (wait))
    nego_job_wait_answer (wait);
}

static gboolean
nego_job_wait_on_time_over (gpointer user_data)
{
  nego_job_wait_answer (user_data);
  return G_SOURCE_REMOVE;
}

static void
nego_job_wait_on_abandoned (NegoCall *call, gpointer user_data)
{
  nego_job_wait_free (user_data);
}

void
nego_job_wait_run (
  NegoJobWait *wait, const NegoJobWaitClass *klass, NegoCall *call, NegoJob *job, guint wait_ms)
{
  wait->klass = klass;
  wait->call = nego_call_ref (call);
  wait->job = nego_job_ref (job);
  if (klass->is_over (wait) || wait_ms == 0) {
    nego_job_wait_answer (wait);
    return;
  }
  wait->watch = nego_job_watch (job, nego_job_wait_on_change, wait);
  wait->timer = nego_source_add_timeout (wait_ms, nego_job_wait_on_time_over, wait);
  nego_call_set_abandon (call, nego_job_wait_on_abandoned, wait);
}

guint
nego_job_wait_to_ms (double seconds)
{
  return seconds < G_MAXUINT / 1000 ? (guint) ceil (seconds * 1000) : G_MAXUINT;
}

gboolean
nego_job_wait_check (gboolean has_wait, double wait, GError **error)
{
  if (!has_wait || wait >= 0)
    return TRUE;
  g_set_error_literal (error, NEGO_ERROR, NEGO_ERROR_GENERIC, "wait must not be below 0");
  return FALSE;
}

guint
nego_job_wait_bound (NegoCall *call, double wait)
{
  const guint wait_ms = nego_job_wait_to_ms (wait);

  return nego_call_is_qga (call) ? MIN (wait_ms, NEGO_EXEC_STATUS_WAIT_QGA_S * 1000) : wait_ms;
}
