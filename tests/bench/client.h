/* SPDX-License-Identifier: MIT */
/*
 * client: the bench's own client of an agent on a Unix socket: blocking, nothing but bytes and
 * lines, so that it measures the agent and not itself. It shares no code with the agents.
 *
 * A failure ends the program with a message: a measurement that went wrong is none.
 */
#pragma once

#include <stddef.h>

typedef struct BenchClient BenchClient;

/* Connects to @path, as soon as an agent has made it. */
BenchClient *bench_client_new (const char *path);
void bench_client_free (BenchClient *client);

/* Writes all of @data. */
void bench_client_send (BenchClient *client, const char *data, size_t len);
/* The next line, without its end; valid until the next call. */
const char *bench_client_read_line (BenchClient *client);
/* Reads what there is, or waits for something. Returns the line, if one is complete then. */
const char *bench_client_read_some (BenchClient *client);
/* To wait for something to read. */
int bench_client_get_fd (const BenchClient *client);
/* As above; the line must contain @expect. */
const char *bench_client_expect (BenchClient *client, const char *expect);

/* The same of a long reply, which is looked at near its two ends only. */
const char *bench_client_expect_at_end (BenchClient *client, const char *expect);

/* Writes @data again and again until the peer takes nothing for @quiet_ms. */
void bench_client_stuff (BenchClient *client, const char *data, size_t len, int quiet_ms);

/* The value of the number or string member @name in the reply @line, without quotes. The caller
 * frees it. Good for the flat replies of the bench only. */
char *bench_client_member (const char *line, const char *name);
