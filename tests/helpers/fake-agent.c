/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "tests/helpers/fake-agent.h"

#include <glib/gstdio.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

struct FakeAgent {
  char *directory;
  char *path;
  const char *stale;
  const char *const *replies;
  GString *requests;
  GThread *thread;
  int listener;
  gulong late_us;
};

static gboolean
fake_agent_send (int fd, const char *text)
{
  const gsize len = strlen (text);

  /* A client that gives up in the middle is none of its business. */
  return send (fd, text, len, MSG_NOSIGNAL) == (gssize) len;
}

static void
fake_agent_answer_sync (FakeAgent *agent, int fd, const char *line)
{
  const char *digits = strstr (line, "\"id\":");
  g_autofree char *reply = NULL;

  if (agent->stale == NULL)
    return;
  reply = g_strdup_printf ("%s\xff{\"return\": %" G_GUINT64_FORMAT "}\n", agent->stale,
                           g_ascii_strtoull (digits + strlen ("\"id\":"), NULL, 10));
  agent->stale = "";
  fake_agent_send (fd, reply);
}

static gpointer
fake_agent_thread (gpointer user_data)
{
  FakeAgent *agent = user_data;
  int fd;
  FILE *in;
  char *line = NULL;
  size_t size = 0;
  gsize next = 0;

  g_usleep (agent->late_us);
  fd = accept (agent->listener, NULL, NULL);
  in = fdopen (fd, "r");
  while (getline (&line, &size, in) > 0) {
    if (strstr (line, "guest-sync-delimited") != NULL) {
      fake_agent_answer_sync (agent, fd, line);
      continue;
    }
    g_string_append (agent->requests, line);
    if (agent->replies[next] == NULL || !fake_agent_send (fd, agent->replies[next++]))
      break;
  }
  free (line);
  fclose (in);
  return NULL;
}

FakeAgent *
fake_agent_new (const char *stale, const char *const *replies)
{
  return fake_agent_new_late (stale, replies, 0);
}

FakeAgent *
fake_agent_new_late (const char *stale, const char *const *replies, guint ms)
{
  FakeAgent *agent = g_new0 (FakeAgent, 1);
  struct sockaddr_un address = { .sun_family = AF_UNIX };

  agent->directory = g_dir_make_tmp ("nego-fake-XXXXXX", NULL);
  agent->path = g_build_filename (agent->directory, "socket", NULL);
  agent->stale = stale;
  agent->replies = replies;
  agent->requests = g_string_new (NULL);
  agent->late_us = ms * 1000ul;
  g_strlcpy (address.sun_path, agent->path, sizeof address.sun_path);
  agent->listener = socket (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  g_assert_cmpint (bind (agent->listener, (const struct sockaddr *) &address, sizeof address), ==,
                   0);
  g_assert_cmpint (listen (agent->listener, 1), ==, 0);
  agent->thread = g_thread_new ("fake-agent", fake_agent_thread, agent);
  return agent;
}

const char *
fake_agent_get_path (const FakeAgent *agent)
{
  return agent->path;
}

const char *
fake_agent_finish (FakeAgent *agent)
{
  if (agent->thread != NULL)
    g_thread_join (g_steal_pointer (&agent->thread));
  return agent->requests->str;
}

void
fake_agent_free (FakeAgent *agent)
{
  fake_agent_finish (agent);
  close (agent->listener);
  g_unlink (agent->path);
  g_rmdir (agent->directory);
  g_free (agent->directory);
  g_free (agent->path);
  g_string_free (agent->requests, TRUE);
  g_free (agent);
}
