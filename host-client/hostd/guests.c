/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "host-client/hostd/guests.h"

#include "common/names.h"
#include "common/source.h"

#include <string.h>

struct NegoGuests {
  GHashTable *present; /* identity → guest */
  GHashTable *absent;  /* the same: guests with jobs whose results, or syncs that, are kept */
  GSource *expiry;     /* while somebody is absent */
  char **commands;
  char *builtins;
  char *user, *own, *problem;
  NegoGuestsRunAs run_as;
  char *outlet_dir;
  NegoOutletPlace outlets;
  NegoCgroupTree *cgroups; /* NULL: none */
  NegoPoller *poller;      /* NULL: none */
  NegoRules *rules;
  GHookList watches;
  guint stopping; /* tables that have not stopped */
  NegoJobTableStoppedFunc stopped;
  gpointer stopped_data;
};

NegoGuests *
nego_guests_new (const char *const *commands,
                 const char *builtins,
                 const NegoGuestsRunAs *run_as,
                 NegoRules *rules)
{
  NegoGuests *guests = g_new0 (NegoGuests, 1);

  guests->present
    = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, (GDestroyNotify) nego_guest_free);
  guests->absent
    = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, (GDestroyNotify) nego_guest_free);
  guests->commands = g_strdupv ((char **) commands);
  guests->builtins = g_strdup (builtins);
  guests->user = g_strdup (run_as->user);
  guests->own = g_strdup (run_as->own);
  guests->problem = g_strdup (run_as->problem);
  guests->run_as = (NegoGuestsRunAs){ guests->user, guests->own, guests->problem };
  guests->rules = rules;
  g_hook_list_init (&guests->watches, sizeof (GHook));
  return guests;
}

void
nego_guests_free (NegoGuests *guests)
{
  if (guests == NULL)
    return;
  nego_source_clear (&guests->expiry);
  g_hash_table_unref (guests->present);
  g_hash_table_unref (guests->absent);
  g_hook_list_clear (&guests->watches);
  nego_poller_free (guests->poller);
  nego_cgroup_tree_unref (guests->cgroups);
  nego_rules_free (guests->rules);
  g_strfreev (guests->commands);
  g_free (guests->builtins);
  g_free (guests->user);
  g_free (guests->own);
  g_free (guests->problem);
  g_free (guests->outlet_dir);
  g_free (guests);
}

/* A name holds no line feed, nor does a UUID. */
static char *
nego_guests_identity (const char *name, const char *uuid, const char *connection)
{
  return g_strconcat (connection != NULL ? connection : "", "\n", uuid != NULL ? uuid : name, NULL);
}

NegoGuest *
nego_guests_take (NegoGuests *guests, const char *name, const char *uuid, const char *connection)
{
  g_autofree char *identity = nego_guests_identity (name, uuid, connection);
  NegoGuest *guest = g_hash_table_lookup (guests->present, identity);
  gpointer key = NULL, value = NULL;

  if (guest == NULL && g_hash_table_steal_extended (guests->absent, identity, &key, &value)) {
    g_free (key);
    guest = value;
    g_hash_table_insert (guests->present, g_steal_pointer (&identity), guest);
  } else if (guest == NULL) {
    guest = nego_guest_new (guests, name, uuid, connection);
    g_hash_table_insert (guests->present, g_steal_pointer (&identity), guest);
  }
  if (strcmp (guest->name, name) != 0) {
    g_free (guest->name);
    guest->name = g_strdup (name);
  }
  nego_guests_tell (guests);
  return guest;
}

/* Whether nobody can ask for what @guest has, and no replay of it would be taken for new: a guest
 * that is saved, or reverted to a snapshot, is away meanwhile. */
static gboolean
nego_guests_is_over (gpointer key, gpointer value, gpointer user_data)
{
  NegoGuest *guest = value;
  const NegoJobTable *jobs = guest->service.jobs;

  return nego_job_table_count_running (jobs) == 0 && nego_job_table_count_queued (jobs) == 0
         && nego_job_table_count_retained (jobs) == 0
         && nego_sync_ids_are_over (&guest->sync_ids, g_get_monotonic_time ());
}

static gboolean
nego_guests_on_expiry (gpointer user_data)
{
  NegoGuests *guests = user_data;

  g_hash_table_foreach_remove (guests->absent, nego_guests_is_over, NULL);
  if (g_hash_table_size (guests->absent) > 0)
    return G_SOURCE_CONTINUE;
  nego_source_clear (&guests->expiry);
  return G_SOURCE_REMOVE;
}

void
nego_guests_drop (NegoGuests *guests, NegoGuest *guest)
{
  g_autofree char *identity = nego_guests_identity (guest->name, guest->uuid, guest->connection);
  gpointer key = NULL, value = NULL;

  if (!g_hash_table_steal_extended (guests->present, identity, &key, &value))
    return;
  nego_notes_clear (&guest->notes);
  guest->state = NEGO_GUEST_WAITING;
  if (nego_guests_is_over (key, value, NULL)) {
    nego_guest_free (value);
    g_free (key);
  } else {
    g_hash_table_insert (guests->absent, key, value);
    if (guests->expiry == NULL)
      guests->expiry
        = nego_source_add_timeout ((NEGO_JOB_EXPIRY_S + 1) * 1000, nego_guests_on_expiry, guests);
  }
  nego_guests_tell (guests);
}

NegoGuest *
nego_guests_find (NegoGuests *guests, const char *name)
{
  GHashTableIter iter;
  gpointer value;

  g_hash_table_iter_init (&iter, guests->present);
  while (g_hash_table_iter_next (&iter, NULL, &value)) {
    NegoGuest *guest = value;

    if (strcmp (guest->name, name) == 0
        || (guest->uuid != NULL && g_ascii_strcasecmp (guest->uuid, name) == 0))
      return guest;
  }
  return NULL;
}

static int
nego_guests_compare (gconstpointer a, gconstpointer b)
{
  const NegoGuest *const *left = a, *const *right = b;

  return strcmp ((*left)->name, (*right)->name);
}

static gboolean
nego_guests_is_named (const GPtrArray *list, guint at, const char *name)
{
  return strcmp (((const NegoGuest *) list->pdata[at])->name, name) == 0;
}

GPtrArray *
nego_guests_list (NegoGuests *guests, const char *after, guint max)
{
  GPtrArray *list = g_ptr_array_new ();
  guint n = max;
  GHashTableIter iter;
  gpointer value;

  g_hash_table_iter_init (&iter, guests->present);
  while (g_hash_table_iter_next (&iter, NULL, &value))
    if (after == NULL || strcmp (((const NegoGuest *) value)->name, after) > 0)
      g_ptr_array_add (list, value);
  g_ptr_array_sort (list, nego_guests_compare);
  if (list->len <= max)
    return list;
  while (n > 0 && nego_guests_is_named (list, n - 1, ((NegoGuest *) list->pdata[max])->name))
    n--;
  /* So many of one name cannot be told in parts. */
  g_ptr_array_set_size (list, (int) (n > 0 ? n : max));
  return list;
}

guint
nego_guests_count (const NegoGuests *guests)
{
  return g_hash_table_size (guests->present);
}

static gsize
nego_guests_sum (GHashTable *table)
{
  GHashTableIter iter;
  gpointer value;
  gsize size = 0;

  g_hash_table_iter_init (&iter, table);
  while (g_hash_table_iter_next (&iter, NULL, &value))
    size += nego_job_table_get_size (((const NegoGuest *) value)->service.jobs);
  return size;
}

gsize
nego_guests_get_size (NegoGuests *guests)
{
  return nego_guests_sum (guests->present) + nego_guests_sum (guests->absent);
}

const NegoRules *
nego_guests_get_rules (const NegoGuests *guests)
{
  return guests->rules;
}

void
nego_guests_set_rules (NegoGuests *guests, NegoRules *rules)
{
  nego_rules_free (guests->rules);
  guests->rules = rules;
}

void
nego_guests_set_outlets (NegoGuests *guests, const NegoOutletPlace *place)
{
  g_free (guests->outlet_dir);
  guests->outlet_dir = g_strdup (place->dir);
  guests->outlets = *place;
  guests->outlets.dir = guests->outlet_dir;
}

const NegoOutletPlace *
nego_guests_get_outlets (const NegoGuests *guests)
{
  return &guests->outlets;
}

void
nego_guests_set_poller (NegoGuests *guests, NegoPoller *poller)
{
  nego_poller_free (guests->poller);
  guests->poller = poller;
}

NegoPoller *
nego_guests_get_poller (const NegoGuests *guests)
{
  return guests->poller;
}

void
nego_guests_set_cgroups (NegoGuests *guests, NegoCgroupTree *cgroups)
{
  nego_cgroup_tree_unref (guests->cgroups);
  guests->cgroups = cgroups;
}

NegoCgroupTree *
nego_guests_get_cgroups (const NegoGuests *guests)
{
  return guests->cgroups;
}

const NegoGuestsRunAs *
nego_guests_get_run_as (const NegoGuests *guests)
{
  return &guests->run_as;
}

NegoRegistry *
nego_guests_new_registry (const NegoGuests *guests)
{
  return nego_registry_new ((const char *const *) guests->commands, guests->builtins);
}

gulong
nego_guests_watch (NegoGuests *guests, GHookFunc func, gpointer user_data)
{
  GHook *hook = g_hook_alloc (&guests->watches);

  hook->func = func;
  hook->data = user_data;
  g_hook_append (&guests->watches, hook);
  return hook->hook_id;
}

void
nego_guests_unwatch (NegoGuests *guests, gulong watch)
{
  g_hook_destroy (&guests->watches, watch);
}

void
nego_guests_tell (NegoGuests *guests)
{
  g_hook_list_invoke (&guests->watches, FALSE);
}

static void
nego_guests_on_stopped (gpointer user_data)
{
  NegoGuests *guests = user_data;

  if (--guests->stopping == 0)
    guests->stopped (guests->stopped_data);
}

static void
nego_guests_stop_all (NegoGuests *guests, GHashTable *table)
{
  GHashTableIter iter;
  gpointer value;

  g_hash_table_iter_init (&iter, table);
  while (g_hash_table_iter_next (&iter, NULL, &value))
    nego_job_table_stop (((const NegoGuest *) value)->service.jobs, nego_guests_on_stopped, guests);
}

void
nego_guests_stop (NegoGuests *guests, NegoJobTableStoppedFunc done, gpointer user_data)
{
  guests->stopped = done;
  guests->stopped_data = user_data;
  /* One more: the last table may have stopped before all were told to. */
  guests->stopping = g_hash_table_size (guests->present) + g_hash_table_size (guests->absent) + 1;
  nego_guests_stop_all (guests, guests->present);
  nego_guests_stop_all (guests, guests->absent);
  nego_guests_on_stopped (guests);
}
