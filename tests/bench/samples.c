/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "tests/bench/samples.h"

#include <err.h>
#include <stdio.h>
#include <stdlib.h>

void
bench_samples_init (BenchSamples *samples, size_t room)
{
  samples->n = 0;
  samples->values = calloc (room, sizeof *samples->values);
  if (samples->values == NULL)
    err (1, "cannot keep %zu samples", room);
}

void
bench_samples_add (BenchSamples *samples, int64_t value)
{
  samples->values[samples->n++] = value;
}

static int
compare (const void *a, const void *b)
{
  int64_t x = *(const int64_t *) a, y = *(const int64_t *) b;

  return (x > y) - (x < y);
}

double
bench_samples_median (BenchSamples *samples)
{
  size_t middle = samples->n / 2;

  qsort (samples->values, samples->n, sizeof *samples->values, compare);
  if (samples->n % 2 == 1)
    return samples->values[middle];
  return (samples->values[middle - 1] + samples->values[middle]) / 2.0;
}

void
bench_samples_clear (BenchSamples *samples)
{
  free (samples->values);
  samples->values = NULL;
}

void
bench_print (const char *name, double value)
{
  printf ("{\"%s\": %.3f}\n", name, value);
}
