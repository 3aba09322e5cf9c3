/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "agent/handlers.h"
#include "agent/query.h"
#include "common/error.h"
#include "common/names.h"

#include <errno.h>
#include <limits.h>
#include <unistd.h>

QapiGuestHostName *
nego_cmd_guest_get_host_name (NegoCall *call, GError **error)
{
  QapiGuestHostName *host;
  char name[HOST_NAME_MAX + 1];

  if (gethostname (name, sizeof name) != 0) {
    nego_error_set_errno (error, errno, "cannot get hostname");
    return NULL;
  }
  host = qapi_guest_host_name_new ();
  host->host_name = g_strdup (name);
  return host;
}

static gpointer
nego_cmd_collect_timezone (gpointer arguments, GError **error)
{
  /* Without TZ it reads /etc/localtime each time, so that a change is seen. */
  GTimeZone *zone = g_time_zone_new_local ();
  gint64 now = g_get_real_time () / G_USEC_PER_SEC;
  int interval = g_time_zone_find_interval (zone, G_TIME_TYPE_UNIVERSAL, now);
  QapiGuestTimezone *result = qapi_guest_timezone_new ();

  result->zone = g_strdup (g_time_zone_get_abbreviation (zone, interval));
  result->offset = g_time_zone_get_offset (zone, interval);
  g_time_zone_unref (zone);
  return result;
}

static void
nego_cmd_answer_timezone (NegoCall *call, gpointer result)
{
  qapi_guest_get_timezone_return (call, result);
}

void
nego_cmd_guest_get_timezone (NegoCall *call)
{
  static const NegoQuery query = {
    .func = nego_cmd_collect_timezone,
    .answer = nego_cmd_answer_timezone,
    .free_result = (GDestroyNotify) qapi_guest_timezone_free,
    .timeout_s = NEGO_QUERY_S,
  };

  nego_query_start (&query, call, NULL);
}
