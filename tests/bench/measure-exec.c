/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "tests/bench/client.h"
#include "tests/bench/measure.h"
#include "tests/bench/process.h"
#include "tests/bench/samples.h"

#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define POLL_NS 1000000L

static void
ask (BenchClient *client, const char *text)
{
  bench_client_send (client, text, strlen (text));
}

/* One run of @start, until its output is here: at least @bytes of it, as base64. */
static void
collect_output (BenchClient *client, const char *start, size_t bytes)
{
  const struct timespec pause = { .tv_nsec = POLL_NS };
  char *pid, *status;
  const char *line;

  ask (client, start);
  pid = bench_client_member (bench_client_read_line (client), "pid");
  if (asprintf (&status, "{\"execute\": \"guest-exec-status\", \"arguments\": {\"pid\": %s}}\n",
                pid)
      < 0)
    err (1, "cannot make a request");
  for (;;) {
    ask (client, status);
    line = bench_client_expect_at_end (client, "\"exited\": ");
    if (strlen (line) >= bytes / 3 * 4)
      break;
    if (strstr (line, "\"exited\": true") != NULL)
      errx (1, "less output than %zu bytes: %zu characters", bytes, strlen (line));
    nanosleep (&pause, NULL);
  }
  free (status);
  free (pid);
}

void
bench_measure_collect (char **args)
{
  BenchClient *client = bench_client_new (args[0]);
  const int count = atoi (args[1]);
  const size_t bytes = strtoul (args[3], NULL, 10);
  BenchSamples wall;
  char *start;

  if (asprintf (&start, "%s\n", args[2]) < 0)
    err (1, "cannot make a request");
  bench_samples_init (&wall, count);
  for (int i = 0; i < count; i++) {
    const int64_t began = bench_now_ns ();

    collect_output (client, start, bytes);
    bench_samples_add (&wall, bench_now_ns () - began);
  }
  bench_print ("wall", bench_samples_median (&wall));
  bench_samples_clear (&wall);
  free (start);
  bench_client_free (client);
}

void
bench_measure_many (char **args)
{
  BenchClient *client = bench_client_new (args[0]);
  const int count = atoi (args[1]), parallel = atoi (args[2]);
  int64_t began;
  char *request;
  int sent = 0;

  if (asprintf (&request, "%s\n", args[3]) < 0)
    err (1, "cannot make a request");
  ask (client, "{\"execute\": \"negotiator-session\", \"arguments\": {\"concurrent\": true}}\n");
  bench_client_expect (client, "return");
  began = bench_now_ns ();
  for (int done = 0; done < count; done++) {
    for (; sent < count && sent - done < parallel; sent++)
      ask (client, request);
    bench_client_expect (client, args[4]);
  }
  bench_print ("wall", (double) (bench_now_ns () - began) / count);
  free (request);
  bench_client_free (client);
}
