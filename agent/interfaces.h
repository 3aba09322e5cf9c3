/* SPDX-License-Identifier: MIT */
/*
 * interfaces: the network interfaces, of what getifaddrs(3) lists and the text of /proc/net/dev.
 */
#pragma once

#include "qapi/qapi-types.h"

#include <ifaddrs.h>

/* One entry for each name in @list, in its order, up to @limit (NULL if there are more). Returns:
 * (transfer full) (element-type QapiGuestNetworkInterface). */
GPtrArray *nego_interfaces_collect (const struct ifaddrs *list, guint limit);

/* Whether the statistics of any would be told: it has an address. */
gboolean nego_interfaces_need_statistics (GPtrArray *interfaces);

/* Adds the statistics in @text, of /proc/net/dev, to those that have an address. */
void nego_interfaces_add_statistics (GPtrArray *interfaces, const char *text);
