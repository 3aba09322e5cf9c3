/* SPDX-License-Identifier: MIT */
/*
 * session: one connection: framer + stream + the order of requests and replies.
 *
 * Requests are started in order and answered in order; one starts when its predecessor's reply is
 * queued. A sync waits at most NEGO_SESSION_SYNC_WAIT_MS for the replies before it, then it is
 * answered: the running call is abandoned, and what was queued behind it is not executed. A reader
 * that falls behind by NEGO_SESSION_QUEUE_BYTES stops the reading of its requests.
 *
 * A *concurrent* session starts requests as they come, at most NEGO_SESSION_CONCURRENT at a time
 * (further ones wait, as above), and answers each when it is done; a sync then waits for nothing.
 * An option makes it so, or the command negotiator-session until the next sync.
 *
 * A session that *needs a sync* discards what comes before 0xFF and guest-sync-delimited: malformed
 * input silently, a request with the error "not synchronised". It is synchronised when that
 * command's handler has succeeded, until the next one.
 *
 * A session that has somebody for them takes the Python negotiator's messages, too (intake.h says
 * where one may begin), among the other requests and without a sync.
 *
 * It does not open, accept or reopen anything: that is the agent's channel.h.
 */
#pragma once

#include "common/dispatch.h"
#include "common/framer.h"
#include "common/stream.h"

typedef struct NegoSession NegoSession;

/* Takes @call, with the arguments' text (NULL: none), to be answered by others; FALSE: the
 * session's dispatcher is to run it. */
typedef gboolean (*NegoSessionForwardFunc) (NegoCall *call,
                                            const char *arguments,
                                            gsize len,
                                            gpointer user_data);

/* Answers @call, now or later, with nego_call_answer_raw(). @text: of a message of the Python
 * negotiator (old-request.h), borrowed. */
typedef void (*NegoSessionOldFunc) (NegoCall *call, const char *text, gsize len);

typedef struct {
  const char *name; /* of the channel or peer, for the log; copied */
  NegoStreamKind kind;
  NegoFramerLimits limits;
  gboolean qga;        /* the QGA port: QGA commands' clients; never an event */
  gboolean concurrent; /* always */
  gboolean needs_sync;
  guint rate;                     /* bytes a second that a socket is read at most; 0: any */
  NegoSessionForwardFunc forward; /* asked before the dispatcher; NULL: nobody is */
  NegoSessionOldFunc old;         /* NULL: a digit is stray input */
} NegoSessionOptions;

/* The connection ended (@error NULL: orderly). Called once, from the main loop; freeing the session
 * from here is right. A PORT's host going away does not end a session: it resets it. */
typedef void (*NegoSessionClosedFunc) (NegoSession *session,
                                       const GError *error,
                                       gpointer user_data);

/* Takes @fd, a connected or opened descriptor. @dispatcher must outlive the session. */
NegoSession *nego_session_new (NegoDispatcher *dispatcher,
                               int fd,
                               const NegoSessionOptions *options,
                               NegoSessionClosedFunc closed,
                               gpointer user_data);
/* nego_stream_set_poller (), of its stream. */
void nego_session_set_poller (NegoSession *session, NegoPoller *poller);
/* For handlers of a session that never is concurrent: sets @error, returns FALSE. */
gboolean nego_session_refuse_concurrent (GError **error);
/* Abandons what runs, closes the descriptor; @closed is not called any more. */
void nego_session_free (NegoSession *session);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (NegoSession, nego_session_free)
