/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "host-client/run.h"

#include "common/base64.h"
#include "common/error.h"
#include "common/json.h"
#include "common/names.h"
#include "host-client/output.h"
#include "qapi/decode.h"
#include "qapi/qapi-visit.h"

#include <string.h>
#include <unistd.h>

/* Over libvirt: how long after the wait that it asked for a reply may come, before it is asked for
 * again: as long as libvirt itself gives an agent. */
#define LIBVIRT_EXTRA_S 5
/* How much longer the agent may take for each MiB of a request: an emulated guest reads 4 MiB/s. */
#define MIB_EXTRA_S 10

/* A stream's piece in a status. */
typedef struct {
  const char *name;
  const char *data;
  QapiNegotiatorOutputEncoding encoding;
  gint64 offset, next;
  gboolean eof;
} NegoRunPiece;

typedef struct {
  const NegoRun *run;
  gint64 offsets[2];
  gint64 asked;      /* when the agent was last asked */
  gint64 answered;   /* when it last answered */
  gint64 end;        /* when the script has to have ended */
  gboolean progress; /* the last status had output */
} NegoRunState;

static gint64
nego_run_later (gint64 moment, double seconds)
{
  return moment == G_MAXINT64 ? moment : moment + (gint64) (seconds * G_USEC_PER_SEC);
}

static double
nego_run_wait (const NegoRun *run)
{
  return nego_guest_is_shared (run->guest) ? NEGO_GUEST_WAIT_QGA_S : NEGO_EXEC_WAIT_S;
}

GString *
nego_run_arguments (const NegoRun *run)
{
  g_autofree char *input = run->input_len > 0 ? g_base64_encode (run->input, run->input_len) : NULL;
  g_autoptr (GString) text = g_string_new (NULL);
  const QapiNegotiatorExecArgs args = {
    .command = (char *) run->command,
    .arg = run->args[0] != NULL ? (char **) run->args : NULL,
    .input_data = input,
    .has_timeout = run->timeout > 0,
    .timeout = run->timeout,
    .has_wait = TRUE,
    .wait = nego_run_wait (run),
    .key = (char *) run->key,
  };
  NegoJsonWriter writer;

  nego_json_writer_init (&writer, text);
  qapi_negotiator_exec_args_encode (&writer, &args);
  return g_steal_pointer (&text);
}

static GString *
nego_run_status_arguments (const NegoRunState *state)
{
  g_autoptr (GString) text = g_string_new (NULL);
  const QapiNegotiatorExecStatusArgs args = {
    .key = (char *) state->run->key,
    .has_wait = TRUE,
    .wait = nego_run_wait (state->run),
    .has_out_offset = TRUE,
    .out_offset = state->offsets[0],
    .has_err_offset = TRUE,
    .err_offset = state->offsets[1],
  };
  NegoJsonWriter writer;

  nego_json_writer_init (&writer, text);
  qapi_negotiator_exec_status_args_encode (&writer, &args);
  return g_steal_pointer (&text);
}

/* Leaves the agent to libvirt's other users for a moment. One that answers at once and has nothing
 * new, instead of waiting for it as it was asked to, does not keep us busy either. */
static void
nego_run_pause (const NegoRunState *state)
{
  const gint64 pause = NEGO_GUEST_PAUSE_MS * G_TIME_SPAN_MILLISECOND;

  if (nego_guest_is_shared (state->run->guest)
      || (!state->progress && state->answered - state->asked < pause))
    g_usleep ((gulong) pause);
}

/* Sends @command until it is answered, or the agent has been silent for too long. */
static JsonNode *
nego_run_ask (NegoRunState *state, const char *command, const GString *arguments, GError **error)
{
  const NegoRun *run = state->run;
  const double wait = nego_run_wait (run);
  const double extra = MIB_EXTRA_S * (double) arguments->len / (1 << 20);
  const gint64 limit
    = run->silence > 0 ? nego_run_later (state->answered, wait + extra + run->silence) : G_MAXINT64;

  for (;;) {
    const gint64 now = g_get_monotonic_time ();
    const gint64 deadline = nego_guest_is_shared (run->guest)
                              ? MIN (limit, nego_run_later (now, wait + extra + LIBVIRT_EXTRA_S))
                              : limit;
    g_autoptr (GError) failure = NULL;
    g_autoptr (JsonNode) reply = NULL;

    state->asked = now;
    reply = nego_guest_call (run->guest, command, arguments->str, deadline, &failure);

    if (reply != NULL) {
      state->answered = g_get_monotonic_time ();
      return g_steal_pointer (&reply);
    }
    /* Others can have kept a shared agent from answering. */
    if (!nego_guest_is_shared (run->guest)
        || !g_error_matches (failure, NEGO_ERROR, NEGO_ERROR_TIMEOUT)
        || g_get_monotonic_time () >= limit) {
      g_propagate_error (error, g_steal_pointer (&failure));
      return NULL;
    }
    nego_run_pause (state);
  }
}

static gboolean
nego_run_fail (GError **error, const char *what)
{
  g_set_error (error, NEGO_ERROR, NEGO_ERROR_PARSE, "the agent's answer makes no sense: %s", what);
  return FALSE;
}

/* Writes, or keeps, a piece of the stream @i. */
static gboolean
nego_run_put (const NegoRun *run, guint i, const guint8 *data, gsize len, GError **error)
{
  if (run->collected[i] == NULL)
    return nego_output_data (i == 0 ? STDOUT_FILENO : STDERR_FILENO, data, len, error);
  g_byte_array_append (run->collected[i], data, (guint) len);
  return TRUE;
}

static gboolean
nego_run_take_piece (NegoRunState *state, guint i, const NegoRunPiece *piece, GError **error)
{
  g_autofree guint8 *decoded = NULL;
  const guint8 *data = (const guint8 *) piece->data;
  gsize len = strlen (piece->data);

  if (piece->encoding == QAPI_NEGOTIATOR_OUTPUT_ENCODING_BASE64) {
    g_autoptr (GError) failure = NULL;

    data = decoded = nego_base64_decode (piece->data, &len, &failure);
    if (decoded == NULL) {
      g_autofree char *what = g_strdup_printf ("%s-data: %s", piece->name, failure->message);

      return nego_run_fail (error, what);
    }
  }
  if (piece->offset != state->offsets[i] || piece->next < piece->offset
      || (guint64) (piece->next - piece->offset) != len)
    return nego_run_fail (error, "its offsets do not fit its output");
  if (piece->next > NEGO_SCRIPT_OUTPUT_MAX)
    return nego_run_fail (error, "it has more output than a script can keep");
  if (!nego_run_put (state->run, i, data, len, error))
    return FALSE;
  state->offsets[i] = piece->next;
  state->progress = state->progress || len > 0;
  return TRUE;
}

static gboolean
nego_run_check (const QapiNegotiatorJobStatus *status, GError **error)
{
  switch (status->state) {
  case QAPI_NEGOTIATOR_JOB_STATE_EXITED:
    if (!status->has_exitcode || status->exitcode < 0 || status->exitcode > 255)
      return nego_run_fail (error, "exitcode is not from 0 to 255");
    break;
  case QAPI_NEGOTIATOR_JOB_STATE_SIGNALLED:
    if (!status->has_signal || status->signal < 1 || status->signal > 127)
      return nego_run_fail (error, "signal is not from 1 to 127");
    break;
  default:
    break;
  }
  if (status->exited == (status->state == QAPI_NEGOTIATOR_JOB_STATE_RUNNING))
    return nego_run_fail (error, "state and exited contradict each other");
  return TRUE;
}

/* Takes what @status has. */
static gboolean
nego_run_take (NegoRunState *state, const QapiNegotiatorJobStatus *status, GError **error)
{
  const NegoRunPiece pieces[2] = {
    { "out", status->out_data, status->out_encoding, status->out_offset, status->out_next,
      status->out_eof },
    { "err", status->err_data, status->err_encoding, status->err_offset, status->err_next,
      status->err_eof },
  };

  state->progress = FALSE;
  if (!nego_run_check (status, error))
    return FALSE;
  for (guint i = 0; i < G_N_ELEMENTS (pieces); i++)
    if (!nego_run_take_piece (state, i, &pieces[i], error))
      return FALSE;
  if (!status->exited || (status->out_eof && status->err_eof) || state->progress
      || status->output_still_open)
    return TRUE;
  return nego_run_fail (error, "it keeps output back");
}

/* Whether @status, which was taken, is the last one. */
static gboolean
nego_run_is_over (const NegoRunState *state, const QapiNegotiatorJobStatus *status)
{
  if (!status->exited)
    return FALSE;
  /* A background child may hold the output open for ever: what is there is all. */
  return (status->out_eof && status->err_eof) || (status->output_still_open && !state->progress);
}

static QapiNegotiatorJobStatus *
nego_run_request (NegoRunState *state,
                  const char *command,
                  const GString *arguments,
                  GError **error)
{
  g_autoptr (JsonNode) reply = nego_run_ask (state, command, arguments, error);
  g_autoptr (QapiNegotiatorJobStatus) status = NULL;

  if (reply != NULL)
    status = qapi_decode (&qapi_negotiator_job_status_type, reply, command, FALSE, error);
  if (status == NULL || !nego_run_take (state, status, error))
    return NULL;
  return g_steal_pointer (&status);
}

QapiNegotiatorJobStatus *
nego_run_do (const NegoRun *run, const GString *arguments, GError **error)
{
  NegoRunState state = { .run = run, .answered = g_get_monotonic_time (), .end = G_MAXINT64 };
  g_autoptr (QapiNegotiatorJobStatus) status
    = nego_run_request (&state, "negotiator-exec", arguments, error);

  /* The guest ends the script in time; if it does not say so, it is not believed for ever. */
  if (run->timeout > 0)
    state.end = nego_run_later (state.answered,
                                run->timeout + NEGO_SCRIPT_GRACE_S + nego_run_wait (run) + 1);
  while (status != NULL && !nego_run_is_over (&state, status)) {
    g_autoptr (GString) query = nego_run_status_arguments (&state);

    if (g_get_monotonic_time () > state.end) {
      g_set_error (error, NEGO_ERROR, NEGO_ERROR_TIMEOUT,
                   "negotiator command '%s' has not ended; it may still run in the guest, and "
                   "--key %s collects it",
                   run->command, run->key);
      return NULL;
    }
    if (!status->exited)
      nego_run_pause (&state);
    g_clear_pointer (&status, qapi_negotiator_job_status_free);
    status = nego_run_request (&state, "negotiator-exec-status", query, error);
    if (status == NULL && error != NULL && *error != NULL
        && !g_error_matches (*error, NEGO_ERROR, NEGO_ERROR_IO))
      g_prefix_error (error, "negotiator command '%s' was started (--key %s collects it), but: ",
                      run->command, run->key);
  }
  return g_steal_pointer (&status);
}
