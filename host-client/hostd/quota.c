/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "host-client/hostd/quota.h"

void
nego_quota_init (NegoQuota *quota, guint rate, guint burst, gint64 now_us)
{
  quota->rate = rate;
  quota->burst = burst;
  quota->left = burst;
  quota->last_us = now_us;
}

gboolean
nego_quota_take (NegoQuota *quota, guint n, gint64 now_us)
{
  if (now_us > quota->last_us) {
    const double gained = (double) (now_us - quota->last_us) / G_USEC_PER_SEC * quota->rate;

    quota->left = MIN (quota->left + gained, quota->burst);
    quota->last_us = now_us;
  }
  if (quota->left < n)
    return FALSE;
  quota->left -= n;
  return TRUE;
}
