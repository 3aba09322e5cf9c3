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

static void
ask (BenchClient *client, const char *text)
{
  bench_client_send (client, text, strlen (text));
}

/* The handle of @path, opened with @mode. The caller frees it. */
static char *
open_file (BenchClient *client, const char *path, const char *mode)
{
  char *text, *handle;

  if (asprintf (&text,
                "{\"execute\": \"guest-file-open\", "
                "\"arguments\": {\"path\": \"%s\", \"mode\": \"%s\"}}\n",
                path, mode)
      < 0)
    err (1, "cannot make a request");
  ask (client, text);
  handle = bench_client_member (bench_client_read_line (client), "return");
  free (text);
  return handle;
}

static void
close_file (BenchClient *client, char *handle)
{
  char text[256];

  snprintf (text, sizeof text,
            "{\"execute\": \"guest-file-close\", \"arguments\": {\"handle\": %s}}\n", handle);
  ask (client, text);
  bench_client_expect (client, "return");
  free (handle);
}

/* A request to write @piece bytes to @handle. The caller frees it. */
static char *
make_write (const char *handle, size_t piece)
{
  char *data = malloc (piece / 3 * 4 + 1), *text;

  if (data == NULL)
    err (1, "cannot make a request");
  for (size_t i = 0; i < piece / 3; i++)
    memcpy (data + 4 * i, "bGlu", 4);
  data[piece / 3 * 4] = '\0';
  if (asprintf (&text,
                "{\"execute\": \"guest-file-write\", "
                "\"arguments\": {\"handle\": %s, \"buf-b64\": \"%s%s\"}}\n",
                handle, data,
                piece % 3 == 0   ? ""
                : piece % 3 == 1 ? "YQ=="
                                 : "YWE=")
      < 0)
    err (1, "cannot make a request");
  free (data);
  return text;
}

static char *
make_read (const char *handle, size_t piece)
{
  char *text;

  if (asprintf (&text,
                "{\"execute\": \"guest-file-read\", "
                "\"arguments\": {\"handle\": %s, \"count\": %zu}}\n",
                handle, piece)
      < 0)
    err (1, "cannot make a request");
  return text;
}

/* Sends @text @times, each time until its reply says that it was @piece bytes. */
static void
transfer (BenchClient *client, const char *text, size_t piece, size_t times)
{
  const size_t len = strlen (text);
  char expect[64];

  snprintf (expect, sizeof expect, "\"count\": %zu", piece);
  for (size_t i = 0; i < times; i++) {
    bench_client_send (client, text, len);
    bench_client_expect_at_end (client, expect);
  }
}

/* Sends @text @times + 1 times; prints the time that a MiB took from the second on. */
static void
measure (
  BenchClient *client, pid_t pid, const char *name, const char *text, size_t piece, size_t times)
{
  const double mib = (double) piece * times / (1 << 20);
  char label[32];
  int64_t cpu, start;

  transfer (client, text, piece, 1);
  cpu = bench_process_cpu_ns (pid);
  start = bench_now_ns ();
  transfer (client, text, piece, times);
  bench_print (name, (bench_now_ns () - start) / mib);
  snprintf (label, sizeof label, "%s-cpu", name);
  bench_print (label, (bench_process_cpu_ns (pid) - cpu) / mib);
}

void
bench_measure_file (char **args)
{
  BenchClient *client = bench_client_new (args[0]);
  const pid_t pid = atoi (args[1]);
  const size_t piece = strtoul (args[3], NULL, 10), times = strtoul (args[4], NULL, 10);
  char *handle = open_file (client, args[2], "w"), *text = make_write (handle, piece);

  measure (client, pid, "write", text, piece, times);
  free (text);
  close_file (client, handle);
  handle = open_file (client, args[2], "r");
  text = make_read (handle, piece);
  measure (client, pid, "read", text, piece, times);
  free (text);
  close_file (client, handle);
  bench_client_free (client);
}

void
bench_measure_kept (char **args)
{
  const int pause_ms = atoi (args[4]);
  const struct timespec pause = { pause_ms / 1000, pause_ms % 1000 * 1000000L };
  BenchClient *client = bench_client_new (args[0]);
  const pid_t pid = atoi (args[1]);
  const size_t bytes = strtoul (args[3], NULL, 10);
  char *handle = open_file (client, args[2], "w"), *text = make_write (handle, bytes);
  int64_t before = bench_process_rss_bytes (pid);

  transfer (client, text, bytes, 1);
  nanosleep (&pause, NULL);
  bench_print ("kept", bench_process_rss_bytes (pid) - before);
  free (text);
  close_file (client, handle);
  bench_client_free (client);
}
