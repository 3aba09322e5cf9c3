/* SPDX-License-Identifier: MIT */
/*
 * job-wait: a call that is answered when something has become true of a job, or when its time is
 * over. One that is abandoned meanwhile leaves its job as it is.
 */
#pragma once

#include "common/call.h"
#include "common/job.h"

typedef struct NegoJobWait NegoJobWait;

typedef struct {
  gboolean (*is_over) (NegoJobWait *wait);
  /* Answers the call, once. */
  void (*answer) (NegoJobWait *wait);
  /* Frees what a larger struct around @wait holds; may be NULL. */
  void (*clear) (NegoJobWait *wait);
} NegoJobWaitClass;

/* The first member of a larger struct. */
struct NegoJobWait {
  const NegoJobWaitClass *klass;
  NegoCall *call;
  NegoJob *job;
  gulong watch;
  GSource *timer;
};

/* Answers @call with @wait, from g_new0() and freed with g_free(), within @wait_ms. */
void nego_job_wait_run (
  NegoJobWait *wait, const NegoJobWaitClass *klass, NegoCall *call, NegoJob *job, guint wait_ms);

/* Seconds that a caller gave, in milliseconds, rounded up. */
guint nego_job_wait_to_ms (double seconds);
/* Checks the argument "wait". Errors: NEGO_ERROR_GENERIC. */
gboolean nego_job_wait_check (gboolean has_wait, double wait, GError **error);
/* The milliseconds that @call may wait when it asks for @wait seconds: on the QGA port libvirt's
 * other calls to the guest's agent queue up behind it. */
guint nego_job_wait_bound (NegoCall *call, double wait);
