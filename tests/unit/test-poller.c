/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "common/poller.h"

#include <glib/gstdio.h>

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#define ENDS 100u

typedef struct Fixture Fixture;

/* A descriptor in the poller, and the test's end of it. */
typedef struct {
  Fixture *fixture;
  int fd, peer;
  NegoPollerEntry *entry;
  guint told, woken;
  GIOCondition condition;
} End;

struct Fixture {
  NegoPoller *poller;
  guint n_ends;
  End ends[ENDS];
  gboolean removes_others, wakes_itself;
};

static void
remove_end (End *end)
{
  g_clear_pointer (&end->entry, nego_poller_remove);
}

static void
told_cb (GIOCondition condition, gpointer user_data)
{
  End *end = user_data;
  Fixture *fixture = end->fixture;

  end->told += condition != 0;
  end->woken += condition == 0;
  end->condition = condition;
  for (guint i = 0; fixture->removes_others && i < fixture->n_ends; i++)
    if (&fixture->ends[i] != end)
      remove_end (&fixture->ends[i]);
  if (fixture->wakes_itself)
    nego_poller_wake (end->entry);
}

static void
add_ends (Fixture *fixture, guint n, GIOCondition condition)
{
  fixture->n_ends = n;
  for (guint i = 0; i < n; i++) {
    End *end = &fixture->ends[i];
    int fds[2];

    g_assert_no_errno (socketpair (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds));
    *end = (End){ .fixture = fixture, .fd = fds[0], .peer = fds[1] };
    end->entry = nego_poller_add (fixture->poller, end->fd, condition, told_cb, end);
    g_assert_nonnull (end->entry);
  }
}

static void
set_up (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GError) error = NULL;

  fixture->poller = nego_poller_new (&error);
  g_assert_no_error (error);
}

static void
tear_down (Fixture *fixture, gconstpointer data)
{
  for (guint i = 0; i < fixture->n_ends; i++) {
    remove_end (&fixture->ends[i]);
    close (fixture->ends[i].fd);
    close (fixture->ends[i].peer);
  }
  nego_poller_free (fixture->poller);
}

static void
put (const End *end)
{
  g_assert_cmpint (write (end->peer, "x", 1), ==, 1);
}

static void
turn (void)
{
  g_main_context_iteration (NULL, FALSE);
}

static guint
count_told (const Fixture *fixture)
{
  guint told = 0;

  for (guint i = 0; i < fixture->n_ends; i++)
    told += fixture->ends[i].told;
  return told;
}

static void
test_conditions (Fixture *fixture, gconstpointer data)
{
  End *end = fixture->ends;

  add_ends (fixture, 2, G_IO_IN);
  turn ();
  g_assert_cmpuint (count_told (fixture), ==, 0);
  put (end);
  turn ();
  g_assert_cmpuint (end->told, ==, 1);
  g_assert_cmpuint (end->condition, ==, G_IO_IN);
  /* As long as it holds. */
  turn ();
  g_assert_cmpuint (end->told, ==, 2);
  g_assert_true (nego_poller_modify (end->entry, G_IO_OUT));
  turn ();
  g_assert_cmpuint (end->condition, ==, G_IO_OUT);
  g_assert_true (nego_poller_modify (end->entry, 0));
  turn ();
  g_assert_cmpuint (end->told, ==, 3);
  /* Whatever was asked for. */
  g_assert_no_errno (shutdown (end->peer, SHUT_RDWR));
  turn ();
  g_assert_cmpuint (end->condition & G_IO_HUP, ==, G_IO_HUP);
  g_assert_cmpuint (fixture->ends[1].told, ==, 0);
}

/* More than are taken from the kernel at once: none is forgotten. */
static void
test_many (Fixture *fixture, gconstpointer data)
{
  char c;

  add_ends (fixture, ENDS, G_IO_IN);
  for (guint i = 0; i < ENDS; i++)
    put (&fixture->ends[i]);
  while (count_told (fixture) < ENDS) {
    g_main_context_iteration (NULL, TRUE);
    for (guint i = 0; i < ENDS; i++)
      if (fixture->ends[i].told > 0 && read (fixture->ends[i].fd, &c, 1) < 0)
        g_assert_cmpint (errno, ==, EAGAIN);
  }
  for (guint i = 0; i < ENDS; i++)
    g_assert_cmpuint (fixture->ends[i].told, ==, 1);
}

/* Also of what the kernel has said of them already. */
static void
test_remove_others (Fixture *fixture, gconstpointer data)
{
  add_ends (fixture, 10, G_IO_IN);
  for (guint i = 0; i < 10; i++)
    put (&fixture->ends[i]);
  fixture->removes_others = TRUE;
  turn ();
  turn ();
  g_assert_cmpuint (count_told (fixture), ==, 2);
}

static void
test_remove_woken (Fixture *fixture, gconstpointer data)
{
  add_ends (fixture, 3, G_IO_IN);
  for (guint i = 0; i < 3; i++)
    nego_poller_wake (fixture->ends[i].entry);
  remove_end (&fixture->ends[1]);
  fixture->removes_others = TRUE;
  turn ();
  g_assert_cmpuint (fixture->ends[0].woken, ==, 1);
  g_assert_cmpuint (fixture->ends[1].woken + fixture->ends[2].woken, ==, 0);
}

/* Once, and who is woken meanwhile is next. */
static void
test_wake (Fixture *fixture, gconstpointer data)
{
  add_ends (fixture, 1, G_IO_IN);
  nego_poller_wake (fixture->ends[0].entry);
  nego_poller_wake (fixture->ends[0].entry);
  g_assert_cmpuint (fixture->ends[0].woken, ==, 0);
  fixture->wakes_itself = TRUE;
  turn ();
  g_assert_cmpuint (fixture->ends[0].woken, ==, 1);
  fixture->wakes_itself = FALSE;
  turn ();
  turn ();
  g_assert_cmpuint (fixture->ends[0].woken, ==, 2);
}

static void
test_stop (Fixture *fixture, gconstpointer data)
{
  add_ends (fixture, 1, G_IO_IN);
  put (&fixture->ends[0]);
  nego_poller_stop (fixture->ends[0].entry);
  turn ();
  g_assert_cmpuint (fixture->ends[0].told, ==, 0);
  g_assert_false (nego_poller_modify (fixture->ends[0].entry, G_IO_OUT));
  g_assert_cmpint (errno, ==, ENOENT);
  nego_poller_wake (fixture->ends[0].entry);
  turn ();
  g_assert_cmpuint (fixture->ends[0].woken, ==, 1);
}

/* What cannot be watched. */
static void
test_add_fails (Fixture *fixture, gconstpointer data)
{
  const int fd = g_open ("/dev/null", O_RDONLY | O_CLOEXEC);

  g_assert_cmpint (fd, >=, 0);
  /* /dev/null answers no poll: EPERM. */
  g_assert_null (nego_poller_add (fixture->poller, fd, G_IO_IN, told_cb, NULL));
  close (fd);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
#define ADD(name, func) g_test_add ("/poller/" name, Fixture, NULL, set_up, func, tear_down)
  ADD ("add-fails", test_add_fails);
  ADD ("conditions", test_conditions);
  ADD ("many", test_many);
  ADD ("remove-others", test_remove_others);
  ADD ("remove-woken", test_remove_woken);
  ADD ("stop", test_stop);
  ADD ("wake", test_wake);
  return g_test_run ();
}
