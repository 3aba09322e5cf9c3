/* SPDX-License-Identifier: MIT */
/*
 * driver: one measurement a run, for tests/bench/run, which says what to compare with what.
 *
 * Usage: bench-driver [-c CPU] [-b PID]… MEASUREMENT ARG…. -c: run on that processor, and so does
 * what is started; -b: bind this process to it too. Without -c they may run on all. -r: both run
 * before everything else, but not what they start.
 */
#include "config.h"

#include "tests/bench/measure.h"
#include "tests/bench/process.h"

#include <err.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const struct {
  const char *name;
  int n_args; /* at least */
  BenchMeasure measure;
} measurements[] = {
  { "request", 6, bench_measure_request },
  { "polled", 5, bench_measure_polled },
  { "blocked", 7, bench_measure_blocked },
  { "mute", 4, bench_measure_mute },
  { "growth", 4, bench_measure_growth },
  { "first", 2, bench_measure_first },
  { "spawn", 2, bench_measure_spawn },
  { "start", 3, bench_measure_start },
  { "idle", 2, bench_measure_idle },
  { "file", 5, bench_measure_file },
  { "beside", 6, bench_measure_beside },
  { "kept", 5, bench_measure_kept },
  { "collect", 4, bench_measure_collect },
  { "many", 5, bench_measure_many },
  { "spawn-many", 3, bench_measure_spawn_many },
};

int
main (int argc, char **argv)
{
  int cpu = -1;
  int option;
  pid_t pid = 0;
  bool first = false;

  signal (SIGPIPE, SIG_IGN);
  while ((option = getopt (argc, argv, "+c:b:r")) != -1)
    if (option == 'c')
      cpu = atoi (optarg);
    else if (option == 'b')
      bench_process_bind (pid = atoi (optarg), cpu);
    else if (option == 'r')
      first = true;
    else
      return 2;
  bench_process_bind (0, cpu);
  if (optind == argc)
    errx (2, "usage: bench-driver [-c CPU] [-b PID] MEASUREMENT ARG…");
  for (size_t i = 0; i < sizeof measurements / sizeof *measurements; i++)
    if (strcmp (argv[optind], measurements[i].name) == 0) {
      if (argc - optind - 1 < measurements[i].n_args)
        errx (2, "too few arguments for '%s'", argv[optind]);
      if (first)
        bench_process_set_first (pid, true);
      measurements[i].measure (argv + optind + 1);
      if (first)
        bench_process_set_first (pid, false);
      return 0;
    }
  errx (2, "no measurement '%s'", argv[optind]);
}
