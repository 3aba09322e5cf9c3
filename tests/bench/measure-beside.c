/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "tests/bench/client.h"
#include "tests/bench/measure.h"
#include "tests/bench/process.h"
#include "tests/bench/samples.h"

#include <err.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void
ask (BenchClient *client, const char *text)
{
  bench_client_send (client, text, strlen (text));
  bench_client_send (client, "\n", 1);
}

/* Asks @other again and again until @client has its reply. Returns the longest time of one. */
static int64_t
ask_beside (BenchClient *client, BenchClient *other, const char *request)
{
  struct pollfd fds[] = { { .fd = bench_client_get_fd (client), .events = POLLIN },
                          { .fd = bench_client_get_fd (other), .events = POLLIN } };
  int64_t longest = 0, start = bench_now_ns ();
  bool ended = false;

  ask (other, request);
  for (;;) {
    if (poll (fds, 2, -1) < 0)
      err (1, "cannot wait for replies");
    if (fds[1].revents != 0 && bench_client_read_some (other) != NULL) {
      const int64_t now = bench_now_ns ();

      longest = now - start > longest ? now - start : longest;
      if (ended)
        return longest;
      start = bench_now_ns ();
      ask (other, request);
    }
    if (fds[0].revents != 0)
      ended = bench_client_read_some (client) != NULL;
    if (ended)
      fds[0].fd = -1;
  }
}

/* Asks on the same connection. Returns the time. */
static int64_t
ask_behind (BenchClient *client, const char *request)
{
  const int64_t start = bench_now_ns ();

  ask (client, request);
  bench_client_read_line (client);
  bench_client_read_line (client);
  return bench_now_ns () - start;
}

/* @text with what @start's reply gives instead of its %s. The caller frees it. */
static char *
prepare (BenchClient *client, const char *start, const char *text)
{
  const char *place = strstr (text, "%s");
  char *value, *ready;

  if (place == NULL)
    return strdup (text);
  ask (client, start);
  value = bench_client_member (bench_client_read_line (client), "return");
  if (asprintf (&ready, "%.*s%s%s", (int) (place - text), text, value, place + 2) < 0)
    err (1, "cannot make a request");
  free (value);
  return ready;
}

void
bench_measure_beside (char **args)
{
  BenchClient *client = bench_client_new (args[0]);
  BenchClient *other = strcmp (args[1], "-") != 0 ? bench_client_new (args[1]) : NULL;
  const int count = atoi (args[2]);
  BenchSamples wall;

  bench_samples_init (&wall, count);
  for (int i = 0; i < count; i++) {
    char *text = prepare (client, args[3], args[4]);

    ask (client, text);
    bench_samples_add (&wall, other != NULL ? ask_beside (client, other, args[5])
                                            : ask_behind (client, args[5]));
    free (text);
  }
  bench_print ("wall", bench_samples_median (&wall));
  bench_samples_clear (&wall);
  if (other != NULL)
    bench_client_free (other);
  bench_client_free (client);
}
