/* SPDX-License-Identifier: MIT */
/*
 * query: a command whose work may block (sysfs waits for a device's lock, a file may be on a dead
 * disk), done on a thread of the agent's offload, and answered with what the thread made.
 *
 * An abandoned call, a client that leaves and the agent's end are dealt with here: work that has
 * not started is not done then, and what is being done goes on without anybody to answer.
 */
#pragma once

#include "common/call.h"

#include <glib.h>

/* On a thread: makes the result of @arguments (what the handler gave), or returns NULL with @error.
 * It may use nothing but @arguments. */
typedef gpointer (*NegoQueryFunc) (gpointer arguments, GError **error);
/* In the main loop: answers @call by the generated qapi_NAME_return (call, result). */
typedef void (*NegoQueryAnswerFunc) (NegoCall *call, gpointer result);

typedef struct {
  NegoQueryFunc func;
  NegoQueryAnswerFunc answer;
  GDestroyNotify free_arguments; /* NULL: borrowed for ever */
  GDestroyNotify free_result;
  guint timeout_s; /* from the request to the answer; 0: as long as it takes */
} NegoQuery;

/* Answers @call, later: with the result, with the function's error, or, after @timeout_s, with "no
 * answer from the kernel in time". @query must be constant; @arguments is transfer full. */
void nego_query_start (const NegoQuery *query, NegoCall *call, gpointer arguments);
