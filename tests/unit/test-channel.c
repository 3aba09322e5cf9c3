/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "agent/channel.h"
#include "common/names.h"
#include "tests/helpers/channel-fixture.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

static void
test_unix (ChannelFixture *fixture, gconstpointer data)
{
  int a, b;

  channel_fixture_start (fixture, NEGO_METHOD_UNIX_LISTEN, fixture->path, TRUE);
  a = channel_connect (fixture->path);
  b = channel_connect (fixture->path);
  channel_put (b, "{\"execute\": "); /* each has a parser of its own */
  channel_ask (a, PING, PONG);
  channel_ask (b, "\"guest-ping\"}", PONG);
  close (a);
  close (b);
}

/* Up to the limit are served at a time; one more is, when one of them leaves. */
static void
test_clients (ChannelFixture *fixture, gconstpointer data)
{
  int clients[NEGO_CHANNEL_CLIENTS + 1];
  char byte;
  gsize i;

  channel_fixture_start (fixture, NEGO_METHOD_UNIX_LISTEN, fixture->path, TRUE);
  for (i = 0; i < NEGO_CHANNEL_CLIENTS; i++) {
    clients[i] = channel_connect (fixture->path);
    channel_ask (clients[i], PING, PONG);
  }
  clients[i] = channel_connect (fixture->path);
  channel_put (clients[i], PING);
  channel_settle ();
  g_assert_cmpint (read (clients[i], &byte, 1), ==, -1);
  g_assert_cmpint (errno, ==, EAGAIN);
  channel_ask (clients[0], PING, PONG);
  close (clients[0]);
  channel_expect (clients[i], PONG);
  for (i = 1; i <= NEGO_CHANNEL_CLIENTS; i++)
    close (clients[i]);
}

/* qemu-ga ends when a client goes without having read its reply. */
static void
test_unread (ChannelFixture *fixture, gconstpointer data)
{
  guint i;
  int fd;

  channel_fixture_start (fixture, NEGO_METHOD_UNIX_LISTEN, fixture->path, TRUE);
  for (i = 0; i < 3; i++) {
    fd = channel_connect (fixture->path);
    channel_put (fd, PING);
    channel_settle ();
    close (fd);
    channel_settle ();
  }
  fd = channel_connect (fixture->path);
  channel_ask (fd, PING, PONG);
  close (fd);
}

/* A request of @len bytes that ends in a string: the padding of a sync. */
static char *
make_request (gsize len)
{
  const char *head = "{\"execute\": \"guest-ping\", \"id\": \"";
  const char *tail = "\"}\n";
  g_autofree char *padding = g_strnfill (len - strlen (head) - strlen (tail), 'x');

  return g_strconcat (head, padding, tail, NULL);
}

/* Sends what may be larger than the socket's buffers, and reads one line. */
static char *
exchange (int fd, const char *request)
{
  g_autoptr (GString) reply = g_string_new (NULL);
  gsize sent = 0;
  gsize len = strlen (request);
  static char buffer[65536];

  while (!g_str_has_suffix (reply->str, "\n") || sent < len) {
    ssize_t n = sent < len ? write (fd, request + sent, len - sent) : 0;

    sent += n > 0 ? (gsize) n : 0;
    g_main_context_iteration (NULL, FALSE);
    n = read (fd, buffer, sizeof buffer);
    if (n > 0)
      g_string_append_len (reply, buffer, n);
  }
  return g_string_free (g_steal_pointer (&reply), FALSE);
}

#define TOO_LARGE \
  "{\"error\": {\"class\": \"GenericError\", \"desc\": \"JSON token size limit exceeded\"}}\n"

static void
check_message_size (ChannelFixture *fixture, gboolean qga, gsize size, gboolean taken)
{
  g_autofree char *request = make_request (size);
  g_autofree char *reply = NULL;
  int fd;

  channel_fixture_start (fixture, NEGO_METHOD_UNIX_LISTEN, fixture->path, qga);
  fd = channel_connect (fixture->path);
  reply = exchange (fd, request);
  if (taken)
    g_assert_true (g_str_has_prefix (reply, "{\"return\": {}, \"id\": \"xxx"));
  else
    g_assert_cmpstr (reply, ==, TOO_LARGE);
  close (fd);
}

/* The size counts the text of tokens, without the blanks between. */
static void
test_size_at_limit (ChannelFixture *fixture, gconstpointer data)
{
  check_message_size (fixture, FALSE, NEGO_MESSAGE_BYTES_PORT, TRUE);
}

static void
test_size_above (ChannelFixture *fixture, gconstpointer data)
{
  check_message_size (fixture, FALSE, NEGO_MESSAGE_BYTES_PORT + 64, FALSE);
}

static void
test_size_qga (ChannelFixture *fixture, gconstpointer data)
{
  check_message_size (fixture, TRUE, 2 * NEGO_MESSAGE_BYTES_PORT, TRUE);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add ("/channel/unix", ChannelFixture, NULL, channel_fixture_set_up, test_unix,
              channel_fixture_tear_down);
  g_test_add ("/channel/clients", ChannelFixture, NULL, channel_fixture_set_up, test_clients,
              channel_fixture_tear_down);
  g_test_add ("/channel/unread", ChannelFixture, NULL, channel_fixture_set_up, test_unread,
              channel_fixture_tear_down);
  g_test_add ("/channel/size-at-limit", ChannelFixture, NULL, channel_fixture_set_up,
              test_size_at_limit, channel_fixture_tear_down);
  g_test_add ("/channel/size-above", ChannelFixture, NULL, channel_fixture_set_up, test_size_above,
              channel_fixture_tear_down);
  g_test_add ("/channel/size-qga", ChannelFixture, NULL, channel_fixture_set_up, test_size_qga,
              channel_fixture_tear_down);
  return g_test_run ();
}
