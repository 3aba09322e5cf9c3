/* SPDX-License-Identifier: MIT */
/*
 * old-peer: answers the Python negotiator's requests (common/old-request.h): list_commands, with
 * what may be run, and execute, with the output as text once the script has ended well.
 *
 * What else happened is an error: an exit status, a signal, the time limit, more than
 * NEGO_OLD_OUTPUT_BYTES of output, and whatever refuses negotiator-list and negotiator-exec. A
 * peer that goes away ends its script.
 */
#pragma once

#include "common/call.h"

/* A NegoSessionOldFunc, for sessions whose context is a NegoService. */
void nego_old_peer_answer (NegoCall *call, const char *text, gsize len);
