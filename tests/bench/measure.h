/* SPDX-License-Identifier: MIT */
/*
 * measure: what the bench's driver can measure, one function a measurement. Each gets the words
 * after its name on the command line, and prints its results (samples.h).
 *
 * Times are nanoseconds, memory is bytes.
 */
#pragma once

typedef void (*BenchMeasure) (char **args);

/* measure-request.c: one agent that runs already. SOCKET is its socket, PID the process whose CPU
 * time counts (0: none, it is out of reach, in a guest). */

/* SOCKET PID COUNT BATCH REQUEST EXPECT: COUNT times BATCH equal requests in one write, each time
 * until all replies are there; each reply must contain EXPECT. → cpu and wall, a request. */
void bench_measure_request (char **args);
/* SOCKET COUNT START MEMBER STATUS: COUNT times the request START, then, with the value of the
 * reply's MEMBER instead of the %s in it, the request STATUS each millisecond until its reply says
 * that the program exited. → wall, from the first request to the last reply. */
void bench_measure_polled (char **args);
/* SOCKET COUNT START MEMBER STATUS OTHER REFUSED: how much later the request OTHER is answered when
 * it follows START in the same write. → request, than when it follows another OTHER; spawn, than
 * when it follows REFUSED: START, but refused after everything that comes before the spawn. */
void bench_measure_blocked (char **args);
/* SOCKET PID MILLISECONDS REQUEST: requests are sent until the agent takes no more; nothing is
 * read. → cpu-percent over that time from then on. */
void bench_measure_mute (char **args);
/* SOCKET PID COUNT REQUEST…: the requests in turn, COUNT of them. → growth: resident memory. */
void bench_measure_growth (char **args);
/* SOCKET REQUEST: → wall, from connect() to the reply. */
void bench_measure_first (char **args);

/* measure-exec.c: programs that an agent runs. */

/* SOCKET COUNT START BYTES: COUNT times the guest-exec START, whose status is asked for each
 * millisecond until it carries the output, which has BYTES. → wall, from the first request to the
 * last reply. */
void bench_measure_collect (char **args);
/* SOCKET COUNT PARALLEL REQUEST EXPECT: COUNT equal requests, PARALLEL of them at a time, on a
 * channel that starts them as they come. → wall, one COUNTth of all. */
void bench_measure_many (char **args);

/* measure-file.c: guest-file-*. */

/* SOCKET PID PATH PIECE COUNT: a file of COUNT + 1 pieces of PIECE bytes is written and read, piece
 * by piece. → write and read, write-cpu and read-cpu, a MiB of COUNT pieces. */
void bench_measure_file (char **args);
/* SOCKET PID PATH BYTES MILLISECONDS: → kept, the resident memory that is more that long after the
 * file PATH was written in one piece of BYTES. */
void bench_measure_kept (char **args);
/* measure-beside.c: SOCKET OTHER COUNT START LONG REQUEST: how long REQUEST takes on a second
 * connection, to OTHER, while LONG is being answered on the first; OTHER - : behind it, on the same
 * connection. A %s in LONG is what START returned before. → wall, the longest of each LONG. */
void bench_measure_beside (char **args);

/* measure-process.c: processes. */

/* COUNT PROGRAM ARG…: starts the program and waits for its end. → wall, of both; call, of
 * posix_spawn() alone. */
void bench_measure_spawn (char **args);
/* COUNT PARALLEL PROGRAM ARG…: starts the program COUNT times, and lets PARALLEL run at a time. →
 * wall, one COUNTth of all. */
void bench_measure_spawn_many (char **args);
/* SOCKET REQUEST PROGRAM ARG…: starts the agent, connects as soon as SOCKET is there, ends it.
 * → wall, from its start to the reply; rss, after it. */
void bench_measure_start (char **args);
/* MILLISECONDS PID…: → wakeups-PID of each process in that time. */
void bench_measure_idle (char **args);
