/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "tests/qtest-like/libnegotest-private.h"

#include "tests/helpers/script-dir.h"

#include <glib/gstdio.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

/* Connections that wait for a peer that serves one at a time. */
#define BACKLOG 16

struct NegoTest {
  pid_t pid;
  int child_fd; /* SIGCHLD; a pidfd would do, but for valgrind, which has none */
  int log_fd;
  char *dir; /* private; all other paths are in it */
  char *script_dir;
  guint fds; /* at the start, with one client */
  gboolean leaves_children;
};

static const char *
peer_binary (void)
{
  const char *peer = g_getenv ("NEGO_TEST_PEER");

  return peer != NULL ? peer : g_getenv ("NEGO_AGENT_BINARY");
}

gboolean
nego_test_is_qga (void)
{
  return g_getenv ("NEGO_TEST_PEER") != NULL;
}

struct sockaddr_un
nego_test_address (const NegoTest *test, const char *name)
{
  struct sockaddr_un address = { .sun_family = AF_UNIX };
  g_autofree char *path = g_build_filename (test->dir, name, NULL);

  g_assert_cmpuint (g_strlcpy (address.sun_path, path, sizeof address.sun_path), <,
                    sizeof address.sun_path);
  return address;
}

static int
listen_at (const NegoTest *test)
{
  struct sockaddr_un address = nego_test_address (test, NEGO_TEST_SOCKET);
  int fd = socket (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

  g_assert_cmpint (fd, >=, 0);
  g_assert_cmpint (bind (fd, (struct sockaddr *) &address, sizeof address), ==, 0);
  g_assert_cmpint (listen (fd, BACKLOG), ==, 0);
  return fd;
}

static char *
write_config (const NegoTest *test, const NegoTestOptions *options)
{
  g_autofree char *path = g_build_filename (test->dir, "agent.conf", NULL);
  g_autoptr (GString) text = g_string_new ("[general]\n");

  if (options->general != NULL)
    g_string_append_printf (text, "%s\n", options->general);
  if (!nego_test_is_qga ()) {
    g_string_append_printf (text, "[negotiator]\nguest-commands = %s\n", test->script_dir);
    if (options->negotiator != NULL)
      g_string_append_printf (text, "%s\n", options->negotiator);
    g_string_replace (text, "@DIR@", test->dir, 0);
  }
  g_assert_true (g_file_set_contents (path, text->str, -1, NULL));
  return g_steal_pointer (&path);
}

static GPtrArray *
make_argv (const NegoTest *test, const NegoTestOptions *options, const char *config)
{
  GPtrArray *argv = g_ptr_array_new_with_free_func (g_free);
  g_autofree char *path = g_build_filename (test->dir, NEGO_TEST_SOCKET, NULL);
  const char *const common[]
    = { peer_binary (), "-m", "unix-listen", "-p", path, "-t", test->dir, "-v" };
  gsize i;

  for (i = 0; i < G_N_ELEMENTS (common); i++)
    g_ptr_array_add (argv, g_strdup (common[i]));
  if (!nego_test_is_qga ()) { /* an old qemu-ga reads QGA_CONF alone */
    g_ptr_array_add (argv, g_strdup ("-c"));
    g_ptr_array_add (argv, g_strdup (config));
  }
  for (i = 0; options->args != NULL && options->args[i] != NULL; i++)
    g_ptr_array_add (argv, g_strdup (options->args[i]));
  g_ptr_array_add (argv, NULL);
  return argv;
}

/* In the child. LISTEN_PID is the reason for fork() here: only the child knows it. */
static void
exec_agent (NegoTest *test, char **argv, int listen_fd)
{
  g_autofree char *pid = g_strdup_printf ("%d", (int) getpid ());
  int null_fd = open ("/dev/null", O_RDWR);
  prctl (PR_SET_PDEATHSIG, SIGKILL);
  if (dup2 (null_fd, 0) < 0 || dup2 (test->log_fd, 1) < 0 || dup2 (test->log_fd, 2) < 0)
    _exit (127);
  close (null_fd);
  if (listen_fd == 3)
    fcntl (3, F_SETFD, 0);
  else if (listen_fd >= 0 && dup2 (listen_fd, 3) < 0)
    _exit (127);
  if (listen_fd >= 0) {
    g_setenv ("LISTEN_PID", pid, TRUE);
    g_setenv ("LISTEN_FDS", "1", TRUE);
  }
  execv (argv[0], argv);
  _exit (127);
}

/* Until the agent that makes its socket itself listens on it. */
static void
await_socket (NegoTest *test, int inotify_fd)
{
  struct sockaddr_un address = nego_test_address (test, NEGO_TEST_SOCKET);
  gint64 deadline = nego_test_deadline ();

  for (;;) {
    char events[4096];
    int fd = socket (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    gboolean connected = connect (fd, (struct sockaddr *) &address, sizeof address) == 0;

    close (fd);
    if (connected)
      return;
    /* Between bind() and listen() there is no event to wait for: the next look follows at once. */
    if (errno == ECONNREFUSED && nego_test_left (deadline) > 0)
      continue;
    nego_test_wait (test, inotify_fd, POLLIN, deadline, "the agent's socket");
    g_assert_cmpint (read (inotify_fd, events, sizeof events), >, 0);
  }
}

static void
launch (NegoTest *test, const NegoTestOptions *options)
{
  g_autofree char *config = write_config (test, options);
  g_autoptr (GPtrArray) argv = make_argv (test, options, config);
  int listen_fd = options->by_path ? -1 : listen_at (test);
  int inotify_fd = inotify_init1 (IN_CLOEXEC);
  sigset_t held;

  g_assert_cmpint (inotify_add_watch (inotify_fd, test->dir, IN_CREATE), >=, 0);
  sigemptyset (&held);
  if (options->at_once)
    sigaddset (&held, SIGTERM);
  sigprocmask (SIG_SETMASK, &held, NULL); /* inherited */
  test->pid = fork ();
  g_assert_cmpint (test->pid, >=, 0);
  if (test->pid == 0) {
    g_setenv ("QGA_CONF", config, TRUE);
    exec_agent (test, (char **) argv->pdata, listen_fd);
  }
  sigemptyset (&held);
  sigaddset (&held, SIGCHLD);
  sigprocmask (SIG_SETMASK, &held, NULL);
  test->child_fd = signalfd (-1, &held, SFD_CLOEXEC);
  g_assert_cmpint (test->child_fd, >=, 0);
  if (options->by_path)
    await_socket (test, inotify_fd);
  else
    close (listen_fd);
  close (inotify_fd);
}

NegoTest *
nego_test_start (const NegoTestOptions *options)
{
  const NegoTestOptions defaults = { 0 };
  NegoTest *test = g_new0 (NegoTest, 1);

  g_assert_nonnull (peer_binary ());
  /* Under nohup (1) it is ignored, and the agent would inherit that. */
  signal (SIGHUP, SIG_DFL);
  test->dir = script_dir_new ();
  g_assert_nonnull (test->dir);
  test->script_dir = g_build_filename (test->dir, "guest-commands", NULL);
  test->log_fd = memfd_create ("agent-log", MFD_CLOEXEC);
  g_assert_cmpint (fcntl (test->log_fd, F_SETFL, O_APPEND), ==, 0);
  g_assert_cmpint (g_mkdir (test->script_dir, 0755), ==, 0);
  if (options == NULL)
    options = &defaults;
  test->leaves_children = options->leaves_children;
  launch (test, options);
  if (options->at_once)
    return test;
  nego_test_settle (test); /* what it opens once, at its first client, is open */
  test->fds = nego_test_count_fds_settled (test);
  return test;
}

static void
free_test (NegoTest *test)
{
  close (test->child_fd);
  close (test->log_fd);
  g_free (test->script_dir);
  script_dir_free (test->dir);
  g_free (test);
}

static int
await_end (NegoTest *test)
{
  gint64 deadline = nego_test_deadline ();
  struct signalfd_siginfo info;
  int status;

  while (waitpid (test->pid, &status, WNOHANG) == 0) {
    nego_test_wait (test, test->child_fd, POLLIN, deadline, "the agent's end");
    g_assert_cmpint (read (test->child_fd, &info, sizeof info), ==, sizeof info);
  }
  return status;
}

void
nego_test_end_by (NegoTest *test, int signum)
{
  g_autofree char *log = NULL;
  int status;

  g_assert_cmpint (kill (test->pid, signum), ==, 0);
  status = await_end (test);
  log = nego_test_get_log (test);
  if (status != 0 || strstr (log, "CRITICAL") != NULL || strstr (log, "critical:") != NULL)
    g_error ("the agent ended with wait status %d; its log:\n%s", status, log);
  free_test (test);
}

void
nego_test_end (NegoTest *test)
{
  if (!nego_test_is_qga ()) {
    nego_test_end_by (test, SIGTERM);
    return;
  }
  /* Its handler takes a lock that the main loop may hold: now and then SIGTERM hangs it. */
  g_assert_cmpint (kill (test->pid, SIGKILL), ==, 0);
  g_assert_cmpint (waitpid (test->pid, NULL, 0), ==, test->pid);
  free_test (test);
}

static void
check_fds (NegoTest *test)
{
  guint fds = nego_test_count_fds_settled (test);

  if (fds != test->fds) {
    g_autofree char *list = nego_test_list_fds (test);

    g_error ("the agent had %u descriptors, and has %u:\n%s", test->fds, fds, list);
  }
}

void
nego_test_stop (NegoTest *test)
{
  g_assert_cmpint (waitpid (test->pid, NULL, WNOHANG), ==, 0);
  check_fds (test);
  if (!test->leaves_children)
    g_assert_cmpuint (nego_test_count_children (test), ==, 0);
  nego_test_end (test);
}

int
nego_test_run_shared (NegoTest *test)
{
  int result = g_test_run ();

  nego_test_stop (test);
  return result;
}

pid_t
nego_test_get_pid (NegoTest *test)
{
  return test->pid;
}

const char *
nego_test_get_script_dir (NegoTest *test)
{
  return test->script_dir;
}

const char *
nego_test_get_dir (NegoTest *test)
{
  return test->dir;
}

char *
nego_test_get_log (NegoTest *test)
{
  GString *log = g_string_new (NULL);
  char piece[4096];
  ssize_t n;

  while ((n = pread (test->log_fd, piece, sizeof piece, (off_t) log->len)) > 0)
    g_string_append_len (log, piece, n);
  return g_string_free (log, FALSE);
}

gint64
nego_test_deadline (void)
{
  return g_get_monotonic_time () + NEGO_TEST_DEADLINE_MS * G_GINT64_CONSTANT (1000);
}

int
nego_test_left (gint64 deadline)
{
  return (int) MAX (0, (deadline - g_get_monotonic_time () + 999) / 1000);
}

void
nego_test_wait (NegoTest *test, int fd, short events, gint64 deadline, const char *what)
{
  struct pollfd wait = { .fd = fd, .events = events };
  int n;

  do
    n = poll (&wait, 1, nego_test_left (deadline));
  while (n < 0 && errno == EINTR);
  if (n > 0)
    return;
  {
    g_autofree char *log = nego_test_get_log (test);

    g_error ("waited in vain for %s; the agent's log:\n%s", what, log);
  }
}
