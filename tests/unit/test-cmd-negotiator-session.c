/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "tests/helpers/agent-fixture.h"

#include <signal.h>
#include <unistd.h>

static void
test_switch (AgentFixture *fixture, gconstpointer data)
{
  g_autoptr (JsonNode) on = NULL, off = NULL;

  if (fixture->dir == NULL)
    return;
  on = agent_fixture_ask (fixture, "negotiator-session", "{'concurrent': true}");
  agent_fixture_assert_bool (on, "concurrent", TRUE);
  agent_fixture_assert_bool (on, "was-concurrent", FALSE);
  agent_fixture_assert_int (on, "limit", 64);
  off = agent_fixture_ask (fixture, "negotiator-session", "{'concurrent': false}");
  agent_fixture_assert_bool (off, "concurrent", FALSE);
  agent_fixture_assert_bool (off, "was-concurrent", TRUE);
  agent_fixture_assert_int (off, "limit", 1);
}

/* A script that waits does not hold up what comes behind it. */
static void
test_overtakes (AgentFixture *fixture, gconstpointer data)
{
  g_autoptr (JsonNode) on = NULL, ping = NULL, exec = NULL;
  int go;

  if (fixture->dir == NULL)
    return;
  go = agent_fixture_add_waiting (fixture, "waits", "", "echo done");
  on = agent_fixture_ask (fixture, "negotiator-session", "{'concurrent': true}");
  agent_fixture_tell (fixture, "{'execute':'negotiator-exec','arguments':{'command':'waits',"
                               "'wait':60},'id':1}{'execute':'guest-ping','id':2}");
  ping = agent_fixture_hear_node (fixture);
  g_assert_cmpint (json_object_get_int_member (json_node_get_object (ping), "id"), ==, 2);
  g_assert_cmpint (write (go, "\n", 1), ==, 1);
  exec = agent_fixture_hear_node (fixture);
  g_assert_cmpint (json_object_get_int_member (json_node_get_object (exec), "id"), ==, 1);
  agent_fixture_assert_text (exec, "out-data", "done\n");
  close (go);
}

/* A sync ends it, which the next reply says. */
static void
test_sync (AgentFixture *fixture, gconstpointer data)
{
  g_autoptr (JsonNode) first = NULL, sync = NULL, second = NULL;

  if (fixture->dir == NULL)
    return;
  first = agent_fixture_ask (fixture, "negotiator-session", "{'concurrent': true}");
  sync = agent_fixture_ask (fixture, "guest-sync", "{'id': 1}");
  second = agent_fixture_ask (fixture, "negotiator-session", "{'concurrent': true}");
  agent_fixture_assert_bool (second, "was-concurrent", FALSE);
}

static void
test_qga (AgentFixture *fixture, gconstpointer data)
{
  if (fixture->dir == NULL)
    return;
  agent_fixture_assert_error (fixture, "negotiator-session", "{'concurrent': true}",
                              "this channel runs requests in order");
  agent_fixture_assert_error (fixture, "negotiator-session", "{'concurrent': false}",
                              "this channel runs requests in order");
}

#define ADD(path, qga, func) \
  g_test_add (path, AgentFixture, qga, agent_fixture_set_up, func, agent_fixture_tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  signal (SIGPIPE, SIG_IGN);
  ADD ("/cmd-negotiator-session/switch", NULL, test_switch);
  ADD ("/cmd-negotiator-session/overtakes", NULL, test_overtakes);
  ADD ("/cmd-negotiator-session/sync", NULL, test_sync);
  ADD ("/cmd-negotiator-session/qga", "", test_qga);
  return g_test_run ();
}
