/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "agent/agent.h"
#include "agent/channel.h"
#include "common/error.h"
#include "common/names.h"

#include <glib-unix.h>
#include <glib/gstdio.h>

#include <errno.h>
#include <fcntl.h>
#include <pty.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <termios.h>
#include <unistd.h>

#define PING   "{\"execute\": \"guest-ping\"}\n"
#define PONG   "{\"return\": {}}\n"
#define SYNC   "{\"execute\": \"guest-sync\", \"arguments\": {\"id\": 7}}\n"
#define SYNCED "{\"return\": 7}\n"

/* The agent with one channel. */
typedef struct {
  char *dir;
  char *path;
  NegoAgent *agent;
  NegoChannel *channel;
  guint ended;
} Fixture;

static void
set_up (Fixture *fixture, gconstpointer data)
{
  static const char *const no_dirs[] = { NULL };
  g_autoptr (GError) error = NULL;

  fixture->dir = g_dir_make_tmp ("nego-channel-XXXXXX", &error);
  g_assert_no_error (error);
  fixture->path = g_build_filename (fixture->dir, "path", NULL);
  fixture->agent = nego_agent_new (nego_policy_new (), nego_registry_new (no_dirs, NULL),
                                   nego_job_table_new ("guest", &nego_job_limits_default));
}

static void
tear_down (Fixture *fixture, gconstpointer data)
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
  Fixture *fixture = user_data;

  g_assert_true (channel == fixture->channel);
  fixture->ended++;
  g_clear_pointer (&fixture->channel, nego_channel_free);
}

static NegoChannel *
open_channel (Fixture *fixture, NegoMethod method, const char *path, gboolean qga, GError **error)
{
  NegoAddress address = { method, (char *) path };
  NegoConfChannel conf = { &address, qga };

  return nego_channel_new (&conf, NULL, fixture->agent->dispatcher, ended_cb, fixture, error);
}

static void
start (Fixture *fixture, NegoMethod method, const char *path, gboolean qga)
{
  g_autoptr (GError) error = NULL;

  fixture->channel = open_channel (fixture, method, path, qga, &error);
  g_assert_no_error (error);
}

static void
start_fd (Fixture *fixture, int fd)
{
  g_autofree char *path = g_strdup_printf ("%d", fd);

  start (fixture, NEGO_METHOD_FD, path, TRUE);
}

static int
connect_to (const char *path)
{
  struct sockaddr_un address = { .sun_family = AF_UNIX };
  int fd = socket (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

  g_assert_cmpint (fd, >=, 0);
  memcpy (address.sun_path, path, strlen (path));
  g_assert_cmpint (connect (fd, (struct sockaddr *) &address, sizeof address), ==, 0);
  g_assert_true (g_unix_set_fd_nonblocking (fd, TRUE, NULL));
  return fd;
}

static void
settle (void)
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
static void
turn (int fd)
{
  gboolean readable = FALSE;
  guint source = g_unix_fd_add (fd, G_IO_IN, readable_cb, &readable);

  g_main_context_iteration (NULL, TRUE);
  if (!readable)
    g_source_remove (source);
}

/* The main loop runs until @fd has @expected, and nothing else. */
static void
expect (int fd, const char *expected)
{
  g_autoptr (GString) text = g_string_new (NULL);
  char buffer[256];

  while (text->len < strlen (expected)) {
    ssize_t n = read (fd, buffer, sizeof buffer);

    if (n < 0) {
      g_assert_cmpint (errno, ==, EAGAIN);
      turn (fd);
      continue;
    }
    g_assert_cmpint (n, >, 0);
    g_string_append_len (text, buffer, n);
  }
  g_assert_cmpstr (text->str, ==, expected);
}

static void
put (int fd, const char *text)
{
  g_assert_cmpint (write (fd, text, strlen (text)), ==, (ssize_t) strlen (text));
}

static void
ask (int fd, const char *request, const char *reply)
{
  put (fd, request);
  expect (fd, reply);
}

static void
test_unix (Fixture *fixture, gconstpointer data)
{
  int a, b;

  start (fixture, NEGO_METHOD_UNIX_LISTEN, fixture->path, TRUE);
  a = connect_to (fixture->path);
  b = connect_to (fixture->path);
  put (b, "{\"execute\": "); /* each has a parser of its own */
  ask (a, PING, PONG);
  ask (b, "\"guest-ping\"}", PONG);
  close (a);
  close (b);
}

/* Up to the limit are served at a time; one more is, when one of them leaves. */
static void
test_clients (Fixture *fixture, gconstpointer data)
{
  int clients[NEGO_CHANNEL_CLIENTS + 1];
  char byte;
  gsize i;

  start (fixture, NEGO_METHOD_UNIX_LISTEN, fixture->path, TRUE);
  for (i = 0; i < NEGO_CHANNEL_CLIENTS; i++) {
    clients[i] = connect_to (fixture->path);
    ask (clients[i], PING, PONG);
  }
  clients[i] = connect_to (fixture->path);
  put (clients[i], PING);
  settle ();
  g_assert_cmpint (read (clients[i], &byte, 1), ==, -1);
  g_assert_cmpint (errno, ==, EAGAIN);
  ask (clients[0], PING, PONG);
  close (clients[0]);
  expect (clients[i], PONG);
  for (i = 1; i <= NEGO_CHANNEL_CLIENTS; i++)
    close (clients[i]);
}

/* qemu-ga ends when a client goes without having read its reply. */
static void
test_unread (Fixture *fixture, gconstpointer data)
{
  guint i;
  int fd;

  start (fixture, NEGO_METHOD_UNIX_LISTEN, fixture->path, TRUE);
  for (i = 0; i < 3; i++) {
    fd = connect_to (fixture->path);
    put (fd, PING);
    settle ();
    close (fd);
    settle ();
  }
  fd = connect_to (fixture->path);
  ask (fd, PING, PONG);
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
check_message_size (Fixture *fixture, gboolean qga, gsize size, gboolean taken)
{
  g_autofree char *request = make_request (size);
  g_autofree char *reply = NULL;
  int fd;

  start (fixture, NEGO_METHOD_UNIX_LISTEN, fixture->path, qga);
  fd = connect_to (fixture->path);
  reply = exchange (fd, request);
  if (taken)
    g_assert_true (g_str_has_prefix (reply, "{\"return\": {}, \"id\": \"xxx"));
  else
    g_assert_cmpstr (reply, ==, TOO_LARGE);
  close (fd);
}

/* The size counts the text of tokens, without the blanks between. */
static void
test_size_at_limit (Fixture *fixture, gconstpointer data)
{
  check_message_size (fixture, FALSE, NEGO_MESSAGE_BYTES_PORT, TRUE);
}

static void
test_size_above (Fixture *fixture, gconstpointer data)
{
  check_message_size (fixture, FALSE, NEGO_MESSAGE_BYTES_PORT + 64, FALSE);
}

static void
test_size_qga (Fixture *fixture, gconstpointer data)
{
  check_message_size (fixture, TRUE, 2 * NEGO_MESSAGE_BYTES_PORT, TRUE);
}

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
make_pty (Fixture *fixture)
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
test_serial (Fixture *fixture, gconstpointer data)
{
  guint i;

  start (fixture, NEGO_METHOD_ISA_SERIAL, fixture->path, TRUE);
  settle ();
  for (i = 0; i < 3; i++) {
    int master = make_pty (fixture);
    char byte;

    /* The agent drops what came before it opened the line, so it is asked until it answers. */
    do {
      put (master, SYNC);
      run_for_ms (10);
    } while (read (master, &byte, 1) != 1);
    close (master);
    settle ();
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
  gsize at = 0;

  for (;;) {
    ssize_t n = write (fd, PING + at, strlen (PING) - at);

    if (n < 0) {
      run_for_ms (100); /* a tty's bytes come to its other side a moment later */
      n = write (fd, PING + at, strlen (PING) - at);
    }
    if (n < 0)
      return;
    at = (at + (gsize) n) % strlen (PING);
    settle ();
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
      turn (fd);
  }
  return text->len;
}

/* A host that is there and reads nothing: the port is closed, which ends libvirt's error state, and
 * opened again at once, without the old replies. A raw tty is the port. */
static void
test_stuck (Fixture *fixture, gconstpointer data)
{
  int master = make_pty (fixture);
  int slave = open (fixture->path, O_RDWR | O_NOCTTY | O_CLOEXEC);
  struct termios termios;

  g_assert_cmpint (tcgetattr (slave, &termios), ==, 0);
  cfmakeraw (&termios);
  g_assert_cmpint (tcsetattr (slave, TCSANOW, &termios), ==, 0);
  start (fixture, NEGO_METHOD_VIRTIO_SERIAL, fixture->path, TRUE);
  settle ();
  fill (master);
  run_for_ms (NEGO_SESSION_STUCK_S * 1000 + 1000);
  /* What the line itself held comes, but not what the agent held. The LF ends half a request. */
  run_for_ms (100);
  put (master, "\n" SYNC);
  g_assert_cmpuint (drain (master, SYNCED), <, NEGO_SESSION_QUEUE_BYTES);
  close (slave);
  close (master);
}

static void
test_fd_connection (Fixture *fixture, gconstpointer data)
{
  int fds[2];

  g_assert_cmpint (socketpair (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), ==, 0);
  g_assert_true (g_unix_set_fd_nonblocking (fds[0], TRUE, NULL));
  start_fd (fixture, fds[1]);
  ask (fds[0], PING, PONG);
  g_assert_cmpuint (fixture->ended, ==, 0);
  close (fds[0]);
  while (fixture->ended == 0)
    g_main_context_iteration (NULL, TRUE);
  g_assert_cmpuint (fixture->ended, ==, 1);
}

/* The last request of a client that only sends is answered. */
static void
test_fd_half_closed (Fixture *fixture, gconstpointer data)
{
  char byte;
  int fds[2];

  g_assert_cmpint (socketpair (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), ==, 0);
  g_assert_true (g_unix_set_fd_nonblocking (fds[0], TRUE, NULL));
  start_fd (fixture, fds[1]);
  put (fds[0], PING SYNC);
  g_assert_cmpint (shutdown (fds[0], SHUT_WR), ==, 0);
  expect (fds[0], PONG SYNCED);
  while (fixture->ended == 0)
    g_main_context_iteration (NULL, TRUE);
  g_assert_cmpint (read (fds[0], &byte, 1), ==, 0);
  close (fds[0]);
}

static void
test_fd_listening (Fixture *fixture, gconstpointer data)
{
  struct sockaddr_un address = { .sun_family = AF_UNIX };
  int listening = socket (AF_UNIX, SOCK_STREAM, 0);
  int fd;

  memcpy (address.sun_path, fixture->path, strlen (fixture->path));
  g_assert_cmpint (bind (listening, (struct sockaddr *) &address, sizeof address), ==, 0);
  g_assert_cmpint (listen (listening, 5), ==, 0);
  start_fd (fixture, listening);
  g_assert_cmpint (fcntl (listening, F_GETFD), ==, FD_CLOEXEC);
  fd = connect_to (fixture->path);
  ask (fd, PING, PONG);
  close (fd);
  settle ();
  g_assert_cmpuint (fixture->ended, ==, 0);
  g_clear_pointer (&fixture->channel, nego_channel_free);
  g_assert_true (g_file_test (fixture->path, G_FILE_TEST_EXISTS)); /* of its maker */
}

static void
test_fd_tty (Fixture *fixture, gconstpointer data)
{
  int master, slave;

  g_assert_cmpint (openpty (&master, &slave, NULL, NULL, NULL), ==, 0);
  g_assert_true (g_unix_set_fd_nonblocking (master, TRUE, NULL));
  start_fd (fixture, slave);
  settle ();
  close (master);
  while (fixture->ended == 0)
    g_main_context_iteration (NULL, TRUE);
}

static void
fd_fails (Fixture *fixture, int fd, const char *before, const char *after)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *path = g_strdup_printf ("%d", fd);
  g_autofree char *message = g_strconcat (before, path, after, NULL);

  g_assert_null (open_channel (fixture, NEGO_METHOD_FD, path, TRUE, &error));
  g_assert_error (error, NEGO_ERROR, NEGO_ERROR_CONFIG);
  g_assert_cmpstr (error->message, ==, message);
}

static void
test_fd_wrong (Fixture *fixture, gconstpointer data)
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
  g_test_add ("/channel/unix", Fixture, NULL, set_up, test_unix, tear_down);
  g_test_add ("/channel/clients", Fixture, NULL, set_up, test_clients, tear_down);
  g_test_add ("/channel/unread", Fixture, NULL, set_up, test_unread, tear_down);
  g_test_add ("/channel/size-at-limit", Fixture, NULL, set_up, test_size_at_limit, tear_down);
  g_test_add ("/channel/size-above", Fixture, NULL, set_up, test_size_above, tear_down);
  g_test_add ("/channel/size-qga", Fixture, NULL, set_up, test_size_qga, tear_down);
  g_test_add ("/channel/serial", Fixture, NULL, set_up, test_serial, tear_down);
  g_test_add_func ("/channel/stuck-pause", test_stuck_pause);
  g_test_add ("/channel/stuck", Fixture, NULL, set_up, test_stuck, tear_down);
  g_test_add ("/channel/fd-connection", Fixture, NULL, set_up, test_fd_connection, tear_down);
  g_test_add ("/channel/fd-half-closed", Fixture, NULL, set_up, test_fd_half_closed, tear_down);
  g_test_add ("/channel/fd-listening", Fixture, NULL, set_up, test_fd_listening, tear_down);
  g_test_add ("/channel/fd-tty", Fixture, NULL, set_up, test_fd_tty, tear_down);
  g_test_add ("/channel/fd-wrong", Fixture, NULL, set_up, test_fd_wrong, tear_down);
  return g_test_run ();
}
