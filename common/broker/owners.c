/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "common/broker/owners.h"

#include "common/names.h"

typedef struct {
  char *job; /* NULL: there is none yet */
  char *key; /* NULL: it has none */
  uid_t uid;
  guint calls;      /* that are out, or wait, for a run with the key */
  gboolean unknown; /* there is no job, as far as is known: a call for one went astray */
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

/* When what has ended now is forgotten. */
static gint64
nego_owners_later (void)
{
  return g_get_monotonic_time () + NEGO_JOB_EXPIRY_S * G_TIME_SPAN_SECOND;
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

static guint
nego_owners_count_of_user (const NegoOwners *owners, uid_t uid)
{
  guint n = 0;

  for (const GList *link = owners->all.head; link != NULL; link = link->next)
    n += ((const NegoOwner *) link->data)->uid == uid;
  return n;
}

/* The rank of what others have, and did not end. */
#define NEGO_OWNERS_STRANGER 5

/* How soon @owner goes when @uid, who has @n, needs room: the least first. */
static guint
nego_owners_rank (const NegoOwners *owners, const NegoOwner *owner, uid_t uid, guint n)
{
  const gboolean own = owner->uid == uid;

  if (owner->expiry_us != 0 && g_get_monotonic_time () >= owner->expiry_us)
    return 0;
  if (own && owner->expiry_us != 0)
    return 1;
  if (own && n >= NEGO_BROKER_OWNED_OF_USER)
    return 2;
  if (owner->expiry_us != 0)
    return 3;
  return own ? NEGO_OWNERS_STRANGER - 1 : NEGO_OWNERS_STRANGER;
}

/* The oldest job of the user who has most. */
static NegoOwner *
nego_owners_find_richest (const NegoOwners *owners)
{
  NegoOwner *found = NULL;
  guint most = 0;

  for (const GList *link = owners->all.head; link != NULL; link = link->next) {
    NegoOwner *owner = link->data;
    const guint n = owner->calls == 0 ? nego_owners_count_of_user (owners, owner->uid) : 0;

    if (n > most) {
      found = owner;
      most = n;
    }
  }
  return found;
}

/* One user's jobs do not push out another's, as long as there is another way. */
static void
nego_owners_make_room (NegoOwners *owners, uid_t uid)
{
  const guint n = nego_owners_count_of_user (owners, uid);
  NegoOwner *first = NULL;
  guint first_rank = G_MAXUINT;

  for (const GList *link = owners->all.head; link != NULL; link = link->next) {
    NegoOwner *owner = link->data;
    const guint rank = nego_owners_rank (owners, owner, uid, n);

    if (owner->calls == 0 && rank < first_rank) {
      first = owner;
      first_rank = rank;
    }
  }
  if (first_rank == NEGO_OWNERS_STRANGER)
    first = nego_owners_find_richest (owners);
  if (first != NULL)
    nego_owners_remove (owners, first);
}

static NegoOwner *
nego_owners_add (NegoOwners *owners, const char *job, const char *key, uid_t uid)
{
  NegoOwner *owner = g_new0 (NegoOwner, 1);

  if (owners->all.length >= NEGO_BROKER_OWNED)
    nego_owners_make_room (owners, uid);
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

gboolean
nego_owners_reserve (NegoOwners *owners, const char *key, uid_t uid)
{
  NegoOwner *owner = nego_owners_find (owners, NULL, key);

  if (owner == NULL)
    owner = nego_owners_add (owners, NULL, key, uid);
  if (owner->uid != uid)
    return FALSE;
  owner->calls++;
  /* What nobody could tell of is asked for again. */
  if (owner->job == NULL)
    owner->expiry_us = 0;
  return TRUE;
}

void
nego_owners_release (NegoOwners *owners, const char *key, uid_t uid, gboolean known)
{
  NegoOwner *owner = nego_owners_find (owners, NULL, key);

  /* It may have become another's meanwhile. */
  if (owner == NULL || owner->uid != uid || owner->calls == 0)
    return;
  owner->calls--;
  if (owner->job != NULL)
    return;
  if (!known)
    owner->unknown = TRUE;
  if (owner->calls > 0)
    return;
  if (owner->unknown)
    owner->expiry_us = nego_owners_later ();
  else
    nego_owners_remove (owners, owner);
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
  if (owner->uid != uid) /* root may use anybody's key */
    owner->calls = 0;
  owner->uid = uid;
  owner->unknown = FALSE;
  owner->expiry_us = 0;
  g_hash_table_insert (owners->by_job, owner->job, owner);
}

void
nego_owners_set_ended (NegoOwners *owners, const char *job)
{
  NegoOwner *owner = nego_owners_find (owners, job, NULL);

  if (owner != NULL)
    owner->expiry_us = nego_owners_later ();
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
