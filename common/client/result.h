/* SPDX-License-Identifier: MIT */
/*
 * result: what the end of a run is to the caller of nego-host or nego-guest: output, messages, the
 * exit status.
 */
#pragma once

#include "common/client/run.h"

/* Our own exit statuses, where the script's is not to be had (as of coreutils' timeout and
 * env). */
enum {
  NEGO_RESULT_TIMED_OUT = 124,
  NEGO_RESULT_FAILED = 125,
  NEGO_RESULT_REFUSED = 126,
  NEGO_RESULT_UNKNOWN = 127,
  NEGO_RESULT_SIGNAL = 128,
};

/* For one run: its output goes to ours as it comes, or, for JSON, is collected. */
typedef struct {
  gboolean json, quiet;
  const char *guest;        /* whom messages are about; NULL: they do not say */
  gpointer owner;           /* the owner's */
  GByteArray *collected[2]; /* NULL: it is not */
  gboolean reader_left;     /* nobody reads our output any more */
  int signal_fd;
  int interrupted_by;
} NegoResult;

/* From here on, INT, TERM and HUP are read from signal_fd. @guest: borrowed, or NULL. */
void nego_result_init (NegoResult *result, gboolean json, gboolean quiet, const char *guest);
void nego_result_clear (NegoResult *result);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (NegoResult, nego_result_clear)

/* For NegoRun.put; @user_data: the NegoResult. */
gboolean
nego_result_put (guint stream, const guint8 *data, gsize len, gpointer user_data, GError **error);

/* Says and prints what is to be said of @run, which ended with @status, or NULL and @error.
 * Returns: the exit status. */
int nego_result_finish (NegoResult *result,
                        const NegoRun *run,
                        QapiNegotiatorJobStatus *status,
                        const GError *error);

/* Says @error, unless quiet. */
void nego_result_say (const NegoResult *result, const GError *error);

/* The exit status for @error. */
int nego_result_exit_status_of_error (const GError *error);

/* The exit status for @status; @message: what to say of it, if it is none of the script's own
 * (transfer full). */
int nego_result_exit_status (const QapiNegotiatorJobStatus *status, GError **message);

/* Appends the last @status of a run as JSON, with all of its output. */
void nego_result_append_json (GString *out,
                              QapiNegotiatorJobStatus *status,
                              GByteArray *const collected[2]);
