/* SPDX-License-Identifier: MIT */
/*
 * samples: a list of measured times and its median, and the form in which results are printed.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

typedef struct {
  int64_t *values;
  size_t n;
} BenchSamples;

void bench_samples_init (BenchSamples *samples, size_t room);
/* No more than @room. */
void bench_samples_add (BenchSamples *samples, int64_t value);
/* Sorts the samples. */
double bench_samples_median (BenchSamples *samples);
void bench_samples_clear (BenchSamples *samples);

/* Prints a result: a JSON object with one member, on a line of its own. */
void bench_print (const char *name, double value);
