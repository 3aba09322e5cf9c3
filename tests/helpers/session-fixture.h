/* SPDX-License-Identifier: MIT */
/*
 * session-fixture: a session on one end of a socket pair, with handlers of its own: negotiator-exec
 * is the asynchronous command, and ends when the test says so.
 */
#pragma once

#include "common/session.h"

typedef struct {
  int peer;
  NegoPolicy *policy;
  NegoDispatcher *dispatcher;
  NegoSession *session;
  GQueue calls;   /* NegoCall: started and unanswered */
  guint bad_sync; /* the number that guest-sync-delimited refuses */
  guint started, abandoned, pings, closed;
} SessionFixture;

/* For g_test_add (); @kind: a NegoStreamKind. */
void session_fixture_set_up (SessionFixture *fixture, gconstpointer kind);
/* @wanted: all but name and limits. */
void session_fixture_set_up_with (SessionFixture *fixture, const NegoSessionOptions *wanted);
void session_fixture_tear_down (SessionFixture *fixture, gconstpointer kind);
/* Runs the main loop until it has nothing to do. */
void session_fixture_settle (void);
void session_fixture_tell (SessionFixture *fixture, const char *text);
char *session_fixture_hear (SessionFixture *fixture);
void session_fixture_expect (SessionFixture *fixture, const char *reply);
/* Ends the call that started first, with the error "ended". */
void session_fixture_end_call (SessionFixture *fixture);

#define PING          "{\"execute\":\"guest-ping\"}"
#define EXEC          "{\"execute\":\"negotiator-exec\",\"arguments\":{\"command\":\"x\"}}"
#define SYNC(id)      "{\"execute\":\"guest-sync\",\"arguments\":{\"id\":" #id "}}"
#define ENDED         "{\"error\": {\"class\": \"GenericError\", \"desc\": \"ended\"}}\n"
#define PONG          "{\"return\": {}}\n"
#define SYNCED(id)    "{\"return\": " #id "}\n"
#define GENERIC(desc) "{\"error\": {\"class\": \"GenericError\", \"desc\": \"" desc "\"}}\n"
