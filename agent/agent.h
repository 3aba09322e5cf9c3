/* SPDX-License-Identifier: MIT */
/*
 * agent: what the guest's commands share: the one context that handlers get from
 * nego_call_get_context (). It owns the engines and the policy; channels are main's.
 */
#pragma once

#include "common/dispatch.h"
#include "common/job-table.h"
#include "common/policy.h"
#include "common/registry.h"

typedef struct {
  NegoPolicy *policy;
  NegoRegistry *registry;
  NegoJobTable *jobs;
  NegoDispatcher *dispatcher;
  char *instance; /* 128 random bits of this start, as text */
  char *boot_id;  /* the kernel's (random(4), /proc/sys/kernel/random/boot_id), or NULL */
} NegoAgent;

/* Takes all three (transfer full). */
NegoAgent *nego_agent_new (NegoPolicy *policy, NegoRegistry *registry, NegoJobTable *jobs);
void nego_agent_free (NegoAgent *agent);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (NegoAgent, nego_agent_free)

/* Checks that exactly one of @job and @key names a job. Errors: NEGO_ERROR_GENERIC. */
gboolean nego_agent_check_job_name (const char *job, const char *key, GError **error);

/* The agent that @call was made to. */
NegoAgent *nego_agent_of (NegoCall *call);
