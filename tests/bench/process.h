/* SPDX-License-Identifier: MIT */
/*
 * process: what the kernel tells about another process, exactly: CPU time by its CPU clock (the
 * ticks of /proc/PID/stat are 10 ms), resident memory by smaps_rollup (the counters of
 * /proc/PID/status lag behind), and starting one.
 *
 * A failure ends the program with a message.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* CLOCK_MONOTONIC in nanoseconds. */
int64_t bench_now_ns (void);

/* The CPU time of all its threads in nanoseconds, user and system. */
int64_t bench_process_cpu_ns (pid_t pid);
/* How often its threads have gone to sleep so far: how often they were woken. */
int64_t bench_process_wakeups (pid_t pid);
int64_t bench_process_rss_bytes (pid_t pid);

/* Binds @pid (0: the caller) to @cpu; -1: to all processors. */
void bench_process_bind (pid_t pid, int cpu);

/* Whether @pid and the caller run before every ordinary process; their children are ordinary ones.
 * Needs a privilege; without it nothing changes. */
void bench_process_set_first (pid_t pid, bool first);

/* posix_spawn() of argv[0] with no attributes. @quiet: its outputs go to /dev/null. */
pid_t bench_process_spawn (char *const *argv, bool quiet);
/* Waits for its end, which must be an exit with status 0. */
void bench_process_wait (pid_t pid);
/* Ends it with KILL: qemu-ga does not always end of TERM. */
void bench_process_kill (pid_t pid);
