/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "agent/guest-client/verbs.h"

/* How long wait waits, unless --timeout says otherwise: a host's reboot takes longer, a restart of
 * nego-hostd does not. */
#define WAIT_S 30
/* The longest wait that is asked for at once. */
#define WAIT_MAX_S (30.0 * 86400)

/* nego-guest wait */
int
nego_guest_cmd_wait (const NegoGuestOptions *options)
{
  const double wait = !options->has_timeout   ? WAIT_S
                      : options->timeout == 0 ? WAIT_MAX_S
                                              : options->timeout;
  g_autoptr (GError) error = NULL;
  g_autoptr (NegoRemote) host = nego_guest_verb_open (options, &error);

  if (host != NULL
      && (options->device == NULL
            ? nego_guest_verb_await (host, wait, &error)
            : nego_remote_sync (host, nego_guest_options_deadline (options, WAIT_S), &error)))
    return 0;
  return nego_guest_verb_fail (options, error);
}
