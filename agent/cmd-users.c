/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "agent/agent.h"
#include "agent/handlers.h"
#include "agent/kernel-file.h"
#include "agent/query.h"
#include "agent/users.h"
#include "common/error.h"
#include "common/names.h"

/* Entries of the directory whose names begin with a dot are files that are being written; with
 * ".ref" at the end they are logind's pipes. */
static gboolean
nego_cmd_is_session (const char *name)
{
  return name[0] != '.' && !g_str_has_suffix (name, ".ref");
}

static void
nego_cmd_add_sessions (NegoUsers *users, const char *root)
{
  g_autofree char *path = g_strconcat (root, NEGO_LOGIND_SESSIONS, NULL);
  g_autoptr (GDir) dir = g_dir_open (path, 0, NULL);
  const char *name;
  guint n = 0;

  while (dir != NULL && n < NEGO_SESSION_FILES && (name = g_dir_read_name (dir)) != NULL) {
    g_autofree char *file = g_strconcat (NEGO_LOGIND_SESSIONS "/", name, NULL);
    g_autofree char *text = NULL;

    if (!nego_cmd_is_session (name))
      continue;
    n++;
    /* One that has just ended is gone. */
    text = nego_kernel_file_read (root, file, NEGO_SESSION_FILE_BYTES, NULL, NULL);
    if (text != NULL)
      nego_users_add_session (users, text);
  }
}

static int
nego_cmd_compare_users (gconstpointer a, gconstpointer b)
{
  const QapiGuestUser *first = *(QapiGuestUser *const *) a, *second = *(QapiGuestUser *const *) b;

  return first->login_time < second->login_time ? -1 : first->login_time > second->login_time;
}

static gpointer
nego_cmd_collect_users (gpointer root, GError **error)
{
  g_autoptr (NegoUsers) users = nego_users_new (NEGO_USERS);
  gsize len;
  g_autofree char *data
    = nego_kernel_file_read (root, NEGO_UTMP_FILE, NEGO_KERNEL_FILE_BYTES, &len, NULL);
  GPtrArray *list;

  if (data != NULL)
    nego_users_add_utmp (users, data, len);
  else
    nego_cmd_add_sessions (users, root);
  list = nego_users_steal (users);
  if (list == NULL)
    g_set_error (error, NEGO_ERROR, NEGO_ERROR_GENERIC, "too many users (limit %u)", NEGO_USERS);
  else if (data == NULL) /* the directory has no order */
    g_ptr_array_sort (list, nego_cmd_compare_users);
  return list;
}

static void
nego_cmd_answer_users (NegoCall *call, gpointer result)
{
  qapi_guest_get_users_return (call, result);
}

void
nego_cmd_guest_get_users (NegoCall *call)
{
  static const NegoQuery query = {
    .func = nego_cmd_collect_users,
    .answer = nego_cmd_answer_users,
    .free_arguments = g_free,
    .free_result = (GDestroyNotify) g_ptr_array_unref,
    .timeout_s = NEGO_QUERY_S,
  };

  nego_query_start (&query, call, g_strdup (nego_agent_of (call)->root));
}
