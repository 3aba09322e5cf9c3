/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "common/quota.h"

#define SECOND ((gint64) G_USEC_PER_SEC)

static void
test_burst (void)
{
  NegoQuota quota;

  nego_quota_init (&quota, 10, 3, 0);
  g_assert_true (nego_quota_take (&quota, 1, 0));
  g_assert_true (nego_quota_take (&quota, 2, 0));
  g_assert_false (nego_quota_take (&quota, 1, 0));
}

static void
test_rate (void)
{
  NegoQuota quota;

  nego_quota_init (&quota, 10, 3, 0);
  g_assert_true (nego_quota_take (&quota, 3, 0));
  g_assert_false (nego_quota_take (&quota, 1, SECOND / 20));
  g_assert_true (nego_quota_take (&quota, 1, SECOND / 10));
  g_assert_false (nego_quota_take (&quota, 1, SECOND / 10));
  /* What is not used adds up to the burst, and no further. */
  g_assert_false (nego_quota_take (&quota, 4, 3600 * SECOND));
  g_assert_true (nego_quota_take (&quota, 3, 3600 * SECOND));
}

/* What is refused costs nothing: who calls too often is served at the rate all the same. */
static void
test_refusals (void)
{
  NegoQuota quota;
  guint taken = 0;

  nego_quota_init (&quota, 10, 10, 0);
  for (gint64 now = 0; now < 10 * SECOND; now += SECOND / 1000)
    taken += nego_quota_take (&quota, 1, now) ? 1 : 0;
  g_assert_cmpuint (taken, >=, 108);
  g_assert_cmpuint (taken, <=, 110);
}

static void
test_owe (void)
{
  NegoQuota quota;

  nego_quota_init (&quota, 1000, 100, 0);
  g_assert_cmpuint (nego_quota_owe (&quota, 100, 0), ==, 0);
  g_assert_cmpuint (nego_quota_owe (&quota, 500, 0), ==, 501);
  g_assert_cmpuint (nego_quota_owe (&quota, 0, SECOND / 4), ==, 251);
  g_assert_cmpuint (nego_quota_owe (&quota, 0, SECOND / 2), ==, 0);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/quota/burst", test_burst);
  g_test_add_func ("/quota/rate", test_rate);
  g_test_add_func ("/quota/refusals", test_refusals);
  g_test_add_func ("/quota/owe", test_owe);
  return g_test_run ();
}
