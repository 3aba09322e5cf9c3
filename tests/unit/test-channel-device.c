/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "agent/channel.h"
#include "common/names.h"
#include "tests/helpers/channel-fixture.h"

#include <glib-unix.h>
#include <glib/gstdio.h>

#include <fcntl.h>
#include <pty.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

static gboolean
set_cb (gpointer user_data)
{
  *(gboolean *) user_data = TRUE;
  return G_SOURCE_REMOVE;
}

/* The main loop runs for a while. */
static void
run_for_ms (guint ms)
{
  gboolean over = FALSE;

  g_timeout_add (ms, set_cb, &over);
  while (!over)
    g_main_context_iteration (NULL, TRUE);
}

static int
make_pty (ChannelFixture *fixture)
{
  char name[64];
  int master, slave;

  g_assert_cmpint (openpty (&master, &slave, name, NULL, NULL), ==, 0);
  g_unlink (fixture->path);
  g_assert_cmpint (symlink (name, fixture->path), ==, 0);
  close (slave);
  g_assert_true (g_unix_set_fd_nonblocking (master, TRUE, NULL));
  return master;
}

/* A line that is not there at first, hangs up, and comes back. */
static void
test_serial (ChannelFixture *fixture, gconstpointer data)
{
  guint i;

  channel_fixture_start (fixture, NEGO_METHOD_ISA_SERIAL, fixture->path, TRUE);
  channel_settle ();
  for (i = 0; i < 3; i++) {
    int master = make_pty (fixture);
    char byte;

    /* The agent drops what came before it opened the line, so it is asked until it answers. */
    do {
      channel_put (master, SYNC);
      run_for_ms (10);
    } while (read (master, &byte, 1) != 1);
    close (master);
    channel_settle ();
  }
}

static void
test_stuck_pause (void)
{
  const gint64 limit_us = NEGO_CHANNEL_REOPEN_S * G_USEC_PER_SEC;

  g_assert_cmpuint (nego_channel_stuck_pause_ms (0, 5), ==, 0);
  g_assert_cmpuint (nego_channel_stuck_pause_ms (7, 7), ==, NEGO_CHANNEL_REOPEN_S * 1000);
  g_assert_cmpuint (nego_channel_stuck_pause_ms (7, 7 + limit_us - 1000), ==, 1);
  g_assert_cmpuint (nego_channel_stuck_pause_ms (7, 7 + limit_us), ==, 0);
}

/* Sends requests until the other side has stopped reading. */
static void
fill (int fd)
{
  const char *request = PING;
  gsize at = 0;

  for (;;) {
    ssize_t n = write (fd, request + at, strlen (request) - at);

    if (n < 0) {
      run_for_ms (100); /* a tty's bytes come to its other side a moment later */
      n = write (fd, request + at, strlen (request) - at);
    }
    if (n < 0)
      return;
    at = (at + (gsize) n) % strlen (request);
    channel_settle ();
  }
}

/* Reads until the reply @last; returns how much came with it. */
static gsize
drain (int fd, const char *last)
{
  g_autoptr (GString) text = g_string_new (NULL);

  while (!g_str_has_suffix (text->str, last)) {
    char buffer[4096];
    ssize_t n = read (fd, buffer, sizeof buffer);

    if (n > 0)
      g_string_append_len (text, buffer, n);
    else
      channel_turn (fd);
  }
  return text->len;
}

/* A host that is there and reads nothing: the port is closed, which ends libvirt's error state, and
 * opened again at once, without the old replies. A raw tty is the port. */
static void
test_stuck (ChannelFixture *fixture, gconstpointer data)
{
  int master = make_pty (fixture);
  int slave = open (fixture->path, O_RDWR | O_NOCTTY | O_CLOEXEC);
  struct termios termios;

  g_assert_cmpint (tcgetattr (slave, &termios), ==, 0);
  cfmakeraw (&termios);
  g_assert_cmpint (tcsetattr (slave, TCSANOW, &termios), ==, 0);
  channel_fixture_start (fixture, NEGO_METHOD_VIRTIO_SERIAL, fixture->path, TRUE);
  channel_settle ();
  fill (master);
  run_for_ms (NEGO_SESSION_STUCK_S * 1000 + 1000);
  /* What the line itself held comes, but not what the agent held. The LF ends half a request. */
  run_for_ms (100);
  channel_put (master, "\n" SYNC);
  g_assert_cmpuint (drain (master, SYNCED), <, NEGO_SESSION_QUEUE_BYTES);
  close (slave);
  close (master);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add ("/channel-device/serial", ChannelFixture, NULL, channel_fixture_set_up, test_serial,
              channel_fixture_tear_down);
  g_test_add_func ("/channel-device/stuck-pause", test_stuck_pause);
  g_test_add ("/channel-device/stuck", ChannelFixture, NULL, channel_fixture_set_up, test_stuck,
              channel_fixture_tear_down);
  return g_test_run ();
}
