/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "agent/users.h"

#include "agent/assignments.h"

#include <string.h>
#include <utmpx.h>

struct NegoUsers {
  GPtrArray *list;
  GHashTable *by_name;
  guint limit;
  gboolean too_many;
};

NegoUsers *
nego_users_new (guint limit)
{
  NegoUsers *users = g_new0 (NegoUsers, 1);

  users->list = g_ptr_array_new_with_free_func ((GDestroyNotify) qapi_guest_user_free);
  users->by_name = g_hash_table_new (g_str_hash, g_str_equal);
  users->limit = limit;
  return users;
}

void
nego_users_free (NegoUsers *users)
{
  if (users == NULL)
    return;
  g_hash_table_unref (users->by_name);
  g_clear_pointer (&users->list, g_ptr_array_unref);
  g_free (users);
}

/* Takes @name. */
static void
nego_users_add (NegoUsers *users, char *name, double login_time)
{
  QapiGuestUser *user = g_hash_table_lookup (users->by_name, name);

  if (user != NULL) {
    user->login_time = MIN (user->login_time, login_time);
    g_free (name);
    return;
  }
  if (users->list->len == users->limit) {
    users->too_many = TRUE;
    g_free (name);
    return;
  }
  user = qapi_guest_user_new ();
  user->user = name;
  user->login_time = login_time;
  g_ptr_array_add (users->list, user);
  g_hash_table_insert (users->by_name, user->user, user);
}

void
nego_users_add_utmp (NegoUsers *users, const char *data, gsize len)
{
  struct utmpx record;

  for (; len >= sizeof record; data += sizeof record, len -= sizeof record) {
    double login_time;

    memcpy (&record, data, sizeof record);
    if (record.ut_type != USER_PROCESS)
      continue;
    /* Where the seconds have 32 bits they are meant without a sign, until 2106. */
    login_time = record.ut_tv.tv_usec / (double) G_USEC_PER_SEC;
    login_time += sizeof record.ut_tv.tv_sec == sizeof (guint32)
                    ? (double) (guint32) record.ut_tv.tv_sec
                    : (double) record.ut_tv.tv_sec;
    /* There is no NUL behind a name that fills the field. */
    nego_users_add (users, g_strndup (record.ut_user, sizeof record.ut_user), login_time);
  }
}

void
nego_users_add_session (NegoUsers *users, const char *text)
{
  g_autoptr (GHashTable) values = nego_assignments_parse (text);
  const char *name = g_hash_table_lookup (values, "USER");
  const char *session_class = g_hash_table_lookup (values, "CLASS");
  const char *type = g_hash_table_lookup (values, "TYPE");
  const char *state = g_hash_table_lookup (values, "STATE");
  const char *start = g_hash_table_lookup (values, "REALTIME");
  guint64 start_us;

  if (name == NULL || *name == '\0' || start == NULL
      || !g_ascii_string_to_unsigned (start, 10, 0, G_MAXUINT64, &start_us, NULL))
    return;
  /* Not login screens, managers and what cron starts. */
  if (session_class == NULL || !g_str_has_prefix (session_class, "user") || type == NULL
      || g_str_equal (type, "unspecified") || g_strcmp0 (state, "closing") == 0)
    return;
  nego_users_add (users, g_strdup (name), (double) start_us / G_USEC_PER_SEC);
}

GPtrArray *
nego_users_steal (NegoUsers *users)
{
  return users->too_many ? NULL : g_steal_pointer (&users->list);
}
