/* SPDX-License-Identifier: MIT */
/*
 * guest-set-user-password, with a chpasswd of the test's own.
 */
#include "config.h"

#include "common/names.h"
#include "tests/helpers/agent-fixture.h"
#include "tests/helpers/tool-root.h"

#include <string.h>

typedef struct {
  AgentFixture agent;
  ToolRoot root;
} Fixture;

static void
set_up (Fixture *fixture, gconstpointer data)
{
  tool_root_init (&fixture->root);
  agent_fixture_set_up (&fixture->agent, NULL);
  if (fixture->agent.dir != NULL)
    nego_tools_set_root (fixture->agent.agent->tools, fixture->root.path);
}

static void
tear_down (Fixture *fixture, gconstpointer data)
{
  agent_fixture_tear_down (&fixture->agent, NULL);
  tool_root_clear (&fixture->root);
}

#define COMMAND "guest-set-user-password"
/* "s3cret" */
#define SECRET "czNjcmV0"
#define ARGS(user, password, crypt) \
  "{'username':'" user "','password':'" password "','crypted':" crypt "}"

static void
set (Fixture *fixture, const char *arguments)
{
  g_autoptr (JsonNode) node = agent_fixture_ask (&fixture->agent, COMMAND, arguments);

  g_assert_cmpuint (json_object_get_size (agent_fixture_returned (node)), ==, 0);
}

static void
fail (Fixture *fixture, const char *arguments, const char *text)
{
  agent_fixture_assert_error (&fixture->agent, COMMAND, arguments, text);
}

static void
test_set (Fixture *fixture, gconstpointer data)
{
  g_autofree char *plain = NULL, *crypted = NULL;

  if (fixture->agent.dir == NULL)
    return;
  tool_root_add (&fixture->root, "chpasswd", "cat >'@ROOT@/input'");
  set (fixture, ARGS ("joe", SECRET, "false"));
  plain = tool_root_read_file (&fixture->root, "input");
  g_assert_cmpstr (plain, ==, "joe:s3cret\n");
  /* Not among the arguments. */
  tool_root_assert_log (&fixture->root, "chpasswd\n");
  set (fixture, ARGS ("joe", "JDYkeDp5", "true"));
  crypted = tool_root_read_file (&fixture->root, "input");
  g_assert_cmpstr (crypted, ==, "joe:$6$x:y\n");
  tool_root_assert_log (&fixture->root, "chpasswd<-e>\n");
}

static void
test_failures (Fixture *fixture, gconstpointer data)
{
  static const struct {
    const char *script, *text;
  } rows[] = {
    { NULL, "child process has failed to set user password: failed to exec 'chpasswd': "
            "No such file or directory\n" },
    { "echo no such user >&2; exit 1",
      "child process has failed to set user password: no such user\n" },
    { "exit 7", "child process has failed to set user password: exit status 7" },
    { "kill -9 $$", "child process has terminated abnormally" },
    { "echo so far; kill -9 $$", "child process has terminated abnormally: so far\n" },
  };

  if (fixture->agent.dir == NULL)
    return;
  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    if (rows[i].script != NULL)
      tool_root_add (&fixture->root, "chpasswd", rows[i].script);
    fail (fixture, ARGS ("joe", SECRET, "false"), rows[i].text);
  }
}

static void
test_refused (Fixture *fixture, gconstpointer data)
{
  if (fixture->agent.dir == NULL)
    return;
  tool_root_add (&fixture->root, "chpasswd", "");
  fail (fixture, ARGS ("joe", "YQpi", "false"), "forbidden characters in raw password");
  fail (fixture, ARGS ("joe", "YQBi", "false"), "forbidden characters in raw password");
  fail (fixture, ARGS ("jo:e", SECRET, "false"), "forbidden characters in username");
  fail (fixture, ARGS ("jo\\ne", SECRET, "false"), "forbidden characters in username");
  fail (fixture, ARGS ("joe", "?", "false"), "Base64 data contains invalid characters");
  fail (fixture, "{'username':'joe','password':''}", "Parameter 'crypted' is missing");
  tool_root_assert_log (&fixture->root, "");
}

static void
test_limit (Fixture *fixture, gconstpointer data)
{
  const guint lengths[] = { NEGO_PASSWORD_BYTES, NEGO_PASSWORD_BYTES + 1 };

  if (fixture->agent.dir == NULL)
    return;
  tool_root_add (&fixture->root, "chpasswd", "");
  for (guint i = 0; i < G_N_ELEMENTS (lengths); i++) {
    g_autofree char *text = g_strnfill (lengths[i], 'x');
    g_autofree char *base64 = g_base64_encode ((const guint8 *) text, lengths[i]);
    g_autofree char *password = g_strdup_printf (ARGS ("joe", "%s", "false"), base64);
    g_autofree char *user = g_strdup_printf (ARGS ("%s", SECRET, "false"), text);

    if (i == 0) {
      set (fixture, password);
      set (fixture, user);
    } else {
      fail (fixture, password, "username or password is too long (limit 4096 bytes)");
      fail (fixture, user, "username or password is too long (limit 4096 bytes)");
    }
  }
}

#define ADD(name, function) g_test_add (name, Fixture, NULL, set_up, function, tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ADD ("/user/set", test_set);
  ADD ("/user/failures", test_failures);
  ADD ("/user/refused", test_refused);
  ADD ("/user/limit", test_limit);
  return g_test_run ();
}
