/* SPDX-License-Identifier: MIT */
/*
 * process: one process of guest-exec: the child, its input, and as much of its output as is kept.
 *
 * It ends as guest-exec's callers know it: once the child has ended and its output too. A child
 * that leaves others behind which hold the output open is waited for a little longer
 * (NEGO_PROCESS_LINGER_S), then what was read is the result, and the pipe is drained.
 *
 * A process is nobody's but its own: it gets no time limit and no signal, and the agent's
 * end is not its own, but where systemd ends what is left in the unit's control group
 * (KillMode=mixed). It knows no JSON and no channel.
 */
#pragma once

#include "common/capture.h"
#include "common/drain.h"

#include <glib.h>

typedef struct NegoProcess NegoProcess;

typedef struct {
  const char *path;        /* a name is looked for in PATH: env's, else this process's */
  const char *const *args; /* behind argv[0], which is path; NULL: none */
  const char *const *env;  /* all of its environment; NULL: this process's */
  guint8 *input;           /* transfer full; NULL: /dev/null */
  gsize input_len;
  gboolean out, err; /* which are captured; the others go to /dev/null */
  gboolean merged;   /* err goes where out goes, and is captured with it */
  gsize max_bytes;   /* kept of each */
} NegoProcessSpec;

typedef struct {
  gboolean signalled;
  int status; /* the exit status, or the signal */
  NegoCaptureView out, err;
} NegoProcessResult;

/* It has ended. Freeing it from here is wrong. */
typedef void (*NegoProcessFunc) (NegoProcess *process, gpointer user_data);

/* @drain (borrowed) takes pipes that outlive their result. Errors: NEGO_ERROR_IO with GLib's text,
 * which is QGA's: "Failed to execute child process “path” (cause)". */
NegoProcess *nego_process_start (NegoProcessSpec *spec,
                                 NegoDrain *drain,
                                 NegoProcessFunc ended,
                                 gpointer user_data,
                                 GError **error);
/* A child that runs runs on. */
void nego_process_free (NegoProcess *process);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (NegoProcess, nego_process_free)

GPid nego_process_get_pid (const NegoProcess *process);
gboolean nego_process_is_ended (const NegoProcess *process);
/* Of one that has ended; the views are borrowed. */
void nego_process_get_result (const NegoProcess *process, NegoProcessResult *result);
/* What it holds of input that was not taken yet, and of output. */
gsize nego_process_count_input (const NegoProcess *process);
gsize nego_process_count_output (const NegoProcess *process);
