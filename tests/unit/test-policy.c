/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "common/policy.h"

static NegoPolicyVerdict
verdict (const NegoPolicy *policy, const char *name)
{
  const QapiCommand *command = qapi_command_find (name);

  g_assert_nonnull (command);
  return nego_policy_judge (policy, command);
}

static void
test_default (void)
{
  g_autoptr (NegoPolicy) policy = nego_policy_new ();

  g_assert_cmpint (verdict (policy, "guest-ping"), ==, NEGO_POLICY_ALLOWED);
  g_assert_cmpint (verdict (policy, "negotiator-exec"), ==, NEGO_POLICY_ALLOWED);
  g_assert_cmpint (verdict (policy, "negotiator-list"), ==, NEGO_POLICY_ALLOWED);
  g_assert_false (nego_policy_is_read_only (policy));
}

static void
test_block (void)
{
  g_autoptr (NegoPolicy) policy = nego_policy_new ();

  nego_policy_block (policy, "guest-ping");
  nego_policy_block (policy, "guest-sync");
  nego_policy_block (policy, "negotiator-exec");
  g_assert_cmpint (verdict (policy, "guest-ping"), ==, NEGO_POLICY_NOT_ALLOWED);
  g_assert_cmpint (verdict (policy, "negotiator-exec"), ==, NEGO_POLICY_NOT_ALLOWED);
  g_assert_cmpint (verdict (policy, "guest-sync"), ==, NEGO_POLICY_ALLOWED);
  g_assert_cmpint (verdict (policy, "guest-info"), ==, NEGO_POLICY_ALLOWED);
}

static void
test_block_wins (void)
{
  g_autoptr (NegoPolicy) policy = nego_policy_new ();

  nego_policy_allow (policy, "guest-ping");
  nego_policy_allow (policy, "guest-info");
  nego_policy_block (policy, "guest-ping");
  g_assert_cmpint (verdict (policy, "guest-ping"), ==, NEGO_POLICY_NOT_ALLOWED);
  g_assert_cmpint (verdict (policy, "guest-info"), ==, NEGO_POLICY_ALLOWED);
}

/* A distribution's allow list of guest-* commands says nothing of the scripts. */
static void
test_allow_guest (void)
{
  g_autoptr (NegoPolicy) policy = nego_policy_new ();

  nego_policy_allow (policy, "guest-info");
  g_assert_cmpint (verdict (policy, "guest-ping"), ==, NEGO_POLICY_NOT_ALLOWED);
  g_assert_cmpint (verdict (policy, "guest-info"), ==, NEGO_POLICY_ALLOWED);
  g_assert_cmpint (verdict (policy, "guest-sync-delimited"), ==, NEGO_POLICY_ALLOWED);
  g_assert_cmpint (verdict (policy, "negotiator-exec"), ==, NEGO_POLICY_ALLOWED);
  nego_policy_set_commands (policy, NEGO_POLICY_COMMANDS_NONE);
  g_assert_cmpint (verdict (policy, "negotiator-exec"), ==, NEGO_POLICY_NOT_ALLOWED);
}

static void
test_allow_negotiator (void)
{
  g_autoptr (NegoPolicy) policy = nego_policy_new ();

  nego_policy_set_commands (policy, NEGO_POLICY_COMMANDS_NONE);
  nego_policy_allow (policy, "negotiator-list");
  g_assert_cmpint (verdict (policy, "negotiator-list"), ==, NEGO_POLICY_ALLOWED);
  g_assert_cmpint (verdict (policy, "negotiator-exec"), ==, NEGO_POLICY_NOT_ALLOWED);
  g_assert_cmpint (verdict (policy, "guest-ping"), ==, NEGO_POLICY_NOT_ALLOWED);
  /* How the channel works is not theirs to say. */
  g_assert_cmpint (verdict (policy, "negotiator-session"), ==, NEGO_POLICY_ALLOWED);
  g_assert_cmpint (verdict (policy, "negotiator-cancel"), ==, NEGO_POLICY_ALLOWED);
}

static void
test_commands_read (void)
{
  g_autoptr (NegoPolicy) policy = nego_policy_new ();

  nego_policy_set_commands (policy, NEGO_POLICY_COMMANDS_READ);
  g_assert_true (nego_policy_is_read_only (policy));
  g_assert_cmpint (verdict (policy, "negotiator-info"), ==, NEGO_POLICY_ALLOWED);
  g_assert_cmpint (verdict (policy, "negotiator-list"), ==, NEGO_POLICY_ALLOWED);
  g_assert_cmpint (verdict (policy, "negotiator-exec"), ==,
                   NEGO_POLICY_ALLOWED); /* of read-only scripts: the handler's part */
  g_assert_cmpint (verdict (policy, "negotiator-exec-status"), ==, NEGO_POLICY_ALLOWED);
  g_assert_cmpint (verdict (policy, "guest-ping"), ==, NEGO_POLICY_ALLOWED);
}

static void
test_frozen (void)
{
  g_autoptr (NegoPolicy) policy = nego_policy_new ();

  nego_policy_block (policy, "guest-info");
  nego_policy_block (policy, "negotiator-list");
  nego_policy_set_frozen (policy, TRUE);
  g_assert_true (nego_policy_is_frozen (policy));
  g_assert_cmpint (verdict (policy, "guest-ping"), ==, NEGO_POLICY_ALLOWED);
  g_assert_cmpint (verdict (policy, "guest-info"), ==,
                   NEGO_POLICY_ALLOWED); /* the safe set overrides the block list */
  g_assert_cmpint (verdict (policy, "negotiator-info"), ==, NEGO_POLICY_ALLOWED);
  g_assert_cmpint (verdict (policy, "negotiator-exec-status"), ==, NEGO_POLICY_ALLOWED);
  g_assert_cmpint (verdict (policy, "negotiator-list"), ==, NEGO_POLICY_NOT_ALLOWED);
  g_assert_cmpint (verdict (policy, "negotiator-exec"), ==, NEGO_POLICY_FROZEN);
  nego_policy_set_frozen (policy, FALSE);
  g_assert_cmpint (verdict (policy, "negotiator-exec"), ==, NEGO_POLICY_ALLOWED);
  g_assert_cmpint (verdict (policy, "guest-info"), ==, NEGO_POLICY_NOT_ALLOWED);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/policy/default", test_default);
  g_test_add_func ("/policy/block", test_block);
  g_test_add_func ("/policy/block-wins", test_block_wins);
  g_test_add_func ("/policy/allow-guest", test_allow_guest);
  g_test_add_func ("/policy/allow-negotiator", test_allow_negotiator);
  g_test_add_func ("/policy/commands-read", test_commands_read);
  g_test_add_func ("/policy/frozen", test_frozen);
  return g_test_run ();
}
