/* SPDX-License-Identifier: MIT */
/*
 * The generated table and marshalling of the commands of kinds/qapi/kinds.json, with real calls
 * whose replies are read from the queue of a real stream.
 */
#include "config.h"

#include "common/error.h"
#include "common/stream.h"
#include "qapi/qapi-commands.h"

#include <json-glib/json-glib.h>

#include <sys/socket.h>
#include <unistd.h>

typedef struct {
  NegoStream *stream;
  int peer;
  guint n_done;
  NegoCall *held;  /* the reference that an asynchronous handler took */
  gint64 later_x;  /* what it was asked */
  guint n_stopped; /* calls of stop that succeeded */
} Fixture;

static gboolean
handle_ping (NegoCall *call, GError **error)
{
  return TRUE;
}

static gboolean
handle_add (NegoCall *call, const QapiAddArgs *args, gint64 *ret, GError **error)
{
  if (args->has_b && args->b == 0) {
    g_set_error_literal (error, NEGO_ERROR, NEGO_ERROR_GENERIC, "there is nothing to add");
    return FALSE;
  }
  *ret = args->a + (args->has_b ? args->b : 1);
  return TRUE;
}

static QapiPoint *
handle_move (NegoCall *call, const QapiMoveArgs *args, GError **error)
{
  QapiPoint *point;

  if (args->x < 0) {
    g_set_error_literal (error, NEGO_ERROR, NEGO_ERROR_REFUSED, "no further");
    return NULL;
  }
  point = qapi_point_new ();
  point->x = args->x + 1;
  point->has_y = args->has_y;
  point->y = args->y;
  return point;
}

static char **
handle_names (NegoCall *call, GError **error)
{
  return g_strsplit ("a,b", ",", -1);
}

static GPtrArray *
handle_lines (NegoCall *call, GError **error)
{
  GPtrArray *lines = g_ptr_array_new_with_free_func ((GDestroyNotify) qapi_line_free);
  QapiLine *line = qapi_line_new ();

  line->name = g_strdup ("one");
  g_ptr_array_add (lines, line);
  return lines;
}

static gboolean
handle_kind (NegoCall *call, QapiColor *ret, GError **error)
{
  *ret = QAPI_COLOR_DARK_GREEN;
  return TRUE;
}

static char *
handle_greet (NegoCall *call, GError **error)
{
  return g_strdup ("hello");
}

static void
handle_later (NegoCall *call, const QapiLaterArgs *args)
{
  Fixture *fixture = nego_call_get_context (call);

  fixture->held = nego_call_ref (call);
  fixture->later_x = args->x;
}

static void
handle_later_nothing (NegoCall *call)
{
  Fixture *fixture = nego_call_get_context (call);

  fixture->held = nego_call_ref (call);
}

static gboolean
handle_stop (NegoCall *call, const QapiStopArgs *args, GError **error)
{
  Fixture *fixture = nego_call_get_context (call);

  if (args->has_fail && args->fail) {
    g_set_error_literal (error, NEGO_ERROR, NEGO_ERROR_GENERIC, "it goes on");
    return FALSE;
  }
  fixture->n_stopped++;
  return TRUE;
}

static const QapiHandlers handlers = {
  .ping = handle_ping,
  .add = handle_add,
  .move = handle_move,
  .names = handle_names,
  .lines = handle_lines,
  .kind = handle_kind,
  .greet = handle_greet,
  .later = handle_later,
  .later_nothing = handle_later_nothing,
  .later_silence = handle_later_nothing,
  .stop = handle_stop,
};

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
fixture_set_up (Fixture *fixture, gconstpointer data)
{
  static const NegoStreamCallbacks callbacks = {
    .data = on_data,
    .drained = on_event,
    .eof = on_event,
    .closed = on_closed,
  };
  int fds[2];

  g_assert_no_errno (socketpair (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds));
  fixture->stream = nego_stream_new (fds[0], NEGO_STREAM_SOCKET, 0, &callbacks, fixture);
  fixture->peer = fds[1];
}

static void
fixture_tear_down (Fixture *fixture, gconstpointer data)
{
  nego_stream_free (fixture->stream);
  close (fixture->peer);
}

static NegoCall *
fixture_call (Fixture *fixture, const char *name, const char *arguments)
{
  const NegoCallPeer peer = {
    .context = fixture,
    .origin = "test",
    .stream = fixture->stream,
    .done = on_done,
    .user_data = fixture,
  };
  const QapiCommand *command = qapi_command_find (name);
  NegoCall *call = nego_call_new (name, g_strdup ("7"), &peer);
  g_autoptr (JsonNode) node = NULL;
  g_autoptr (GError) error = NULL;

  g_assert_nonnull (command);
  if (arguments != NULL)
    node = json_from_string (arguments, &error);
  g_assert_no_error (error);
  g_string_truncate (nego_stream_get_queue (fixture->stream), 0);
  fixture->n_done = 0;
  command->marshal (call, &handlers, node);
  return call;
}

static void
assert_reply (Fixture *fixture, const char *name, const char *arguments, const char *expected)
{
  g_autoptr (NegoCall) call G_GNUC_UNUSED = fixture_call (fixture, name, arguments);

  g_assert_cmpstr (nego_stream_get_queue (fixture->stream)->str, ==, expected);
  g_assert_cmpuint (fixture->n_done, ==, 1);
}

static void
assert_error (Fixture *fixture, const char *name, const char *arguments, const char *desc)
{
  g_autofree char *expected
    = g_strdup_printf ("{\"id\": 7, \"error\": {\"class\": \"GenericError\", \"desc\": \"%s\"}}\n",
                       desc);

  assert_reply (fixture, name, arguments, expected);
}

static void
test_results (Fixture *fixture, gconstpointer data)
{
  assert_reply (fixture, "ping", NULL, "{\"return\": {}, \"id\": 7}\n");
  assert_reply (fixture, "ping", "{}", "{\"return\": {}, \"id\": 7}\n");
  assert_reply (fixture, "add", "{\"a\": 1}", "{\"return\": 2, \"id\": 7}\n");
  assert_reply (fixture, "add", "{\"a\": 1, \"b\": 5}", "{\"return\": 6, \"id\": 7}\n");
  assert_reply (fixture, "move", "{\"x\": 1}", "{\"return\": {\"x\": 2}, \"id\": 7}\n");
  assert_reply (fixture, "move", "{\"x\": 1, \"y\": 3}",
                "{\"return\": {\"x\": 2, \"y\": 3}, \"id\": 7}\n");
  assert_reply (fixture, "names", NULL, "{\"return\": [\"a\", \"b\"], \"id\": 7}\n");
  assert_reply (fixture, "lines", NULL, "{\"return\": [{\"name\": \"one\"}], \"id\": 7}\n");
  assert_reply (fixture, "kind", NULL, "{\"return\": \"dark-green\", \"id\": 7}\n");
  assert_reply (fixture, "greet", NULL, "{\"return\": \"hello\", \"id\": 7}\n");
}

static void
test_handler_errors (Fixture *fixture, gconstpointer data)
{
  assert_error (fixture, "add", "{\"a\": 1, \"b\": 0}", "there is nothing to add");
  assert_error (fixture, "move", "{\"x\": -1}", "no further");
  assert_error (fixture, "stop", "{\"fail\": true}", "it goes on");
}

static void
test_argument_errors (Fixture *fixture, gconstpointer data)
{
  assert_error (fixture, "add", NULL, "Parameter 'a' is missing");
  assert_error (fixture, "add", "{}", "Parameter 'a' is missing");
  assert_error (fixture, "add", "{\"a\": 1, \"c\": 1}", "Parameter 'c' is unexpected");
  assert_error (fixture, "move", "{\"x\": \"1\"}",
                "Invalid parameter type for 'x', expected: integer");
  assert_error (fixture, "ping", "{\"x\": 1}", "Parameter 'x' is unexpected");
  assert_error (fixture, "later", "{}", "Parameter 'x' is missing");
  assert_error (fixture, "later-nothing", "{\"y\": 1}", "Parameter 'y' is unexpected");
}

static void
test_silent_success (Fixture *fixture, gconstpointer data)
{
  assert_reply (fixture, "stop", NULL, "");
  g_assert_cmpuint (fixture->n_stopped, ==, 1);
  assert_reply (fixture, "stop", "{\"fail\": false}", "");
  g_assert_cmpuint (fixture->n_stopped, ==, 2);
}

static void
test_async (Fixture *fixture, gconstpointer data)
{
  g_autoptr (NegoCall) call G_GNUC_UNUSED = fixture_call (fixture, "later", "{\"x\": 5}");
  const GString *queue = nego_stream_get_queue (fixture->stream);
  g_autoptr (QapiPoint) point = qapi_point_new ();

  g_assert_cmpint (fixture->later_x, ==, 5);
  g_assert_cmpuint (queue->len, ==, 0);
  g_assert_cmpuint (fixture->n_done, ==, 0);
  point->x = 6;
  qapi_later_return (fixture->held, point);
  g_assert_cmpstr (queue->str, ==, "{\"return\": {\"x\": 6}, \"id\": 7}\n");
  g_assert_cmpuint (fixture->n_done, ==, 1);
  nego_call_unref (g_steal_pointer (&fixture->held));
}

static void
test_async_nothing (Fixture *fixture, gconstpointer data)
{
  g_autoptr (NegoCall) call G_GNUC_UNUSED = fixture_call (fixture, "later-nothing", NULL);

  g_assert_cmpuint (fixture->n_done, ==, 0);
  qapi_later_nothing_return (fixture->held);
  g_assert_cmpstr (nego_stream_get_queue (fixture->stream)->str, ==,
                   "{\"return\": {}, \"id\": 7}\n");
  g_assert_cmpuint (fixture->n_done, ==, 1);
  nego_call_unref (g_steal_pointer (&fixture->held));
}

static void
test_async_silence (Fixture *fixture, gconstpointer data)
{
  g_autoptr (NegoCall) call G_GNUC_UNUSED = fixture_call (fixture, "later-silence", NULL);

  g_assert_cmpuint (fixture->n_done, ==, 0);
  qapi_later_silence_return (fixture->held);
  g_assert_cmpstr (nego_stream_get_queue (fixture->stream)->str, ==, "");
  g_assert_cmpuint (fixture->n_done, ==, 1);
  nego_call_unref (g_steal_pointer (&fixture->held));
}

static void
test_abandoned (Fixture *fixture, gconstpointer data)
{
  g_autoptr (NegoCall) call = fixture_call (fixture, "later", "{\"x\": 5}");
  g_autoptr (NegoCall) other = NULL;
  g_autoptr (QapiPoint) point = qapi_point_new ();

  nego_call_abandon (call);
  qapi_later_return (fixture->held, point);
  nego_call_unref (g_steal_pointer (&fixture->held));
  other = fixture_call (fixture, "later-nothing", NULL);
  nego_call_abandon (other);
  qapi_later_nothing_return (fixture->held);
  nego_call_unref (g_steal_pointer (&fixture->held));
  g_assert_cmpuint (nego_stream_get_queue (fixture->stream)->len, ==, 0);
  g_assert_cmpuint (fixture->n_done, ==, 0);
}

static void
test_table (void)
{
  gsize i;

  g_assert_cmpuint (qapi_n_commands, ==, 12);
  for (i = 0; i < qapi_n_commands; i++) {
    const QapiCommand *command = &qapi_commands[i];

    if (i > 0)
      g_assert_cmpstr (qapi_commands[i - 1].name, <, command->name);
    g_assert_true (qapi_command_find (command->name) == command);
    g_assert_cmpint (qapi_command_is_served (command, &handlers), ==,
                     g_strcmp0 (command->name, "unserved") != 0);
  }
  g_assert_null (qapi_command_find (""));
  g_assert_null (qapi_command_find ("pin"));
  g_assert_null (qapi_command_find ("pingg"));
  g_assert_null (qapi_command_find ("zzz"));
}

static void
test_features (void)
{
  g_assert_cmpuint (qapi_command_find ("ping")->features, ==, 0);
  g_assert_cmpuint (qapi_command_find ("move")->features, ==, QAPI_COMMAND_LONG);
  g_assert_cmpuint (qapi_command_find ("names")->features, ==,
                    QAPI_COMMAND_READ_ONLY | QAPI_COMMAND_ALLOW_FROZEN);
  g_assert_cmpuint (qapi_command_find ("later")->features, ==,
                    QAPI_COMMAND_ASYNC | QAPI_COMMAND_RUNS_SCRIPTS);
  g_assert_cmpuint (qapi_command_find ("stop")->features, ==, QAPI_COMMAND_NO_SUCCESS_RESPONSE);
}

#define ADD(path, func) g_test_add (path, Fixture, NULL, fixture_set_up, func, fixture_tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ADD ("/commands/results", test_results);
  ADD ("/commands/handler-errors", test_handler_errors);
  ADD ("/commands/argument-errors", test_argument_errors);
  ADD ("/commands/silent-success", test_silent_success);
  ADD ("/commands/async", test_async);
  ADD ("/commands/async-nothing", test_async_nothing);
  ADD ("/commands/async-silence", test_async_silence);
  ADD ("/commands/abandoned", test_abandoned);
  g_test_add_func ("/commands/table", test_table);
  g_test_add_func ("/commands/features", test_features);
  return g_test_run ();
}
