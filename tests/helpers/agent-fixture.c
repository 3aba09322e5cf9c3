/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "tests/helpers/agent-fixture.h"

#include "common/names.h"
#include "tests/helpers/script-dir.h"

#include <glib-unix.h>

#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static gboolean
on_readable (int fd, GIOCondition condition, gpointer user_data)
{
  AgentFixture *fixture = user_data;
  char buffer[65536];
  ssize_t n = recv (fd, buffer, sizeof buffer, MSG_DONTWAIT);

  if (n > 0)
    g_string_append_len (fixture->heard, buffer, n);
  return G_SOURCE_CONTINUE;
}

static void
on_closed (NegoSession *session, const GError *error, gpointer user_data)
{
  g_assert_not_reached ();
}

void
agent_fixture_set_up (AgentFixture *fixture, gconstpointer qga)
{
  NegoSessionOptions options = {
    .name = "test",
    .kind = NEGO_STREAM_SOCKET,
    .limits = { NEGO_MESSAGE_BYTES_QGA, NEGO_MESSAGE_TOKENS, NEGO_MESSAGE_DEPTH },
    .qga = qga != NULL,
  };
  const char *dirs[] = { NULL, NULL };
  NegoJobLimits limits = nego_job_limits_default;
  int fds[2];

  fixture->dir = script_dir_new ();
  if (fixture->dir == NULL)
    return;
  dirs[0] = fixture->dir;
  limits.running = 2;
  limits.grace_ms = 50;
  fixture->policy = nego_policy_new ();
  fixture->agent = nego_agent_new (fixture->policy, nego_registry_new (dirs, NULL),
                                   nego_job_table_new ("guest", &limits));
  g_assert_cmpint (socketpair (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), ==, 0);
  fixture->peer = fds[0];
  fixture->session
    = nego_session_new (fixture->agent->service.dispatcher, fds[1], &options, on_closed, fixture);
  fixture->heard = g_string_new (NULL);
  fixture->watch = g_unix_fd_add (fds[0], G_IO_IN, on_readable, fixture);
}

void
agent_fixture_tear_down (AgentFixture *fixture, gconstpointer qga)
{
  if (fixture->dir == NULL)
    return;
  g_source_remove (fixture->watch);
  nego_session_free (fixture->session);
  nego_agent_free (fixture->agent);
  while (waitpid (-1, NULL, 0) > 0)
    ;
  close (fixture->peer);
  g_string_free (fixture->heard, TRUE);
  script_dir_free (fixture->dir);
}

void
agent_fixture_add (AgentFixture *fixture, const char *name, const char *text)
{
  g_free (
    script_dir_add (fixture->dir, name, g_str_has_suffix (name, ".conf") ? 0644 : 0755, text));
}

int
agent_fixture_add_waiting (AgentFixture *fixture,
                           const char *name,
                           const char *before,
                           const char *after)
{
  g_autofree char *fifo = g_build_filename (fixture->dir, ".fifo", NULL);
  g_autofree char *text
    = g_strdup_printf ("#!/bin/sh\n%s\nread line <%s\n%s\n", before, fifo, after);
  int fd;

  g_assert_cmpint (mkfifo (fifo, 0600), ==, 0);
  fd = open (fifo, O_RDWR | O_CLOEXEC);
  g_assert_cmpint (fd, >=, 0);
  agent_fixture_add (fixture, name, text);
  return fd;
}

void
agent_fixture_tell (AgentFixture *fixture, const char *text)
{
  gsize len = strlen (text);

  while (len > 0) {
    ssize_t n = send (fixture->peer, text, len, MSG_DONTWAIT | MSG_NOSIGNAL);

    if (n > 0) {
      text += n;
      len -= (gsize) n;
    }
    g_main_context_iteration (NULL, FALSE);
  }
}

char *
agent_fixture_hear (AgentFixture *fixture)
{
  char *end;
  char *line;

  while ((end = memchr (fixture->heard->str, '\n', fixture->heard->len)) == NULL)
    g_main_context_iteration (NULL, TRUE);
  line = g_strndup (fixture->heard->str, (gsize) (end - fixture->heard->str));
  g_string_erase (fixture->heard, 0, (gssize) strlen (line) + 1);
  g_assert_cmpuint (strlen (line) + 1, <=, NEGO_REPLY_BYTES);
  return line;
}

JsonNode *
agent_fixture_hear_node (AgentFixture *fixture)
{
  g_autofree char *line = agent_fixture_hear (fixture);
  g_autoptr (GError) error = NULL;
  JsonNode *node = json_from_string (line, &error);

  g_assert_no_error (error);
  return node;
}

JsonNode *
agent_fixture_ask (AgentFixture *fixture, const char *command, const char *arguments)
{
  g_autofree char *request
    = g_strdup_printf ("{'execute':'%s','arguments':%s}", command, arguments);

  agent_fixture_tell (fixture, request);
  return agent_fixture_hear_node (fixture);
}

void
agent_fixture_assert_error (AgentFixture *fixture,
                            const char *command,
                            const char *arguments,
                            const char *text)
{
  g_autoptr (JsonNode) node = agent_fixture_ask (fixture, command, arguments);
  JsonObject *reply = json_node_get_object (node);
  JsonObject *error;

  g_assert_true (json_object_has_member (reply, "error"));
  error = json_object_get_object_member (reply, "error");
  g_assert_cmpstr (json_object_get_string_member (error, "desc"), ==, text);
  g_assert_cmpstr (json_object_get_string_member (error, "class"), ==, "GenericError");
}

JsonObject *
agent_fixture_returned (JsonNode *node)
{
  JsonObject *reply = json_node_get_object (node);

  g_assert_true (json_object_has_member (reply, "return"));
  return json_object_get_object_member (reply, "return");
}

void
agent_fixture_assert_text (JsonNode *node, const char *member, const char *text)
{
  g_assert_cmpstr (json_object_get_string_member_with_default (agent_fixture_returned (node),
                                                               member, NULL),
                   ==, text);
}

void
agent_fixture_assert_int (JsonNode *node, const char *member, gint64 value)
{
  g_assert_true (json_object_has_member (agent_fixture_returned (node), member));
  g_assert_cmpint (json_object_get_int_member (agent_fixture_returned (node), member), ==, value);
}

void
agent_fixture_assert_bool (JsonNode *node, const char *member, gboolean value)
{
  g_assert_true (json_object_has_member (agent_fixture_returned (node), member));
  g_assert_cmpint (json_object_get_boolean_member (agent_fixture_returned (node), member), ==,
                   value);
}

void
agent_fixture_assert_absent (JsonNode *node, const char *const *members)
{
  for (; *members != NULL; members++)
    g_assert_false (json_object_has_member (agent_fixture_returned (node), *members));
}
