/* SPDX-License-Identifier: MIT */
/*
 * clock: the system's time and the hardware clock, which is the device /dev/rtc itself, rtc(4): in
 * UTC, or in local time where /etc/adjtime says so (hwclock(8)).
 *
 * All functions may block (the device is slow, and one process has it at a time): for threads.
 */
#pragma once

#include <glib.h>

#include <linux/rtc.h>
#include <time.h>

/* What touches the system, and what a test replaces. Functions return 0, or -1 with errno. */
typedef struct {
  const char *root; /* before all paths */
  int (*set_system) (const struct timespec *time);
  int (*control) (int fd, unsigned long request, struct rtc_time *time); /* ioctl(2) */
} NegoClock;

extern const NegoClock nego_clock_real;

/* Whether qemu-ga takes @ns since 1970 for a time: from 1970 to 2069, in local time. */
gboolean nego_clock_is_valid (gint64 ns);

/* Sets both clocks to @ns. A system without a hardware clock has no other to set. Errors:
 * NEGO_ERROR_IO, "Failed to set time to guest: …" or, the system's time being set, "failed to set
 * hardware clock to system time: …". */
gboolean nego_clock_set (const NegoClock *clock, gint64 ns, GError **error);

/* Sets the system's time to the hardware clock's. Errors: NEGO_ERROR_NOT_FOUND or NEGO_ERROR_IO,
 * "failed to set system time to hardware clock: …", or "Failed to set time to guest: …". */
gboolean nego_clock_read (const NegoClock *clock, GError **error);
