/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "common/job-state.h"

/* 0 (QUEUED, which no event leads to): the event changes nothing. */
static const NegoJobState next_states[NEGO_JOB_STATES][NEGO_JOB_EVENTS] = {
  [NEGO_JOB_QUEUED] = {
    [NEGO_JOB_EVENT_STARTED] = NEGO_JOB_RUNNING,
    [NEGO_JOB_EVENT_NOT_STARTED] = NEGO_JOB_FAILED,
    [NEGO_JOB_EVENT_CANCELLED] = NEGO_JOB_CANCELLED,
  },
  [NEGO_JOB_RUNNING] = {
    [NEGO_JOB_EVENT_NOT_STARTED] = NEGO_JOB_FAILED,
    [NEGO_JOB_EVENT_EXITED] = NEGO_JOB_EXITED,
    [NEGO_JOB_EVENT_KILLED] = NEGO_JOB_SIGNALLED,
    [NEGO_JOB_EVENT_OVER_TIME] = NEGO_JOB_TIMED_OUT,
    [NEGO_JOB_EVENT_AFTER_CANCEL] = NEGO_JOB_CANCELLED,
  },
};

NegoJobState
nego_job_state_next (NegoJobState state, NegoJobEvent event)
{
  NegoJobState next = next_states[state][event];

  return next != NEGO_JOB_QUEUED ? next : state;
}

gboolean
nego_job_state_is_final (NegoJobState state)
{
  return state != NEGO_JOB_QUEUED && state != NEGO_JOB_RUNNING;
}

const char *
nego_job_state_to_string (NegoJobState state)
{
  static const char *const names[NEGO_JOB_STATES] = {
    [NEGO_JOB_QUEUED] = "queued",       [NEGO_JOB_RUNNING] = "running",
    [NEGO_JOB_EXITED] = "exited",       [NEGO_JOB_SIGNALLED] = "signalled",
    [NEGO_JOB_TIMED_OUT] = "timed-out", [NEGO_JOB_CANCELLED] = "cancelled",
    [NEGO_JOB_FAILED] = "failed",
  };

  return names[state];
}
