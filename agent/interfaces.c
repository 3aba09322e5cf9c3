/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "agent/interfaces.h"

#include <arpa/inet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netpacket/packet.h>
#include <string.h>

/* The columns of /proc/net/dev that QGA has (net/core/net-procfs.c). */
enum { RX_BYTES, RX_PACKETS, RX_ERRS, RX_DROPPED, TX_BYTES = 8, TX_PACKETS, TX_ERRS, TX_DROPPED };
#define N_COLUMNS (TX_DROPPED + 1)

/* QGA tells six bytes of any kind of link, zeros for what is not there. */
static char *
nego_interfaces_hardware_text (const struct sockaddr_ll *link)
{
  guint8 bytes[6] = { 0 };

  memcpy (bytes, link->sll_addr, MIN (link->sll_halen, sizeof bytes));
  return g_strdup_printf ("%02x:%02x:%02x:%02x:%02x:%02x", bytes[0], bytes[1], bytes[2], bytes[3],
                          bytes[4], bytes[5]);
}

static gint64
nego_interfaces_count_bits (const void *mask, gsize len)
{
  gint64 bits = 0;

  for (gsize i = 0; i < len; i++)
    bits += __builtin_popcount (((const guint8 *) mask)[i]);
  return bits;
}

static QapiGuestIpAddress *
nego_interfaces_address (const struct ifaddrs *entry)
{
  QapiGuestIpAddress *address = qapi_guest_ip_address_new ();
  char text[INET6_ADDRSTRLEN];

  if (entry->ifa_addr->sa_family == AF_INET) {
    const struct sockaddr_in *ip = (const void *) entry->ifa_addr;
    const struct sockaddr_in *mask = (const void *) entry->ifa_netmask;

    address->ip_address_type = QAPI_GUEST_IP_ADDRESS_TYPE_IPV4;
    address->ip_address = g_strdup (inet_ntop (AF_INET, &ip->sin_addr, text, sizeof text));
    if (mask != NULL)
      address->prefix = nego_interfaces_count_bits (&mask->sin_addr, sizeof mask->sin_addr);
  } else {
    const struct sockaddr_in6 *ip = (const void *) entry->ifa_addr;
    const struct sockaddr_in6 *mask = (const void *) entry->ifa_netmask;

    address->ip_address_type = QAPI_GUEST_IP_ADDRESS_TYPE_IPV6;
    address->ip_address = g_strdup (inet_ntop (AF_INET6, &ip->sin6_addr, text, sizeof text));
    if (mask != NULL)
      address->prefix = nego_interfaces_count_bits (&mask->sin6_addr, sizeof mask->sin6_addr);
  }
  return address;
}

/* The label eth0:1 has the hardware address of eth0. */
static void
nego_interfaces_complete_label (GHashTable *by_name, QapiGuestNetworkInterface *interface)
{
  g_autofree char *base = NULL;
  const QapiGuestNetworkInterface *owner;
  const char *colon = strchr (interface->name, ':');

  if (colon == NULL || interface->hardware_address != NULL)
    return;
  base = g_strndup (interface->name, (gsize) (colon - interface->name));
  owner = g_hash_table_lookup (by_name, base);
  if (owner != NULL)
    interface->hardware_address = g_strdup (owner->hardware_address);
}

static void
nego_interfaces_add (QapiGuestNetworkInterface *interface, const struct ifaddrs *entry)
{
  if (entry->ifa_addr == NULL)
    return;
  switch (entry->ifa_addr->sa_family) {
  case AF_PACKET:
    if (interface->hardware_address == NULL)
      interface->hardware_address = nego_interfaces_hardware_text ((const void *) entry->ifa_addr);
    break;
  case AF_INET:
  case AF_INET6:
    if (interface->ip_addresses == NULL)
      interface->ip_addresses
        = g_ptr_array_new_with_free_func ((GDestroyNotify) qapi_guest_ip_address_free);
    g_ptr_array_add (interface->ip_addresses, nego_interfaces_address (entry));
    break;
  default:
    break;
  }
}

GPtrArray *
nego_interfaces_collect (const struct ifaddrs *list, guint limit)
{
  g_autoptr (GPtrArray) interfaces
    = g_ptr_array_new_with_free_func ((GDestroyNotify) qapi_guest_network_interface_free);
  g_autoptr (GHashTable) by_name = g_hash_table_new (g_str_hash, g_str_equal);

  for (; list != NULL; list = list->ifa_next) {
    QapiGuestNetworkInterface *interface = g_hash_table_lookup (by_name, list->ifa_name);

    if (interface == NULL) {
      if (interfaces->len == limit)
        return NULL;
      interface = qapi_guest_network_interface_new ();
      interface->name = g_strdup (list->ifa_name);
      g_ptr_array_add (interfaces, interface);
      g_hash_table_insert (by_name, interface->name, interface);
    }
    nego_interfaces_add (interface, list);
    nego_interfaces_complete_label (by_name, interface);
  }
  return g_steal_pointer (&interfaces);
}

gboolean
nego_interfaces_need_statistics (GPtrArray *interfaces)
{
  for (guint i = 0; i < interfaces->len; i++)
    if (((QapiGuestNetworkInterface *) interfaces->pdata[i])->ip_addresses != NULL)
      return TRUE;
  return FALSE;
}

/* The numbers behind "NAME:". */
static gboolean
nego_interfaces_read_columns (const char *text, guint64 columns[N_COLUMNS])
{
  for (guint i = 0; i < N_COLUMNS; i++) {
    char *end;

    while (*text == ' ')
      text++;
    if (!g_ascii_isdigit (*text))
      return FALSE;
    columns[i] = g_ascii_strtoull (text, &end, 10);
    text = end;
  }
  return TRUE;
}

static QapiGuestNetworkInterfaceStat *
nego_interfaces_statistics (const guint64 columns[N_COLUMNS])
{
  QapiGuestNetworkInterfaceStat *statistics = qapi_guest_network_interface_stat_new ();

  statistics->rx_bytes = columns[RX_BYTES];
  statistics->rx_packets = columns[RX_PACKETS];
  statistics->rx_errs = columns[RX_ERRS];
  statistics->rx_dropped = columns[RX_DROPPED];
  statistics->tx_bytes = columns[TX_BYTES];
  statistics->tx_packets = columns[TX_PACKETS];
  statistics->tx_errs = columns[TX_ERRS];
  statistics->tx_dropped = columns[TX_DROPPED];
  return statistics;
}

void
nego_interfaces_add_statistics (GPtrArray *interfaces, const char *text)
{
  g_autoptr (GHashTable) by_name = g_hash_table_new (g_str_hash, g_str_equal);

  for (guint i = 0; i < interfaces->len; i++) {
    QapiGuestNetworkInterface *interface = interfaces->pdata[i];

    if (interface->ip_addresses != NULL)
      g_hash_table_insert (by_name, interface->name, interface);
  }
  while (*text != '\0') {
    const char *end = strchrnul (text, '\n');
    const char *colon;
    guint64 columns[N_COLUMNS];

    while (*text == ' ')
      text++;
    colon = memchr (text, ':', (gsize) (end - text));
    if (colon != NULL && nego_interfaces_read_columns (colon + 1, columns)) {
      g_autofree char *name = g_strndup (text, (gsize) (colon - text));
      QapiGuestNetworkInterface *interface = g_hash_table_lookup (by_name, name);

      if (interface != NULL && interface->statistics == NULL)
        interface->statistics = nego_interfaces_statistics (columns);
    }
    text = *end != '\0' ? end + 1 : end;
  }
}
