/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "agent/agent.h"
#include "agent/handlers.h"
#include "agent/kernel-file.h"
#include "agent/assignments.h"
#include "agent/query.h"
#include "common/error.h"
#include "common/names.h"

#include <errno.h>
#include <sys/utsname.h>

static char *
nego_cmd_read_os_release (const char *root)
{
  const char *other = g_getenv (NEGO_OS_RELEASE_ENV);
  char *text;

  if (other != NULL)
    return nego_kernel_file_read ("", other, NEGO_OS_RELEASE_BYTES, NULL, NULL);
  text = nego_kernel_file_read (root, "/etc/os-release", NEGO_OS_RELEASE_BYTES, NULL, NULL);
  if (text != NULL)
    return text;
  return nego_kernel_file_read (root, "/usr/lib/os-release", NEGO_OS_RELEASE_BYTES, NULL, NULL);
}

static void
nego_cmd_add_distribution (QapiGuestOSInfo *info, const char *text)
{
  g_autoptr (GHashTable) values = nego_assignments_parse (text);
  const struct {
    const char *name;
    char **member;
  } rows[] = {
    { "ID", &info->id },
    { "NAME", &info->name },
    { "PRETTY_NAME", &info->pretty_name },
    { "VARIANT", &info->variant },
    { "VARIANT_ID", &info->variant_id },
    { "VERSION", &info->version },
    { "VERSION_ID", &info->version_id },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++)
    *rows[i].member = g_strdup (g_hash_table_lookup (values, rows[i].name));
}

static gpointer
nego_cmd_collect_os (gpointer root, GError **error)
{
  QapiGuestOSInfo *info;
  g_autofree char *text = NULL;
  struct utsname kernel;

  if (uname (&kernel) != 0) {
    nego_error_set_errno (error, errno, "uname failed");
    return NULL;
  }
  info = qapi_guest_os_info_new ();
  info->kernel_release = g_strdup (kernel.release);
  info->kernel_version = g_strdup (kernel.version);
  info->machine = g_strdup (kernel.machine);
  text = nego_cmd_read_os_release (root);
  if (text != NULL)
    nego_cmd_add_distribution (info, text);
  return info;
}

static void
nego_cmd_answer_os (NegoCall *call, gpointer result)
{
  qapi_guest_get_osinfo_return (call, result);
}

void
nego_cmd_guest_get_osinfo (NegoCall *call)
{
  static const NegoQuery query = {
    .func = nego_cmd_collect_os,
    .answer = nego_cmd_answer_os,
    .free_arguments = g_free,
    .free_result = (GDestroyNotify) qapi_guest_os_info_free,
    .timeout_s = NEGO_QUERY_S,
  };

  nego_query_start (&query, call, g_strdup (nego_agent_of (call)->root));
}
