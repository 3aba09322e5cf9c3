/* SPDX-License-Identifier: MIT */
/*
 * run-state: how far a run is: what was said and heard, checked, and the texts of its requests;
 * private to run.c and its two ways, run-events.c and run-poll.c.
 */
#pragma once

#include "common/client/event.h"
#include "common/client/run.h"
#include "common/client/run-input.h"

#define NEGO_RUN_STREAMS 2

typedef struct {
  const NegoRun *run;
  NegoRemote *guest; /* owned */
  char *instance;    /* of the agent, once heard */
  char *job;         /* once heard */
  gint64 offsets[NEGO_RUN_STREAMS];
  gint64 acknowledged[NEGO_RUN_STREAMS];
  NegoRunInput input;
  NegoEvent event;   /* the last one */
  gint64 asked;      /* when the agent was last asked */
  gint64 answered;   /* when it was last heard */
  gint64 end;        /* when the script has to have ended */
  gboolean progress; /* the last status had output */
  gboolean dropping; /* nobody takes output any more */
  guint signals;     /* that came */
  int last_signal;
} NegoRunState;

void nego_run_state_clear (NegoRunState *state);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (NegoRunState, nego_run_state_clear)

/* @moment and that many seconds. */
gint64 nego_run_state_later (gint64 moment, double seconds);

/* The arguments of requests; (transfer full). */
GString *nego_run_state_exec_arguments (const NegoRunState *state, double wait, gboolean stream);
/* @wait below 0: none. */
GString *nego_run_state_status_arguments (const NegoRunState *state, double wait, gboolean stream);
GString *nego_run_state_input_arguments (const NegoRunState *state, double wait);
GString *nego_run_state_signal_arguments (const NegoRunState *state, int signal);

/* Takes what a reply or event has. Errors: NEGO_ERROR_PARSE "the agent's answer makes no sense: …",
 * those of run->put. */
gboolean
nego_run_state_take (NegoRunState *state, const QapiNegotiatorJobStatus *status, GError **error);
gboolean nego_run_state_take_output (NegoRunState *state, const NegoEvent *event, GError **error);
gboolean nego_run_state_take_input (NegoRunState *state,
                                    const QapiNegotiatorJobInput *input,
                                    GError **error);
/* Whether @status, which was taken, is the last one. */
gboolean nego_run_state_is_over (const NegoRunState *state, const QapiNegotiatorJobStatus *status);

/* Reads the next signal that came. FALSE: it is the second one, or a later one, which ends the wait
 * for the script. @signal: the one to send; 0: none. */
gboolean nego_run_state_read_signal (NegoRunState *state, int *signal);

/* Waits until the guest can be opened anew, after @error was met; the offsets stay. FALSE: @error,
 * which says what was started. */
gboolean nego_run_state_reopen (NegoRunState *state, gboolean started, GError **error);

/* Whether the script has to have ended by now; then @error says so. */
gboolean nego_run_state_is_late (const NegoRunState *state, GError **error);

/* Says in @error that the command was started, and how to get at it. */
void nego_run_state_explain (const NegoRunState *state, GError **error);

/* The two ways. The first sets @no_events when the channel has none, or the run has to go on, where
 * it is, on one that has none. */
QapiNegotiatorJobStatus *
nego_run_events_do (NegoRunState *state, gboolean *no_events, GError **error);
QapiNegotiatorJobStatus *nego_run_poll_do (NegoRunState *state, GError **error);
