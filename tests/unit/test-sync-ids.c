/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "common/names.h"
#include "host-client/hostd/sync-ids.h"

#define SECOND ((gint64) G_USEC_PER_SEC)

static void
test_repeat (void)
{
  g_auto (NegoSyncIds) ids = { 0 };

  g_assert_true (nego_sync_ids_add (&ids, 1, 0));
  g_assert_true (nego_sync_ids_add (&ids, 2, SECOND));
  g_assert_false (nego_sync_ids_add (&ids, 1, 2 * SECOND));
  g_assert_false (nego_sync_ids_add (&ids, 1, (gint64) NEGO_SYNC_ID_S * SECOND - 1));
  g_assert_true (nego_sync_ids_add (&ids, 1, (gint64) NEGO_SYNC_ID_S * SECOND));
  g_assert_false (nego_sync_ids_add (&ids, 2, (gint64) NEGO_SYNC_ID_S * SECOND));
}

static void
test_over (void)
{
  g_auto (NegoSyncIds) ids = { 0 };

  g_assert_true (nego_sync_ids_are_over (&ids, 0));
  g_assert_true (nego_sync_ids_add (&ids, 1, 0));
  g_assert_true (nego_sync_ids_add (&ids, 2, SECOND));
  g_assert_false (nego_sync_ids_are_over (&ids, (gint64) (NEGO_SYNC_ID_S + 1) * SECOND - 1));
  g_assert_true (nego_sync_ids_are_over (&ids, (gint64) (NEGO_SYNC_ID_S + 1) * SECOND));
}

static void
test_limit (void)
{
  g_auto (NegoSyncIds) ids = { 0 };

  for (guint i = 0; i < NEGO_SYNC_IDS; i++)
    g_assert_true (nego_sync_ids_add (&ids, i, 0));
  g_assert_false (nego_sync_ids_add (&ids, 0, 0));
  /* One more, and the oldest is forgotten. */
  g_assert_true (nego_sync_ids_add (&ids, NEGO_SYNC_IDS, 0));
  g_assert_true (nego_sync_ids_add (&ids, 0, 0));
  g_assert_false (nego_sync_ids_add (&ids, 2, 0));
}

/* The quota on synchronisations keeps an hour's below the limit. */
static void
test_hour (void)
{
  g_assert_cmpuint (NEGO_SYNC_ID_S * NEGO_HOSTD_SYNCS + NEGO_HOSTD_SYNCS_BURST, <=, NEGO_SYNC_IDS);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/sync-ids/repeat", test_repeat);
  g_test_add_func ("/sync-ids/limit", test_limit);
  g_test_add_func ("/sync-ids/over", test_over);
  g_test_add_func ("/sync-ids/hour", test_hour);
  return g_test_run ();
}
