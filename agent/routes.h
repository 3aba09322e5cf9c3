/* SPDX-License-Identifier: MIT */
/*
 * routes: the rows of the kernel's tables of routes, of /proc/net/route and /proc/net/ipv6_route
 * (net/ipv4/fib_trie.c and net/ipv6/route.c in Linux). A row that does not look like one is
 * skipped.
 */
#pragma once

#include "qapi/qapi-types.h"

/* Adds the rows of @text to @routes (element-type QapiGuestNetworkRoute), up to @limit in it.
 * Returns FALSE if there were more. */
gboolean nego_routes_parse_ipv4 (GPtrArray *routes, const char *text, guint limit);
gboolean nego_routes_parse_ipv6 (GPtrArray *routes, const char *text, guint limit);
