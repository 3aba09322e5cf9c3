/* SPDX-License-Identifier: MIT */
/*
 * dispatch: from a request's name to its handler: the generated table, then the policy, then the
 * handler. It keeps no state of a request: that is call.h; the order of requests is session.h.
 */
#pragma once

#include "common/call.h"
#include "common/policy.h"
#include "qapi/qapi-commands.h"

typedef struct NegoDispatcher NegoDispatcher;

/* @handlers says which commands of the schema exist on this side (a NULL handler: it does not);
 * it and @policy must outlive the dispatcher. @context is what handlers get from
 * nego_call_get_context(). */
NegoDispatcher *
nego_dispatcher_new (const QapiHandlers *handlers, NegoPolicy *policy, gpointer context);
void nego_dispatcher_free (NegoDispatcher *dispatcher);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (NegoDispatcher, nego_dispatcher_free)

/* Asked before each command is looked up; FALSE and an error: it is refused. */
typedef gboolean (*NegoDispatcherGate) (gpointer context, const char *name, GError **error);
void nego_dispatcher_set_gate (NegoDispatcher *dispatcher, NegoDispatcherGate gate);

gpointer nego_dispatcher_get_context (NegoDispatcher *dispatcher);

/* The command @name if it is served and allowed; else NULL and QGA's error. */
const QapiCommand *
nego_dispatcher_find (NegoDispatcher *dispatcher, const char *name, GError **error);

/* Decodes @arguments (a JSON object's text, or NULL for none) and runs the handler of @command. */
void nego_dispatcher_run (NegoDispatcher *dispatcher,
                          const QapiCommand *command,
                          const char *arguments,
                          gsize arguments_len,
                          NegoCall *call);

/* Calls @func for each served command, in the schema's order (guest-info). */
typedef void (*NegoDispatcherEachFunc) (const QapiCommand *command,
                                        gboolean enabled,
                                        gpointer user_data);
void
nego_dispatcher_each (NegoDispatcher *dispatcher, NegoDispatcherEachFunc func, gpointer user_data);
