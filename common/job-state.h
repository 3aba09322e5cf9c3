/* SPDX-License-Identifier: MIT */
/*
 * job-state: where a job stands, and what each thing that happens makes of it: a pure function.
 */
#pragma once

#include <glib.h>

typedef enum {
  NEGO_JOB_QUEUED,
  NEGO_JOB_RUNNING,
  NEGO_JOB_EXITED,
  NEGO_JOB_SIGNALLED,
  NEGO_JOB_TIMED_OUT,
  NEGO_JOB_CANCELLED, /* forgotten, ended before its start, or the program stopped */
  NEGO_JOB_FAILED,    /* the script was never executed */
  NEGO_JOB_STATES,
} NegoJobState;

typedef enum {
  NEGO_JOB_EVENT_STARTED,      /* its process is there */
  NEGO_JOB_EVENT_NOT_STARTED,  /* there is no process, or the script could not be executed */
  NEGO_JOB_EVENT_CANCELLED,    /* before its start */
  NEGO_JOB_EVENT_EXITED,       /* the process, by itself */
  NEGO_JOB_EVENT_KILLED,       /* the process, by a signal */
  NEGO_JOB_EVENT_OVER_TIME,    /* the process, in whatever way, after its time was over */
  NEGO_JOB_EVENT_AFTER_CANCEL, /* the process, in whatever way, after the job was cancelled */
  NEGO_JOB_EVENTS,
} NegoJobEvent;

/* The state after @event; @state itself where the event changes nothing: no state is left once it
 * is final. */
NegoJobState nego_job_state_next (NegoJobState state, NegoJobEvent event);

/* Its name in the schema (NegotiatorJobState). */
const char *nego_job_state_to_string (NegoJobState state);

/* Whether nothing follows. */
gboolean nego_job_state_is_final (NegoJobState state);
