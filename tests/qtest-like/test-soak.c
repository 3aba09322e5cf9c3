/* SPDX-License-Identifier: MIT */
/*
 * Many requests: memory, descriptors and children stay as they are.
 */
#include "config.h"

#include "tests/qtest-like/libnegotest.h"

#include <string.h>

#define REQUESTS       100000u
#define GROUP          50u /* in one write */
#define GROWTH_KIB     64u
#define CONNECTIONS    2000u
#define RUNS           500u
#define RUN_GROWTH_KIB 256u

static const char *const requests[] = {
  NEGO_TEST_PING,
  "{\"execute\":\"guest-sync\",\"arguments\":{\"id\":1}}",
  "{\"execute\":\"guest-ping\",\"id\":[1,{\"a\":\"b\"}]}\n",
  "{\"execute\":\"guest-info\"}",
  "{\"execute\":\"no-such\"}",
  "{\"execute\":\"guest-sync\",\"arguments\":{\"id\":\"x\"}}",
  "{]\n",
  "\xFF",
  "stray\n",
};

static gboolean
is_answered (gsize i)
{
  return requests[i][0] != '\xFF';
}

/* Sends @n requests in groups, and receives as many replies as they get. */
static void
run_requests (NegoTestClient *client, guint n)
{
  for (guint sent = 0; sent < n; sent += GROUP) {
    g_autoptr (GString) group = g_string_new (NULL);
    guint replies = 0;

    for (guint i = sent; i < sent + GROUP; i++) {
      gsize which = i % G_N_ELEMENTS (requests);

      g_string_append (group, requests[which]);
      replies += is_answered (which);
    }
    nego_test_send (client, group->str, group->len);
    for (; replies > 0; replies--) {
      g_autofree char *line = nego_test_receive (client);

      g_assert_nonnull (line);
    }
  }
}

static void
check_growth (NegoTest *test, gsize before, gsize limit)
{
  gsize after = nego_test_get_rss_kib (test);

  g_test_message ("RSS %zu KiB before, %zu KiB after", before, after);
  if (nego_test_is_plain (test))
    g_assert_cmpuint (after, <=, before + limit);
}

static void
test_requests (gconstpointer user_data)
{
  NegoTest *test = (NegoTest *) user_data;
  g_autoptr (NegoTestClient) client = nego_test_connect (test);
  gsize before;
  guint fds;

  run_requests (client, REQUESTS / 100); /* what is allocated once, is */
  before = nego_test_get_rss_kib (test);
  fds = nego_test_count_fds (test);
  run_requests (client, REQUESTS);
  check_growth (test, before, GROWTH_KIB);
  g_assert_cmpuint (nego_test_count_fds (test), ==, fds);
  g_assert_cmpuint (nego_test_count_children (test), ==, 0);
}

static void
run_connections (NegoTest *test, guint n)
{
  for (guint i = 0; i < n; i++) {
    g_autoptr (NegoTestClient) client = nego_test_connect (test);

    nego_test_ask (client, NEGO_TEST_PING, NEGO_TEST_PONG);
  }
}

static void
test_connections (gconstpointer user_data)
{
  NegoTest *test = (NegoTest *) user_data;
  gsize before;

  run_connections (test, CONNECTIONS / 10);
  before = nego_test_get_rss_kib (test);
  run_connections (test, CONNECTIONS);
  check_growth (test, before, GROWTH_KIB);
}

/* More runs than results are kept: the table is full from the start of what is measured. The end of
 * the test looks at descriptors and children. */
static void
test_runs (gconstpointer user_data)
{
  NegoTest *test = (NegoTest *) user_data;
  g_autoptr (NegoTestClient) client = nego_test_connect (test);
  gsize before = 0;

  nego_test_add_script (test, "x", "#!/bin/sh\necho output; echo error >&2\n");
  for (guint i = 0; i < 2 * RUNS; i++) {
    g_autoptr (JsonObject) job = nego_test_exec (client, "'command':'x','arg':['a']");

    nego_test_check_members (job, "{'state':'exited','out-data':'output\\n'}");
    if (i == RUNS)
      before = nego_test_get_rss_kib (test);
  }
  check_growth (test, before, RUN_GROWTH_KIB);
}

int
main (int argc, char **argv)
{
  NegoTest *test;

  g_test_init (&argc, &argv, NULL);
  test = nego_test_start (NULL);
  g_test_add_data_func ("/soak/requests", test, test_requests);
  g_test_add_data_func ("/soak/connections", test, test_connections);
  g_test_add_data_func ("/soak/runs", test, test_runs);
  return nego_test_run_shared (test);
}
