/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "common/quota.h"

void
nego_quota_init (NegoQuota *quota, guint rate, guint burst, gint64 now_us)
{
  quota->rate = rate;
  quota->burst = burst;
  quota->left = burst;
  quota->last_us = now_us;
}

static void
nego_quota_gain (NegoQuota *quota, gint64 now_us)
{
  double gained;

  if (now_us <= quota->last_us)
    return;
  gained = (double) (now_us - quota->last_us) / G_USEC_PER_SEC * quota->rate;
  quota->left = MIN (quota->left + gained, quota->burst);
  quota->last_us = now_us;
}

gboolean
nego_quota_take (NegoQuota *quota, guint n, gint64 now_us)
{
  nego_quota_gain (quota, now_us);
  if (quota->left < n)
    return FALSE;
  quota->left -= n;
  return TRUE;
}

guint
nego_quota_owe (NegoQuota *quota, guint n, gint64 now_us)
{
  nego_quota_gain (quota, now_us);
  quota->left -= n;
  return quota->left < 0 ? (guint) (-quota->left * 1000 / quota->rate) + 1 : 0;
}
