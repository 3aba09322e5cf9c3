/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "tests/bench/process.h"

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

int64_t
bench_now_ns (void)
{
  struct timespec now;

  clock_gettime (CLOCK_MONOTONIC, &now);
  return now.tv_sec * INT64_C (1000000000) + now.tv_nsec;
}

int64_t
bench_process_cpu_ns (pid_t pid)
{
  struct timespec used;
  clockid_t clock;
  int errnum = clock_getcpuclockid (pid, &clock);

  if (errnum != 0)
    errx (1, "process %d has no CPU clock: %s", (int) pid, strerror (errnum));
  if (clock_gettime (clock, &used) != 0)
    err (1, "cannot read the CPU clock of process %d", (int) pid);
  return used.tv_sec * INT64_C (1000000000) + used.tv_nsec;
}

/* The number after @label in the file @path. */
static int64_t
read_number (const char *path, const char *label)
{
  FILE *file = fopen (path, "re");
  char line[256];
  long long value = -1;

  if (file == NULL)
    err (1, "cannot read '%s'", path);
  while (value < 0 && fgets (line, sizeof line, file) != NULL)
    if (strncmp (line, label, strlen (label)) == 0)
      sscanf (line + strlen (label), "%lld", &value);
  fclose (file);
  if (value < 0)
    errx (1, "'%s' does not tell '%s'", path, label);
  return value;
}

int64_t
bench_process_wakeups (pid_t pid)
{
  char pattern[64];
  glob_t threads;
  int64_t sum = 0;

  snprintf (pattern, sizeof pattern, "/proc/%d/task/*/status", (int) pid);
  if (glob (pattern, 0, NULL, &threads) != 0)
    errx (1, "no process %d", (int) pid);
  for (size_t i = 0; i < threads.gl_pathc; i++)
    sum += read_number (threads.gl_pathv[i], "voluntary_ctxt_switches:");
  globfree (&threads);
  return sum;
}

int64_t
bench_process_rss_bytes (pid_t pid)
{
  char path[64];

  snprintf (path, sizeof path, "/proc/%d/smaps_rollup", (int) pid);
  return read_number (path, "Rss:") * 1024;
}

/* Calls @func for each thread of @pid, with @value. */
static void
each_thread (pid_t pid, void (*func) (pid_t thread, int value), int value)
{
  char pattern[64];
  glob_t threads;

  snprintf (pattern, sizeof pattern, "/proc/%d/task/*", (int) (pid == 0 ? getpid () : pid));
  if (glob (pattern, 0, NULL, &threads) != 0)
    errx (1, "no process %d", (int) pid);
  for (size_t i = 0; i < threads.gl_pathc; i++)
    func (atoi (strrchr (threads.gl_pathv[i], '/') + 1), value);
  globfree (&threads);
}

static void
bind_thread (pid_t thread, int cpu)
{
  cpu_set_t set;

  CPU_ZERO (&set);
  if (cpu >= 0)
    CPU_SET (cpu, &set);
  else
    for (int i = 0; i < CPU_SETSIZE; i++)
      CPU_SET (i, &set);
  /* One that has ended meanwhile needs no processor. */
  if (sched_setaffinity (thread, sizeof set, &set) != 0 && errno != ESRCH)
    err (1, "cannot bind thread %d to processor %d", (int) thread, cpu);
}

void
bench_process_bind (pid_t pid, int cpu)
{
  each_thread (pid, bind_thread, cpu);
}

void
bench_process_set_first (pid_t pid, bool first)
{
  const struct sched_param param = { .sched_priority = first ? 1 : 0 };
  int policy = first ? SCHED_FIFO | SCHED_RESET_ON_FORK : SCHED_OTHER;

  sched_setscheduler (pid, policy, &param);
  sched_setscheduler (0, policy, &param);
}

pid_t
bench_process_spawn (char *const *argv, bool quiet)
{
  posix_spawn_file_actions_t actions;
  pid_t pid;
  int errnum;

  posix_spawn_file_actions_init (&actions);
  if (quiet) {
    posix_spawn_file_actions_addopen (&actions, 1, "/dev/null", O_WRONLY, 0);
    posix_spawn_file_actions_addopen (&actions, 2, "/dev/null", O_WRONLY, 0);
  }
  errnum = posix_spawn (&pid, argv[0], quiet ? &actions : NULL, NULL, argv, environ);
  posix_spawn_file_actions_destroy (&actions);
  if (errnum != 0)
    errx (1, "cannot start '%s': %s", argv[0], strerror (errnum));
  return pid;
}

void
bench_process_wait (pid_t pid)
{
  int status;

  while (waitpid (pid, &status, 0) < 0)
    if (errno != EINTR)
      err (1, "cannot wait for process %d", (int) pid);
  if (!WIFEXITED (status) || WEXITSTATUS (status) != 0)
    errx (1, "process %d ended with status %#x", (int) pid, status);
}

void
bench_process_kill (pid_t pid)
{
  kill (pid, SIGKILL);
  while (waitpid (pid, NULL, 0) < 0)
    if (errno != EINTR)
      err (1, "cannot wait for process %d", (int) pid);
}
