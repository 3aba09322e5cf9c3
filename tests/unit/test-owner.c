/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "common/owner.h"

/* Far above what a test waits for. */
#define LONG_MS 600000u

static const char key[1], other_key[1];

static void
count_free (gpointer data)
{
  (*(guint *) data)++;
}

static void
test_keep (void)
{
  NegoOwner *owner = nego_owner_new (LONG_MS);
  guint freed = 0, other_freed = 0;

  g_assert_null (nego_owner_get (owner, key));
  nego_owner_keep (owner, key, &freed, count_free);
  nego_owner_keep (owner, other_key, &other_freed, count_free);
  g_assert_true (nego_owner_get (owner, key) == &freed);
  g_assert_true (nego_owner_get (owner, other_key) == &other_freed);
  g_assert_cmpuint (freed, ==, 0);
  nego_owner_free (owner);
  g_assert_cmpuint (freed, ==, 1);
  g_assert_cmpuint (other_freed, ==, 1);
}

static void
test_away (void)
{
  g_autoptr (NegoOwner) owner = nego_owner_new (1);
  guint freed = 0;

  nego_owner_keep (owner, key, &freed, count_free);
  nego_owner_set_present (owner, FALSE);
  while (freed == 0)
    g_main_context_iteration (NULL, TRUE);
  g_assert_null (nego_owner_get (owner, key));
}

/* A host that is back soon finds what it left, and an owner without anything has no timer. */
static void
test_back (void)
{
  NegoOwner *owner = nego_owner_new (LONG_MS);
  guint freed = 0;

  nego_owner_set_present (owner, FALSE);
  nego_owner_keep (owner, key, &freed, count_free);
  nego_owner_set_present (owner, FALSE);
  nego_owner_set_present (owner, TRUE);
  nego_owner_set_present (owner, TRUE);
  g_assert_true (nego_owner_get (owner, key) == &freed);
  nego_owner_set_present (owner, FALSE);
  nego_owner_free (owner);
  g_assert_cmpuint (freed, ==, 1);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/owner/keep", test_keep);
  g_test_add_func ("/owner/away", test_away);
  g_test_add_func ("/owner/back", test_back);
  return g_test_run ();
}
