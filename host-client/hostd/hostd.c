/* SPDX-License-Identifier: MIT */
#define G_LOG_DOMAIN "nego-hostd"

#include "config.h"

#include "host-client/hostd/hostd.h"

#include "common/cgroup-tree.h"
#include "common/error.h"
#include "common/names.h"
#include "common/offload.h"
#ifdef NEGO_HOSTD_LIBVIRT
#include "host-client/hostd/connection.h"
#endif
#include "host-client/guest-socket.h"
#include "host-client/hostd/control.h"
#include "host-client/hostd/rules-dir.h"
#include "host-client/hostd/station.h"

#include <pwd.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct NegoHostd {
  NegoArrivals *arrivals;
  NegoGuests *guests;
  NegoControl *control;   /* NULL: none is wanted */
  GPtrArray *stations;    /* of guests without libvirt */
  GPtrArray *connections; /* to libvirt */
  NegoOffload *offload;   /* libvirt's calls */
  char *policy;
  GMainLoop *loop;
  gboolean stopping;
};

/* Why nobody's script can run as @user, as it goes behind "refused by"; NULL: it can. */
static char *
nego_hostd_judge_user (const char *user)
{
  const struct passwd *entry = getpwnam (user);

  if (geteuid () != 0)
    return g_strdup_printf ("'run-as': nego-hostd is not root and cannot become '%s'", user);
  if (entry == NULL)
    return g_strdup_printf ("'run-as': there is no user '%s'", user);
  if (entry->pw_uid == geteuid ())
    return g_strdup_printf ("'run-as': '%s' is nego-hostd's own user", user);
  return NULL;
}

/* The name of this process's user, or NULL. */
static const char *
nego_hostd_get_own_user (void)
{
  const struct passwd *entry = getpwuid (geteuid ());

  return entry != NULL ? entry->pw_name : NULL;
}

static NegoGuests *
nego_hostd_new_guests (const NegoSettings *settings, NegoRules *rules)
{
  const gboolean self = strcmp (settings->run_as, NEGO_SETTINGS_SELF) == 0;
  g_autofree char *problem = self ? NULL : nego_hostd_judge_user (settings->run_as);
  const NegoGuestsRunAs run_as
    = { self ? NULL : settings->run_as, nego_hostd_get_own_user (), problem };

  if (problem != NULL)
    g_warning ("no command of the host can be run by its guests: refused by %s", problem);
  return nego_guests_new ((const char *const *) settings->host_commands, NEGO_BUILTIN_DIR, &run_as,
                          rules);
}

/* The guests' runs, each in a control group of its own where that can be. */
static void
nego_hostd_open_cgroups (NegoHostd *hostd)
{
  g_autoptr (GError) error = NULL;
  NegoCgroupTree *cgroups = nego_cgroup_tree_open (&error);

  if (cgroups == NULL)
    g_debug ("scripts have no control groups: %s", error->message);
  nego_guests_set_cgroups (hostd->guests, cgroups);
}

/* All connections behind one descriptor: there may be hundreds of guests. */
static void
nego_hostd_open_poller (NegoHostd *hostd)
{
  g_autoptr (GError) error = NULL;
  NegoPoller *poller = nego_poller_new (&error);

  if (poller == NULL)
    g_warning ("%s: many guests will be served slowly", error->message);
  nego_guests_set_poller (hostd->guests, poller);
}

static void
nego_hostd_add_sockets (NegoHostd *hostd, const NegoSettings *settings)
{
  for (guint i = 0; i < settings->sockets->len; i++) {
    const NegoSettingsSocket *entry = settings->sockets->pdata[i];
    const NegoStationSpec spec
      = { .name = entry->name, .agent = entry->agent, .port = entry->path };

    g_ptr_array_add (hostd->stations, nego_station_new (hostd->guests, hostd->arrivals, &spec));
  }
}

#ifdef NEGO_HOSTD_LIBVIRT

static gboolean
nego_hostd_connect (NegoHostd *hostd, const NegoSettings *settings, GError **error)
{
  if (*settings->connect != NULL)
    nego_look_start ();
  hostd->offload = nego_offload_new ();
  hostd->connections = g_ptr_array_new_with_free_func ((GDestroyNotify) nego_connection_free);
  for (char **uri = settings->connect; *uri != NULL; uri++)
    g_ptr_array_add (hostd->connections,
                     nego_connection_new (*uri, hostd->guests, hostd->arrivals, hostd->offload));
  return TRUE;
}

#else

static gboolean
nego_hostd_connect (NegoHostd *hostd, const NegoSettings *settings, GError **error)
{
  if (*settings->connect == NULL)
    return TRUE;
  g_set_error (error, NEGO_ERROR, NEGO_ERROR_CONFIG,
               "cannot follow the guests of '%s': nego-hostd was built without libvirt",
               *settings->connect);
  return FALSE;
}

#endif

/* Once, since it may block. Without the group a socket is for this user alone, which is no reason
 * not to serve. */
static void
nego_hostd_judge_access (const char *group, guint *mode, gid_t *gid)
{
  g_autoptr (GError) error = NULL;

  *gid = NEGO_LISTENER_NO_GROUP;
  if (nego_listener_find_group (group, gid, &error))
    return;
  g_message ("%s: only this user's programs may ask for the guests", error->message);
  *mode &= S_IRWXU;
}

/* The sockets for local programs: our own, and those of the guests. */
static gboolean
nego_hostd_listen (NegoHostd *hostd, const NegoSettings *settings, GError **error)
{
  g_autofree char *dir = nego_guest_socket_dir (settings->control);
  NegoOutletPlace outlets = { .dir = dir, .mode = settings->guests_mode };
  guint mode = NEGO_CONTROL_MODE;
  gid_t gid;

  if (*settings->control == '\0')
    return TRUE;
  nego_hostd_judge_access (settings->group, &mode, &gid);
  hostd->control = nego_control_new (hostd->guests, settings->control, gid, mode, error);
  if (hostd->control == NULL)
    return FALSE;
  outlets.poller = nego_guests_get_poller (hostd->guests);
  nego_hostd_judge_access (settings->guests_group != NULL ? settings->guests_group
                                                          : settings->group,
                           &outlets.mode, &outlets.gid);
  nego_guests_set_outlets (hostd->guests, &outlets);
  return TRUE;
}

NegoHostd *
nego_hostd_new (const NegoSettings *settings, GError **error)
{
  g_autoptr (NegoHostd) hostd = g_new0 (NegoHostd, 1);
  NegoRules *rules = nego_rules_load (settings->policy, error);

  if (rules == NULL)
    return NULL;
  hostd->policy = g_strdup (settings->policy);
  hostd->loop = g_main_loop_new (NULL, FALSE);
  hostd->stations = g_ptr_array_new_with_free_func ((GDestroyNotify) nego_station_free);
  hostd->guests = nego_hostd_new_guests (settings, rules);
  nego_hostd_open_cgroups (hostd);
  nego_hostd_open_poller (hostd);
  hostd->arrivals = nego_arrivals_new (error);
  if (hostd->arrivals == NULL)
    return NULL;
  if (!nego_hostd_listen (hostd, settings, error))
    return NULL;
  nego_hostd_add_sockets (hostd, settings);
  if (!nego_hostd_connect (hostd, settings, error))
    return NULL;
  return g_steal_pointer (&hostd);
}

void
nego_hostd_free (NegoHostd *hostd)
{
  if (hostd == NULL)
    return;
  /* First those who wait for jobs, then the jobs. */
  g_free (hostd->policy);
  nego_control_free (hostd->control);
  g_clear_pointer (&hostd->connections, g_ptr_array_unref);
  nego_offload_free (hostd->offload);
  g_clear_pointer (&hostd->stations, g_ptr_array_unref);
  nego_guests_free (hostd->guests);
  nego_arrivals_free (hostd->arrivals);
  g_clear_pointer (&hostd->loop, g_main_loop_unref);
  g_free (hostd);
}

void
nego_hostd_run (NegoHostd *hostd)
{
  g_main_loop_run (hostd->loop);
}

void
nego_hostd_reload (NegoHostd *hostd)
{
  g_autoptr (GError) error = NULL;
  NegoRules *rules = nego_rules_load (hostd->policy, &error);

  if (rules == NULL) {
    g_warning ("the policy stays as it was: %s", error->message);
    return;
  }
  nego_guests_set_rules (hostd->guests, rules);
  g_message ("the policy of '%s' is in force", hostd->policy);
}

static void
nego_hostd_on_stopped (gpointer user_data)
{
  NegoHostd *hostd = user_data;

  g_main_loop_quit (hostd->loop);
}

void
nego_hostd_stop (NegoHostd *hostd)
{
  if (hostd->stopping) {
    g_main_loop_quit (hostd->loop);
    return;
  }
  hostd->stopping = TRUE;
  nego_guests_stop (hostd->guests, nego_hostd_on_stopped, hostd);
}
