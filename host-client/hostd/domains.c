/* SPDX-License-Identifier: MIT */
#define G_LOG_DOMAIN "nego-domains"

#include "config.h"

#include "host-client/hostd/domains.h"

#include "common/names.h"
#include "common/source.h"

struct NegoDomains {
  NegoGuests *guests;
  NegoArrivals *arrivals;
  NegoOffload *offload;
  char *uri;
  NegoLookConnection *connection; /* NULL: there is none */
  GHashTable *stations;           /* UUID → NegoStation */
  GHashTable *touched;            /* set of UUIDs to look at */
  GHashTable *looks;              /* UUID → NegoDomainsLook */
  GHashTable *failed;             /* set of UUIDs to look at again later */
  GSource *retry;                 /* while there are some */
  guint pause_ms;                 /* before the next time */
};

/* One that goes on. */
typedef struct {
  NegoDomains *domains;
  char *uuid;
  NegoOffloadTask *task;
} NegoDomainsLook;

static void nego_domains_look_on (NegoDomains *domains);

static void
nego_domains_free_look (gpointer data)
{
  NegoDomainsLook *look = data;

  if (look->task != NULL)
    nego_offload_cancel (look->task);
  g_free (look->uuid);
  g_free (look);
}

NegoDomains *
nego_domains_new (NegoGuests *guests, NegoArrivals *arrivals, NegoOffload *offload, const char *uri)
{
  NegoDomains *domains = g_new0 (NegoDomains, 1);

  domains->guests = guests;
  domains->arrivals = arrivals;
  domains->offload = offload;
  domains->uri = g_strdup (uri);
  domains->stations
    = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, (GDestroyNotify) nego_station_free);
  domains->touched = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  domains->failed = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  domains->pause_ms = NEGO_DOMAINS_FIRST_MS;
  domains->looks = g_hash_table_new_full (g_str_hash, g_str_equal, NULL, nego_domains_free_look);
  return domains;
}

void
nego_domains_free (NegoDomains *domains)
{
  if (domains == NULL)
    return;
  nego_domains_unset_connection (domains);
  g_hash_table_unref (domains->looks);
  g_hash_table_unref (domains->touched);
  g_hash_table_unref (domains->failed);
  g_hash_table_unref (domains->stations);
  g_free (domains->uri);
  g_free (domains);
}

static void
nego_domains_drop (NegoDomains *domains, const char *uuid)
{
  if (g_hash_table_remove (domains->stations, uuid))
    g_info ("guest %s of '%s' is not served any more", uuid, domains->uri);
}

static void
nego_domains_touch_failed (gpointer key, gpointer value, gpointer user_data)
{
  const NegoDomains *domains = user_data;

  g_hash_table_add (domains->touched, g_strdup (key));
}

static gboolean
nego_domains_on_retry (gpointer user_data)
{
  NegoDomains *domains = user_data;

  nego_source_clear (&domains->retry);
  g_hash_table_foreach (domains->failed, nego_domains_touch_failed, domains);
  g_hash_table_remove_all (domains->failed);
  nego_domains_look_on (domains);
  return G_SOURCE_REMOVE;
}

/* What is known of the guest stays, and it is looked at again: nothing tells when that can be. */
static void
nego_domains_retry (NegoDomains *domains, const char *uuid)
{
  g_hash_table_add (domains->failed, g_strdup (uuid));
  if (domains->retry != NULL)
    return;
  domains->retry = nego_source_add_timeout (domains->pause_ms, nego_domains_on_retry, domains);
  domains->pause_ms = MIN (domains->pause_ms * 2, NEGO_DOMAINS_PAUSE_MS);
}

static void
nego_domains_apply (NegoDomains *domains, const NegoLookDomain *domain)
{
  const NegoStationSpec spec = {
    .name = domain->name,
    .uuid = domain->uuid,
    .connection = domains->uri,
    .agent = domain->agent,
    .port = domain->port,
  };
  NegoStation *station = g_hash_table_lookup (domains->stations, domain->uuid);

  if (domain->unknown) {
    nego_domains_retry (domains, domain->uuid);
    return;
  }
  if (!domain->active || (domain->port == NULL && domain->agent == NULL)) {
    nego_domains_drop (domains, domain->uuid);
    return;
  }
  if (station != NULL) {
    nego_station_update (station, &spec);
    return;
  }
  g_info ("guest '%s' of '%s' is served", domain->name, domains->uri);
  g_hash_table_insert (domains->stations, g_strdup (domain->uuid),
                       nego_station_new (domains->guests, domains->arrivals, &spec));
}

static gboolean
nego_domains_is_missing (gpointer key, gpointer value, gpointer user_data)
{
  const GPtrArray *list = user_data;

  for (guint i = 0; i < list->len; i++)
    if (g_str_equal (((const NegoLookDomain *) list->pdata[i])->uuid, key))
      return FALSE;
  return TRUE;
}

void
nego_domains_set_connection (NegoDomains *domains, NegoLookConnection *connection, GPtrArray *list)
{
  nego_domains_unset_connection (domains);
  domains->connection = connection;
  domains->pause_ms = NEGO_DOMAINS_FIRST_MS;
  g_hash_table_foreach_remove (domains->stations, nego_domains_is_missing, list);
  for (guint i = 0; i < list->len; i++)
    nego_domains_apply (domains, list->pdata[i]);
  nego_domains_look_on (domains);
}

static void
nego_domains_on_closed (gpointer data, gpointer user_data)
{
}

void
nego_domains_unset_connection (NegoDomains *domains)
{
  NegoLookConnection *connection = g_steal_pointer (&domains->connection);

  g_hash_table_remove_all (domains->looks);
  /* When there is one again, all guests are listed. */
  g_hash_table_remove_all (domains->failed);
  nego_source_clear (&domains->retry);
  /* On a thread; should there be no room for it, here. */
  if (connection != NULL)
    nego_offload_run (domains->offload, nego_look_hang_up, connection, nego_look_connection_free, 0,
                      nego_domains_on_closed, NULL, NULL);
}

static void
nego_domains_on_looked (gpointer data, gpointer user_data)
{
  NegoDomainsLook *look = user_data;
  NegoDomains *domains = look->domains;
  const NegoLookQuestion *question = data;

  look->task = NULL;
  if (question == NULL || question->error != NULL) {
    g_info ("guest %s of '%s': %s", look->uuid, domains->uri,
            question != NULL ? question->error->message : "libvirt does not answer");
    nego_domains_retry (domains, look->uuid);
  } else {
    domains->pause_ms = NEGO_DOMAINS_FIRST_MS;
    if (question->domain != NULL)
      nego_domains_apply (domains, question->domain);
    else
      nego_domains_drop (domains, look->uuid);
  }
  g_hash_table_remove (domains->looks, look->uuid);
  nego_domains_look_on (domains);
}

/* Begins to look at @uuid. */
static void
nego_domains_look_at (NegoDomains *domains, const char *uuid)
{
  NegoDomainsLook *look = g_new0 (NegoDomainsLook, 1);

  look->domains = domains;
  look->uuid = g_strdup (uuid);
  g_hash_table_insert (domains->looks, look->uuid, look);
  look->task = nego_offload_run (domains->offload, nego_look_ask,
                                 nego_look_question_new (domains->connection->handle, uuid),
                                 nego_look_question_free, NEGO_LIBVIRT_CALL_S * 1000,
                                 nego_domains_on_looked, look, NULL);
  if (look->task != NULL)
    return;
  nego_domains_retry (domains, uuid);
  g_hash_table_remove (domains->looks, uuid);
}

/* Looks at what was touched, but for guests that are looked at already: they come next. */
static void
nego_domains_look_on (NegoDomains *domains)
{
  GHashTableIter iter;
  gpointer uuid;

  if (domains->connection == NULL)
    return;
  g_hash_table_iter_init (&iter, domains->touched);
  while (g_hash_table_size (domains->looks) < NEGO_DOMAINS_LOOKS
         && g_hash_table_iter_next (&iter, &uuid, NULL)) {
    if (g_hash_table_contains (domains->looks, uuid))
      continue;
    g_hash_table_remove (domains->failed, uuid);
    nego_domains_look_at (domains, uuid);
    g_hash_table_iter_remove (&iter);
  }
}

void
nego_domains_touch (NegoDomains *domains, const char *uuid, gboolean rebooted)
{
  NegoStation *station = g_hash_table_lookup (domains->stations, uuid);

  if (rebooted && station != NULL)
    nego_station_reboot (station);
  g_hash_table_add (domains->touched, g_strdup (uuid));
  nego_domains_look_on (domains);
}
