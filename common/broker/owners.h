/* SPDX-License-Identifier: MIT */
/*
 * owners: which user started which job, as far as the broker saw it.
 *
 * Bounded: the oldest of NEGO_BROKER_OWNED goes first, and a job that has ended is forgotten
 * NEGO_JOB_EXPIRY_S after its end was last seen, as the other side forgets it.
 */
#pragma once

#include <glib.h>

#include <sys/types.h>

typedef struct NegoOwners NegoOwners;

typedef enum {
  NEGO_OWNERS_UNKNOWN,
  NEGO_OWNERS_THIS, /* the user's own */
  NEGO_OWNERS_OTHER,
} NegoOwnersVerdict;

NegoOwners *nego_owners_new (void);
void nego_owners_free (NegoOwners *owners);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (NegoOwners, nego_owners_free)

/* Whose job it is that @job or @key (the other is NULL) names. */
NegoOwnersVerdict
nego_owners_judge (NegoOwners *owners, const char *job, const char *key, uid_t uid);
/* @uid asks for a run with @key, which nobody is known to own. */
void nego_owners_reserve (NegoOwners *owners, const char *key, uid_t uid);
/* There is a @job; it is of @uid, unless it, or its @key (may be NULL), is known already. */
void nego_owners_record (NegoOwners *owners, const char *job, const char *key, uid_t uid);
/* @job was seen to have ended. */
void nego_owners_set_ended (NegoOwners *owners, const char *job);
/* The name of the job with @key, or NULL. */
const char *nego_owners_find_job (NegoOwners *owners, const char *key);
/* The job, or what was reserved, is gone. */
void nego_owners_forget (NegoOwners *owners, const char *job, const char *key);
