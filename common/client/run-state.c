/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "common/client/run-state.h"

#include "common/base64.h"
#include "common/error.h"
#include "common/json.h"
#include "common/names.h"
#include "qapi/qapi-visit.h"

#include <poll.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

/* A stream's piece in a status. */
typedef struct {
  const char *name;
  const char *data;
  QapiNegotiatorOutputEncoding encoding;
  gint64 offset, next;
} NegoRunPiece;

void
nego_run_state_clear (NegoRunState *state)
{
  g_clear_pointer (&state->guest, nego_remote_free);
  g_clear_pointer (&state->instance, g_free);
  g_clear_pointer (&state->job, g_free);
  nego_run_input_clear (&state->input);
  nego_event_clear (&state->event);
}

gint64
nego_run_state_later (gint64 moment, double seconds)
{
  return moment == G_MAXINT64 ? moment : moment + (gint64) (seconds * G_USEC_PER_SEC);
}

static char *
nego_run_state_encode_input (const NegoRunInput *input)
{
  GString *text;

  if (input->len == 0)
    return NULL;
  text = g_string_sized_new (input->len / 3 * 4 + 5);
  nego_base64_append (text, input->data, input->len);
  return g_string_free (text, FALSE);
}

GString *
nego_run_state_exec_arguments (const NegoRunState *state, double wait, gboolean stream)
{
  const NegoRun *run = state->run;
  /* All of the input, if it is there already: then the script needs no more requests. */
  const gboolean open = !state->input.over && !state->input.eof;
  g_autofree char *data = nego_run_state_encode_input (&state->input);
  g_autoptr (GString) text = g_string_new (NULL);
  const QapiNegotiatorExecArgs args = {
    .command = (char *) run->command,
    .arg = run->args != NULL && run->args[0] != NULL ? (char **) run->args : NULL,
    .input_data = data,
    .has_timeout = run->timeout > 0,
    .timeout = run->timeout,
    .has_wait = TRUE,
    .wait = wait,
    .key = (char *) run->key,
    .has_input = open,
    .input = open,
    .has_flow = run->flow,
    .flow = run->flow,
    .has_stream = stream,
    .stream = stream,
  };
  NegoJsonWriter writer;

  nego_json_writer_init (&writer, text);
  qapi_negotiator_exec_args_encode (&writer, &args);
  return g_steal_pointer (&text);
}

GString *
nego_run_state_status_arguments (const NegoRunState *state, double wait, gboolean stream)
{
  /* What is attached to begins with what is kept of it. */
  const gboolean known = state->run->command != NULL || state->instance != NULL;
  g_autoptr (GString) text = g_string_new (NULL);
  const QapiNegotiatorExecStatusArgs args = {
    .job = (char *) state->run->job,
    .key = (char *) (state->run->job == NULL ? state->run->key : NULL),
    .has_wait = wait >= 0,
    .wait = wait,
    .has_out_offset = known,
    .out_offset = state->offsets[0],
    .has_err_offset = known,
    .err_offset = state->offsets[1],
    .has_stream = stream,
    .stream = stream,
  };
  NegoJsonWriter writer;

  nego_json_writer_init (&writer, text);
  qapi_negotiator_exec_status_args_encode (&writer, &args);
  return g_steal_pointer (&text);
}

GString *
nego_run_state_input_arguments (const NegoRunState *state, double wait)
{
  g_autofree char *data = nego_run_state_encode_input (&state->input);
  g_autoptr (GString) text = g_string_new (NULL);
  const QapiNegotiatorExecInputArgs args = {
    .key = (char *) state->run->key,
    .offset = (gint64) state->input.offset,
    .input_data = data,
    .has_eof = state->input.eof,
    .eof = state->input.eof,
    .has_wait = TRUE,
    .wait = wait,
  };
  NegoJsonWriter writer;

  nego_json_writer_init (&writer, text);
  qapi_negotiator_exec_input_args_encode (&writer, &args);
  return g_steal_pointer (&text);
}

GString *
nego_run_state_signal_arguments (const NegoRunState *state, int signal)
{
  g_autoptr (GString) text = g_string_new (NULL);
  const QapiNegotiatorExecSignalArgs args = {
    .job = (char *) state->run->job,
    .key = (char *) (state->run->job == NULL ? state->run->key : NULL),
    /* Without SIG. */
    .signal = (char *) sigabbrev_np (signal),
  };
  NegoJsonWriter writer;

  nego_json_writer_init (&writer, text);
  qapi_negotiator_exec_signal_args_encode (&writer, &args);
  return g_steal_pointer (&text);
}

static gboolean
nego_run_state_fail (GError **error, const char *what)
{
  g_set_error (error, NEGO_ERROR, NEGO_ERROR_PARSE, "the agent's answer makes no sense: %s", what);
  return FALSE;
}

/* Puts a piece of the stream @i. None may be left out; some may be said again: the reply to a
 * request that was sent before the latest events. */
static gboolean
nego_run_state_put (
  NegoRunState *state, guint i, gint64 offset, const guint8 *data, gsize len, GError **error)
{
  const gint64 known = state->offsets[i] - offset;

  /* Since output could not be put, what comes does not follow what is here. */
  if (state->dropping)
    return TRUE;
  if (offset < 0 || known < 0 || (guint64) (G_MAXINT64 - offset) < len)
    return nego_run_state_fail (error, "its offsets do not fit its output");
  if ((guint64) known >= len)
    return TRUE;
  offset += known;
  data += known;
  len -= (gsize) known;
  if (!state->run->flow && offset + (gint64) len > NEGO_SCRIPT_OUTPUT_MAX)
    return nego_run_state_fail (error, "it has more output than a script can keep");
  if (!state->run->put (i, data, len, state->run->user_data, error))
    return FALSE;
  state->offsets[i] += (gint64) len;
  state->progress = state->progress || len > 0;
  return TRUE;
}

static gboolean
nego_run_state_take_piece (NegoRunState *state, guint i, const NegoRunPiece *piece, GError **error)
{
  g_autofree guint8 *decoded = NULL;
  const guint8 *data = (const guint8 *) piece->data;
  gsize len = strlen (piece->data);

  if (piece->encoding == QAPI_NEGOTIATOR_OUTPUT_ENCODING_BASE64) {
    g_autoptr (GError) failure = NULL;

    data = decoded = nego_base64_decode (piece->data, &len, &failure);
    if (decoded == NULL) {
      g_autofree char *what = g_strdup_printf ("%s-data: %s", piece->name, failure->message);

      return nego_run_state_fail (error, what);
    }
  }
  if (piece->next < piece->offset || (guint64) (piece->next - piece->offset) != len)
    return nego_run_state_fail (error, "its offsets do not fit its output");
  /* How far the agent is with its events, which are still on their way. */
  if (len == 0 && piece->offset > state->offsets[i])
    return TRUE;
  return nego_run_state_put (state, i, piece->offset, data, len, error);
}

static gboolean
nego_run_state_check (const QapiNegotiatorJobStatus *status, GError **error)
{
  switch (status->state) {
  case QAPI_NEGOTIATOR_JOB_STATE_EXITED:
    if (!status->has_exitcode || status->exitcode < 0 || status->exitcode > 255)
      return nego_run_state_fail (error, "exitcode is not from 0 to 255");
    break;
  case QAPI_NEGOTIATOR_JOB_STATE_SIGNALLED:
    if (!status->has_signal || status->signal < 1 || status->signal > 127)
      return nego_run_state_fail (error, "signal is not from 1 to 127");
    break;
  default:
    break;
  }
  if (status->exited
      == (status->state == QAPI_NEGOTIATOR_JOB_STATE_RUNNING
          || status->state == QAPI_NEGOTIATOR_JOB_STATE_QUEUED))
    return nego_run_state_fail (error, "state and exited contradict each other");
  return TRUE;
}

/* The first status says whose job it is, and where one that is attached to begins. */
static void
nego_run_state_meet (NegoRunState *state, const QapiNegotiatorJobStatus *status)
{
  if (state->instance != NULL)
    return;
  state->instance = g_strdup (status->instance);
  state->job = g_strdup (status->job);
  if (state->run->command != NULL)
    return;
  state->offsets[0] = state->acknowledged[0] = MAX (status->out_offset, 0);
  state->offsets[1] = state->acknowledged[1] = MAX (status->err_offset, 0);
}

gboolean
nego_run_state_take (NegoRunState *state, const QapiNegotiatorJobStatus *status, GError **error)
{
  const NegoRunPiece pieces[NEGO_RUN_STREAMS] = {
    { "out", status->out_data, status->out_encoding, status->out_offset, status->out_next },
    { "err", status->err_data, status->err_encoding, status->err_offset, status->err_next },
  };

  state->progress = FALSE;
  if (!nego_run_state_check (status, error))
    return FALSE;
  nego_run_state_meet (state, status);
  for (guint i = 0; i < G_N_ELEMENTS (pieces); i++)
    if (!nego_run_state_take_piece (state, i, &pieces[i], error))
      return FALSE;
  return TRUE;
}

gboolean
nego_run_state_take_output (NegoRunState *state, const NegoEvent *event, GError **error)
{
  return nego_run_state_put (state, event->stream, event->offset, event->data, event->len, error);
}

gboolean
nego_run_state_take_input (NegoRunState *state, const QapiNegotiatorJobInput *input, GError **error)
{
  NegoRunInput *ours = &state->input;

  if (input->in_next < 0 || (guint64) input->in_next < ours->offset
      || (guint64) input->in_next > ours->offset + ours->len)
    return nego_run_state_fail (error, "in-next is not within what was sent");
  nego_run_input_take (ours, (guint64) input->in_next);
  if (input->in_closed)
    nego_run_input_end (ours);
  return TRUE;
}

gboolean
nego_run_state_is_over (const NegoRunState *state, const QapiNegotiatorJobStatus *status)
{
  if (!status->exited)
    return FALSE;
  /* The reply went ahead of events with output. */
  if (status->out_next > state->offsets[0] || status->err_next > state->offsets[1])
    return FALSE;
  /* A background child may hold the output open for ever: what is there is all. */
  return (status->out_eof && status->err_eof) || (status->output_still_open && !state->progress);
}

gboolean
nego_run_state_read_signal (NegoRunState *state, int *signal)
{
  struct pollfd fd = { .fd = state->run->signal_fd, .events = POLLIN };
  struct signalfd_siginfo info;

  *signal = 0;
  if (fd.fd < 0 || poll (&fd, 1, 0) <= 0 || read (fd.fd, &info, sizeof info) != sizeof info)
    return TRUE;
  *signal = state->last_signal = (int) info.ssi_signo;
  return ++state->signals < 2;
}

gboolean
nego_run_state_is_late (const NegoRunState *state, GError **error)
{
  if (g_get_monotonic_time () <= state->end)
    return FALSE;
  g_set_error (error, NEGO_ERROR, NEGO_ERROR_TIMEOUT,
               "negotiator command '%s' has not ended; it may still run, and "
               "--key %s collects it",
               state->run->command, state->run->key);
  return TRUE;
}

void
nego_run_state_explain (const NegoRunState *state, GError **error)
{
  if (error == NULL || *error == NULL || state->run->command == NULL
      || g_error_matches (*error, NEGO_ERROR, NEGO_ERROR_INTERRUPTED)
      || g_error_matches (*error, NEGO_ERROR, NEGO_ERROR_IO))
    return;
  if (g_str_has_prefix ((*error)->message, "unknown job")) {
    g_clear_error (error);
    g_set_error_literal (error, NEGO_ERROR, NEGO_ERROR_CLOSED,
                         "the agent was restarted, or somebody forgot the job: how it ended is not "
                         "known");
  }
  g_prefix_error (error, "negotiator command '%s' was started (--key %s collects it), but: ",
                  state->run->command, state->run->key);
}

/* Waits a moment, or for a signal. */
static void
nego_run_state_pause (const NegoRunState *state)
{
  struct pollfd fd = { .fd = state->run->signal_fd, .events = POLLIN };

  poll (&fd, 1, NEGO_RUN_RETRY_MS);
}

gboolean
nego_run_state_reopen (NegoRunState *state, gboolean started, GError **error)
{
  const NegoRun *run = state->run;
  const gint64 limit = nego_run_state_later (g_get_monotonic_time (),
                                             run->silence > 0 ? run->silence : NEGO_GUEST_ANSWER_S);

  if (run->reopen == NULL)
    return FALSE;
  for (;;) {
    g_autoptr (GError) failure = NULL;
    NegoRemote *guest;
    int signal;

    nego_run_state_pause (state);
    if (!nego_run_state_read_signal (state, &signal) || signal != 0
        || g_get_monotonic_time () >= limit)
      return FALSE;
    guest = run->reopen (limit, run->user_data, &failure);
    if (guest != NULL) {
      nego_remote_free (state->guest);
      state->guest = guest;
      state->answered = g_get_monotonic_time ();
      g_clear_error (error);
      return TRUE;
    }
  }
}
