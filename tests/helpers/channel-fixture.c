/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "tests/helpers/channel-fixture.h"

#include <glib-unix.h>
#include <glib/gstdio.h>

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

void
channel_fixture_set_up (ChannelFixture *fixture, gconstpointer data)
{
  static const char *const no_dirs[] = { NULL };
  g_autoptr (GError) error = NULL;

  fixture->dir = g_dir_make_tmp ("nego-channel-XXXXXX", &error);
  g_assert_no_error (error);
  fixture->path = g_build_filename (fixture->dir, "path", NULL);
  fixture->agent = nego_agent_new (nego_policy_new (), nego_registry_new (no_dirs, NULL),
                                   nego_job_table_new ("guest", &nego_job_limits_default));
}

void
channel_fixture_tear_down (ChannelFixture *fixture, gconstpointer data)
{
  nego_channel_free (fixture->channel);
  nego_agent_free (fixture->agent);
  g_unlink (fixture->path);
  g_assert_cmpint (g_rmdir (fixture->dir), ==, 0);
  g_free (fixture->dir);
  g_free (fixture->path);
}

static void
ended_cb (NegoChannel *channel, gpointer user_data)
{
  ChannelFixture *fixture = user_data;

  g_assert_true (channel == fixture->channel);
  fixture->ended++;
  g_clear_pointer (&fixture->channel, nego_channel_free);
}

NegoChannel *
channel_fixture_open (
  ChannelFixture *fixture, NegoMethod method, const char *path, gboolean qga, GError **error)
{
  NegoAddress address = { method, (char *) path };
  NegoConfChannel conf = { &address, qga };

  return nego_channel_new (&conf, NULL, fixture->agent->service.dispatcher, ended_cb, fixture,
                           error);
}

void
channel_fixture_start (ChannelFixture *fixture, NegoMethod method, const char *path, gboolean qga)
{
  g_autoptr (GError) error = NULL;

  fixture->channel = channel_fixture_open (fixture, method, path, qga, &error);
  g_assert_no_error (error);
}

int
channel_connect (const char *path)
{
  struct sockaddr_un address = { .sun_family = AF_UNIX };
  int fd = socket (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

  g_assert_cmpint (fd, >=, 0);
  memcpy (address.sun_path, path, strlen (path));
  g_assert_cmpint (connect (fd, (struct sockaddr *) &address, sizeof address), ==, 0);
  g_assert_true (g_unix_set_fd_nonblocking (fd, TRUE, NULL));
  return fd;
}

void
channel_settle (void)
{
  while (g_main_context_iteration (NULL, FALSE))
    ;
}

static gboolean
readable_cb (int fd, GIOCondition condition, gpointer user_data)
{
  *(gboolean *) user_data = TRUE;
  return G_SOURCE_REMOVE;
}

/* One turn of the main loop, which ends also when @fd can be read. */
void
channel_turn (int fd)
{
  gboolean readable = FALSE;
  guint source = g_unix_fd_add (fd, G_IO_IN, readable_cb, &readable);

  g_main_context_iteration (NULL, TRUE);
  if (!readable)
    g_source_remove (source);
}

/* The main loop runs until @fd has @expected, and nothing else. */
void
channel_expect (int fd, const char *expected)
{
  g_autoptr (GString) text = g_string_new (NULL);
  char buffer[256];

  while (text->len < strlen (expected)) {
    ssize_t n = read (fd, buffer, sizeof buffer);

    if (n < 0) {
      g_assert_cmpint (errno, ==, EAGAIN);
      channel_turn (fd);
      continue;
    }
    g_assert_cmpint (n, >, 0);
    g_string_append_len (text, buffer, n);
  }
  g_assert_cmpstr (text->str, ==, expected);
}

void
channel_put (int fd, const char *text)
{
  g_assert_cmpint (write (fd, text, strlen (text)), ==, (ssize_t) strlen (text));
}

void
channel_ask (int fd, const char *request, const char *reply)
{
  channel_put (fd, request);
  channel_expect (fd, reply);
}
