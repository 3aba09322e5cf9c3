/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "host-client/hostd/arrivals.h"

#include "common/watch.h"

#include <errno.h>

#define NEGO_ARRIVALS_EVENTS \
  (IN_CREATE | IN_MOVED_TO | IN_ATTRIB | IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR)

struct NegoArrivals {
  NegoWatch *watch;
  GHookList waiting;
};

static void
nego_arrivals_on_change (NegoWatch *watch, guint32 mask, gpointer user_data)
{
  NegoArrivals *arrivals = user_data;

  g_hook_list_invoke (&arrivals->waiting, FALSE);
}

NegoArrivals *
nego_arrivals_new (GError **error)
{
  g_autoptr (NegoArrivals) arrivals = g_new0 (NegoArrivals, 1);

  g_hook_list_init (&arrivals->waiting, sizeof (GHook));
  arrivals->watch = nego_watch_new (nego_arrivals_on_change, arrivals, error);
  return arrivals->watch != NULL ? g_steal_pointer (&arrivals) : NULL;
}

void
nego_arrivals_free (NegoArrivals *arrivals)
{
  if (arrivals == NULL)
    return;
  nego_watch_free (arrivals->watch);
  g_hook_list_clear (&arrivals->waiting);
  g_free (arrivals);
}

gulong
nego_arrivals_wait (NegoArrivals *arrivals, GHookFunc func, gpointer user_data)
{
  GHook *hook = g_hook_alloc (&arrivals->waiting);

  hook->func = func;
  hook->data = user_data;
  g_hook_append (&arrivals->waiting, hook);
  return hook->hook_id;
}

void
nego_arrivals_leave (NegoArrivals *arrivals, gulong wait)
{
  g_hook_destroy (&arrivals->waiting, wait);
}

void
nego_arrivals_look_at (NegoArrivals *arrivals, const char *path)
{
  g_autofree char *dir = g_path_get_dirname (path);

  while (nego_watch_add (arrivals->watch, dir, NEGO_ARRIVALS_EVENTS) < 0 && errno == ENOENT) {
    g_autofree char *child = g_steal_pointer (&dir);

    dir = g_path_get_dirname (child);
  }
}
