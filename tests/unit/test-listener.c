/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "common/listener.h"
#include "common/error.h"
#include "common/names.h"
#include "tests/helpers/valgrind.h"

#include <glib/gstdio.h>

#include <errno.h>
#include <linux/vm_sockets.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

typedef struct {
  char *dir;
  char *path;
  NegoPoller *poller; /* NULL: listeners have sources of their own */
  guint connected;
} Fixture;

static void
set_up (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GError) error = NULL;

  fixture->dir = g_dir_make_tmp ("nego-listener-XXXXXX", &error);
  g_assert_no_error (error);
  fixture->path = g_build_filename (fixture->dir, "socket", NULL);
}

static void
set_up_polled (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GError) error = NULL;

  set_up (fixture, data);
  fixture->poller = nego_poller_new (&error);
  g_assert_no_error (error);
}

static void
tear_down (Fixture *fixture, gconstpointer data)
{
  nego_poller_free (fixture->poller);
  g_unlink (fixture->path);
  g_assert_cmpint (g_rmdir (fixture->dir), ==, 0);
  g_free (fixture->dir);
  g_free (fixture->path);
}

static void
connected_cb (NegoListener *listener, int fd, gpointer user_data)
{
  Fixture *fixture = user_data;

  fixture->connected++;
  close (fd);
}

static NegoListener *
listen_at (Fixture *fixture, const char *path)
{
  g_autoptr (GError) error = NULL;
  NegoListener *listener = nego_listener_new_unix (path, &error);

  g_assert_no_error (error);
  nego_listener_set_func (listener, connected_cb, fixture);
  if (fixture->poller != NULL)
    nego_listener_set_poller (listener, fixture->poller);
  return listener;
}

static void
listen_fails (const char *path, int code, const char *before, const char *after)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *message = g_strconcat (before, path, after, NULL);

  g_assert_null (nego_listener_new_unix (path, &error));
  g_assert_error (error, NEGO_ERROR, code);
  g_assert_cmpstr (error->message, ==, message);
}

static int
connect_to (const char *path)
{
  struct sockaddr_un address = { .sun_family = AF_UNIX };
  int fd = socket (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

  g_assert_cmpint (fd, >=, 0);
  memcpy (address.sun_path, path, strlen (path));
  g_assert_cmpint (connect (fd, (struct sockaddr *) &address, sizeof address), ==, 0);
  return fd;
}

static void
settle (void)
{
  while (g_main_context_iteration (NULL, FALSE))
    ;
}

static void
test_unix (Fixture *fixture, gconstpointer data)
{
  mode_t mask = umask (0);
  NegoListener *listener = listen_at (fixture, fixture->path);
  struct stat st;
  int fd;

  umask (mask);
  g_assert_cmpint (stat (fixture->path, &st), ==, 0);
  g_assert_cmpuint (st.st_mode & 07777, ==, 0600);
  fd = connect_to (fixture->path);
  settle ();
  g_assert_cmpuint (fixture->connected, ==, 0); /* not told to accept */
  nego_listener_set_accepting (listener, TRUE);
  settle ();
  g_assert_cmpuint (fixture->connected, ==, 1);
  close (fd);
  nego_listener_free (listener);
  g_assert_false (g_file_test (fixture->path, G_FILE_TEST_EXISTS));
}

static void
test_pause (Fixture *fixture, gconstpointer data)
{
  g_autoptr (NegoListener) listener = listen_at (fixture, fixture->path);

  for (guint i = 1; i <= 3; i++) {
    int fd;

    nego_listener_set_accepting (listener, TRUE);
    nego_listener_set_accepting (listener, FALSE);
    fd = connect_to (fixture->path);
    settle ();
    g_assert_cmpuint (fixture->connected, ==, i - 1);
    nego_listener_set_accepting (listener, TRUE);
    nego_listener_set_accepting (listener, TRUE);
    settle ();
    g_assert_cmpuint (fixture->connected, ==, i);
    close (fd);
  }
}

static void
test_access (Fixture *fixture, gconstpointer data)
{
  g_autoptr (NegoListener) listener = listen_at (fixture, fixture->path);
  g_autoptr (GError) error = NULL;
  struct stat st;

  g_assert_true (nego_listener_set_access (listener, NEGO_LISTENER_NO_GROUP, 0660, &error));
  g_assert_no_error (error);
  g_assert_cmpint (lstat (fixture->path, &st), ==, 0);
  g_assert_cmpuint (st.st_mode & 07777, ==, 0660);
  g_assert_true (nego_listener_set_access (listener, getegid (), 0606, &error));
  g_assert_no_error (error);
  g_assert_cmpint (lstat (fixture->path, &st), ==, 0);
  g_assert_cmpuint (st.st_mode & 07777, ==, 0606);
  g_assert_cmpuint (st.st_gid, ==, getegid ());
}

static void
test_group (void)
{
  g_autoptr (GError) error = NULL;
  gid_t gid = 12345;

  g_assert_false (nego_listener_find_group ("no such group", &gid, &error));
  g_assert_error (error, NEGO_ERROR, NEGO_ERROR_NOT_FOUND);
  g_assert_cmpstr (error->message, ==, "there is no group 'no such group'");
  g_assert_cmpuint (gid, ==, 12345);
  g_clear_error (&error);
  g_assert_true (nego_listener_find_group ("root", &gid, &error));
  g_assert_no_error (error);
  g_assert_cmpuint (gid, ==, 0);
}

/* A socket file of a process that was killed. */
static void
test_stale (Fixture *fixture, gconstpointer data)
{
  struct sockaddr_un address = { .sun_family = AF_UNIX };
  int fd = socket (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  g_autoptr (NegoListener) listener = NULL;

  memcpy (address.sun_path, fixture->path, strlen (fixture->path));
  g_assert_cmpint (bind (fd, (struct sockaddr *) &address, sizeof address), ==, 0);
  g_assert_cmpint (listen (fd, 1), ==, 0);
  close (fd);
  listener = listen_at (fixture, fixture->path);
  close (connect_to (fixture->path));
}

static void
test_live (Fixture *fixture, gconstpointer data)
{
  g_autoptr (NegoListener) listener G_GNUC_UNUSED = listen_at (fixture, fixture->path);

  listen_fails (fixture->path, NEGO_ERROR_BUSY, "another process listens on '", "'");
  close (connect_to (fixture->path));
}

/* Alive, and with so many waiting that one more gets EAGAIN. */
static void
test_live_full (Fixture *fixture, gconstpointer data)
{
  struct sockaddr_un address = { .sun_family = AF_UNIX };
  int fd = socket (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  int client = socket (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

  memcpy (address.sun_path, fixture->path, strlen (fixture->path));
  g_assert_cmpint (bind (fd, (struct sockaddr *) &address, sizeof address), ==, 0);
  g_assert_cmpint (listen (fd, 0), ==, 0);
  g_assert_cmpint (connect (client, (struct sockaddr *) &address, sizeof address), ==, 0);
  listen_fails (fixture->path, NEGO_ERROR_BUSY, "another process listens on '", "'");
  close (client);
  close (fd);
}

static void
test_no_socket (Fixture *fixture, gconstpointer data)
{
  g_assert_true (g_file_set_contents (fixture->path, "precious", -1, NULL));
  listen_fails (fixture->path, NEGO_ERROR_BUSY, "failed to listen on '", "': it is no socket");
  g_assert_true (g_file_test (fixture->path, G_FILE_TEST_EXISTS));
}

static void
test_no_directory (Fixture *fixture, gconstpointer data)
{
  listen_fails ("/nonexistent/socket", NEGO_ERROR_NOT_FOUND, "failed to listen on '",
                "': No such file or directory");
}

static void
test_long_path (Fixture *fixture, gconstpointer data)
{
  gsize limit = sizeof ((struct sockaddr_un *) 0)->sun_path - 1;
  g_autofree char *fill = g_strnfill (limit - strlen (fixture->dir) - 1, 'x');
  g_autofree char *longest = g_build_filename (fixture->dir, fill, NULL);
  g_autofree char *above = g_strconcat (longest, "x", NULL);
  g_autoptr (NegoListener) listener G_GNUC_UNUSED = listen_at (fixture, longest);

  listen_fails (above, NEGO_ERROR_IO, "failed to listen on '",
                "': the path is longer than 107 bytes");
}

/* What somebody else has put there since is not ours to remove. */
static void
test_replaced (Fixture *fixture, gconstpointer data)
{
  NegoListener *ours = listen_at (fixture, fixture->path);
  g_autoptr (NegoListener) other = NULL;

  g_assert_cmpint (g_unlink (fixture->path), ==, 0);
  other = listen_at (fixture, fixture->path);
  nego_listener_free (ours);
  close (connect_to (fixture->path));
}

/* No descriptor to accept with: the client waits, and so does the listener, without spinning. */
static void
test_no_descriptors (Fixture *fixture, gconstpointer data)
{
  g_autoptr (NegoListener) listener = listen_at (fixture, fixture->path);
  int client = connect_to (fixture->path);
  struct rlimit old, none;

  if (skip_under_valgrind ()) {
    close (client);
    return;
  }
  g_log_set_always_fatal (G_LOG_FATAL_MASK);
  g_assert_cmpint (getrlimit (RLIMIT_NOFILE, &old), ==, 0);
  none = old;
  none.rlim_cur = 3;
  nego_listener_set_accepting (listener, TRUE);
  g_assert_cmpint (setrlimit (RLIMIT_NOFILE, &none), ==, 0);
  settle (); /* ends: it does not spin */
  g_assert_cmpuint (fixture->connected, ==, 0);
  g_assert_cmpint (setrlimit (RLIMIT_NOFILE, &old), ==, 0);
  while (fixture->connected == 0)
    g_main_context_iteration (NULL, TRUE);
  close (client);
}

static void
test_wrong_family (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  int fd = socket (AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  g_autofree char *message
    = g_strdup_printf ("unsupported listen fd type (descriptor %d): must be a unix or vsock socket",
                       fd);

  g_assert_null (nego_listener_new_fd (fd, NULL, &error));
  g_assert_error (error, NEGO_ERROR, NEGO_ERROR_CONFIG);
  g_assert_cmpstr (error->message, ==, message);
  close (fd);
}

/* Whether the kernel has the loopback: its CID is an address of ours then. */
static gboolean
has_vsock_loopback (void)
{
  struct sockaddr_vm address
    = { .svm_family = AF_VSOCK, .svm_cid = VMADDR_CID_LOCAL, .svm_port = VMADDR_PORT_ANY };
  int fd = socket (AF_VSOCK, SOCK_STREAM | SOCK_CLOEXEC, 0);
  gboolean has = fd >= 0 && bind (fd, (struct sockaddr *) &address, sizeof address) == 0;

  if (!has)
    g_test_skip_printf ("no vsock loopback: %s", g_strerror (errno));
  if (fd >= 0)
    close (fd);
  return has;
}

static int
connect_vsock (guint32 port)
{
  struct sockaddr_vm address
    = { .svm_family = AF_VSOCK, .svm_cid = VMADDR_CID_LOCAL, .svm_port = port };
  int fd = socket (AF_VSOCK, SOCK_STREAM | SOCK_CLOEXEC, 0);

  g_assert_cmpint (connect (fd, (struct sockaddr *) &address, sizeof address), ==, 0);
  return fd;
}

/* Returns how many clients from the loopback were taken. */
static guint
try_vsock (Fixture *fixture, const GArray *peers)
{
  const guint32 port = 0x4e45474f;
  g_autoptr (GError) error = NULL;
  g_autoptr (NegoListener) listener = nego_listener_new_vsock (VMADDR_CID_ANY, port, peers, &error);
  char byte;
  int fd;

  g_assert_no_error (error);
  nego_listener_set_func (listener, connected_cb, fixture);
  nego_listener_set_accepting (listener, TRUE);
  fd = connect_vsock (port);
  g_main_context_iteration (NULL, TRUE);
  g_assert_cmpint (read (fd, &byte, 1), <=, 0); /* closed, by us or by connected_cb () */
  close (fd);
  return fixture->connected;
}

/* Local users reach the loopback: they are not the host. */
static void
test_vsock_refused (Fixture *fixture, gconstpointer data)
{
  if (has_vsock_loopback ())
    g_assert_cmpuint (try_vsock (fixture, NULL), ==, 0);
}

static void
test_vsock_admitted (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GArray) peers = g_array_new (FALSE, FALSE, sizeof (guint32));
  guint32 local = VMADDR_CID_LOCAL;

  g_array_append_val (peers, local);
  if (has_vsock_loopback ())
    g_assert_cmpuint (try_vsock (fixture, peers), ==, 1);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add ("/listener/unix", Fixture, NULL, set_up, test_unix, tear_down);
  g_test_add ("/listener/access", Fixture, NULL, set_up, test_access, tear_down);
  g_test_add_func ("/listener/group", test_group);
  g_test_add ("/listener/stale", Fixture, NULL, set_up, test_stale, tear_down);
  g_test_add ("/listener/live", Fixture, NULL, set_up, test_live, tear_down);
  g_test_add ("/listener/live-full", Fixture, NULL, set_up, test_live_full, tear_down);
  g_test_add ("/listener/no-socket", Fixture, NULL, set_up, test_no_socket, tear_down);
  g_test_add ("/listener/no-directory", Fixture, NULL, set_up, test_no_directory, tear_down);
  g_test_add ("/listener/long-path", Fixture, NULL, set_up, test_long_path, tear_down);
  g_test_add ("/listener/replaced", Fixture, NULL, set_up, test_replaced, tear_down);
  g_test_add ("/listener/no-descriptors", Fixture, NULL, set_up, test_no_descriptors, tear_down);
  g_test_add ("/listener/pause", Fixture, NULL, set_up, test_pause, tear_down);
  g_test_add ("/listener/polled/unix", Fixture, NULL, set_up_polled, test_unix, tear_down);
  g_test_add ("/listener/polled/pause", Fixture, NULL, set_up_polled, test_pause, tear_down);
  g_test_add ("/listener/polled/no-descriptors", Fixture, NULL, set_up_polled, test_no_descriptors,
              tear_down);
  g_test_add ("/listener/wrong-family", Fixture, NULL, set_up, test_wrong_family, tear_down);
  g_test_add ("/listener/vsock-refused", Fixture, NULL, set_up, test_vsock_refused, tear_down);
  g_test_add ("/listener/vsock-admitted", Fixture, NULL, set_up, test_vsock_admitted, tear_down);
  return g_test_run ();
}
