/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "agent/agent.h"
#include "agent/handlers.h"
#include "agent/interfaces.h"
#include "agent/kernel-file.h"
#include "agent/query.h"
#include "agent/routes.h"
#include "common/error.h"
#include "common/names.h"

#include <errno.h>

static gpointer
nego_cmd_collect_interfaces (gpointer root, GError **error)
{
  struct ifaddrs *list;
  GPtrArray *interfaces;
  g_autofree char *text = NULL;

  if (getifaddrs (&list) != 0) {
    nego_error_set_errno (error, errno, "getifaddrs failed");
    return NULL;
  }
  interfaces = nego_interfaces_collect (list, NEGO_INTERFACES);
  freeifaddrs (list);
  if (interfaces == NULL) {
    g_set_error (error, NEGO_ERROR, NEGO_ERROR_GENERIC, "too many network interfaces (limit %u)",
                 NEGO_INTERFACES);
    return NULL;
  }
  /* Without the file there are no statistics, as in qemu-ga. */
  if (nego_interfaces_need_statistics (interfaces))
    text = nego_kernel_file_read (root, "/proc/net/dev", NEGO_KERNEL_FILE_BYTES, NULL, NULL);
  if (text != NULL)
    nego_interfaces_add_statistics (interfaces, text);
  return interfaces;
}

static void
nego_cmd_answer_interfaces (NegoCall *call, gpointer result)
{
  qapi_guest_network_get_interfaces_return (call, result);
}

void
nego_cmd_guest_network_get_interfaces (NegoCall *call)
{
  static const NegoQuery query = {
    .func = nego_cmd_collect_interfaces,
    .answer = nego_cmd_answer_interfaces,
    .free_arguments = g_free,
    .free_result = (GDestroyNotify) g_ptr_array_unref,
    .timeout_s = NEGO_QUERY_S,
  };

  nego_query_start (&query, call, g_strdup (nego_agent_of (call)->root));
}

typedef gboolean (*NegoCmdRoutesFunc) (GPtrArray *routes, const char *text, guint limit);

/* Adds the table in the file @path. *@missing: there is no such file, which is no error. */
static gboolean
nego_cmd_add_routes (GPtrArray *routes,
                     const char *root,
                     const char *path,
                     NegoCmdRoutesFunc parse,
                     GError **missing,
                     GError **error)
{
  g_autoptr (GError) cause = NULL;
  g_autofree char *text = nego_kernel_file_read (root, path, NEGO_KERNEL_FILE_BYTES, NULL, &cause);

  if (g_error_matches (cause, NEGO_ERROR, NEGO_ERROR_NOT_FOUND)) {
    g_propagate_error (missing, g_steal_pointer (&cause));
    return TRUE;
  }
  if (text == NULL) {
    g_propagate_error (error, g_steal_pointer (&cause));
    return FALSE;
  }
  if (parse (routes, text, NEGO_ROUTES))
    return TRUE;
  g_set_error (error, NEGO_ERROR, NEGO_ERROR_GENERIC, "too many routes (limit %u)", NEGO_ROUTES);
  return FALSE;
}

static gpointer
nego_cmd_collect_routes (gpointer root, GError **error)
{
  g_autoptr (GPtrArray) routes
    = g_ptr_array_new_with_free_func ((GDestroyNotify) qapi_guest_network_route_free);
  g_autoptr (GError) no_ipv4 = NULL;
  g_autoptr (GError) no_ipv6 = NULL;

  if (!nego_cmd_add_routes (routes, root, "/proc/net/route", nego_routes_parse_ipv4, &no_ipv4,
                            error)
      || !nego_cmd_add_routes (routes, root, "/proc/net/ipv6_route", nego_routes_parse_ipv6,
                               &no_ipv6, error))
    return NULL;
  if (no_ipv4 != NULL && no_ipv6 != NULL) {
    g_propagate_error (error, g_steal_pointer (&no_ipv4));
    return NULL;
  }
  return g_steal_pointer (&routes);
}

static void
nego_cmd_answer_routes (NegoCall *call, gpointer result)
{
  qapi_guest_network_get_route_return (call, result);
}

void
nego_cmd_guest_network_get_route (NegoCall *call)
{
  static const NegoQuery query = {
    .func = nego_cmd_collect_routes,
    .answer = nego_cmd_answer_routes,
    .free_arguments = g_free,
    .free_result = (GDestroyNotify) g_ptr_array_unref,
    .timeout_s = NEGO_QUERY_S,
  };

  nego_query_start (&query, call, g_strdup (nego_agent_of (call)->root));
}
