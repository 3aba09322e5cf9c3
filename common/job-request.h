/* SPDX-License-Identifier: MIT */
/*
 * job-request: what a caller asks of a script: its checks against the script and the limits, and
 * its identity, by which a repeat under the same key is known.
 */
#pragma once

#include "common/script.h"

#include <glib.h>

typedef struct {
  const char *command;
  const char *const *args; /* without argv[0]; NULL: none */
  const char *const *env;  /* "NAME=VALUE"; NULL: none */
  const guint8 *input;     /* for the standard input; NULL: /dev/null */
  gsize input_len;
  guint timeout_ms;    /* can only shorten the script's; 0: the script's */
  const char *key;     /* the caller's name for the run; NULL: none */
  gboolean input_open; /* more input may follow */
  gboolean flow;       /* output flows instead of being kept (capture.h) */
  gboolean queue;      /* the run may wait for others to end */
  const char *origin;  /* who asks, for the audit */
} NegoJobRequest;

/* Checks the key's form. Errors: NEGO_ERROR_GENERIC. */
gboolean nego_job_request_check_key (const NegoJobRequest *request, GError **error);

/* Checks the rest against @script, which is the request's command. Errors: NEGO_ERROR_REFUSED. */
gboolean
nego_job_request_check (const NegoJobRequest *request, const NegoScript *script, GError **error);

/* The same for the same command, args, env and input, and no other. Returns: (transfer full). */
char *nego_job_request_digest (const NegoJobRequest *request);

/* A copy without the input. Returns: (transfer full). */
NegoJobRequest *nego_job_request_copy (const NegoJobRequest *request);
/* Frees a copy. */
void nego_job_request_free (NegoJobRequest *copy);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (NegoJobRequest, nego_job_request_free)

/* The time limit that holds: 0 is none. */
guint nego_job_request_timeout_ms (const NegoJobRequest *request, const NegoScript *script);
