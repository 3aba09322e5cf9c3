/* SPDX-License-Identifier: MIT */
/*
 * agent-fixture: the real agent, with an empty directory of scripts, asked over a socket pair.
 */
#pragma once

#include "agent/agent.h"
#include "common/session.h"

#include <json-glib/json-glib.h>

typedef struct {
  char *dir;
  NegoPolicy *policy; /* the agent's */
  NegoAgent *agent;
  NegoSession *session;
  int peer;
  GString *heard;
  guint watch;
} AgentFixture;

/* For g_test_add (); @qga: not NULL for a channel that is the QGA port. Without a safe directory
 * the test is skipped, and dir is NULL. */
void agent_fixture_set_up (AgentFixture *fixture, gconstpointer qga);
void agent_fixture_tear_down (AgentFixture *fixture, gconstpointer qga);
/* Writes a file; it is executable unless it is a key file. */
void agent_fixture_add (AgentFixture *fixture, const char *name, const char *text);
/* Adds a script that runs @before, waits for a line on the descriptor that is returned, and runs
 * @after. */
int agent_fixture_add_waiting (AgentFixture *fixture,
                               const char *name,
                               const char *before,
                               const char *after);
void agent_fixture_tell (AgentFixture *fixture, const char *text);
/* The next reply line. */
char *agent_fixture_hear (AgentFixture *fixture);
JsonNode *agent_fixture_hear_node (AgentFixture *fixture);
/* Asks, and returns the reply. @arguments: a JSON object, with ' for ". */
JsonNode *agent_fixture_ask (AgentFixture *fixture, const char *command, const char *arguments);
/* Asks, and wants the error @text. */
void agent_fixture_assert_error (AgentFixture *fixture,
                                 const char *command,
                                 const char *arguments,
                                 const char *text);
/* The value of "return". */
JsonObject *agent_fixture_returned (JsonNode *node);
/* The members of that value. */
void agent_fixture_assert_text (JsonNode *node, const char *member, const char *text);
void agent_fixture_assert_int (JsonNode *node, const char *member, gint64 value);
void agent_fixture_assert_bool (JsonNode *node, const char *member, gboolean value);
void agent_fixture_assert_absent (JsonNode *node, const char *const *members);
