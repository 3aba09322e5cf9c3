/* SPDX-License-Identifier: MIT */
/*
 * quota: how much of something a guest may have a second, with a burst on top (a token bucket).
 *
 * A pure function of its state and the time that it is given: microseconds, monotonic.
 */
#pragma once

#include <glib.h>

typedef struct {
  guint rate, burst; /* a second; at once */
  double left;       /* of the burst */
  gint64 last_us;    /* when `left` was right */
} NegoQuota;

/* The whole burst is there at first. */
void nego_quota_init (NegoQuota *quota, guint rate, guint burst, gint64 now_us);

/* Takes @n, or nothing and returns FALSE when there is not so much. */
gboolean nego_quota_take (NegoQuota *quota, guint n, gint64 now_us);

/* Takes @n, and more than there is, if need be: for what has come already. Returns: the
 * milliseconds until nothing is owed any more. */
guint nego_quota_owe (NegoQuota *quota, guint n, gint64 now_us);
