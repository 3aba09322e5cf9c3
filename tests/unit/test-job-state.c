/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "common/job-state.h"

/* Each event in each state that it means something in; all others change nothing. */
static const struct {
  NegoJobState state;
  NegoJobEvent event;
  NegoJobState next;
} transitions[] = {
  { NEGO_JOB_QUEUED, NEGO_JOB_EVENT_STARTED, NEGO_JOB_RUNNING },
  { NEGO_JOB_QUEUED, NEGO_JOB_EVENT_NOT_STARTED, NEGO_JOB_FAILED },
  { NEGO_JOB_QUEUED, NEGO_JOB_EVENT_CANCELLED, NEGO_JOB_CANCELLED },
  { NEGO_JOB_RUNNING, NEGO_JOB_EVENT_NOT_STARTED, NEGO_JOB_FAILED },
  { NEGO_JOB_RUNNING, NEGO_JOB_EVENT_EXITED, NEGO_JOB_EXITED },
  { NEGO_JOB_RUNNING, NEGO_JOB_EVENT_KILLED, NEGO_JOB_SIGNALLED },
  { NEGO_JOB_RUNNING, NEGO_JOB_EVENT_OVER_TIME, NEGO_JOB_TIMED_OUT },
  { NEGO_JOB_RUNNING, NEGO_JOB_EVENT_AFTER_CANCEL, NEGO_JOB_CANCELLED },
};

static NegoJobState
expected (NegoJobState state, NegoJobEvent event)
{
  for (guint i = 0; i < G_N_ELEMENTS (transitions); i++)
    if (transitions[i].state == state && transitions[i].event == event)
      return transitions[i].next;
  return state;
}

static void
test_transitions (void)
{
  for (guint state = 0; state < NEGO_JOB_STATES; state++)
    for (guint event = 0; event < NEGO_JOB_EVENTS; event++)
      g_assert_cmpint (nego_job_state_next (state, event), ==, expected (state, event));
}

static void
test_final (void)
{
  for (guint state = 0; state < NEGO_JOB_STATES; state++) {
    gboolean is_final = state != NEGO_JOB_QUEUED && state != NEGO_JOB_RUNNING;

    g_assert_cmpint (nego_job_state_is_final (state), ==, is_final);
    for (guint event = 0; event < NEGO_JOB_EVENTS && is_final; event++)
      g_assert_cmpint (nego_job_state_next (state, event), ==, state);
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/job-state/transitions", test_transitions);
  g_test_add_func ("/job-state/final", test_final);
  return g_test_run ();
}
