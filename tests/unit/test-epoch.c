/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "common/epoch.h"

static void
test_both_ways (void)
{
  static const struct {
    gint64 ns, s;
    long rest;
  } rows[] = {
    { 0, 0, 0 },
    { 1, 0, 1 },
    { -1, -1, 999999999 },
    { 1234567890123456789, 1234567890, 123456789 },
    { -1000000000, -1, 0 },
    { G_MAXINT64, 9223372036, 854775807 },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++) {
    const struct timespec time = nego_epoch_to_timespec (rows[i].ns);

    g_assert_cmpint (time.tv_sec, ==, rows[i].s);
    g_assert_cmpint (time.tv_nsec, ==, rows[i].rest);
    g_assert_cmpint (nego_epoch_from_timespec (&time), ==, rows[i].ns);
  }
}

/* File systems have times that are farther away. */
static void
test_far_away (void)
{
  static const struct {
    struct timespec time;
    gint64 ns;
  } rows[] = {
    { { 9223372036, 854775808 }, G_MAXINT64 }, { { 9223372037, 0 }, G_MAXINT64 },
    { { G_MAXINT64, 999999999 }, G_MAXINT64 }, { { -9223372036, 0 }, -9223372036000000000 },
    { { -9223372037, 0 }, G_MININT64 },        { { G_MININT64, 0 }, G_MININT64 },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++)
    g_assert_cmpint (nego_epoch_from_timespec (&rows[i].time), ==, rows[i].ns);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/epoch/both-ways", test_both_ways);
  g_test_add_func ("/epoch/far-away", test_far_away);
  return g_test_run ();
}
