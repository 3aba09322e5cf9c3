/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "common/backlog.h"

#include <string.h>

typedef struct {
  NegoBacklog *backlog;
} Fixture;

static void
set_up (Fixture *fixture, gconstpointer data)
{
  fixture->backlog = nego_backlog_new ();
}

static void
tear_down (Fixture *fixture, gconstpointer data)
{
  nego_backlog_free (fixture->backlog);
}

static void
append (Fixture *fixture, const char *text)
{
  g_string_append (nego_backlog_get_text (fixture->backlog), text);
}

static void
expect (Fixture *fixture, const char *text)
{
  gsize len;
  const char *next = nego_backlog_peek (fixture->backlog, &len);

  g_assert_cmpmem (next, len, text, strlen (text));
  g_assert_cmpuint (nego_backlog_get_length (fixture->backlog), ==, len);
}

static void
test_take (Fixture *fixture, gconstpointer data)
{
  append (fixture, "one\ntwo\n");
  nego_backlog_take (fixture->backlog, 2);
  expect (fixture, "e\ntwo\n");
  append (fixture, "three\n");
  nego_backlog_take (fixture->backlog, 6);
  expect (fixture, "three\n");
  nego_backlog_take (fixture->backlog, 6);
  expect (fixture, "");
  g_assert_cmpuint (nego_backlog_get_position (fixture->backlog), ==, 14);
}

static void
test_drop (Fixture *fixture, gconstpointer data)
{
  guint64 mark;

  append (fixture, "old\n");
  mark = nego_backlog_get_position (fixture->backlog);
  append (fixture, "new\n");
  nego_backlog_drop (fixture->backlog, mark);
  expect (fixture, "new\n");
  /* What is gone is counted: later marks hold. */
  g_assert_cmpuint (nego_backlog_get_position (fixture->backlog), ==, 8);
  mark = nego_backlog_get_position (fixture->backlog);
  append (fixture, "newer\n");
  nego_backlog_drop (fixture->backlog, mark);
  expect (fixture, "newer\n");
  nego_backlog_drop (fixture->backlog, 1000);
  expect (fixture, "");
}

static void
test_drop_midline (Fixture *fixture, gconstpointer data)
{
  append (fixture, "begun\nold\n");
  nego_backlog_take (fixture->backlog, 3);
  nego_backlog_drop (fixture->backlog, nego_backlog_get_position (fixture->backlog));
  expect (fixture, "un\n");
  nego_backlog_take (fixture->backlog, 3);
  append (fixture, "next\n");
  nego_backlog_drop (fixture->backlog, nego_backlog_get_position (fixture->backlog));
  expect (fixture, "");
}

/* A mark before what was taken already drops nothing. */
static void
test_drop_late (Fixture *fixture, gconstpointer data)
{
  guint64 mark;

  append (fixture, "one\n");
  mark = nego_backlog_get_position (fixture->backlog);
  append (fixture, "two\n");
  nego_backlog_take (fixture->backlog, 6);
  nego_backlog_drop (fixture->backlog, mark);
  expect (fixture, "o\n");
}

static void
test_clear (Fixture *fixture, gconstpointer data)
{
  append (fixture, "begun\n");
  nego_backlog_take (fixture->backlog, 2);
  nego_backlog_clear (fixture->backlog);
  expect (fixture, "");
  append (fixture, "fresh\n");
  nego_backlog_drop (fixture->backlog, nego_backlog_get_position (fixture->backlog));
  expect (fixture, "");
}

/* A large one that is taken in small pieces costs about one move of each byte, not one a piece. */
static void
test_large (Fixture *fixture, gconstpointer data)
{
  g_autofree char *large = g_strnfill (32u << 20, 'x');
  gsize len;

  append (fixture, large);
  append (fixture, "\n");
  while (nego_backlog_peek (fixture->backlog, &len), len > 0)
    nego_backlog_take (fixture->backlog, MIN (len, 4096));
  g_assert_cmpuint (nego_backlog_get_position (fixture->backlog), ==, (32u << 20) + 1);
  /* Its memory is given back. */
  g_assert_cmpuint (nego_backlog_get_text (fixture->backlog)->allocated_len, <=, 16384);
}

/* What was taken goes back to the kernel meanwhile; what was not stays as it is. */
static void
test_large_in_pieces (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GString) large = g_string_new (NULL);
  gsize done = 0, len;
  const char *text;

  while (large->len < 8u << 20)
    g_string_append_printf (large, "%07zu\n", large->len);
  append (fixture, large->str);
  while (text = nego_backlog_peek (fixture->backlog, &len), len > 0) {
    g_assert_cmpuint (done + len, ==, large->len);
    g_assert_cmpmem (text, MIN (len, 100001), large->str + done, MIN (len, 100001));
    nego_backlog_take (fixture->backlog, MIN (len, 100001));
    done += MIN (len, 100001);
  }
  g_assert_cmpuint (done, ==, large->len);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add ("/backlog/take", Fixture, NULL, set_up, test_take, tear_down);
  g_test_add ("/backlog/drop", Fixture, NULL, set_up, test_drop, tear_down);
  g_test_add ("/backlog/drop-midline", Fixture, NULL, set_up, test_drop_midline, tear_down);
  g_test_add ("/backlog/drop-late", Fixture, NULL, set_up, test_drop_late, tear_down);
  g_test_add ("/backlog/clear", Fixture, NULL, set_up, test_clear, tear_down);
  g_test_add ("/backlog/large", Fixture, NULL, set_up, test_large, tear_down);
  g_test_add ("/backlog/large-in-pieces", Fixture, NULL, set_up, test_large_in_pieces, tear_down);
  return g_test_run ();
}
