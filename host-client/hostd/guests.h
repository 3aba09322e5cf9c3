/* SPDX-License-Identifier: MIT */
/*
 * guests: all guests that are served, and what they share: the host's rules and commands, and as
 * whom scripts run.
 */
#pragma once

#include "host-client/hostd/guest.h"
#include "host-client/hostd/outlet.h"
#include "host-client/hostd/rules.h"

/* As whom scripts run whose key file names nobody. */
typedef struct {
  const char *user;    /* NULL: as this process, which somebody wanted so */
  const char *own;     /* this process's, by name; NULL: it has none */
  const char *problem; /* why no script can be run so, as it goes behind "refused by"; NULL: none */
} NegoGuestsRunAs;

/* @commands: the directories of the host's commands; @builtins: of the built-in ones, or NULL.
 * @rules: taken. The rest is copied. */
NegoGuests *nego_guests_new (const char *const *commands,
                             const char *builtins,
                             const NegoGuestsRunAs *run_as,
                             NegoRules *rules);
/* Where guests are offered to local programs; copied. Its directory NULL: nowhere, as at first. */
void nego_guests_set_outlets (NegoGuests *guests, const NegoOutletPlace *place);
const NegoOutletPlace *nego_guests_get_outlets (const NegoGuests *guests);
/* Each run of a guest to come gets a control group of @cgroups (transfer full; NULL: none, as at
 * first). */
void nego_guests_set_cgroups (NegoGuests *guests, NegoCgroupTree *cgroups);
NegoCgroupTree *nego_guests_get_cgroups (const NegoGuests *guests);
/* The connections of guests and programs to come are in @poller (transfer full; NULL: none, as at
 * first). */
void nego_guests_set_poller (NegoGuests *guests, NegoPoller *poller);
NegoPoller *nego_guests_get_poller (const NegoGuests *guests);
/* Frees all guests. */
void nego_guests_free (NegoGuests *guests);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (NegoGuests, nego_guests_free)

/* The guest of this identity, which is made where it is new; it gets the @name, which may have
 * changed. Without a @uuid the name is the identity. Returns: (transfer none): until
 * nego_guests_drop (). */
NegoGuest *
nego_guests_take (NegoGuests *guests, const char *name, const char *uuid, const char *connection);
/* @guest is not there any more: it goes when its jobs are over, nobody can want their results, and
 * its last sync is NEGO_SYNC_ID_S ago. Its sessions must be gone. */
void nego_guests_drop (NegoGuests *guests, NegoGuest *guest);

/* The guest of this name or UUID, or NULL. */
NegoGuest *nego_guests_find (NegoGuests *guests, const char *name);
/* Those that are there with a name behind @after (NULL: all), sorted by name: the first @max. Some
 * of one name are there, or behind it, all together: the next part begins behind the last name.
 * Returns: (transfer container). */
GPtrArray *nego_guests_list (NegoGuests *guests, const char *after, guint max);
guint nego_guests_count (const NegoGuests *guests);
/* Bytes that are kept of all guests' jobs (nego_job_table_get_size ()). */
gsize nego_guests_get_size (NegoGuests *guests);

const NegoRules *nego_guests_get_rules (const NegoGuests *guests);
/* Takes @rules. */
void nego_guests_set_rules (NegoGuests *guests, NegoRules *rules);
const NegoGuestsRunAs *nego_guests_get_run_as (const NegoGuests *guests);
NegoRegistry *nego_guests_new_registry (const NegoGuests *guests);

/* Calls @func when a guest has told something, or comes, goes or changes its state. It may
 * unwatch. */
gulong nego_guests_watch (NegoGuests *guests, GHookFunc func, gpointer user_data);
void nego_guests_unwatch (NegoGuests *guests, gulong watch);
void nego_guests_tell (NegoGuests *guests);

/* Cancels all jobs and starts no more; @done is called once no process is left to deal with,
 * perhaps before this returns. */
void nego_guests_stop (NegoGuests *guests, NegoJobTableStoppedFunc done, gpointer user_data);
