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

/* Requests before those that count: lazy binding, caches, the first allocations. */
#define WARM_UP 20
#define POLL_NS 1000000L
/* An agent that takes nothing for so long has stopped reading. */
#define QUIET_MS 300

/* The requests @a and @b, each in a line of its own. The caller frees it. */
static char *
two_lines (const char *a, const char *b)
{
  char *text;

  if (asprintf (&text, "%s\n%s\n", a, b) < 0)
    err (1, "cannot make a request");
  return text;
}

/* @template with @value instead of its %s, as a line. The caller frees it. */
static char *
fill_in (const char *template, const char *value)
{
  const char *place = strstr (template, "%s");
  char *text;

  if (place == NULL)
    errx (1, "no %%s in '%s'", template);
  if (asprintf (&text, "%.*s%s%s\n", (int) (place - template), template, value, place + 2) < 0)
    err (1, "cannot make a request");
  return text;
}

static char *
repeat_line (const char *line, size_t times)
{
  size_t len = strlen (line) + 1;
  char *text = malloc (len * times + 1);

  if (text == NULL)
    err (1, "cannot make a request");
  for (size_t i = 0; i < times; i++)
    sprintf (text + i * len, "%s\n", line);
  return text;
}

static void
send_line (BenchClient *client, const char *line)
{
  char *text = repeat_line (line, 1);

  bench_client_send (client, text, strlen (text));
  free (text);
}

void
bench_measure_request (char **args)
{
  BenchClient *client = bench_client_new (args[0]);
  pid_t pid = atoi (args[1]);
  int count = atoi (args[2]), batch = atoi (args[3]);
  char *text = repeat_line (args[4], batch);
  int64_t cpu = 0;
  BenchSamples wall;

  bench_samples_init (&wall, count);
  for (int i = -WARM_UP; i < count; i++) {
    int64_t start;

    if (i == 0 && pid != 0)
      cpu = bench_process_cpu_ns (pid);
    start = bench_now_ns ();
    bench_client_send (client, text, strlen (text));
    for (int k = 0; k < batch; k++)
      bench_client_expect (client, args[5]);
    if (i >= 0)
      bench_samples_add (&wall, bench_now_ns () - start);
  }
  if (pid != 0)
    bench_print ("cpu", (double) (bench_process_cpu_ns (pid) - cpu) / count / batch);
  bench_print ("wall", bench_samples_median (&wall) / batch);
  bench_samples_clear (&wall);
  free (text);
  bench_client_free (client);
}

/* Asks with @status, each millisecond, until the program that @reply tells of has exited. */
static void
collect (BenchClient *client, const char *reply, const char *member, const char *status)
{
  const struct timespec pause = { .tv_nsec = POLL_NS };
  char *id = bench_client_member (reply, member);
  char *text = fill_in (status, id);

  for (;;) {
    bench_client_send (client, text, strlen (text));
    if (strstr (bench_client_expect (client, "\"exited\""), "\"exited\": true") != NULL)
      break;
    nanosleep (&pause, NULL);
  }
  free (text);
  free (id);
}

void
bench_measure_polled (char **args)
{
  BenchClient *client = bench_client_new (args[0]);
  int count = atoi (args[1]);
  BenchSamples wall;

  bench_samples_init (&wall, count);
  for (int i = -WARM_UP; i < count; i++) {
    int64_t start = bench_now_ns ();

    send_line (client, args[2]);
    collect (client, bench_client_expect (client, args[3]), args[3], args[4]);
    if (i >= 0)
      bench_samples_add (&wall, bench_now_ns () - start);
  }
  bench_print ("wall", bench_samples_median (&wall));
  bench_samples_clear (&wall);
  bench_client_free (client);
}

/* Sends @pair and reads both replies. Returns the time that took, and the first reply in @reply. */
static int64_t
time_pair (BenchClient *client, const char *pair, char **reply)
{
  int64_t start = bench_now_ns ();

  bench_client_send (client, pair, strlen (pair));
  *reply = strdup (bench_client_read_line (client));
  bench_client_expect (client, "return");
  return bench_now_ns () - start;
}

void
bench_measure_blocked (char **args)
{
  BenchClient *client = bench_client_new (args[0]);
  int count = atoi (args[1]);
  char *pairs[]
    = { two_lines (args[5], args[5]), two_lines (args[6], args[5]), two_lines (args[2], args[5]) };
  enum { USUAL, REFUSED, STARTED, N_PAIRS };
  BenchSamples times[N_PAIRS];
  double medians[N_PAIRS];

  for (int k = 0; k < N_PAIRS; k++)
    bench_samples_init (&times[k], count);
  for (int i = -WARM_UP; i < count; i++)
    for (int k = 0; k < N_PAIRS; k++) {
      char *reply;
      int64_t time = time_pair (client, pairs[k], &reply);

      if (k == REFUSED && strstr (reply, "\"error\"") == NULL)
        errx (1, "a request that should be refused was not: %s", reply);
      if (k == STARTED)
        collect (client, reply, args[3], args[4]);
      free (reply);
      if (i >= 0)
        bench_samples_add (&times[k], time);
    }
  for (int k = 0; k < N_PAIRS; k++) {
    medians[k] = bench_samples_median (&times[k]);
    bench_samples_clear (&times[k]);
    free (pairs[k]);
  }
  bench_print ("spawn", medians[STARTED] - medians[REFUSED]);
  bench_print ("request", medians[STARTED] - medians[USUAL]);
  bench_client_free (client);
}

void
bench_measure_mute (char **args)
{
  BenchClient *client = bench_client_new (args[0]);
  pid_t pid = atoi (args[1]);
  const int window_ms = atoi (args[2]);
  const struct timespec window = { window_ms / 1000, window_ms % 1000 * 1000000L };
  char *text = repeat_line (args[3], 1);
  int64_t start, cpu;

  bench_client_stuff (client, text, strlen (text), QUIET_MS);
  start = bench_now_ns ();
  cpu = bench_process_cpu_ns (pid);
  nanosleep (&window, NULL);
  bench_print ("cpu-percent",
               100.0 * (bench_process_cpu_ns (pid) - cpu) / (bench_now_ns () - start));
  free (text);
  bench_client_free (client);
}

void
bench_measure_growth (char **args)
{
  BenchClient *client = bench_client_new (args[0]);
  pid_t pid = atoi (args[1]);
  int count = atoi (args[2]);
  char **request = args + 3;
  int64_t rss = 0;

  /* A tenth before what counts: an allocator's first round is not growth. */
  for (int i = -count / 10; i < count; i++) {
    if (i == 0)
      rss = bench_process_rss_bytes (pid);
    send_line (client, *request);
    bench_client_read_line (client);
    if (*++request == NULL)
      request = args + 3;
  }
  bench_print ("growth", bench_process_rss_bytes (pid) - rss);
  bench_client_free (client);
}

void
bench_measure_first (char **args)
{
  int64_t start = bench_now_ns ();
  BenchClient *client = bench_client_new (args[0]);

  send_line (client, args[1]);
  bench_client_expect (client, "return");
  bench_print ("wall", bench_now_ns () - start);
  bench_client_free (client);
}
