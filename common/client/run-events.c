/* SPDX-License-Identifier: MIT */
/*
 * A run on a channel with events: output comes by itself, requests are sent without waiting for
 * their replies, and one poll() watches the guest, the input and the signals.
 */
#include "config.h"

#include "common/error.h"
#include "common/names.h"
#include "common/client/reply.h"
#include "common/client/run-state.h"
#include "qapi/decode.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>

/* Requests on their way: one of each kind, and a signal or two. */
#define REQUESTS 8u
/* Messages that are taken in one turn: then the input and the signals are looked at again. */
#define MESSAGES 16u
/* How long a request may take to be written, and a last KILL to be answered. */
#define WRITE_S 10
#define KILL_S  1

typedef enum {
  NEGO_RUN_EXEC,
  NEGO_RUN_STATUS,
  NEGO_RUN_FINAL, /* the status behind NEGOTIATOR_EXITED */
  NEGO_RUN_INPUT,
  NEGO_RUN_SIGNAL,
} NegoRunRequest;

static const char *const commands[] = {
  [NEGO_RUN_EXEC] = "negotiator-exec",          [NEGO_RUN_STATUS] = "negotiator-exec-status",
  [NEGO_RUN_FINAL] = "negotiator-exec-status",  [NEGO_RUN_INPUT] = "negotiator-exec-input",
  [NEGO_RUN_SIGNAL] = "negotiator-exec-signal",
};

typedef struct {
  NegoRunState *state;
  NegoRunRequest requests[REQUESTS]; /* whose replies are to come, in order */
  guint n_requests;
  gboolean started; /* the job is known to be there */
  gboolean ended;   /* the last status said that it has ended, and nothing came since */
  gboolean killed;  /* a second signal came: the run ends with the reply to KILL */
  gboolean no_events;
  QapiNegotiatorJobStatus *last; /* once the run is over */
} NegoRunEvents;

static gboolean
nego_run_events_awaits (const NegoRunEvents *self, NegoRunRequest request)
{
  for (guint i = 0; i < self->n_requests; i++)
    if (self->requests[i] == request)
      return TRUE;
  return FALSE;
}

/* Sends @request with @arguments, which is taken. */
static gboolean
nego_run_events_post (NegoRunEvents *self,
                      NegoRunRequest request,
                      GString *arguments,
                      GError **error)
{
  g_autoptr (GString) owned = arguments;
  const gint64 now = g_get_monotonic_time ();

  if (self->n_requests == REQUESTS) {
    g_set_error_literal (error, NEGO_ERROR, NEGO_ERROR_TIMEOUT,
                         "the agent does not answer its requests");
    return FALSE;
  }
  if (self->n_requests == 0)
    self->state->asked = now;
  self->requests[self->n_requests++] = request;
  return nego_remote_post (self->state->guest, commands[request], owned->str,
                           nego_run_state_later (now, WRITE_S), error);
}

/* Subscribes, or tells how far we are. */
static gboolean
nego_run_events_post_status (NegoRunEvents *self, GError **error)
{
  NegoRunState *state = self->state;

  memcpy (state->acknowledged, state->offsets, sizeof state->acknowledged);
  return nego_run_events_post (self, NEGO_RUN_STATUS,
                               nego_run_state_status_arguments (state, -1, TRUE), error);
}

static gboolean
nego_run_events_begin (NegoRunEvents *self, GError **error)
{
  NegoRunState *state = self->state;
  const double wait = state->run->detach || !state->input.over ? 0 : NEGO_RUN_START_WAIT_S;

  self->n_requests = 0;
  if (state->run->command == NULL || self->started)
    return nego_run_events_post_status (self, error);
  return nego_run_events_post (self, NEGO_RUN_EXEC,
                               nego_run_state_exec_arguments (state, wait, !state->run->detach),
                               error);
}

static gboolean
nego_run_events_take_status (NegoRunEvents *self,
                             NegoRunRequest request,
                             JsonNode *reply,
                             GError **error)
{
  NegoRunState *state = self->state;
  g_autoptr (QapiNegotiatorJobStatus) status
    = qapi_decode (&qapi_negotiator_job_status_type, reply, commands[request], FALSE, error);

  if (status == NULL || !nego_run_state_take (state, status, error))
    return FALSE;
  self->started = TRUE;
  if (request == NEGO_RUN_EXEC)
    nego_run_input_take (&state->input, state->input.offset + state->input.len);
  if (state->run->detach || nego_run_state_is_over (state, status)) {
    self->last = g_steal_pointer (&status);
    return TRUE;
  }
  if (request == NEGO_RUN_FINAL && state->progress) /* more than one reply holds */
    return nego_run_events_post (self, NEGO_RUN_FINAL,
                                 nego_run_state_status_arguments (state, -1, FALSE), error);
  /* Events with the rest may be on their way, but not for ever. */
  if (request != NEGO_RUN_FINAL && !(status->exited && self->ended)) {
    self->ended = status->exited;
    return TRUE;
  }
  g_set_error_literal (error, NEGO_ERROR, NEGO_ERROR_PARSE,
                       "the agent's answer makes no sense: it keeps output back");
  return FALSE;
}

static gboolean
nego_run_events_take_input (NegoRunEvents *self, JsonNode *reply, GError **error)
{
  g_autoptr (QapiNegotiatorJobInput) taken
    = qapi_decode (&qapi_negotiator_job_input_type, reply, commands[NEGO_RUN_INPUT], FALSE, error);

  return taken != NULL && nego_run_state_take_input (self->state, taken, error);
}

/* Whether a multiplexer says that its connection was lost. What had been started is found again;
 * what may have been is not started a second time. */
static gboolean
nego_run_events_is_lost (const NegoRunEvents *self, const GError *failure)
{
  return self->started && g_str_has_suffix (failure->message, NEGO_BROKER_LOST);
}

/* Whether the error reply to @request is one that the run can do without. */
static gboolean
nego_run_events_bears (NegoRunEvents *self, NegoRunRequest request, const GError *failure)
{
  if (request == NEGO_RUN_SIGNAL) /* it has ended meanwhile */
    return TRUE;
  self->no_events = strstr (failure->message, "this channel carries no events") != NULL;
  return FALSE;
}

static gboolean
nego_run_events_take_reply (NegoRunEvents *self, const NegoFramerMessage *message, GError **error)
{
  g_autoptr (GString) text = g_string_new_len (message->text, (gssize) message->len);
  g_autoptr (GError) failure = NULL;
  g_autoptr (JsonNode) reply = NULL;
  NegoRunRequest request;

  if (self->n_requests == 0) /* to nothing that we asked */
    return TRUE;
  request = self->requests[0];
  memmove (self->requests, self->requests + 1, --self->n_requests * sizeof self->requests[0]);
  reply = nego_reply_parse (text, commands[request], &failure);
  if (reply == NULL) {
    if (nego_run_events_bears (self, request, failure))
      return TRUE;
    if (nego_run_events_is_lost (self, failure))
      failure->code = NEGO_ERROR_CLOSED;
    g_propagate_error (error, g_steal_pointer (&failure));
    return FALSE;
  }
  switch (request) {
  case NEGO_RUN_EXEC:
  case NEGO_RUN_STATUS:
  case NEGO_RUN_FINAL:
    return nego_run_events_take_status (self, request, reply, error);
  case NEGO_RUN_INPUT:
    return nego_run_events_take_input (self, reply, error);
  case NEGO_RUN_SIGNAL:
    break;
  }
  return TRUE;
}

static gboolean
nego_run_events_take_event (NegoRunEvents *self, const NegoFramerMessage *message, GError **error)
{
  NegoRunState *state = self->state;
  NegoEvent *event = &state->event;

  self->ended = FALSE;
  if (!nego_event_parse (message, event, error))
    return FALSE;
  if (event->kind == NEGO_EVENT_OTHER || g_strcmp0 (event->job, state->job) != 0)
    return TRUE;
  if (event->kind == NEGO_EVENT_OUTPUT)
    return nego_run_state_take_output (state, event, error);
  if (nego_run_events_awaits (self, NEGO_RUN_FINAL))
    return TRUE;
  return nego_run_events_post (self, NEGO_RUN_FINAL,
                               nego_run_state_status_arguments (state, -1, FALSE), error);
}

/* Takes the messages that are there. */
static gboolean
nego_run_events_take (NegoRunEvents *self, GError **error)
{
  for (guint i = 0; i < MESSAGES && self->last == NULL; i++) {
    g_autoptr (GError) failure = NULL;
    NegoFramerMessage message;

    if (!nego_remote_next (self->state->guest, &message, &failure)) {
      if (failure == NULL)
        return TRUE;
      g_propagate_error (error, g_steal_pointer (&failure));
      return FALSE;
    }
    self->state->answered = g_get_monotonic_time ();
    if (nego_event_is_one (&message)) {
      if (!nego_run_events_take_event (self, &message, error))
        return FALSE;
    } else if (nego_reply_is_one (&message)) {
      if (!nego_run_events_take_reply (self, &message, error))
        return FALSE;
    }
  }
  return TRUE;
}

static gboolean
nego_run_events_send_signal (NegoRunEvents *self, GError **error)
{
  int signal;
  const gboolean go_on = nego_run_state_read_signal (self->state, &signal);

  if (signal == 0)
    return TRUE;
  self->killed = !go_on;
  return nego_run_events_post (
    self, NEGO_RUN_SIGNAL, nego_run_state_signal_arguments (self->state, go_on ? signal : SIGKILL),
    error);
}

static gboolean
nego_run_events_send_input (NegoRunEvents *self, GError **error)
{
  NegoRunInput *input = &self->state->input;

  if (!self->started || nego_run_events_awaits (self, NEGO_RUN_INPUT))
    return TRUE;
  if (!nego_run_input_fill (input, NEGO_RUN_INPUT_BYTES, error))
    return FALSE;
  if (!nego_run_input_has_news (input))
    return TRUE;
  return nego_run_events_post (self, NEGO_RUN_INPUT,
                               nego_run_state_input_arguments (self->state, NEGO_RUN_INPUT_WAIT_S),
                               error);
}

/* Tells how far we are, if that is far enough, and asks, if it is quiet, whether somebody is there.
 */
static gboolean
nego_run_events_keep_up (NegoRunEvents *self, GError **error)
{
  const NegoRunState *state = self->state;
  const gint64 quiet = nego_run_state_later (state->answered, NEGO_RUN_QUIET_S);
  gboolean due = self->n_requests == 0 && g_get_monotonic_time () >= quiet;

  for (guint i = 0; i < NEGO_RUN_STREAMS; i++)
    due = due
          || (state->run->flow
              && state->offsets[i] - state->acknowledged[i] >= NEGO_RUN_ACKNOWLEDGE_BYTES);
  if (!due || !self->started || nego_run_events_awaits (self, NEGO_RUN_STATUS)
      || nego_run_events_awaits (self, NEGO_RUN_FINAL))
    return TRUE;
  return nego_run_events_post_status (self, error);
}

/* Until when the next thing has to happen. */
static gint64
nego_run_events_deadline (const NegoRunEvents *self)
{
  const NegoRunState *state = self->state;
  const gint64 since = MAX (state->answered, state->asked);

  if (self->killed)
    return nego_run_state_later (state->asked, KILL_S);
  if (self->n_requests == 0)
    return MIN (state->end, nego_run_state_later (state->answered, NEGO_RUN_QUIET_S));
  if (state->run->silence <= 0)
    return state->end;
  return MIN (state->end, nego_run_state_later (since, state->run->silence));
}

static gboolean
nego_run_events_check_time (const NegoRunEvents *self, GError **error)
{
  const NegoRunState *state = self->state;

  if (nego_run_state_is_late (state, error))
    return FALSE;
  if (self->n_requests == 0 || g_get_monotonic_time () < nego_run_events_deadline (self))
    return TRUE;
  g_set_error_literal (error, NEGO_ERROR, NEGO_ERROR_TIMEOUT, "the agent does not answer any more");
  return FALSE;
}

/* Waits for the guest, the input or a signal. @guest: whether the guest has something. */
static gboolean
nego_run_events_wait (const NegoRunEvents *self, gboolean *guest, GError **error)
{
  const NegoRunState *state = self->state;
  const gboolean reads = self->started && nego_run_input_wants_data (&state->input)
                         && !nego_run_events_awaits (self, NEGO_RUN_INPUT);
  struct pollfd fds[] = {
    { .fd = nego_remote_get_fd (state->guest), .events = POLLIN },
    { .fd = state->run->signal_fd, .events = POLLIN },
    { .fd = reads ? state->input.fd : -1, .events = POLLIN },
  };

  if (poll (fds, G_N_ELEMENTS (fds), nego_link_time_left (nego_run_events_deadline (self))) < 0
      && errno != EINTR)
    return nego_error_set_errno (error, errno, "cannot wait for the guest");
  *guest = fds[0].revents != 0;
  return TRUE;
}

static gboolean
nego_run_events_turn (NegoRunEvents *self, GError **error)
{
  gboolean guest = FALSE;

  if (!nego_run_events_wait (self, &guest, error) || (guest && !nego_run_events_take (self, error)))
    return FALSE;
  if (self->last != NULL)
    return TRUE;
  if (self->killed) {
    if (nego_run_events_awaits (self, NEGO_RUN_SIGNAL)
        && g_get_monotonic_time () < nego_run_events_deadline (self))
      return TRUE;
    g_set_error_literal (error, NEGO_ERROR, NEGO_ERROR_INTERRUPTED, "interrupted");
    return FALSE;
  }
  return nego_run_events_send_signal (self, error) && nego_run_events_send_input (self, error)
         && nego_run_events_keep_up (self, error) && nego_run_events_check_time (self, error);
}

/* After @error: goes on, on a new connection, if that is what it takes. */
static gboolean
nego_run_events_recover (NegoRunEvents *self, GError **error)
{
  for (;;) {
    if (self->killed || !g_error_matches (*error, NEGO_ERROR, NEGO_ERROR_CLOSED)
        || !nego_run_state_reopen (self->state, self->started, error))
      return FALSE;
    /* By another way, perhaps: while a guest is restored its port is silent. */
    self->no_events = !nego_remote_can_post (self->state->guest);
    if (self->no_events)
      return FALSE;
    if (nego_run_events_begin (self, error))
      return TRUE;
  }
}

/* Nobody takes the output: the script is told, and that it was is seen, since an agent that is in
 * the middle of writing to us when we are gone reads no more. */
static void
nego_run_events_give_up (NegoRunEvents *self)
{
  const gint64 deadline = nego_run_state_later (g_get_monotonic_time (), NEGO_GUEST_ANSWER_S);
  gboolean ok = nego_run_events_post (self, NEGO_RUN_SIGNAL,
                                      nego_run_state_signal_arguments (self->state, SIGTERM), NULL);

  self->state->dropping = TRUE;
  while (ok && nego_run_events_awaits (self, NEGO_RUN_SIGNAL)
         && nego_link_time_left (deadline) > 0) {
    struct pollfd fd = { .fd = nego_remote_get_fd (self->state->guest), .events = POLLIN };

    poll (&fd, 1, nego_link_time_left (deadline));
    ok = nego_run_events_take (self, NULL);
  }
}

QapiNegotiatorJobStatus *
nego_run_events_do (NegoRunState *state, gboolean *no_events, GError **error)
{
  NegoRunEvents self = { .state = state };
  g_autoptr (GError) failure = NULL;
  gboolean ok = nego_run_events_begin (&self, &failure);

  while (ok && self.last == NULL) {
    ok = nego_run_events_turn (&self, &failure);
    if (!ok && self.no_events)
      break;
    if (!ok)
      ok = nego_run_events_recover (&self, &failure);
    if (!ok && self.no_events)
      break;
  }
  if (g_error_matches (failure, NEGO_ERROR, NEGO_ERROR_IO) && state->instance != NULL)
    nego_run_events_give_up (&self);
  *no_events = self.no_events;
  if (self.last != NULL || *no_events)
    return self.last;
  g_propagate_error (error, g_steal_pointer (&failure));
  if (self.started)
    nego_run_state_explain (state, error);
  return NULL;
}
