/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "common/error.h"
#include "host-client/hostd/connector.h"

#include <glib/gstdio.h>

#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

typedef struct {
  char *dir, *path;
  NegoArrivals *arrivals;
  NegoConnector *connector;
  guint connected;
} Fixture;

static void
set_up (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GError) error = NULL;

  fixture->dir = g_dir_make_tmp ("nego-connector-XXXXXX", &error);
  g_assert_no_error (error);
  fixture->path = g_build_filename (fixture->dir, "socket", NULL);
  fixture->arrivals = nego_arrivals_new (&error);
  g_assert_no_error (error);
}

static void
tear_down (Fixture *fixture, gconstpointer data)
{
  nego_connector_free (fixture->connector);
  nego_arrivals_free (fixture->arrivals);
  g_unlink (fixture->path);
  g_assert_cmpint (g_rmdir (fixture->dir), ==, 0);
  g_free (fixture->dir);
  g_free (fixture->path);
}

static int
listen_at (const char *path)
{
  struct sockaddr_un address = { .sun_family = AF_UNIX };
  int fd = socket (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

  g_assert_cmpuint (strlen (path), <, sizeof address.sun_path);
  memcpy (address.sun_path, path, strlen (path));
  g_assert_cmpint (bind (fd, (struct sockaddr *) &address, sizeof address), ==, 0);
  g_assert_cmpint (listen (fd, 1), ==, 0);
  return fd;
}

static void
on_connected (NegoConnector *connector, int fd, gpointer user_data)
{
  Fixture *fixture = user_data;

  fixture->connected++;
  close (fd);
}

static void
start (Fixture *fixture)
{
  fixture->connector = nego_connector_new (fixture->path, fixture->arrivals, on_connected, fixture);
  g_assert_cmpuint (fixture->connected, ==, 0);
}

static void
wait_for (Fixture *fixture, guint connected)
{
  while (fixture->connected < connected)
    g_main_context_iteration (NULL, TRUE);
}

static void
test_there (Fixture *fixture, gconstpointer data)
{
  int fd = listen_at (fixture->path);

  start (fixture);
  wait_for (fixture, 1);
  nego_connector_again (fixture->connector);
  g_assert_cmpuint (fixture->connected, ==, 1);
  wait_for (fixture, 2);
  close (fd);
}

/* Until no source is left that would try by itself: only the socket's coming can wake it. */
static void
test_comes (Fixture *fixture, gconstpointer data)
{
  int fd;

  start (fixture);
  while (g_main_context_iteration (NULL, FALSE))
    ;
  fd = listen_at (fixture->path);
  wait_for (fixture, 1);
  close (fd);
}

static void
test_directory_comes (Fixture *fixture, gconstpointer data)
{
  g_autofree char *dir = g_build_filename (fixture->dir, "guest", NULL);
  int fd;

  g_free (fixture->path);
  fixture->path = g_build_filename (dir, "socket", NULL);
  start (fixture);
  while (g_main_context_iteration (NULL, FALSE))
    ;
  g_assert_cmpint (g_mkdir (dir, 0700), ==, 0);
  fd = listen_at (fixture->path);
  wait_for (fixture, 1);
  close (fd);
  g_unlink (fixture->path);
  g_assert_cmpint (g_rmdir (dir), ==, 0);
}

/* A dead QEMU's socket is replaced. */
static void
test_stale (Fixture *fixture, gconstpointer data)
{
  int fd;

  close (listen_at (fixture->path));
  start (fixture);
  while (g_main_context_iteration (NULL, FALSE))
    ;
  g_unlink (fixture->path);
  fd = listen_at (fixture->path);
  wait_for (fixture, 1);
  close (fd);
}

/* Its backlog is full of others, until one is taken. */
static void
test_full (Fixture *fixture, gconstpointer data)
{
  struct sockaddr_un address = { .sun_family = AF_UNIX };
  int listening = listen_at (fixture->path);
  int others[8];
  guint n = 0;

  memcpy (address.sun_path, fixture->path, strlen (fixture->path));
  do {
    others[n] = socket (AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    g_assert_cmpuint (n, <, G_N_ELEMENTS (others));
  } while (connect (others[n++], (struct sockaddr *) &address, sizeof address) == 0);
  start (fixture);
  while (g_main_context_iteration (NULL, FALSE))
    ;
  g_assert_cmpuint (fixture->connected, ==, 0);
  close (accept (listening, NULL, NULL));
  wait_for (fixture, 1);
  while (n > 0)
    close (others[--n]);
  close (listening);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add ("/connector/there", Fixture, NULL, set_up, test_there, tear_down);
  g_test_add ("/connector/comes", Fixture, NULL, set_up, test_comes, tear_down);
  g_test_add ("/connector/directory-comes", Fixture, NULL, set_up, test_directory_comes, tear_down);
  g_test_add ("/connector/stale", Fixture, NULL, set_up, test_stale, tear_down);
  g_test_add ("/connector/full", Fixture, NULL, set_up, test_full, tear_down);
  return g_test_run ();
}
