/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "agent/routes.h"

#include <arpa/inet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#define NAME_FORMAT "%15s" /* an interface's name: IFNAMSIZ - 1 characters */
G_STATIC_ASSERT (IFNAMSIZ == 16);

typedef QapiGuestNetworkRoute *(*NegoRoutesRowFunc) (const char *line);

/* @word: an address as the kernel's memory has it, read as a number. */
static char *
nego_routes_ipv4_text (unsigned int word)
{
  struct in_addr address = { .s_addr = word };
  char text[INET_ADDRSTRLEN];

  return g_strdup (inet_ntop (AF_INET, &address, text, sizeof text));
}

/* @digits: 32 hexadecimal digits. */
static char *
nego_routes_ipv6_text (const char *digits)
{
  struct in6_addr address;
  char text[INET6_ADDRSTRLEN];

  if (strlen (digits) != 2 * sizeof address.s6_addr)
    return NULL;
  for (gsize i = 0; i < sizeof address.s6_addr; i++) {
    int high = g_ascii_xdigit_value (digits[2 * i]);
    int low = g_ascii_xdigit_value (digits[2 * i + 1]);

    if (high < 0 || low < 0)
      return NULL;
    address.s6_addr[i] = (guint8) (high << 4 | low);
  }
  return g_strdup (inet_ntop (AF_INET6, &address, text, sizeof text));
}

static QapiGuestNetworkRoute *
nego_routes_read_ipv4 (const char *line)
{
  char name[IFNAMSIZ];
  unsigned int destination, gateway, flags, mask;
  int refcnt, use, metric, mtu, window, irtt, name_len = 0;
  QapiGuestNetworkRoute *route;

  if (sscanf (line, NAME_FORMAT "%n %X %X %X %d %d %d %X %d %d %d", name, &name_len, &destination,
              &gateway, &flags, &refcnt, &use, &metric, &mask, &mtu, &window, &irtt)
        != 11
      || line[name_len] != '\t')
    return NULL;
  route = qapi_guest_network_route_new ();
  route->iface = g_strdup (name);
  route->destination = nego_routes_ipv4_text (destination);
  route->gateway = nego_routes_ipv4_text (gateway);
  route->mask = nego_routes_ipv4_text (mask);
  route->metric = metric;
  route->irtt = irtt;
  route->flags = flags;
  route->refcnt = refcnt;
  route->use = use;
  route->window = window;
  route->mtu = mtu;
  route->has_irtt = route->has_flags = route->has_refcnt = route->has_use = TRUE;
  route->has_window = route->has_mtu = TRUE;
  route->version = 4;
  return route;
}

static QapiGuestNetworkRoute *
nego_routes_read_ipv6 (const char *line)
{
  char destination[33], source[33], nexthop[33], name[IFNAMSIZ];
  unsigned int destination_bits, source_bits, metric, refcnt, use, flags;
  g_autoptr (QapiGuestNetworkRoute) route = NULL;

  if (sscanf (line, "%32s %X %32s %X %32s %X %X %X %X " NAME_FORMAT, destination, &destination_bits,
              source, &source_bits, nexthop, &metric, &refcnt, &use, &flags, name)
      != 10)
    return NULL;
  route = qapi_guest_network_route_new ();
  route->iface = g_strdup (name);
  route->destination = nego_routes_ipv6_text (destination);
  route->source = nego_routes_ipv6_text (source);
  route->nexthop = nego_routes_ipv6_text (nexthop);
  if (route->destination == NULL || route->source == NULL || route->nexthop == NULL)
    return NULL;
  route->desprefixlen = g_strdup_printf ("%u", destination_bits);
  route->srcprefixlen = g_strdup_printf ("%u", source_bits);
  route->metric = metric;
  route->flags = flags;
  route->refcnt = refcnt;
  route->use = use;
  route->has_flags = route->has_refcnt = route->has_use = TRUE;
  route->version = 6;
  return g_steal_pointer (&route);
}

static gboolean
nego_routes_parse (GPtrArray *routes, const char *text, guint limit, NegoRoutesRowFunc read_row)
{
  while (*text != '\0') {
    const char *end = strchrnul (text, '\n');
    /* sscanf() measures all of its string each time. */
    g_autofree char *line = g_strndup (text, (gsize) (end - text));
    QapiGuestNetworkRoute *route = read_row (line);

    if (route != NULL && routes->len == limit) {
      qapi_guest_network_route_free (route);
      return FALSE;
    }
    if (route != NULL)
      g_ptr_array_add (routes, route);
    text = *end != '\0' ? end + 1 : end;
  }
  return TRUE;
}

gboolean
nego_routes_parse_ipv4 (GPtrArray *routes, const char *text, guint limit)
{
  return nego_routes_parse (routes, text, limit, nego_routes_read_ipv4);
}

gboolean
nego_routes_parse_ipv6 (GPtrArray *routes, const char *text, guint limit)
{
  return nego_routes_parse (routes, text, limit, nego_routes_read_ipv6);
}
