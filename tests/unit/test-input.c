/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "common/input.h"
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
  input = nego_input_new (data, len, reader, &error);
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

int
main (int argc, char **argv)
{
  signal (SIGPIPE, SIG_IGN);
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/input/small", test_small);
  g_test_add_func ("/input/large", test_large);
  g_test_add_func ("/input/reader-leaves", test_reader_leaves);
  return g_test_run ();
}
