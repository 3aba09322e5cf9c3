/* SPDX-License-Identifier: MIT */
/*
 * verbs: what nego-guest can be told to do, one file each (cmd-VERB.c), and what these share.
 *
 * To add a verb: a file, a row in nego-guest.c, a paragraph in docs/nego-guest.rst.
 */
#pragma once

#include "agent/guest-client/options.h"
#include "common/client/remote.h"

int nego_guest_cmd_exec (const NegoGuestOptions *options);
int nego_guest_cmd_info (const NegoGuestOptions *options);
int nego_guest_cmd_list (const NegoGuestOptions *options);
int nego_guest_cmd_notify (const NegoGuestOptions *options);
int nego_guest_cmd_ping (const NegoGuestOptions *options);
int nego_guest_cmd_wait (const NegoGuestOptions *options);

/* The host: through the agent's socket, or the device that @options name. Errors are those of
 * link.h, and say what to do next. */
NegoRemote *nego_guest_verb_open (const NegoGuestOptions *options, GError **error);

/* As negotiator-guest with a device: whether the host's daemon is that of the Python negotiator,
 * which QMP would end; then all is done in its way. Without a command its commands are listed. */
gboolean nego_guest_ask_old (const NegoGuestOptions *options, int *status);

/* Waits, for @wait seconds at most, until the agent has a host that answers. */
gboolean nego_guest_verb_await (NegoRemote *host, double wait, GError **error);

/* Says @error, unless --quiet. Returns: 1, a failed verb's status. */
int nego_guest_verb_fail (const NegoGuestOptions *options, const GError *error);
