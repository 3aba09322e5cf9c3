/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "common/broker/handles.h"
#include "common/names.h"
#include "tests/helpers/broker-fixture.h"

#include <signal.h>

#define ALICE 1001

static void
test_table (void)
{
  g_autoptr (NegoHandles) handles = nego_handles_new ();
  const int a = 0, b = 0;
  guint64 handle;

  g_assert_false (nego_handles_take (handles, &a, &handle));
  nego_handles_add (handles, 1, &a);
  nego_handles_add (handles, 2, &b);
  nego_handles_add (handles, 3, &a);
  /* A number that is given again is the last one's. */
  nego_handles_add (handles, 3, &b);
  g_assert_true (nego_handles_take (handles, &a, &handle));
  g_assert_cmpuint (handle, ==, 1);
  g_assert_false (nego_handles_take (handles, &a, &handle));
  nego_handles_remove (handles, 2);
  g_assert_true (nego_handles_take (handles, &b, &handle));
  g_assert_cmpuint (handle, ==, 3);
  g_assert_false (nego_handles_take (handles, &b, &handle));
}

/* At the limit, and one above, which is not known. */
static void
test_limit (void)
{
  g_autoptr (NegoHandles) handles = nego_handles_new ();
  const int a = 0;
  guint64 handle;
  guint n = 0;

  for (guint i = 0; i < NEGO_FILES_ALL + 1; i++)
    nego_handles_add (handles, i, &a);
  while (nego_handles_take (handles, &a, &handle))
    n++;
  g_assert_cmpuint (n, ==, NEGO_FILES_ALL);
}

/* @client asks for a file, and is told @value. */
static void
open_file (BrokerFixture *fixture, BrokerClient *client, const char *execute, const char *value)
{
  g_autofree char *line = g_strdup_printf ("{\"return\": %s}", value);

  broker_client_ask (client, execute, "{\"path\":\"/x\"}", NULL);
  broker_fixture_return (fixture, broker_fixture_expect (fixture, execute, "{\"path\":\"/x\"}"),
                         value);
  broker_client_expect (client, line);
}

/* What a client leaves open is closed when it goes, and nothing else. */
static void
test_closed (BrokerFixture *fixture, gconstpointer data)
{
  BrokerClient *client = broker_fixture_add (fixture, ALICE);
  BrokerClient *other = broker_fixture_add (fixture, ALICE);

  open_file (fixture, client, "guest-file-open", "1001");
  open_file (fixture, other, "guest-file-open", "1002");
  open_file (fixture, client, "guest-file-open", "1003");
  broker_client_ask (client, "guest-file-close", "{\"handle\":1001}", NULL);
  broker_fixture_return (fixture,
                         broker_fixture_expect (fixture, "guest-file-close", "{\"handle\":1001}"),
                         "{}");
  broker_client_expect (client, "{\"return\": {}}");
  broker_client_leave (client);
  g_assert_cmpuint (broker_fixture_expect (fixture, "guest-file-close", "{\"handle\":1003}"), ==,
                    0);
  broker_fixture_expect_nothing (fixture);
  open_file (fixture, other, "negotiator-file-create", "{\"handle\":1004,\"temporary\":\"/y\"}");
  broker_client_ask (other, "negotiator-file-finish", "{\"handle\":1004,\"path\":\"/x\"}", NULL);
  broker_fixture_return (fixture,
                         broker_fixture_expect (fixture, "negotiator-file-finish",
                                                "{\"handle\":1004,\"path\":\"/x\"}"),
                         "{}");
  broker_client_expect (other, "{\"return\": {}}");
  broker_client_leave (other);
  broker_fixture_expect (fixture, "guest-file-close", "{\"handle\":1002}");
  broker_fixture_expect_nothing (fixture);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  signal (SIGPIPE, SIG_IGN);
  g_test_add_func ("/handles/table", test_table);
  g_test_add_func ("/handles/limit", test_limit);
  g_test_add ("/handles/closed", BrokerFixture, NULL, broker_fixture_set_up, test_closed,
              broker_fixture_tear_down);
  return g_test_run ();
}
