/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "common/input.h"
#include "common/names.h"
#include "common/pipe.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

/* More than a pipe holds, and more than is given back at once. */
#define LARGE ((gsize) 5 << 20)

static NegoInput *
new_input (gsize len, int *reader)
{
  guint8 *data = g_malloc (len + 1);
  g_autoptr (GError) error = NULL;
  NegoInput *input;

  for (gsize i = 0; i < len; i++)
    data[i] = (guint8) (i % 251);
  input = nego_input_new (data, len, reader, NULL, NULL, &error);
  g_assert_no_error (error);
  return input;
}

static void
test_small (void)
{
  g_autoptr (NegoInput) input = NULL, empty = NULL;
  guint8 data[8];
  int reader;

  /* Written and closed at once: the main loop has nothing to do. */
  input = new_input (5, &reader);
  g_assert_cmpint (reader, >, STDERR_FILENO);
  g_assert_cmpuint (nego_input_pending (input), ==, 0);
  g_assert_cmpint (read (reader, data, sizeof data), ==, 5);
  g_assert_cmpint (read (reader, data, sizeof data), ==, 0);
  nego_pipe_close (&reader);

  empty = new_input (0, &reader);
  g_assert_cmpint (read (reader, data, sizeof data), ==, 0);
  nego_pipe_close (&reader);
}

static void
test_large (void)
{
  g_autoptr (NegoInput) input = NULL;
  guint8 data[65536];
  gsize taken = 0, least = LARGE;
  int reader;

  input = new_input (LARGE, &reader);
  while (taken < LARGE) {
    ssize_t n = read (reader, data, sizeof data);

    g_assert_cmpint (n, >, 0);
    for (ssize_t i = 0; i < n; i++)
      g_assert_cmpint (data[i], ==, (taken + (gsize) i) % 251);
    taken += (gsize) n;
    while (g_main_context_iteration (NULL, FALSE))
      ;
    /* Memory goes back while the child reads, not at the end. */
    g_assert_cmpuint (nego_input_pending (input), <=, least);
    least = nego_input_pending (input);
    g_assert_cmpuint (least, <=, LARGE - taken + (1u << 20) + 65536);
  }
  g_assert_cmpuint (least, ==, 0);
  g_assert_cmpint (read (reader, data, sizeof data), ==, 0);
  nego_pipe_close (&reader);
}

static void
test_reader_leaves (void)
{
  g_autoptr (NegoInput) input = NULL, unread = NULL;
  int reader;

  input = new_input (LARGE, &reader);
  g_assert_cmpuint (nego_input_pending (input), >, 0);
  nego_pipe_close (&reader);
  while (nego_input_pending (input) > 0)
    g_main_context_iteration (NULL, TRUE);
  /* The pipe is closed: nothing wakes the main loop any more. */
  g_assert_false (g_main_context_pending (NULL));

  unread = new_input (LARGE, &reader);
  g_clear_pointer (&unread, nego_input_free);
  nego_pipe_close (&reader);
}

static void
on_changed (NegoInput *input, gpointer user_data)
{
  ++*(guint *) user_data;
}

static NegoInput *
new_open_input (int *reader, guint *changes)
{
  g_autoptr (GError) error = NULL;
  NegoInput *input = nego_input_new (NULL, 0, reader, on_changed, changes, &error);

  g_assert_no_error (error);
  return input;
}

/* What the pipe holds is no part of the limit. */
static gsize
fill (NegoInput *input)
{
  static guint8 block[NEGO_JOB_INPUT_BYTES + 1];
  gsize taken = nego_input_add (input, block, 65536);

  while (nego_input_pending (input) == 0)
    taken += nego_input_add (input, block, 1);
  taken += nego_input_add (input, block, NEGO_JOB_INPUT_BYTES - nego_input_pending (input));
  g_assert_cmpuint (nego_input_pending (input), ==, NEGO_JOB_INPUT_BYTES);
  return taken;
}

static void
test_open (void)
{
  g_autoptr (NegoInput) input = NULL;
  guint8 data[16];
  guint changes = 0;
  int reader;

  input = new_open_input (&reader, &changes);
  g_assert_cmpuint (nego_input_add (input, (const guint8 *) "one", 3), ==, 3);
  g_assert_cmpint (read (reader, data, sizeof data), ==, 3);
  g_assert_cmpuint (nego_input_add (input, (const guint8 *) "four", 4), ==, 4);
  g_assert_cmpuint (nego_input_get_next (input), ==, 7);
  g_assert_false (nego_input_is_ended (input));
  nego_input_end (input);
  g_assert_true (nego_input_is_ended (input));
  g_assert_true (nego_input_is_closed (input));
  g_assert_cmpint (read (reader, data, sizeof data), ==, 4);
  g_assert_cmpint (read (reader, data, sizeof data), ==, 0);
  nego_pipe_close (&reader);
}

static void
test_limit (void)
{
  g_autoptr (NegoInput) input = NULL;
  guint8 data[65536];
  guint changes = 0;
  gsize taken, got = 0;
  int reader;

  input = new_open_input (&reader, &changes);
  taken = fill (input);
  g_assert_cmpuint (nego_input_add (input, data, 1), ==, 0);
  g_assert_cmpuint (nego_input_get_next (input), ==, taken);
  g_assert_cmpuint (changes, ==, 0);
  /* Each byte that the child takes is room for another. */
  g_assert_cmpint (read (reader, data, sizeof data), ==, sizeof data);
  got += sizeof data;
  while (changes == 0)
    g_main_context_iteration (NULL, TRUE);
  g_assert_cmpuint (nego_input_add (input, data, 1), ==, 1);
  taken++;
  /* Its end waits for what is held. */
  nego_input_end (input);
  g_assert_false (nego_input_is_closed (input));
  while (got < taken) {
    got += (gsize) read (reader, data, sizeof data);
    while (g_main_context_iteration (NULL, FALSE))
      ;
  }
  g_assert_cmpuint (got, ==, taken);
  g_assert_true (nego_input_is_closed (input));
  g_assert_cmpint (read (reader, data, sizeof data), ==, 0);
  nego_pipe_close (&reader);
}

/* A child that closes its input is seen at once, also with nothing to write. */
static void
test_open_reader_leaves (void)
{
  g_autoptr (NegoInput) input = NULL, full = NULL;
  guint changes = 0;
  gsize taken;
  int reader;

  input = new_open_input (&reader, &changes);
  g_assert_false (g_main_context_iteration (NULL, FALSE));
  nego_pipe_close (&reader);
  while (changes == 0)
    g_main_context_iteration (NULL, TRUE);
  g_assert_true (nego_input_is_closed (input));
  g_assert_cmpuint (nego_input_add (input, (const guint8 *) "lost", 4), ==, 4);
  g_assert_cmpuint (nego_input_get_next (input), ==, 4);
  g_assert_cmpuint (nego_input_pending (input), ==, 0);

  changes = 0;
  full = new_open_input (&reader, &changes);
  taken = fill (full);
  nego_pipe_close (&reader);
  while (changes == 0)
    g_main_context_iteration (NULL, TRUE);
  g_assert_true (nego_input_is_closed (full));
  g_assert_cmpuint (nego_input_pending (full), ==, 0);
  g_assert_cmpuint (nego_input_get_next (full), ==, taken);
}

int
main (int argc, char **argv)
{
  signal (SIGPIPE, SIG_IGN);
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/input/small", test_small);
  g_test_add_func ("/input/large", test_large);
  g_test_add_func ("/input/reader-leaves", test_reader_leaves);
  g_test_add_func ("/input/open", test_open);
  g_test_add_func ("/input/limit", test_limit);
  g_test_add_func ("/input/open-reader-leaves", test_open_reader_leaves);
  return g_test_run ();
}
