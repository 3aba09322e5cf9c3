/* SPDX-License-Identifier: MIT */
/* The peer is the other end of a socket pair, which has answered before it is asked. */
#include "config.h"

#include "common/client/old-remote.h"
#include "common/error.h"
#include "common/names.h"
#include "common/old-frame.h"

#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define FAR  G_MAXINT64
#define LIST "{\"success\": true, \"result\": [\"a\", \"b\"]}"

typedef struct {
  int peer;
  NegoEnd *end;
} Fixture;

static void
set_up (Fixture *f, gconstpointer data)
{
  int ends[2];

  g_assert_cmpint (socketpair (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends), ==,
                   0);
  f->peer = ends[0];
  f->end = g_new0 (NegoEnd, 1);
  f->end->path = g_strdup ("P");
  f->end->fd = ends[1];
}

static void
tear_down (Fixture *f, gconstpointer data)
{
  if (f->peer >= 0)
    close (f->peer);
  nego_end_free (f->end);
}

static void
put (Fixture *f, const char *text, gsize len)
{
  g_assert_cmpint (write (f->peer, text, len), ==, (gssize) len);
}

/* A message of the peer. */
static void
answer (Fixture *f, const char *text)
{
  g_autoptr (GString) out = g_string_new (NULL);

  nego_old_frame_write (out, text, strlen (text));
  put (f, out->str, out->len);
}

static void
assert_asked (Fixture *f, const char *expected)
{
  char text[200];
  const gssize n = read (f->peer, text, sizeof text - 1);

  g_assert_cmpint (n, >, 0);
  text[n] = '\0';
  g_assert_cmpstr (text, ==, expected);
}

static NegoOldRemote *
open_remote (Fixture *f)
{
  g_autoptr (GError) error = NULL;
  NegoOldRemote *remote = nego_old_remote_new (g_steal_pointer (&f->end), FAR, &error);

  g_assert_no_error (error);
  return remote;
}

static void
test_execute (Fixture *f, gconstpointer data)
{
  const char *const args[] = { "echo", "x", NULL };
  g_autoptr (NegoOldRemote) remote = NULL;
  g_autoptr (GError) error = NULL;
  g_autofree char *output = NULL;

  answer (f, LIST);
  answer (f, "{\"success\": true, \"result\": \"x\\n\"}");
  answer (f, "{\"success\": false, \"error\": \"no\"}");
  answer (f, "{\"success\": false}");
  answer (f, "{\"success\": true, \"result\": 1}");
  remote = open_remote (f);
  g_assert_false (remote->speaks_qmp);
  g_assert_cmpuint (g_strv_length (remote->names), ==, 2);
  g_assert_cmpstr (remote->names[1], ==, "b");
  assert_asked (f, "49\n{\"method\": \"list_commands\", \"args\": [], \"kw\": {}}");
  output = nego_old_remote_execute (remote, args, NULL, FAR, &error);
  g_assert_no_error (error);
  g_assert_cmpstr (output, ==, "x\n");
  g_assert_null (nego_old_remote_execute (remote, args, "in", FAR, &error));
  g_assert_error (error, NEGO_ERROR, NEGO_ERROR_GENERIC);
  g_assert_cmpstr (error->message, ==, "no");
  g_clear_error (&error);
  g_assert_null (nego_old_remote_execute (remote, args, NULL, FAR, &error));
  g_assert_cmpstr (error->message, ==, "the call failed");
  g_clear_error (&error);
  g_assert_null (nego_old_remote_execute (remote, args, NULL, FAR, &error));
  g_assert_error (error, NEGO_ERROR, NEGO_ERROR_PARSE);
  g_assert_cmpstr (error->message, ==, "'P' answered no output");
}

static void
test_speaks_qmp (Fixture *f, gconstpointer data)
{
  g_autoptr (NegoOldRemote) remote = NULL;

  answer (f, "{\"success\": true, \"result\": [], \"qmp\": true}");
  remote = open_remote (f);
  g_assert_true (remote->speaks_qmp);
}

/* The peer answers with the bytes, and stays. */
static const struct {
  const char *name, *bytes;
  NegoErrorCode code;
  const char *message;
} bad[] = {
  { "qmp", "{\"return\": {}}\n", NEGO_ERROR_PARSE,
    "'P' answered what is no message of the Python negotiator" },
  { "too-long", "1048577\n", NEGO_ERROR_PARSE,
    "'P' answered what is no message of the Python negotiator" },
  { "no-json", "1\nx", NEGO_ERROR_PARSE, NULL },
  { "no-list", "34\n{\"success\": true, \"result\": \"abc\"}", NEGO_ERROR_PARSE,
    "'P' answered no list of commands" },
};

static void
test_bad (Fixture *f, gconstpointer data)
{
  const guint at = GPOINTER_TO_UINT (data);
  g_autoptr (GError) error = NULL;

  put (f, bad[at].bytes, strlen (bad[at].bytes));
  g_assert_null (nego_old_remote_new (g_steal_pointer (&f->end), FAR, &error));
  g_assert_error (error, NEGO_ERROR, (int) bad[at].code);
  if (bad[at].message != NULL)
    g_assert_cmpstr (error->message, ==, bad[at].message);
}

static void
test_silent (Fixture *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;

  put (f, "4\n{", 3);
  g_assert_null (nego_old_remote_new (g_steal_pointer (&f->end), g_get_monotonic_time (), &error));
  g_assert_error (error, NEGO_ERROR, NEGO_ERROR_TIMEOUT);
}

static void
test_closed (Fixture *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;

  put (f, "4\n{", 3);
  close (f->peer);
  f->peer = -1;
  g_assert_null (nego_old_remote_new (g_steal_pointer (&f->end), FAR, &error));
  g_assert_error (error, NEGO_ERROR, NEGO_ERROR_CLOSED);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
#define ADD(name, data, func) g_test_add (name, Fixture, data, set_up, func, tear_down)
  ADD ("/old-remote/execute", NULL, test_execute);
  ADD ("/old-remote/speaks-qmp", NULL, test_speaks_qmp);
  for (guint i = 0; i < G_N_ELEMENTS (bad); i++) {
    g_autofree char *name = g_strconcat ("/old-remote/", bad[i].name, NULL);

    ADD (name, GUINT_TO_POINTER (i), test_bad);
  }
  ADD ("/old-remote/silent", NULL, test_silent);
  ADD ("/old-remote/closed", NULL, test_closed);
  return g_test_run ();
}
