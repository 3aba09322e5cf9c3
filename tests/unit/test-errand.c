/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "host-client/errand.h"

#include <signal.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

static int
block_signals (void)
{
  sigset_t signals;

  sigemptyset (&signals);
  sigaddset (&signals, SIGINT);
  sigaddset (&signals, SIGTERM);
  pthread_sigmask (SIG_BLOCK, &signals, NULL);
  return signalfd (-1, &signals, SFD_CLOEXEC);
}

/* Ends when the test says so: @data is an eventfd. */
static void
work (gpointer data)
{
  eventfd_t value;

  g_assert_cmpint (eventfd_read (*(int *) data, &value), ==, 0);
}

static void
test_wait (void)
{
  int go = eventfd (0, EFD_CLOEXEC), signal_fd = block_signals ();
  g_autoptr (GError) error = NULL;
  NegoErrand *errand = nego_errand_new (work, &go, &error);

  g_assert_no_error (error);
  g_assert_cmpint (nego_errand_wait (errand, signal_fd, 1), ==, -1);
  kill (getpid (), SIGINT);
  kill (getpid (), SIGTERM);
  g_assert_cmpint (nego_errand_wait (errand, signal_fd, -1), ==, SIGINT);
  g_assert_cmpint (nego_errand_wait (errand, signal_fd, -1), ==, SIGTERM);
  g_assert_cmpint (eventfd_write (go, 1), ==, 0);
  g_assert_cmpint (nego_errand_wait (errand, signal_fd, -1), ==, 0);
  /* What came after its end is left. */
  kill (getpid (), SIGINT);
  g_assert_cmpint (nego_errand_wait (errand, signal_fd, -1), ==, 0);
  nego_errand_free (errand);
  errand = nego_errand_new (work, &go, &error);
  g_assert_no_error (error);
  g_assert_cmpint (nego_errand_wait (errand, signal_fd, -1), ==, SIGINT);
  g_assert_cmpint (eventfd_write (go, 1), ==, 0);
  nego_errand_free (errand);
  close (signal_fd);
  close (go);
}

static void
test_run (void)
{
  int go = eventfd (1, EFD_CLOEXEC), signal_fd = block_signals ();

  nego_errand_run (work, &go, signal_fd);
  g_assert_cmpint (eventfd_write (go, 1), ==, 0);
  nego_errand_run (work, &go, -1);
  close (signal_fd);
  close (go);
}

/* A signal ends the process, though the work goes on, and although signals are blocked. */
static void
test_run_signalled (void)
{
  pid_t child;
  int status;

  child = fork ();
  g_assert_cmpint (child, >=, 0);
  if (child == 0) {
    int go = eventfd (0, EFD_CLOEXEC), signal_fd = block_signals ();

    kill (getpid (), SIGTERM);
    nego_errand_run (work, &go, signal_fd);
    _exit (0);
  }
  g_assert_cmpint (waitpid (child, &status, 0), ==, child);
  g_assert_true (WIFSIGNALED (status));
  g_assert_cmpint (WTERMSIG (status), ==, SIGTERM);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  /* First: the child must not have threads' locks. */
  g_test_add_func ("/errand/run-signalled", test_run_signalled);
  g_test_add_func ("/errand/wait", test_wait);
  g_test_add_func ("/errand/run", test_run);
  return g_test_run ();
}
