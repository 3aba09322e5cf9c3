/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "common/epoch.h"

#define NEGO_EPOCH_NS_PER_S G_GINT64_CONSTANT (1000000000)

gint64
nego_epoch_from_timespec (const struct timespec *time)
{
  gint64 ns;

  if (!__builtin_mul_overflow ((gint64) time->tv_sec, NEGO_EPOCH_NS_PER_S, &ns)
      && !__builtin_add_overflow (ns, (gint64) time->tv_nsec, &ns))
    return ns;
  return time->tv_sec < 0 ? G_MININT64 : G_MAXINT64;
}

struct timespec
nego_epoch_to_timespec (gint64 ns)
{
  gint64 s = ns / NEGO_EPOCH_NS_PER_S, rest = ns % NEGO_EPOCH_NS_PER_S;

  if (rest < 0) {
    s--;
    rest += NEGO_EPOCH_NS_PER_S;
  }
  return (struct timespec){ .tv_sec = (time_t) s, .tv_nsec = (long) rest };
}
