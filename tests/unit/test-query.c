/* SPDX-License-Identifier: MIT */
/* query: what a thread makes becomes the answer, unless its time is over or nobody wants it. */
#include "config.h"

#include "agent/agent.h"
#include "agent/query.h"
#include "common/error.h"

#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

typedef struct {
  NegoAgent agent; /* all that a query uses of it is its offload */
  NegoStream *stream;
  int peer;
  int gate[2];
  guint n_done;
} Fixture;

/* What the thread gets. */
typedef struct {
  int gate; /* waited for; -1: not at all */
  const char *text;
  int *n_freed; /* atomic */
} Work;

static void
on_data (NegoStream *stream, const guint8 *data, gsize len, gpointer user_data)
{
}

static void
on_event (NegoStream *stream, gpointer user_data)
{
}

static void
on_closed (NegoStream *stream, const GError *error, gpointer user_data)
{
}

static void
on_done (NegoCall *call, gpointer user_data)
{
  Fixture *fixture = user_data;

  fixture->n_done++;
}

static void
set_up (Fixture *fixture, gconstpointer data)
{
  static const NegoStreamCallbacks callbacks = {
    .data = on_data,
    .drained = on_event,
    .eof = on_event,
    .closed = on_closed,
  };
  int fds[2];

  g_assert_no_errno (socketpair (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds));
  g_assert_no_errno (pipe2 (fixture->gate, O_CLOEXEC));
  fixture->stream = nego_stream_new (fds[0], NEGO_STREAM_SOCKET, 0, &callbacks, fixture);
  fixture->peer = fds[1];
  fixture->agent.offload = nego_offload_new ();
}

static void
tear_down (Fixture *fixture, gconstpointer data)
{
  nego_offload_free (fixture->agent.offload);
  nego_stream_free (fixture->stream);
  close (fixture->peer);
  close (fixture->gate[0]);
  if (fixture->gate[1] >= 0)
    close (fixture->gate[1]);
}

static void
open_gate (Fixture *fixture)
{
  close (fixture->gate[1]);
  fixture->gate[1] = -1;
}

static gpointer
run_work (gpointer arguments, GError **error)
{
  Work *work = arguments;
  char byte;

  if (work->gate >= 0)
    g_assert_cmpint (read (work->gate, &byte, 1), ==, 0);
  if (work->text == NULL) {
    g_set_error_literal (error, NEGO_ERROR, NEGO_ERROR_IO, "the kernel says no");
    return NULL;
  }
  return g_strdup (work->text);
}

static void
free_work (gpointer arguments)
{
  Work *work = arguments;

  g_atomic_int_inc (work->n_freed);
  g_free (work);
}

static void
answer (NegoCall *call, gpointer result)
{
  NegoJsonWriter *writer = nego_call_begin_return (call);

  if (writer == NULL)
    return;
  nego_json_writer_string (writer, result);
  nego_call_end_return (call);
}

static const NegoQuery patient = { run_work, answer, free_work, g_free, 0 };
static const NegoQuery hasty = { run_work, answer, free_work, g_free, 1 };

static NegoCall *
start (Fixture *fixture, const NegoQuery *query, int gate, const char *text, int *n_freed)
{
  const NegoCallPeer peer = {
    .context = &fixture->agent,
    .origin = "test",
    .stream = fixture->stream,
    .done = on_done,
    .user_data = fixture,
  };
  NegoCall *call = nego_call_new ("guest-get-vcpus", NULL, &peer);
  Work *work = g_new0 (Work, 1);

  work->gate = gate;
  work->text = text;
  work->n_freed = n_freed;
  nego_query_start (query, call, work);
  return call;
}

static void
await_reply (Fixture *fixture, const char *reply)
{
  char text[256] = "";
  gsize len = 0;

  while (fixture->n_done == 0)
    g_main_context_iteration (NULL, TRUE);
  nego_stream_flush (fixture->stream);
  while (strchr (text, '\n') == NULL) {
    ssize_t n = read (fixture->peer, text + len, sizeof text - 1 - len);

    g_assert_cmpint (n, >, 0);
    len += (gsize) n;
    text[len] = '\0';
  }
  g_assert_cmpstr (text, ==, reply);
}

static void
await_freed (int *n_freed)
{
  while (g_atomic_int_get (n_freed) == 0)
    if (!g_main_context_iteration (NULL, FALSE))
      g_thread_yield ();
  g_assert_cmpint (g_atomic_int_get (n_freed), ==, 1);
}

static void
test_result (Fixture *fixture, gconstpointer data)
{
  int n_freed = 0;
  g_autoptr (NegoCall) call G_GNUC_UNUSED = start (fixture, &patient, -1, "made", &n_freed);

  await_reply (fixture, "{\"return\": \"made\"}\n");
  await_freed (&n_freed);
  g_assert_cmpuint (fixture->n_done, ==, 1);
}

static void
test_error (Fixture *fixture, gconstpointer data)
{
  int n_freed = 0;
  g_autoptr (NegoCall) call G_GNUC_UNUSED = start (fixture, &patient, -1, NULL, &n_freed);

  await_reply (fixture,
               "{\"error\": {\"class\": \"GenericError\", \"desc\": \"the kernel says no\"}}\n");
  await_freed (&n_freed);
}

static void
test_late (Fixture *fixture, gconstpointer data)
{
  int n_freed = 0;
  g_autoptr (NegoCall) call G_GNUC_UNUSED
    = start (fixture, &hasty, fixture->gate[0], "late", &n_freed);

  await_reply (fixture, "{\"error\": {\"class\": \"GenericError\", \"desc\": "
                        "\"no answer from the kernel in time\"}}\n");
  g_assert_cmpint (g_atomic_int_get (&n_freed), ==, 0);
  open_gate (fixture);
  await_freed (&n_freed);
  g_assert_cmpuint (fixture->n_done, ==, 1);
}

static void
test_abandoned (Fixture *fixture, gconstpointer data)
{
  int n_freed = 0;
  g_autoptr (NegoCall) call G_GNUC_UNUSED
    = start (fixture, &patient, fixture->gate[0], "unheard", &n_freed);

  nego_call_abandon (call);
  open_gate (fixture);
  await_freed (&n_freed);
  g_assert_cmpuint (fixture->n_done, ==, 0);
  g_assert_cmpuint (nego_stream_get_queue (fixture->stream)->len, ==, 0);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add ("/query/result", Fixture, NULL, set_up, test_result, tear_down);
  g_test_add ("/query/error", Fixture, NULL, set_up, test_error, tear_down);
  g_test_add ("/query/late", Fixture, NULL, set_up, test_late, tear_down);
  g_test_add ("/query/abandoned", Fixture, NULL, set_up, test_abandoned, tear_down);
  return g_test_run ();
}
