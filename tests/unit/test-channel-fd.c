/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "agent/channel.h"
#include "common/error.h"
#include "tests/helpers/channel-fixture.h"

#include <glib-unix.h>

#include <fcntl.h>
#include <pty.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static void
start_fd (ChannelFixture *fixture, int fd)
{
  g_autofree char *path = g_strdup_printf ("%d", fd);

  channel_fixture_start (fixture, NEGO_METHOD_FD, path, TRUE);
}

static void
test_fd_connection (ChannelFixture *fixture, gconstpointer data)
{
  int fds[2];

  g_assert_cmpint (socketpair (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), ==, 0);
  g_assert_true (g_unix_set_fd_nonblocking (fds[0], TRUE, NULL));
  start_fd (fixture, fds[1]);
  channel_ask (fds[0], PING, PONG);
  g_assert_cmpuint (fixture->ended, ==, 0);
  close (fds[0]);
  while (fixture->ended == 0)
    g_main_context_iteration (NULL, TRUE);
  g_assert_cmpuint (fixture->ended, ==, 1);
}

/* The last request of a client that only sends is answered. */
static void
test_fd_half_closed (ChannelFixture *fixture, gconstpointer data)
{
  char byte;
  int fds[2];

  g_assert_cmpint (socketpair (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), ==, 0);
  g_assert_true (g_unix_set_fd_nonblocking (fds[0], TRUE, NULL));
  start_fd (fixture, fds[1]);
  channel_put (fds[0], PING SYNC);
  g_assert_cmpint (shutdown (fds[0], SHUT_WR), ==, 0);
  channel_expect (fds[0], PONG SYNCED);
  while (fixture->ended == 0)
    g_main_context_iteration (NULL, TRUE);
  g_assert_cmpint (read (fds[0], &byte, 1), ==, 0);
  close (fds[0]);
}

static void
test_fd_listening (ChannelFixture *fixture, gconstpointer data)
{
  struct sockaddr_un address = { .sun_family = AF_UNIX };
  int listening = socket (AF_UNIX, SOCK_STREAM, 0);
  int fd;

  memcpy (address.sun_path, fixture->path, strlen (fixture->path));
  g_assert_cmpint (bind (listening, (struct sockaddr *) &address, sizeof address), ==, 0);
  g_assert_cmpint (listen (listening, 5), ==, 0);
  start_fd (fixture, listening);
  g_assert_cmpint (fcntl (listening, F_GETFD), ==, FD_CLOEXEC);
  fd = channel_connect (fixture->path);
  channel_ask (fd, PING, PONG);
  close (fd);
  channel_settle ();
  g_assert_cmpuint (fixture->ended, ==, 0);
  g_clear_pointer (&fixture->channel, nego_channel_free);
  g_assert_true (g_file_test (fixture->path, G_FILE_TEST_EXISTS)); /* of its maker */
}

static void
test_fd_tty (ChannelFixture *fixture, gconstpointer data)
{
  int master, slave;

  g_assert_cmpint (openpty (&master, &slave, NULL, NULL, NULL), ==, 0);
  g_assert_true (g_unix_set_fd_nonblocking (master, TRUE, NULL));
  start_fd (fixture, slave);
  channel_settle ();
  close (master);
  while (fixture->ended == 0)
    g_main_context_iteration (NULL, TRUE);
}

static void
fd_fails (ChannelFixture *fixture, int fd, const char *before, const char *after)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *path = g_strdup_printf ("%d", fd);
  g_autofree char *message = g_strconcat (before, path, after, NULL);

  g_assert_null (channel_fixture_open (fixture, NEGO_METHOD_FD, path, TRUE, &error));
  g_assert_error (error, NEGO_ERROR, NEGO_ERROR_CONFIG);
  g_assert_cmpstr (error->message, ==, message);
}

static void
test_fd_wrong (ChannelFixture *fixture, gconstpointer data)
{
  int datagram = socket (AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  int null = open ("/dev/null", O_RDWR | O_CLOEXEC);
  int fds[2];

  g_assert_true (g_unix_open_pipe (fds, FD_CLOEXEC, NULL));
  fd_fails (fixture, datagram, "the descriptor ", " is a socket, but not of type stream");
  fd_fails (fixture, null, "the descriptor ", " is neither a socket nor a tty nor a virtio port");
  fd_fails (fixture, fds[0], "the descriptor ", " is neither a socket nor a tty nor a virtio port");
  fd_fails (fixture, 9999, "failed to look at the descriptor ", ": Bad file descriptor");
  close (datagram);
  close (null);
  close (fds[0]);
  close (fds[1]);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add ("/channel-fd/connection", ChannelFixture, NULL, channel_fixture_set_up,
              test_fd_connection, channel_fixture_tear_down);
  g_test_add ("/channel-fd/half-closed", ChannelFixture, NULL, channel_fixture_set_up,
              test_fd_half_closed, channel_fixture_tear_down);
  g_test_add ("/channel-fd/listening", ChannelFixture, NULL, channel_fixture_set_up,
              test_fd_listening, channel_fixture_tear_down);
  g_test_add ("/channel-fd/tty", ChannelFixture, NULL, channel_fixture_set_up, test_fd_tty,
              channel_fixture_tear_down);
  g_test_add ("/channel-fd/wrong", ChannelFixture, NULL, channel_fixture_set_up, test_fd_wrong,
              channel_fixture_tear_down);
  return g_test_run ();
}
