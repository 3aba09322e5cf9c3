/* SPDX-License-Identifier: MIT */
/*
 * old-remote: a peer that may be the Python negotiator's, asked in its framing (old-frame.h,
 * old-request.h). Such a daemon ends on the first byte of QMP, so who may meet one asks this way
 * first: a peer of today answers that it speaks QMP, too, and is then to be asked anew, in QMP.
 *
 * A peer is trusted no more than any other: replies are bounded (NEGO_OLD_BYTES). Calls block until
 * the reply is there, or the deadline. Errors: those of end.h; NEGO_ERROR_PARSE for what is no
 * reply; NEGO_ERROR_GENERIC with the peer's own words.
 */
#pragma once

#include "common/client/end.h"

typedef struct {
  NegoEnd *end;
  gboolean speaks_qmp;
  char **names; /* of the commands, as the peer tells them */
} NegoOldRemote;

/* Takes @end, and asks for the commands. */
NegoOldRemote *nego_old_remote_new (NegoEnd *end, gint64 deadline, GError **error);
void nego_old_remote_free (NegoOldRemote *remote);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (NegoOldRemote, nego_old_remote_free)

/* Runs a command: @args, and @input (NULL: none), which is UTF-8. Returns its output: (transfer
 * full). That it failed is an error. */
char *nego_old_remote_execute (NegoOldRemote *remote,
                               const char *const *args,
                               const char *input,
                               gint64 deadline,
                               GError **error);
