/* SPDX-License-Identifier: MIT */
/*
 * owners: which user started which job, as far as the broker saw it.
 *
 * Bounded: a job that has ended is forgotten NEGO_JOB_EXPIRY_S after its end was last seen, as the
 * other side forgets it. Of NEGO_BROKER_OWNED there goes first what has expired, then what the user
 * who needs room has himself that ended (or, from NEGO_BROKER_OWNED_OF_USER on, anything), then
 * what others have that ended, then his oldest, and then the oldest of who has most. A key that a
 * call is out for stays.
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
/* @uid asks for a run with @key. FALSE: it is another's. */
gboolean nego_owners_reserve (NegoOwners *owners, const char *key, uid_t uid);
/* The call that @key was reserved for is over; a run that came of it is recorded by now. @known:
 * otherwise there is none; else nobody can tell, and the key stays reserved for as long as an ended
 * job is kept. */
void nego_owners_release (NegoOwners *owners, const char *key, uid_t uid, gboolean known);
/* There is a @job with @key (may be NULL); it is of @uid, unless it is known already. */
void nego_owners_record (NegoOwners *owners, const char *job, const char *key, uid_t uid);
/* @job was seen to have ended. */
void nego_owners_set_ended (NegoOwners *owners, const char *job);
/* The name of the job with @key, or NULL. */
const char *nego_owners_find_job (NegoOwners *owners, const char *key);
/* The job is gone. */
void nego_owners_forget (NegoOwners *owners, const char *job, const char *key);
