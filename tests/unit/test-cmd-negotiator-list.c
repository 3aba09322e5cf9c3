/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "common/exec.h"
#include "tests/helpers/agent-fixture.h"

#include <signal.h>
#include <string.h>

static void
test_list (AgentFixture *fixture, gconstpointer data)
{
  g_autofree char *expected = NULL, *line = NULL, *read_line = NULL;

  if (fixture->dir == NULL)
    return;
  agent_fixture_add (fixture, "changes", "#!/bin/sh\n");
  agent_fixture_add (fixture, "reads", "#!/bin/sh\n");
  agent_fixture_add (
    fixture, "reads.conf",
    "[Command]\nDescription=Reads\nReadOnly=true\nTimeout=1.5\nUser=nobody\nArguments=false\n");
  agent_fixture_add (fixture, "wrong", "no program");
  agent_fixture_tell (fixture, "{'execute':'negotiator-list'}");
  line = agent_fixture_hear (fixture);
  expected = g_strdup_printf (
    "{\"return\": ["
    "{\"name\": \"changes\", \"source\": \"user\", \"timeout\": 10, \"arguments\": true, "
    "\"read-only\": false, \"enabled\": true}, "
    "{\"name\": \"reads\", \"source\": \"user\", \"description\": \"Reads\", \"timeout\": 1.5, "
    "\"user\": \"nobody\", \"arguments\": false, \"read-only\": true, \"enabled\": true}, "
    "{\"name\": \"wrong\", \"source\": \"user\", \"timeout\": 10, \"arguments\": true, "
    "\"read-only\": false, \"enabled\": false, "
    "\"reason\": \"'%s/wrong' is no program and has no interpreter line (#!)\"}]}",
    fixture->dir);
  g_assert_cmpstr (line, ==, expected);

  nego_policy_set_commands (fixture->policy, NEGO_POLICY_COMMANDS_READ);
  agent_fixture_tell (fixture, "{'execute':'negotiator-list'}");
  read_line = agent_fixture_hear (fixture);
  g_clear_pointer (&expected, g_free);
  expected
    = g_strdup_printf ("\"enabled\": false, \"reason\": \"'commands = read' in [negotiator]: "
                       "'%s/changes.conf' does not say ReadOnly=true\"}, {\"name\": \"reads\"",
                       fixture->dir);
  g_assert_nonnull (strstr (read_line, expected));
}

static void
test_list_too_long (AgentFixture *fixture, gconstpointer data)
{
  g_autofree char *padding = g_strnfill (100, 'n');

  if (fixture->dir == NULL)
    return;
  for (guint i = 0; i < 2500; i++) {
    g_autofree char *name = g_strdup_printf ("%04u-%s", i, padding);

    agent_fixture_add (fixture, name, "");
  }
  agent_fixture_assert_error (fixture, "negotiator-list", "{}",
                              "the list of negotiator commands is longer than 1048576 bytes");
}

int
main (int argc, char **argv)
{
  static const struct {
    const char *path;
    void (*func) (AgentFixture *fixture, gconstpointer data);
    gboolean qga;
  } tests[] = {
    { "/cmd-negotiator-list/list", test_list, FALSE },
    { "/cmd-negotiator-list/list-too-long", test_list_too_long, FALSE },
  };

  if (nego_exec_is_helper (argc, argv))
    return nego_exec_helper_main (argc, argv);
  signal (SIGPIPE, SIG_IGN);
  g_test_init (&argc, &argv, NULL);
  for (guint i = 0; i < G_N_ELEMENTS (tests); i++)
    g_test_add (tests[i].path, AgentFixture, tests[i].qga ? tests : NULL, agent_fixture_set_up,
                tests[i].func, agent_fixture_tear_down);
  return g_test_run ();
}
