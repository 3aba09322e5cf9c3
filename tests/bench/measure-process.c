/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "tests/bench/client.h"
#include "tests/bench/measure.h"
#include "tests/bench/process.h"
#include "tests/bench/samples.h"

#include <err.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

void
bench_measure_spawn (char **args)
{
  int count = atoi (args[0]);
  BenchSamples call, wall;

  bench_samples_init (&call, count);
  bench_samples_init (&wall, count);
  for (int i = -1; i < count; i++) {
    int64_t start = bench_now_ns (), started;
    pid_t pid = bench_process_spawn (args + 1, true);

    started = bench_now_ns ();
    bench_process_wait (pid);
    if (i >= 0) {
      bench_samples_add (&call, started - start);
      bench_samples_add (&wall, bench_now_ns () - start);
    }
  }
  bench_print ("call", bench_samples_median (&call));
  bench_print ("wall", bench_samples_median (&wall));
  bench_samples_clear (&call);
  bench_samples_clear (&wall);
}

void
bench_measure_spawn_many (char **args)
{
  const int count = atoi (args[0]), parallel = atoi (args[1]);
  const int64_t start = bench_now_ns ();
  int started = 0;

  for (int done = 0; done < count; done++) {
    for (; started < count && started - done < parallel; started++)
      bench_process_spawn (args + 2, true);
    bench_process_wait (-1);
  }
  bench_print ("wall", (double) (bench_now_ns () - start) / count);
}

void
bench_measure_start (char **args)
{
  const char *path = args[0];
  int64_t start;
  pid_t pid;
  BenchClient *client;
  char *text;

  if (unlink (path) != 0 && errno != ENOENT)
    err (1, "cannot remove '%s'", path);
  if (asprintf (&text, "%s\n", args[1]) < 0)
    err (1, "cannot make a request");
  start = bench_now_ns ();
  pid = bench_process_spawn (args + 2, true);
  client = bench_client_new (path);
  bench_client_send (client, text, strlen (text));
  bench_client_expect (client, "return");
  bench_print ("wall", bench_now_ns () - start);
  bench_print ("rss", bench_process_rss_bytes (pid));
  bench_client_free (client);
  free (text);
  bench_process_kill (pid);
}

void
bench_measure_idle (char **args)
{
  const int window_ms = atoi (args[0]);
  const struct timespec window = { window_ms / 1000, window_ms % 1000 * 1000000L };
  char **pids = args + 1;
  int n = 0;
  int64_t *before;

  while (pids[n] != NULL)
    n++;
  before = calloc (n + 1, sizeof *before);
  if (before == NULL)
    err (1, "cannot watch %d processes", n);
  for (int i = 0; i < n; i++)
    before[i] = bench_process_wakeups (atoi (pids[i]));
  nanosleep (&window, NULL);
  for (int i = 0; i < n; i++) {
    char name[64];

    snprintf (name, sizeof name, "wakeups-%s", pids[i]);
    bench_print (name, bench_process_wakeups (atoi (pids[i])) - before[i]);
  }
  free (before);
}
