/* SPDX-License-Identifier: MIT */
/* guest-network-get-route, of tables that the test writes; guest-network-get-interfaces' errors. */
#include "config.h"

#include "common/names.h"
#include "tests/helpers/root-fixture.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#define ROUTE      "guest-network-get-route"
#define INTERFACES "guest-network-get-interfaces"
#define IPV4       "/proc/net/route"
#define IPV6       "/proc/net/ipv6_route"

#define IPV4_HEADER                                                         \
  "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\t" \
  "Window\tIRTT                                                       \n"
#define IPV4_DEFAULT "eth0\t00000000\t010200C0\t0003\t0\t0\t100\t00000000\t1500\t7\t9\n"
#define IPV6_LOCAL                                                           \
  "fe8000000000000000fc00fffe000001 80 00000000000000000000000000000000 00 " \
  "00000000000000000000000000000000 00000000 00000002 00000000 80200001     eth0\n"
#define IPV6_UNREACHABLE                                                     \
  "00000000000000000000000000000000 00 fd000000000000000000000000000001 40 " \
  "fd000000000000000000000000000001 ffffffff 00000001 0000000a 00200200       lo\n"

#if G_BYTE_ORDER == G_LITTLE_ENDIAN
#define GATEWAY "192.0.2.1"
#else
#define GATEWAY "1.2.0.192"
#endif

#define IPV4_DEFAULT_JSON                                                                        \
  "{\"iface\": \"eth0\", \"destination\": \"0.0.0.0\", \"metric\": 100, \"gateway\": \"" GATEWAY \
  "\", \"mask\": \"0.0.0.0\", \"irtt\": 9, \"flags\": 3, \"refcnt\": 0, \"use\": 0, "            \
  "\"window\": 7, \"mtu\": 1500, \"version\": 4}"
/* Flags above 2^31 and the highest metric are told as they are. */
#define IPV6_JSON                                                                             \
  "{\"iface\": \"eth0\", \"destination\": \"fe80::fc:ff:fe00:1\", \"metric\": 0, "            \
  "\"flags\": 2149580801, \"refcnt\": 2, \"use\": 0, \"desprefixlen\": \"128\", "             \
  "\"source\": \"::\", \"srcprefixlen\": \"0\", \"nexthop\": \"::\", \"version\": 6}, "       \
  "{\"iface\": \"lo\", \"destination\": \"::\", \"metric\": 4294967295, \"flags\": 2097664, " \
  "\"refcnt\": 1, \"use\": 10, \"desprefixlen\": \"0\", \"source\": \"fd00::1\", "            \
  "\"srcprefixlen\": \"64\", \"nexthop\": \"fd00::1\", \"version\": 6}"

static void
test_routes (RootFixture *fixture, gconstpointer data)
{
  if (fixture->agent.dir == NULL)
    return;
  root_fixture_add (fixture, IPV4, IPV4_HEADER IPV4_DEFAULT);
  root_fixture_add (fixture, IPV6, IPV6_LOCAL IPV6_UNREACHABLE);
  root_fixture_assert_return (fixture, ROUTE, "{}", "[" IPV4_DEFAULT_JSON ", " IPV6_JSON "]");
}

static void
test_one_version (RootFixture *fixture, gconstpointer data)
{
  if (fixture->agent.dir == NULL)
    return;
  root_fixture_add (fixture, IPV4, IPV4_HEADER IPV4_DEFAULT);
  root_fixture_assert_return (fixture, ROUTE, "{}", "[" IPV4_DEFAULT_JSON "]");
  root_fixture_remove (fixture, IPV4);
  root_fixture_add (fixture, IPV6, IPV6_LOCAL IPV6_UNREACHABLE);
  root_fixture_assert_return (fixture, ROUTE, "{}", "[" IPV6_JSON "]");
}

static void
test_no_version (RootFixture *fixture, gconstpointer data)
{
  if (fixture->agent.dir == NULL)
    return;
  root_fixture_assert_error (fixture, ROUTE, "{}",
                             "open(\"/proc/net/route\"): No such file or directory");
  root_fixture_add_dir (fixture, IPV4);
  root_fixture_assert_error (fixture, ROUTE, "{}", "read(\"/proc/net/route\"): Is a directory");
}

static void
test_strange_routes (RootFixture *fixture, gconstpointer data)
{
  g_autofree char *long_word = g_strnfill (100000, 'e');
  g_autofree char *text = NULL;

  if (fixture->agent.dir == NULL)
    return;
  /* Cut, of other columns, overlong, without a line end, with NUL. */
  text = g_strconcat (IPV4_HEADER "eth0\t00000000\n\n \t \n", long_word, "\n", long_word,
                      "\t00000000\t010200C0\t0003\t0\t0\t100\t00000000\t1500\t7\t9\n" IPV4_DEFAULT
                      "eth1\tnumber\t010200C0\t0003\t0\t0\t100\t00000000\t1500\t7\t9",
                      NULL);
  root_fixture_add (fixture, IPV4, text);
  root_fixture_add (fixture, IPV6,
                    "fe80 80 00000000000000000000000000000000 00 "
                    "00000000000000000000000000000000 00000000 00000002 00000000 80200001 eth0\n"
                    "xe8000000000000000fc00fffe000001 80 00000000000000000000000000000000 00 "
                    "00000000000000000000000000000000 00000000 00000002 00000000 80200001 eth0\n");
  root_fixture_assert_return (fixture, ROUTE, "{}", "[" IPV4_DEFAULT_JSON "]");
  root_fixture_add_len (fixture, IPV4, "\0\0\0\n", 4);
  root_fixture_assert_return (fixture, ROUTE, "{}", "[]");
}

static void
test_many_routes (RootFixture *fixture, gconstpointer data)
{
  g_autoptr (GString) text = g_string_new (IPV4_HEADER);
  g_autofree char *too_long = NULL;

  if (fixture->agent.dir == NULL)
    return;
  for (guint i = 0; i < NEGO_ROUTES - 1; i++)
    g_string_append (text, IPV4_DEFAULT);
  root_fixture_add (fixture, IPV4, text->str);
  root_fixture_add (fixture, IPV6, IPV6_LOCAL);
  g_assert_cmpuint (root_fixture_count (fixture, ROUTE), ==, NEGO_ROUTES);
  root_fixture_add (fixture, IPV6, IPV6_LOCAL IPV6_UNREACHABLE);
  root_fixture_assert_error (fixture, ROUTE, "{}", "too many routes (limit 16384)");

  too_long = g_strnfill (NEGO_KERNEL_FILE_BYTES + 1, '\n');
  root_fixture_add_len (fixture, IPV4, too_long, NEGO_KERNEL_FILE_BYTES);
  g_assert_cmpuint (root_fixture_count (fixture, ROUTE), ==, 2);
  root_fixture_add (fixture, IPV4, too_long);
  root_fixture_assert_error (fixture, ROUTE, "{}",
                             "the file \"/proc/net/route\" is longer than 8388608 bytes");
}

/* The kernel's interfaces, without the file of their statistics. */
static void
test_no_statistics (RootFixture *fixture, gconstpointer data)
{
  g_autoptr (JsonNode) node = NULL;
  JsonArray *interfaces;

  if (fixture->agent.dir == NULL)
    return;
  node = agent_fixture_ask (&fixture->agent, INTERFACES, "{}");
  interfaces = json_object_get_array_member (json_node_get_object (node), "return");
  for (guint i = 0; i < json_array_get_length (interfaces); i++)
    g_assert_false (
      json_object_has_member (json_array_get_object_element (interfaces, i), "statistics"));
}

/* Low, so that it is soon reached; more than the main loop polls. */
#define DESCRIPTORS 64

static void
test_no_descriptor (RootFixture *fixture, gconstpointer data)
{
  struct rlimit usual, low;
  int fds[DESCRIPTORS];
  guint n = 0;

  if (fixture->agent.dir == NULL)
    return;
  /* The thread, and what it needs once, is there. */
  json_node_unref (agent_fixture_ask (&fixture->agent, INTERFACES, "{}"));
  g_assert_cmpint (getrlimit (RLIMIT_NOFILE, &usual), ==, 0);
  low = usual;
  low.rlim_cur = DESCRIPTORS;
  g_assert_cmpint (setrlimit (RLIMIT_NOFILE, &low), ==, 0);
  while ((fds[n] = fcntl (fixture->agent.peer, F_DUPFD_CLOEXEC, 0)) >= 0)
    n++;
  root_fixture_assert_error (fixture, INTERFACES, "{}", "getifaddrs failed: Too many open files");
  while (n > 0)
    close (fds[--n]);
  g_assert_cmpint (setrlimit (RLIMIT_NOFILE, &usual), ==, 0);
}

/* A client that leaves before the answer: nothing is left of it (for the sanitizers and valgrind).
 */
static void
test_abandoned (RootFixture *fixture, gconstpointer data)
{
  if (fixture->agent.dir == NULL)
    return;
  for (guint i = 0; i < 50; i++)
    agent_fixture_tell (&fixture->agent, "{'execute':'" INTERFACES "'}{'execute':'" ROUTE "'}");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ROOT_TEST_ADD ("/cmd-network/routes", test_routes);
  ROOT_TEST_ADD ("/cmd-network/one-version", test_one_version);
  ROOT_TEST_ADD ("/cmd-network/no-version", test_no_version);
  ROOT_TEST_ADD ("/cmd-network/strange-routes", test_strange_routes);
  ROOT_TEST_ADD ("/cmd-network/many-routes", test_many_routes);
  ROOT_TEST_ADD ("/cmd-network/no-statistics", test_no_statistics);
  ROOT_TEST_ADD ("/cmd-network/no-descriptor", test_no_descriptor);
  ROOT_TEST_ADD ("/cmd-network/abandoned", test_abandoned);
  return g_test_run ();
}
