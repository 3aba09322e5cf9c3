/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "common/error.h"
#include "common/stream.h"

#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* A stream on one end of a socket pair; the test is the peer. A pair stands for a virtio port too:
 * its read gives 0 where the port's does, which is all that the stream looks at. */
typedef struct {
  int peer;
  NegoPoller *poller; /* NULL: the stream has a source of its own */
  NegoStream *stream;
  GString *received;
  guint drained, eofs, closed;
  int present; /* -1: never told */
  GError *error;
} Fixture;

static void
data_cb (NegoStream *stream, const guint8 *data, gsize len, gpointer user_data)
{
  g_string_append_len (((Fixture *) user_data)->received, (const char *) data, (gssize) len);
}

static void
drained_cb (NegoStream *stream, gpointer user_data)
{
  ((Fixture *) user_data)->drained++;
}

static void
peer_cb (NegoStream *stream, gboolean present, gpointer user_data)
{
  ((Fixture *) user_data)->present = present;
}

static void
eof_cb (NegoStream *stream, gpointer user_data)
{
  ((Fixture *) user_data)->eofs++;
}

static void
closed_cb (NegoStream *stream, const GError *error, gpointer user_data)
{
  Fixture *fixture = user_data;

  fixture->closed++;
  g_set_error_literal (&fixture->error, NEGO_ERROR, NEGO_ERROR_CLOSED, "orderly");
  if (error != NULL) {
    g_clear_error (&fixture->error);
    fixture->error = g_error_copy (error);
  }
  g_clear_pointer (&fixture->stream, nego_stream_free);
}

static const NegoStreamCallbacks callbacks = { data_cb, drained_cb, peer_cb, eof_cb, closed_cb };

static void
set_up (Fixture *fixture, gconstpointer kind)
{
  int fds[2];

  g_assert_no_errno (socketpair (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds));
  fixture->peer = fds[0];
  fixture->present = -1;
  fixture->received = g_string_new (NULL);
  fixture->stream = nego_stream_new (fds[1], GPOINTER_TO_INT (kind), 1, &callbacks, fixture);
}

/* The same stream, among those of a poller. */
static void
set_up_polled (Fixture *fixture, gconstpointer kind)
{
  g_autoptr (GError) error = NULL;

  set_up (fixture, kind);
  fixture->poller = nego_poller_new (&error);
  g_assert_no_error (error);
  nego_stream_set_poller (fixture->stream, fixture->poller);
}

static void
tear_down (Fixture *fixture, gconstpointer kind)
{
  g_clear_pointer (&fixture->stream, nego_stream_free);
  nego_poller_free (fixture->poller);
  if (fixture->peer >= 0)
    close (fixture->peer);
  g_string_free (fixture->received, TRUE);
  g_clear_error (&fixture->error);
}

/* Runs the loop until it has nothing more to do at once. */
static void
settle (void)
{
  while (g_main_context_iteration (NULL, FALSE))
    ;
}

static void
send_text (Fixture *fixture, const char *text)
{
  g_assert_cmpint (send (fixture->peer, text, strlen (text), MSG_NOSIGNAL), ==,
                   (int) strlen (text));
}

static void
queue_text (Fixture *fixture, const char *text)
{
  g_string_append (nego_stream_get_queue (fixture->stream), text);
}

/* All that the peer can read now. */
static char *
receive_all (Fixture *fixture)
{
  GString *text = g_string_new (NULL);
  char buffer[4096];
  ssize_t n;

  while ((n = recv (fixture->peer, buffer, sizeof buffer, MSG_DONTWAIT)) > 0)
    g_string_append_len (text, buffer, n);
  return g_string_free (text, FALSE);
}

/* Lines until the descriptor takes no more. Returns how many bytes were queued in all. */
static gsize
fill_peer (Fixture *fixture)
{
  gsize total = 0;

  do {
    g_autofree char *line = g_strdup_printf ("%0*d\n", 4095, 7);

    queue_text (fixture, line);
    total += 4096;
    nego_stream_flush (fixture->stream);
  } while (nego_stream_queued (fixture->stream) == 0);
  return total;
}

static void
test_echo (Fixture *fixture, gconstpointer kind)
{
  g_autofree char *back = NULL;

  send_text (fixture, "one");
  settle ();
  send_text (fixture, "two");
  settle ();
  g_assert_cmpstr (fixture->received->str, ==, "onetwo");
  queue_text (fixture, "three\n");
  g_assert_cmpuint (nego_stream_get_position (fixture->stream), ==, 6);
  nego_stream_flush (fixture->stream);
  g_assert_cmpuint (nego_stream_queued (fixture->stream), ==, 0);
  g_assert_cmpuint (nego_stream_get_position (fixture->stream), ==, 6);
  back = receive_all (fixture);
  g_assert_cmpstr (back, ==, "three\n");
  g_assert_cmpuint (fixture->closed, ==, 0);
}

static void
test_pause (Fixture *fixture, gconstpointer kind)
{
  settle ();
  nego_stream_set_reading (fixture->stream, FALSE);
  send_text (fixture, "later");
  settle ();
  g_assert_cmpstr (fixture->received->str, ==, "");
  nego_stream_set_reading (fixture->stream, TRUE);
  settle ();
  g_assert_cmpstr (fixture->received->str, ==, "later");
}

static void
test_backlog (Fixture *fixture, gconstpointer kind)
{
  gsize total = fill_peer (fixture), got = 0;

  settle ();
  g_assert_cmpuint (fixture->drained, ==, 0);
  while (got < total) {
    g_autofree char *part = receive_all (fixture);

    got += strlen (part);
    settle ();
  }
  g_assert_cmpuint (got, ==, total);
  g_assert_cmpuint (fixture->drained, >, 0);
  g_assert_cmpuint (nego_stream_queued (fixture->stream), ==, 0);
}

/* What a reader never took is dropped, but not the rest of a line that it has begun to get. */
static void
test_drop_queue (Fixture *fixture, gconstpointer kind)
{
  g_autoptr (GString) all = g_string_new (NULL);
  guint64 mark;

  fill_peer (fixture);
  queue_text (fixture, "stale\n");
  mark = nego_stream_get_position (fixture->stream);
  queue_text (fixture, "fresh\n");
  nego_stream_drop_queue (fixture->stream, mark);
  do {
    g_autofree char *part = receive_all (fixture);

    g_string_append (all, part);
    settle ();
  } while (nego_stream_queued (fixture->stream) > 0);
  {
    g_autofree char *part = receive_all (fixture);
    g_auto (GStrv) lines = NULL;
    guint i;

    g_string_append (all, part);
    lines = g_strsplit (all->str, "\n", -1);
    for (i = 0; i + 2 < g_strv_length (lines); i++)
      g_assert_cmpuint (strlen (lines[i]), ==, 4095);
    g_assert_cmpstr (lines[i], ==, "fresh");
  }
}

static void
test_half_close (Fixture *fixture, gconstpointer kind)
{
  g_autofree char *back = NULL;

  send_text (fixture, "last");
  shutdown (fixture->peer, SHUT_WR);
  settle ();
  g_assert_cmpstr (fixture->received->str, ==, "last");
  g_assert_cmpuint (fixture->eofs, ==, 1);
  g_assert_cmpuint (fixture->closed, ==, 0);
  queue_text (fixture, "answer\n");
  nego_stream_finish (fixture->stream);
  settle ();
  g_assert_cmpuint (fixture->closed, ==, 1);
  g_assert_error (fixture->error, NEGO_ERROR, NEGO_ERROR_CLOSED);
  back = receive_all (fixture);
  g_assert_cmpstr (back, ==, "answer\n");
}

static void
test_close (Fixture *fixture, gconstpointer kind)
{
  send_text (fixture, "bye");
  close (fixture->peer);
  fixture->peer = -1;
  settle ();
  g_assert_cmpstr (fixture->received->str, ==, "bye");
  g_assert_cmpuint (fixture->closed, ==, 1);
  g_assert_error (fixture->error, NEGO_ERROR, NEGO_ERROR_CLOSED);
}

static void
test_close_unread (Fixture *fixture, gconstpointer kind)
{
  queue_text (fixture, "unread\n");
  nego_stream_flush (fixture->stream);
  close (fixture->peer);
  fixture->peer = -1;
  settle ();
  g_assert_cmpuint (fixture->closed, ==, 1);
}

static void
test_close_paused (Fixture *fixture, gconstpointer kind)
{
  fill_peer (fixture);
  nego_stream_set_reading (fixture->stream, FALSE);
  send_text (fixture, "never looked at");
  close (fixture->peer);
  fixture->peer = -1;
  settle ();
  g_assert_cmpuint (fixture->closed, ==, 1);
  g_assert_cmpstr (fixture->received->str, ==, "");
}

static void
test_port_away (Fixture *fixture, gconstpointer kind)
{
  settle ();
  g_assert_cmpint (fixture->present, ==, TRUE);
  send_text (fixture, "half");
  shutdown (fixture->peer, SHUT_WR);
  settle ();
  g_assert_cmpstr (fixture->received->str, ==, "half");
  /* Its words could be those of the next host, which shows at once then. */
  g_assert_cmpint (fixture->present, ==, TRUE);
  while (fixture->present != FALSE)
    g_main_context_iteration (NULL, TRUE);
  g_assert_cmpuint (fixture->closed, ==, 0);
  /* Away is a state in which nothing happens: no wake-up is due. */
  g_assert_false (g_main_context_pending (NULL));
}

/* What comes are answers: nobody's first words. */
static void
test_port_asking (Fixture *fixture, gconstpointer kind)
{
  nego_stream_set_asking (fixture->stream);
  settle ();
  g_assert_cmpint (fixture->present, ==, TRUE);
  send_text (fixture, "answer");
  shutdown (fixture->peer, SHUT_WR);
  settle ();
  g_assert_cmpstr (fixture->received->str, ==, "answer");
  g_assert_cmpint (fixture->present, ==, FALSE);
}

static void
test_port_clear (Fixture *fixture, gconstpointer kind)
{
  g_autofree char *rest = NULL;

  settle ();
  fill_peer (fixture);
  g_assert_cmpuint (nego_stream_queued (fixture->stream), >, 0);
  nego_stream_clear_queue (fixture->stream);
  g_assert_cmpuint (nego_stream_queued (fixture->stream), ==, 0);
  g_free (receive_all (fixture));
  queue_text (fixture, "new\n");
  nego_stream_flush (fixture->stream);
  rest = receive_all (fixture);
  g_assert_cmpstr (rest, ==, "new\n");
}

/* More than one pass reads: the edge comes once, so the stream must read on by itself. */
static void
test_port_edge (Fixture *fixture, gconstpointer kind)
{
  g_autofree char *block = g_strnfill (65536, 'x');

  settle ();
  send_text (fixture, block);
  send_text (fixture, block);
  settle ();
  g_assert_cmpuint (fixture->received->len, ==, 2 * 65536);
}

static void
test_stuck (Fixture *fixture, gconstpointer kind)
{
  settle ();
  fill_peer (fixture);
  while (fixture->closed == 0)
    g_main_context_iteration (NULL, TRUE);
  g_assert_error (fixture->error, NEGO_ERROR, NEGO_ERROR_TIMEOUT);
  g_assert_cmpstr (fixture->error->message, ==, "the peer took no output for 1 seconds");
}

/* What is owed is waited for; it may take longer, never less. */
/* The turns of the main loop that others have had. */
static gboolean
count_cb (gpointer user_data)
{
  ++*(guint *) user_data;
  return G_SOURCE_CONTINUE;
}

/* A reader that takes all at once does not keep others waiting for the end of a long reply: it is
 * written in pieces, in turns with them. A large pipe is such a reader. */
static void
test_slices (Fixture *fixture, gconstpointer kind)
{
  const gsize all = 1000000;
  g_autofree char *text = g_strnfill (all, 'x'), *got = g_malloc (all + 1);
  g_autoptr (GSource) other = g_timeout_source_new (0);
  guint turns = 0;
  int fds[2];

  g_assert_no_errno (pipe2 (fds, O_CLOEXEC));
  if (fcntl (fds[1], F_SETPIPE_SZ, 1 << 20) < 0) {
    close (fds[0]);
    close (fds[1]);
    g_test_skip ("no pipe may be so large here");
    return;
  }
  g_clear_pointer (&fixture->stream, nego_stream_free);
  fixture->stream = nego_stream_new (fds[1], NEGO_STREAM_SERIAL, 0, &callbacks, fixture);
  g_source_set_callback (other, count_cb, &turns, NULL);
  g_source_attach (other, NULL);
  queue_text (fixture, text);
  nego_stream_flush (fixture->stream);
  g_assert_cmpuint (nego_stream_queued (fixture->stream), >, 0);
  while (nego_stream_queued (fixture->stream) > 0)
    g_main_context_iteration (NULL, TRUE);
  g_source_destroy (other);
  g_assert_cmpuint (fixture->drained, >=, 2);
  g_assert_cmpuint (turns, >, 0);
  g_assert_cmpint (read (fds[0], got, all + 1), ==, (int) all);
  g_assert_cmpmem (got, all, text, all);
  close (fds[0]);
}

static void
test_rate (Fixture *fixture, gconstpointer kind)
{
  g_autofree char *text = g_strnfill (1500, 'x');
  gint64 started;

  nego_stream_set_rate (fixture->stream, 1000);
  started = g_get_monotonic_time ();
  send_text (fixture, text);
  while (fixture->received->len < 1500)
    g_main_context_iteration (NULL, TRUE);
  send_text (fixture, "y");
  while (fixture->received->len < 1501)
    g_main_context_iteration (NULL, TRUE);
  g_assert_cmpint (g_get_monotonic_time () - started, >=, 500 * 1000);
}

#define ADD(path, kind, func) \
  g_test_add (path, Fixture, GINT_TO_POINTER (kind), set_up, func, tear_down)
#define ADD_POLLED(name, func)                                                       \
  g_test_add ("/stream/polled/" name, Fixture, GINT_TO_POINTER (NEGO_STREAM_SOCKET), \
              set_up_polled, func, tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  signal (SIGPIPE, SIG_IGN);
  ADD ("/stream/socket/echo", NEGO_STREAM_SOCKET, test_echo);
  ADD ("/stream/socket/pause", NEGO_STREAM_SOCKET, test_pause);
  ADD ("/stream/socket/backlog", NEGO_STREAM_SOCKET, test_backlog);
  ADD ("/stream/slices", NEGO_STREAM_SOCKET, test_slices);
  ADD ("/stream/socket/rate", NEGO_STREAM_SOCKET, test_rate);
  ADD ("/stream/socket/drop-queue", NEGO_STREAM_SOCKET, test_drop_queue);
  ADD ("/stream/socket/half-close", NEGO_STREAM_SOCKET, test_half_close);
  ADD ("/stream/socket/close", NEGO_STREAM_SOCKET, test_close);
  ADD ("/stream/socket/close-unread", NEGO_STREAM_SOCKET, test_close_unread);
  ADD ("/stream/socket/close-paused", NEGO_STREAM_SOCKET, test_close_paused);
  ADD_POLLED ("echo", test_echo);
  ADD_POLLED ("pause", test_pause);
  ADD_POLLED ("backlog", test_backlog);
  ADD_POLLED ("slices", test_slices);
  ADD_POLLED ("rate", test_rate);
  ADD_POLLED ("drop-queue", test_drop_queue);
  ADD_POLLED ("half-close", test_half_close);
  ADD_POLLED ("close", test_close);
  ADD_POLLED ("close-unread", test_close_unread);
  ADD_POLLED ("close-paused", test_close_paused);
  ADD ("/stream/port/echo", NEGO_STREAM_PORT, test_echo);
  ADD ("/stream/port/pause", NEGO_STREAM_PORT, test_pause);
  ADD ("/stream/port/backlog", NEGO_STREAM_PORT, test_backlog);
  ADD ("/stream/port/drop-queue", NEGO_STREAM_PORT, test_drop_queue);
  ADD ("/stream/port/away", NEGO_STREAM_PORT, test_port_away);
  ADD ("/stream/port/asking", NEGO_STREAM_PORT, test_port_asking);
  ADD ("/stream/port/clear", NEGO_STREAM_PORT, test_port_clear);
  ADD ("/stream/port/edge", NEGO_STREAM_PORT, test_port_edge);
  ADD ("/stream/port/stuck", NEGO_STREAM_PORT, test_stuck);
  return g_test_run ();
}
