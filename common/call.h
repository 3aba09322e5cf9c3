/* SPDX-License-Identifier: MIT */
/*
 * call: one request on its way to exactly one reply.
 *
 * The dispatcher makes it, a handler answers it: at once (synchronous commands: by what the handler
 * returns) or later (commands with the schema feature "async": the handler takes a reference and
 * calls the generated qapi_NAME_return() or nego_call_fail() once). A call can be *abandoned*
 * before that, by a sync that waits too long, a reset or a disconnect: the handler's abandon
 * function runs once, and an answer given afterwards is dropped.
 */
#pragma once

#include "common/feed.h"
#include "common/json.h"
#include "common/owner.h"
#include "common/stream.h"

#include <glib.h>

typedef struct NegoCall NegoCall;
typedef void (*NegoCallAbandonFunc) (NegoCall *call, gpointer user_data);

NegoCall *nego_call_ref (NegoCall *call);
void nego_call_unref (NegoCall *call);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (NegoCall, nego_call_unref)

/* What the dispatcher was made with: the agent, in the agent. */
gpointer nego_call_get_context (NegoCall *call);
/* The command's name. */
const char *nego_call_get_name (NegoCall *call);
/* Whether the call came over the QGA port (no events; bounded waits). */
gboolean nego_call_is_qga (NegoCall *call);
/* The channel's events; NULL: it carries none. Of a call that is neither answered nor abandoned. */
NegoFeeds *nego_call_get_feeds (NegoCall *call);
/* A respelled JSON value, or NULL. */
const char *nego_call_get_id (NegoCall *call);
/* The channel's client, to keep something for. Of a call that is neither answered nor abandoned. */
NegoOwner *nego_call_get_owner (NegoCall *call);
/* Of a command with the feature "bulk": the string argument @key, when it was so long that what the
 * handler got of it is empty; else NULL. Returns: (transfer full). */
char *nego_call_take_bulk (NegoCall *call, const char *key);
/* For dispatch.h. Takes both. */
void nego_call_set_bulk (NegoCall *call, char *key, char *value);
/* The channel's or peer's name, for the log. */
const char *nego_call_get_origin (NegoCall *call);

/* Sets the function that an abandoned call runs. Not called after the call was answered. */
void nego_call_set_abandon (NegoCall *call, NegoCallAbandonFunc func, gpointer user_data);
gboolean nego_call_is_abandoned (NegoCall *call);

/* Answers with @error (transfer full): class CommandNotFound for NEGO_ERROR_COMMAND_NOT_FOUND, else
 * GenericError, and the error's message as desc. */
void nego_call_fail (NegoCall *call, GError *error);

/* Answers with @text as it is, which is no QMP: to a call that came otherwise (old-request.h). */
void nego_call_answer_raw (NegoCall *call, const char *text, gsize len);

/* The reply is preceded by 0xFF (guest-sync-delimited). */
void nego_call_set_delimited (NegoCall *call);

/* The session is to start requests as they come from now on, or in order again (session.h). */
void nego_call_set_concurrent (NegoCall *call, gboolean concurrent);

/* Whether the session starts requests as they come, at this call. */
gboolean nego_call_is_concurrent (NegoCall *call);

/* Ends the waiting of the call with the integer @id of the same session: it is abandoned. */
void nego_call_cancel (NegoCall *call, gint64 id);

/* For what passes calls on. The answer is the JSON value @text, or an error that is the JSON object
 * @text, as it is. */
void nego_call_return_text (NegoCall *call, const char *text, gsize len);
void nego_call_fail_text (NegoCall *call, const char *text, gsize len);

/* For generated code. Returns the writer that the value of "return" goes to, or NULL when nobody
 * wants the answer any more; with a writer, nego_call_end_return() must follow at once. */
NegoJsonWriter *nego_call_begin_return (NegoCall *call);
void nego_call_end_return (NegoCall *call);

/* For a large result that was written on another thread: begins the reply's text, whose value of
 * "return" the caller writes behind it with @writer, on any thread. */
void nego_call_begin_text (NegoJsonWriter *writer, GString *text);
/* Answers with such a text (transfer full). */
void nego_call_return_written (NegoCall *call, GString *text);

/* For session.h: a call of @name, whose reply goes to the queue of @stream (borrowed; it must live
 * as long as the call is neither answered nor abandoned). @id is a respelled JSON value (transfer
 * full) or NULL. @done runs once the reply is queued, or with a call that ends without one; not for
 * an abandoned call. */
typedef void (*NegoCallDoneFunc) (NegoCall *call, gpointer user_data);

typedef struct {
  gpointer context;   /* for the handler */
  const char *origin; /* of the channel; outlives the call's life in the session */
  gboolean qga;
  NegoStream *stream;
  NegoFeeds *feeds;    /* borrowed, as @stream; NULL: no events */
  gboolean concurrent; /* the session is so when the call comes */
  void (*cancel) (const char *id, gpointer user_data);
  NegoOwner *owner; /* borrowed, as @stream */
  NegoCallDoneFunc done;
  gpointer user_data;
} NegoCallPeer;

NegoCall *nego_call_new (const char *name, char *id, const NegoCallPeer *peer);
void nego_call_abandon (NegoCall *call);
/* For @done: whether the answer is an error; what the handler wants of the session, or @concurrent.
 */
gboolean nego_call_is_failed (NegoCall *call);
gboolean nego_call_wants_concurrent (NegoCall *call, gboolean concurrent);
/* A command without a success reply ended well. */
void nego_call_end_silently (NegoCall *call);
