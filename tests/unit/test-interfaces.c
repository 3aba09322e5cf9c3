/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "agent/interfaces.h"

#include <arpa/inet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netpacket/packet.h>
#include <string.h>

/* An entry of getifaddrs(), and what it points to. */
typedef struct {
  struct ifaddrs entry;
  union {
    struct sockaddr any;
    struct sockaddr_in ipv4;
    struct sockaddr_in6 ipv6;
    struct sockaddr_ll link;
  } address, mask;
} Entry;

static void
set_ip (struct sockaddr *address, const char *text)
{
  const gboolean six = strchr (text, ':') != NULL;
  char *place = (char *) address
                + (six ? G_STRUCT_OFFSET (struct sockaddr_in6, sin6_addr)
                       : G_STRUCT_OFFSET (struct sockaddr_in, sin_addr));

  address->sa_family = six ? AF_INET6 : AF_INET;
  g_assert_cmpint (inet_pton (address->sa_family, text, place), ==, 1);
}

static Entry
link_entry (const char *name, guint8 len)
{
  Entry entry = { .entry = { .ifa_name = (char *) name } };

  entry.address.link.sll_family = AF_PACKET;
  entry.address.link.sll_halen = len;
  for (guint8 i = 0; i < sizeof entry.address.link.sll_addr; i++)
    entry.address.link.sll_addr[i] = 0xa0 + i;
  return entry;
}

static Entry
ip_entry (const char *name, const char *address, const char *mask)
{
  Entry entry = { .entry = { .ifa_name = (char *) name } };

  set_ip (&entry.address.any, address);
  if (mask != NULL)
    set_ip (&entry.mask.any, mask);
  return entry;
}

static GPtrArray *
collect (Entry *entries, gsize n, guint limit)
{
  for (gsize i = 0; i < n; i++) {
    Entry *entry = &entries[i];

    entry->entry.ifa_addr = entry->address.any.sa_family != 0 ? &entry->address.any : NULL;
    entry->entry.ifa_netmask = entry->mask.any.sa_family != 0 ? &entry->mask.any : NULL;
    entry->entry.ifa_next = i + 1 < n ? &entries[i + 1].entry : NULL;
  }
  return nego_interfaces_collect (&entries->entry, limit);
}

static const QapiGuestNetworkInterface *
at (GPtrArray *interfaces, guint i)
{
  g_assert_cmpuint (i, <, interfaces->len);
  return interfaces->pdata[i];
}

static void
assert_ip (const QapiGuestNetworkInterface *interface,
           guint i,
           const char *text,
           QapiGuestIpAddressType type,
           gint64 prefix)
{
  const QapiGuestIpAddress *address;

  g_assert_cmpuint (i, <, interface->ip_addresses->len);
  address = interface->ip_addresses->pdata[i];
  g_assert_cmpstr (address->ip_address, ==, text);
  g_assert_cmpint (address->ip_address_type, ==, type);
  g_assert_cmpint (address->prefix, ==, prefix);
}

static void
test_collect (void)
{
  Entry entries[] = {
    link_entry ("lo", 6),
    link_entry ("eth0", 6),
    link_entry ("ib0", 20),
    link_entry ("tun0", 0),
    link_entry ("sit0", 4),
    { .entry = { .ifa_name = (char *) "odd" } },
    ip_entry ("lo", "127.0.0.1", "255.0.0.0"),
    ip_entry ("eth0", "192.0.2.2", "255.255.255.128"),
    ip_entry ("eth0:1", "192.0.2.3", "255.255.255.255"),
    ip_entry ("lo", "::1", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"),
    ip_entry ("eth0", "fe80::1", "ffff:ffff:ffff:ffff::"),
    ip_entry ("tun0", "198.51.100.1", NULL),
    ip_entry ("gone:1", "198.51.100.2", NULL),
  };
  g_autoptr (GPtrArray) interfaces = collect (entries, G_N_ELEMENTS (entries), 8);
  const char *const names[] = { "lo", "eth0", "ib0", "tun0", "sit0", "odd", "eth0:1", "gone:1" };
  const char *const hardware[] = { "a0:a1:a2:a3:a4:a5", "a0:a1:a2:a3:a4:a5",
                                   "a0:a1:a2:a3:a4:a5", "00:00:00:00:00:00",
                                   "a0:a1:a2:a3:00:00", NULL,
                                   "a0:a1:a2:a3:a4:a5", NULL };

  g_assert_nonnull (interfaces);
  g_assert_cmpuint (interfaces->len, ==, G_N_ELEMENTS (names));
  for (guint i = 0; i < interfaces->len; i++) {
    g_assert_cmpstr (at (interfaces, i)->name, ==, names[i]);
    g_assert_cmpstr (at (interfaces, i)->hardware_address, ==, hardware[i]);
    g_assert_null (at (interfaces, i)->statistics);
  }
  assert_ip (at (interfaces, 0), 0, "127.0.0.1", QAPI_GUEST_IP_ADDRESS_TYPE_IPV4, 8);
  assert_ip (at (interfaces, 0), 1, "::1", QAPI_GUEST_IP_ADDRESS_TYPE_IPV6, 128);
  assert_ip (at (interfaces, 1), 0, "192.0.2.2", QAPI_GUEST_IP_ADDRESS_TYPE_IPV4, 25);
  assert_ip (at (interfaces, 1), 1, "fe80::1", QAPI_GUEST_IP_ADDRESS_TYPE_IPV6, 64);
  g_assert_null (at (interfaces, 2)->ip_addresses);
  assert_ip (at (interfaces, 3), 0, "198.51.100.1", QAPI_GUEST_IP_ADDRESS_TYPE_IPV4, 0);
  g_assert_null (at (interfaces, 5)->ip_addresses);
  assert_ip (at (interfaces, 6), 0, "192.0.2.3", QAPI_GUEST_IP_ADDRESS_TYPE_IPV4, 32);
  g_assert_true (nego_interfaces_need_statistics (interfaces));
}

static void
test_limit (void)
{
  Entry entries[] = { link_entry ("a", 6), link_entry ("b", 6), link_entry ("c", 6),
                      ip_entry ("a", "192.0.2.1", NULL) };
  g_autoptr (GPtrArray) three = collect (entries, 4, 3);
  g_autoptr (GPtrArray) links = collect (entries, 3, 3);
  g_autoptr (GPtrArray) two = collect (entries, 4, 2);
  g_autoptr (GPtrArray) none = nego_interfaces_collect (NULL, 2);

  g_assert_cmpuint (three->len, ==, 3);
  g_assert_null (two);
  g_assert_cmpuint (none->len, ==, 0);
  g_assert_false (nego_interfaces_need_statistics (links));
}

#define HEADER                                                                               \
  "Inter-|   Receive                                                |  Transmit\n"           \
  " face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs " \
  "drop fifo colls carrier compressed\n"

static void
test_statistics (void)
{
  Entry entries[] = { link_entry ("down", 6), ip_entry ("eth0", "192.0.2.1", NULL),
                      ip_entry ("eth1", "192.0.2.1", NULL), ip_entry ("cut", "192.0.2.1", NULL) };
  g_autoptr (GPtrArray) interfaces = collect (entries, G_N_ELEMENTS (entries), 9);
  const QapiGuestNetworkInterfaceStat *statistics;

  nego_interfaces_add_statistics (
    interfaces,
    HEADER "  down: 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16\n"
           "  eth0:18446744073709551615       2    3    4    5     6          7         "
           "8 9      10   11   12    0     0       0          0\n"
           "other: 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16\n"
           "no colon\n:\n\n"
           "  eth0: 0 0 0 0 0 0 0 0 0 0 0 0\n"
           "  eth1: 1 2 3 4 5 6 7 8 9 10 11\n"
           "   cut: 1 2 three");
  statistics = at (interfaces, 1)->statistics;
  g_assert_nonnull (statistics);
  g_assert_cmpuint (statistics->rx_bytes, ==, G_MAXUINT64);
  g_assert_cmpuint (statistics->rx_packets, ==, 2);
  g_assert_cmpuint (statistics->rx_errs, ==, 3);
  g_assert_cmpuint (statistics->rx_dropped, ==, 4);
  g_assert_cmpuint (statistics->tx_bytes, ==, 9);
  g_assert_cmpuint (statistics->tx_packets, ==, 10);
  g_assert_cmpuint (statistics->tx_errs, ==, 11);
  g_assert_cmpuint (statistics->tx_dropped, ==, 12);
  g_assert_null (at (interfaces, 0)->statistics); /* without an address */
  g_assert_null (at (interfaces, 3)->statistics);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/interfaces/collect", test_collect);
  g_test_add_func ("/interfaces/limit", test_limit);
  g_test_add_func ("/interfaces/statistics", test_statistics);
  return g_test_run ();
}
