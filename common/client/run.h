/* SPDX-License-Identifier: MIT */
/*
 * run: one run of a script in a guest, from the first request to its end and the last byte of
 * output; or the rest of one that is there already.
 *
 * A run has a key, so that a request whose reply was lost can be sent again without running the
 * script twice, and output has offsets, so that a run whose connection was lost goes on, on another
 * one, where it was.
 *
 * On a channel with events (run-events.c) output comes by itself. Elsewhere (run-poll.c) it is
 * asked for: an agent that libvirt shares out is held for NEGO_GUEST_WAIT_QGA_S at a time, and left
 * to others for NEGO_GUEST_PAUSE_MS in between.
 */
#pragma once

#include "common/client/remote.h"
#include "qapi/qapi-types.h"

/* Takes output; @stream: 0 or, the error output, 1. FALSE, with NEGO_ERROR_IO: it cannot; then the
 * script gets TERM, and the run ends. */
typedef gboolean (*NegoRunPutFunc) (
  guint stream, const guint8 *data, gsize len, gpointer user_data, GError **error);
/* Opens the guest anew. Errors are those of route.h. */
typedef NegoRemote *(*NegoRunOpenFunc) (gint64 deadline, gpointer user_data, GError **error);

typedef struct {
  const char *command;     /* NULL: a job that is there is attached to */
  const char *const *args; /* NULL: none */
  const char *job;         /* with a job to attach to, its name, or NULL and @key */
  const char *key;
  gboolean detach; /* it is started, and left alone */
  gboolean flow;   /* its output may be of any size */
  double timeout;  /* seconds that the script may run; 0: as the guest says */
  double silence;  /* seconds without an answer after which the agent is given up; 0: never */
  int input_fd;    /* read, and sent to the script; -1: it gets no input */
  /* Read for struct signalfd_siginfo: the first signal goes to the script, the second one ends it
   * and the run. -1: none. */
  int signal_fd;
  int *interrupted_by; /* gets that second signal */
  NegoRunPutFunc put;
  NegoRunOpenFunc reopen; /* NULL: a lost connection is the end */
  gpointer user_data;     /* of these two */
} NegoRun;

/* Runs on @guest, which it takes. Returns: (transfer full): the last status; NULL: @error is that
 * of link.h or reply.h, NEGO_ERROR_IO for our own input and output, NEGO_ERROR_PARSE for an answer
 * that makes no sense, NEGO_ERROR_INTERRUPTED for a second signal. */
QapiNegotiatorJobStatus *nego_run_do (const NegoRun *run, NegoRemote *guest, GError **error);
