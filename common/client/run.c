/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "common/client/run.h"

#include "common/names.h"
#include "common/client/run-state.h"

#include <string.h>

/* What there is room for beside @arguments in a request. */
static gsize
nego_run_first_piece (const NegoRun *run, const NegoRemote *guest)
{
  gsize piece = nego_remote_is_shared (guest) ? NEGO_RUN_INPUT_BYTES_LIBVIRT : NEGO_RUN_INPUT_BYTES;
  gsize arguments = 0;

  /* An argument's JSON is up to six times as long. */
  for (guint i = 0; run->args != NULL && run->args[i] != NULL; i++)
    arguments += 6 * strlen (run->args[i]);
  return arguments < piece ? piece - arguments : 0;
}

QapiNegotiatorJobStatus *
nego_run_do (const NegoRun *run, NegoRemote *guest, GError **error)
{
  g_auto (NegoRunState) state = {
    .run = run,
    .guest = guest,
    .answered = g_get_monotonic_time (),
    .end = G_MAXINT64,
  };
  QapiNegotiatorJobStatus *status = NULL;
  gboolean no_events = TRUE;

  nego_run_input_init (&state.input, run->input_fd);
  if (!nego_run_input_fill (&state.input, nego_run_first_piece (run, guest), error))
    return NULL;
  /* The guest ends the script in time; if it does not say so, it is not believed for ever. */
  if (run->timeout > 0)
    state.end = nego_run_state_later (state.answered, run->timeout + NEGO_SCRIPT_GRACE_S + 2);
  if (nego_remote_can_post (guest))
    status = nego_run_events_do (&state, &no_events, error);
  if (no_events)
    status = nego_run_poll_do (&state, error);
  if (run->interrupted_by != NULL)
    *run->interrupted_by = state.last_signal;
  return status;
}
