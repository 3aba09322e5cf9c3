/* SPDX-License-Identifier: MIT */
/*
 * run: one run of a script in a guest, from the first request to its end and the last byte of
 * output.
 *
 * The run has a key, so that a request whose reply was lost can be sent again without running the
 * script twice. Output is fetched by offsets and written as it comes. An agent that libvirt shares
 * out is held for NEGO_GUEST_WAIT_QGA_S at a time, and left to others for NEGO_GUEST_PAUSE_MS in
 * between.
 */
#pragma once

#include "host-client/guest.h"
#include "qapi/qapi-types.h"

typedef struct {
  NegoGuest *guest;
  const char *command;
  const char *const *args;
  const guint8 *input; /* NULL: none */
  gsize input_len;
  const char *key;
  double timeout; /* seconds that the script may run; 0: as the guest says */
  double silence; /* seconds without an answer after which the agent is given up; 0: never */
  GByteArray
    *collected[2]; /* for the output and the error output; NULL: they are written to ours */
} NegoRun;

/* Returns: (transfer full): the arguments of negotiator-exec. */
GString *nego_run_arguments (const NegoRun *run);

/* Runs the script. Returns: (transfer full): its last status; NULL: @error is that of link.h or
 * reply.h, NEGO_ERROR_IO for our own output, or NEGO_ERROR_PARSE for a status that makes no sense.
 */
QapiNegotiatorJobStatus *nego_run_do (const NegoRun *run, const GString *arguments, GError **error);
