/* SPDX-License-Identifier: MIT */
/*
 * A run on a channel without events: the agent is asked, and each question may wait for its answer
 * a little.
 */
#include "config.h"

#include "common/error.h"
#include "common/names.h"
#include "common/client/run-state.h"
#include "qapi/decode.h"

#include <signal.h>

/* Over libvirt: how long after the wait that it asked for a reply may come, before it is asked for
 * again: as long as libvirt itself gives an agent. */
#define LIBVIRT_EXTRA_S 5
/* How much longer the agent may take for each MiB of a request: an emulated guest reads 4 MiB/s. */
#define MIB_EXTRA_S 10

/* Leaves the agent to libvirt's other users for a moment. One that answers at once and has nothing
 * new, instead of waiting for it as it was asked to, does not keep us busy either. */
static void
nego_run_poll_pause (const NegoRunState *state)
{
  const gint64 pause = NEGO_GUEST_PAUSE_MS * G_TIME_SPAN_MILLISECOND;

  if (nego_remote_is_shared (state->guest)
      || (!state->progress && state->answered - state->asked < pause))
    g_usleep ((gulong) pause);
}

/* Whether asking again, perhaps on a new connection, is of any use after @failure. */
static gboolean
nego_run_poll_goes_on (NegoRunState *state, const GError *failure, gint64 limit)
{
  if (g_get_monotonic_time () >= limit)
    return FALSE;
  /* Others can have kept a shared agent from answering. */
  if (nego_remote_is_shared (state->guest)
      && g_error_matches (failure, NEGO_ERROR, NEGO_ERROR_TIMEOUT))
    return TRUE;
  if (!g_error_matches (failure, NEGO_ERROR, NEGO_ERROR_CLOSED)
      && !(nego_remote_is_shared (state->guest)
           && g_error_matches (failure, NEGO_ERROR, NEGO_ERROR_IO)))
    return FALSE;
  return nego_run_state_reopen (state, TRUE, NULL);
}

/* Sends @command until it is answered, or the agent has been silent for too long. @wait: how long
 * the agent itself may wait. */
static JsonNode *
nego_run_poll_ask (
  NegoRunState *state, const char *command, const GString *arguments, double wait, GError **error)
{
  const NegoRun *run = state->run;
  const double extra = MIB_EXTRA_S * (double) arguments->len / (1 << 20);
  const gint64 limit = run->silence > 0
                         ? nego_run_state_later (state->answered, wait + extra + run->silence)
                         : G_MAXINT64;

  for (;;) {
    const gint64 now = g_get_monotonic_time ();
    const gint64 deadline
      = nego_remote_is_shared (state->guest)
          ? MIN (limit, nego_run_state_later (now, wait + extra + LIBVIRT_EXTRA_S))
          : limit;
    g_autoptr (GError) failure = NULL;
    g_autoptr (JsonNode) reply = NULL;

    state->asked = now;
    reply = nego_remote_call (state->guest, command, arguments->str, deadline, &failure);
    if (reply != NULL) {
      state->answered = g_get_monotonic_time ();
      return g_steal_pointer (&reply);
    }
    if (!nego_run_poll_goes_on (state, failure, limit)) {
      g_propagate_error (error, g_steal_pointer (&failure));
      return NULL;
    }
    nego_run_poll_pause (state);
  }
}

static QapiNegotiatorJobStatus *
nego_run_poll_request (
  NegoRunState *state, const char *command, const GString *arguments, double wait, GError **error)
{
  g_autoptr (JsonNode) reply = nego_run_poll_ask (state, command, arguments, wait, error);
  g_autoptr (QapiNegotiatorJobStatus) status = NULL;

  if (reply != NULL)
    status = qapi_decode (&qapi_negotiator_job_status_type, reply, command, FALSE, error);
  if (status == NULL || !nego_run_state_take (state, status, error))
    return NULL;
  if (status->exited && !(status->out_eof && status->err_eof) && !state->progress
      && !status->output_still_open) {
    g_set_error_literal (error, NEGO_ERROR, NEGO_ERROR_PARSE,
                         "the agent's answer makes no sense: it keeps output back");
    return NULL;
  }
  return g_steal_pointer (&status);
}

/* The script's end shows in its status. One that has ended meanwhile is no fault. */
static void
nego_run_poll_signal (NegoRunState *state, int signal)
{
  g_autoptr (GString) arguments = nego_run_state_signal_arguments (state, signal);
  g_autoptr (JsonNode) reply G_GNUC_UNUSED
    = nego_remote_call (state->guest, "negotiator-exec-signal", arguments->str,
                        nego_run_state_later (g_get_monotonic_time (), LIBVIRT_EXTRA_S), NULL);
}

/* Sends the signal that came, if one did. */
static gboolean
nego_run_poll_send_signal (NegoRunState *state, GError **error)
{
  int signal;
  const gboolean go_on = nego_run_state_read_signal (state, &signal);

  if (signal == 0)
    return TRUE;
  nego_run_poll_signal (state, go_on ? signal : SIGKILL);
  if (go_on)
    return TRUE;
  g_set_error_literal (error, NEGO_ERROR, NEGO_ERROR_INTERRUPTED, "interrupted");
  return FALSE;
}

static gboolean
nego_run_poll_send_input (NegoRunState *state, GError **error)
{
  NegoRunInput *input = &state->input;
  const gsize piece
    = nego_remote_is_shared (state->guest) ? NEGO_RUN_INPUT_BYTES_LIBVIRT : NEGO_RUN_INPUT_BYTES;
  g_autoptr (QapiNegotiatorJobInput) taken = NULL;
  g_autoptr (GString) arguments = NULL;
  g_autoptr (JsonNode) reply = NULL;

  if (!nego_run_input_fill (input, piece, error))
    return FALSE;
  if (!nego_run_input_has_news (input))
    return TRUE;
  arguments = nego_run_state_input_arguments (state, 0);
  reply = nego_run_poll_ask (state, "negotiator-exec-input", arguments, 0, error);
  if (reply != NULL)
    taken
      = qapi_decode (&qapi_negotiator_job_input_type, reply, "negotiator-exec-input", FALSE, error);
  if (taken == NULL)
    return FALSE;
  /* There may be room for more. */
  state->progress = state->progress || taken->in_next > (gint64) input->offset;
  return nego_run_state_take_input (state, taken, error);
}

static double
nego_run_poll_wait (const NegoRunState *state)
{
  if (state->run->detach || nego_run_input_has_news (&state->input))
    return 0;
  return state->input.over ? NEGO_GUEST_WAIT_QGA_S : NEGO_RUN_INPUT_WAIT_S;
}

static QapiNegotiatorJobStatus *
nego_run_poll_begin (NegoRunState *state, GError **error)
{
  const double wait = nego_run_poll_wait (state);
  g_autoptr (GString) arguments = NULL;

  if (state->run->command == NULL || state->instance != NULL) {
    arguments = nego_run_state_status_arguments (state, 0, FALSE);
    return nego_run_poll_request (state, "negotiator-exec-status", arguments, 0, error);
  }
  arguments = nego_run_state_exec_arguments (state, wait, FALSE);
  return nego_run_poll_request (state, "negotiator-exec", arguments, wait, error);
}

/* Another round: signals, input, output. */
static QapiNegotiatorJobStatus *
nego_run_poll_turn (NegoRunState *state, GError **error)
{
  g_autoptr (GString) arguments = NULL;
  double wait;

  if (!nego_run_poll_send_signal (state, error) || !nego_run_poll_send_input (state, error))
    return NULL;
  wait = nego_run_poll_wait (state);
  arguments = nego_run_state_status_arguments (state, wait, FALSE);
  return nego_run_poll_request (state, "negotiator-exec-status", arguments, wait, error);
}

static QapiNegotiatorJobStatus *
nego_run_poll_loop (NegoRunState *state, GError **error)
{
  const gboolean begins = state->run->command != NULL && state->instance == NULL;
  g_autoptr (QapiNegotiatorJobStatus) status = nego_run_poll_begin (state, error);

  if (status == NULL)
    return NULL;
  if (begins)
    nego_run_input_take (&state->input, state->input.offset + state->input.len);
  while (status != NULL && !state->run->detach && !nego_run_state_is_over (state, status)) {
    if (nego_run_state_is_late (state, error))
      return NULL;
    if (!status->exited)
      nego_run_poll_pause (state);
    g_clear_pointer (&status, qapi_negotiator_job_status_free);
    status = nego_run_poll_turn (state, error);
    if (status == NULL)
      nego_run_state_explain (state, error);
  }
  return g_steal_pointer (&status);
}

QapiNegotiatorJobStatus *
nego_run_poll_do (NegoRunState *state, GError **error)
{
  g_autoptr (GError) failure = NULL;
  QapiNegotiatorJobStatus *status = nego_run_poll_loop (state, &failure);

  /* Nobody takes its output. */
  if (g_error_matches (failure, NEGO_ERROR, NEGO_ERROR_IO) && state->instance != NULL)
    nego_run_poll_signal (state, SIGTERM);
  if (failure != NULL)
    g_propagate_error (error, g_steal_pointer (&failure));
  return status;
}
