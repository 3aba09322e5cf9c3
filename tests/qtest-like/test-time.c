/* SPDX-License-Identifier: MIT */
/*
 * guest-get-time, of both agents. guest-set-time only where it sets nothing: this is no guest.
 */
#include "config.h"

#include "tests/qtest-like/libnegotest.h"

#define GET           "{\"execute\":\"guest-get-time\"}"
#define SET(argument) "{\"execute\":\"guest-set-time\",\"arguments\":{" argument "}}"

static void
test_get (gconstpointer user_data)
{
  g_autoptr (NegoTestClient) client = nego_test_connect ((NegoTest *) user_data);
  gint64 before = g_get_real_time () * 1000;
  g_autoptr (JsonNode) time = nego_test_call (client, GET);
  gint64 after = (g_get_real_time () + 1) * 1000;

  g_assert_true (json_node_get_value_type (time) == G_TYPE_INT64);
  g_assert_cmpint (json_node_get_int (time), >=, before);
  g_assert_cmpint (json_node_get_int (time), <=, after);
}

static void
test_invalid (gconstpointer user_data)
{
  g_autoptr (NegoTestClient) client = nego_test_connect ((NegoTest *) user_data);

  nego_test_expect_error (client, SET ("\"time\":-1"), "Invalid time");
  nego_test_expect_error (client, SET ("\"time\":-9223372036854775808"), "Invalid time");
  nego_test_expect_error (client, SET ("\"time\":9223372036854775807"), "Invalid time");
  nego_test_expect_error (client, SET ("\"time\":9223372036854775808"),
                          "Invalid parameter type for 'time', expected: integer");
  nego_test_expect_error (client, SET ("\"time\":1.5"),
                          "Invalid parameter type for 'time', expected: integer");
}

int
main (int argc, char **argv)
{
  NegoTest *test;

  g_test_init (&argc, &argv, NULL);
  test = nego_test_start (NULL);
  g_test_add_data_func ("/time/get", test, test_get);
  if (!nego_test_is_qga ())
    g_test_add_data_func ("/time/invalid", test, test_invalid);
  return nego_test_run_shared (test);
}
