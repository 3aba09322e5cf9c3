/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "common/broker/owners.h"

#include "common/names.h"

typedef struct {
  char *job; /* NULL: there is none yet */
  char *key; /* NULL: it has none */
  uid_t uid;
  gint64 expiry_us; /* monotonic; 0: it was not seen to have ended */
} NegoOwner;

struct NegoOwners {
  GQueue all; /* NegoOwner, the oldest first */
  GHashTable *by_job, *by_key;
};

static void
nego_owner_free (gpointer data)
{
  NegoOwner *owner = data;

  g_free (owner->job);
  g_free (owner->key);
  g_free (owner);
}

NegoOwners *
nego_owners_new (void)
{
  NegoOwners *owners = g_new0 (NegoOwners, 1);

  owners->by_job = g_hash_table_new (g_str_hash, g_str_equal);
  owners->by_key = g_hash_table_new (g_str_hash, g_str_equal);
  return owners;
}

void
nego_owners_free (NegoOwners *owners)
{
  if (owners == NULL)
    return;
  g_hash_table_unref (owners->by_job);
  g_hash_table_unref (owners->by_key);
  g_queue_clear_full (&owners->all, nego_owner_free);
  g_free (owners);
}

static void
nego_owners_remove (NegoOwners *owners, NegoOwner *owner)
{
  if (owner->job != NULL)
    g_hash_table_remove (owners->by_job, owner->job);
  if (owner->key != NULL)
    g_hash_table_remove (owners->by_key, owner->key);
  g_queue_remove (&owners->all, owner);
  nego_owner_free (owner);
}

static NegoOwner *
nego_owners_find (NegoOwners *owners, const char *job, const char *key)
{
  NegoOwner *owner = job != NULL   ? g_hash_table_lookup (owners->by_job, job)
                     : key != NULL ? g_hash_table_lookup (owners->by_key, key)
                                   : NULL;

  if (owner == NULL || owner->expiry_us == 0 || g_get_monotonic_time () < owner->expiry_us)
    return owner;
  nego_owners_remove (owners, owner);
  return NULL;
}

static NegoOwner *
nego_owners_add (NegoOwners *owners, const char *job, const char *key, uid_t uid)
{
  NegoOwner *owner = g_new0 (NegoOwner, 1);

  if (owners->all.length >= NEGO_BROKER_OWNED)
    nego_owners_remove (owners, g_queue_peek_head (&owners->all));
  owner->job = g_strdup (job);
  owner->key = g_strdup (key);
  owner->uid = uid;
  if (job != NULL)
    g_hash_table_insert (owners->by_job, owner->job, owner);
  if (key != NULL)
    g_hash_table_insert (owners->by_key, owner->key, owner);
  g_queue_push_tail (&owners->all, owner);
  return owner;
}

NegoOwnersVerdict
nego_owners_judge (NegoOwners *owners, const char *job, const char *key, uid_t uid)
{
  const NegoOwner *owner = nego_owners_find (owners, job, key);

  if (owner == NULL)
    return NEGO_OWNERS_UNKNOWN;
  return owner->uid == uid ? NEGO_OWNERS_THIS : NEGO_OWNERS_OTHER;
}

void
nego_owners_reserve (NegoOwners *owners, const char *key, uid_t uid)
{
  if (nego_owners_find (owners, NULL, key) == NULL)
    nego_owners_add (owners, NULL, key, uid);
}

void
nego_owners_record (NegoOwners *owners, const char *job, const char *key, uid_t uid)
{
  NegoOwner *owner = nego_owners_find (owners, job, NULL);

  if (owner != NULL)
    return;
  owner = nego_owners_find (owners, NULL, key);
  if (owner == NULL) {
    nego_owners_add (owners, job, key, uid);
    return;
  }
  /* The key's former job, if there was one, is gone: a key names one at a time. */
  if (owner->job != NULL) {
    g_hash_table_remove (owners->by_job, owner->job);
    g_free (owner->job);
  }
  owner->job = g_strdup (job);
  owner->expiry_us = 0;
  g_hash_table_insert (owners->by_job, owner->job, owner);
}

void
nego_owners_set_ended (NegoOwners *owners, const char *job)
{
  NegoOwner *owner = nego_owners_find (owners, job, NULL);

  if (owner != NULL)
    owner->expiry_us = g_get_monotonic_time () + NEGO_JOB_EXPIRY_S * G_TIME_SPAN_SECOND;
}

const char *
nego_owners_find_job (NegoOwners *owners, const char *key)
{
  const NegoOwner *owner = nego_owners_find (owners, NULL, key);

  return owner != NULL ? owner->job : NULL;
}

void
nego_owners_forget (NegoOwners *owners, const char *job, const char *key)
{
  NegoOwner *owner = nego_owners_find (owners, job, key);

  if (owner != NULL)
    nego_owners_remove (owners, owner);
}
