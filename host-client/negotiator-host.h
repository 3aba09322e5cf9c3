/* SPDX-License-Identifier: MIT */
/*
 * negotiator-host: nego-host under the name of the Python program, with its options:
 * -g -c -e -d -t -v -q -h, of which several are carried out in their order. --connect and --socket
 * are nego-host's.
 */
#pragma once

#include "host-client/options.h"

/* Whether the program was called by that name. */
gboolean nego_negotiator_host_is_called (void);
/* @verbs: nego-host's. Returns: the exit status. */
int nego_negotiator_host_main (int argc, char **argv, const NegoVerb *verbs);
