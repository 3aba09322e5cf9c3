/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "host-client/errand.h"

#include "common/error.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

/* What a shell says of a program that a signal has ended. */
#define SIGNAL_STATUS 128

struct NegoErrand {
  NegoErrandFunc func;
  gpointer data;
  int ended_fd; /* an eventfd */
  GThread *thread;
};

static gpointer
nego_errand_thread (gpointer data)
{
  NegoErrand *errand = data;

  errand->func (errand->data);
  eventfd_write (errand->ended_fd, 1);
  return NULL;
}

NegoErrand *
nego_errand_new (NegoErrandFunc func, gpointer data, GError **error)
{
  NegoErrand *errand = g_new0 (NegoErrand, 1);

  errand->func = func;
  errand->data = data;
  errand->ended_fd = eventfd (0, EFD_CLOEXEC);
  if (errand->ended_fd < 0)
    nego_error_set_errno (error, errno, "cannot wait for a thread");
  else
    errand->thread = g_thread_try_new ("errand", nego_errand_thread, errand, error);
  if (errand->thread == NULL)
    g_clear_pointer (&errand, nego_errand_free);
  return errand;
}

int
nego_errand_wait (NegoErrand *errand, int signal_fd, int timeout_ms)
{
  struct pollfd fds[]
    = { { .fd = errand->ended_fd, .events = POLLIN }, { .fd = signal_fd, .events = POLLIN } };
  struct signalfd_siginfo info;

  while (poll (fds, G_N_ELEMENTS (fds), timeout_ms) != 0) {
    if (fds[0].revents != 0)
      return 0;
    if (fds[1].revents != 0 && read (signal_fd, &info, sizeof info) == sizeof info)
      return (int) info.ssi_signo;
  }
  return -1;
}

void
nego_errand_free (NegoErrand *errand)
{
  g_clear_pointer (&errand->thread, g_thread_join);
  if (errand->ended_fd >= 0)
    close (errand->ended_fd);
  g_free (errand);
}

void
nego_errand_run (NegoErrandFunc func, gpointer data, int signal_fd)
{
  NegoErrand *errand = nego_errand_new (func, data, NULL);
  int signal;

  if (errand == NULL) {
    func (data); /* signals wait, then */
    return;
  }
  signal = nego_errand_wait (errand, signal_fd, -1);
  if (signal > 0)
    nego_errand_die (signal);
  nego_errand_free (errand);
}

void
nego_errand_die (int number)
{
  sigset_t signals;

  sigemptyset (&signals);
  sigaddset (&signals, number);
  signal (number, SIG_DFL);
  pthread_sigmask (SIG_UNBLOCK, &signals, NULL);
  raise (number);
  _exit (SIGNAL_STATUS + number); /* one that is ignored by default */
}
