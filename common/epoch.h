/* SPDX-License-Identifier: MIT */
/*
 * epoch: times of files, as nanoseconds since 1970 and as the system has them.
 */
#pragma once

#include <glib.h>

#include <time.h>

/* What is too far away (before 1677, after 2262) is the farthest that there is. */
gint64 nego_epoch_from_timespec (const struct timespec *time);
/* Also of a time before 1970. */
struct timespec nego_epoch_to_timespec (gint64 ns);
