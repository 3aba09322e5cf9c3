/* SPDX-License-Identifier: MIT */
/*
 * service: what answers the negotiator commands and QGA's core ones, on both sides: in the guest
 * for its host, on the host for its guests. It is the beginning of the context that handlers get
 * from nego_call_get_context (): each side's own context (agent/agent.h) begins with it.
 */
#pragma once

#include "common/dispatch.h"
#include "common/job-table.h"
#include "common/policy.h"
#include "common/registry.h"

typedef struct NegoService NegoService;

/* What a side adds to the checks of a script. */
typedef struct {
  /* Why no run of @script is admitted, or NULL. Returns: (transfer full). */
  char *(*refusal) (const NegoService *service, const NegoScript *script);
  /* Whether @request of @script is admitted; it may complete both. */
  gboolean (*admit) (const NegoService *service,
                     NegoScript *script,
                     NegoJobRequest *request,
                     GError **error);
} NegoServiceRules;

struct NegoService {
  const NegoServiceRules *rules; /* NULL: none but the policy; set by the side */
  NegoPolicy *policy;
  NegoRegistry *registry;
  NegoJobTable *jobs;
  NegoDispatcher *dispatcher;
  char *instance; /* 128 random bits of this start, as text */
  char *boot_id;  /* the kernel's (random(4), /proc/sys/kernel/random/boot_id), or NULL */
};

/* Takes @policy, @registry and @jobs (transfer full); @handlers must outlive it. */
void nego_service_init (NegoService *service,
                        const QapiHandlers *handlers,
                        NegoPolicy *policy,
                        NegoRegistry *registry,
                        NegoJobTable *jobs);
void nego_service_clear (NegoService *service);

/* Checks that exactly one of @job and @key names a job. Errors: NEGO_ERROR_GENERIC. */
gboolean nego_service_check_job_name (const char *job, const char *key, GError **error);

/* Why @script may not be run at all, or NULL. Returns: (transfer full). */
char *nego_service_refusal (const NegoService *service, const NegoScript *script);
/* Whether @request of @script may be run. Errors: NEGO_ERROR_REFUSED, and those of the side. */
gboolean nego_service_admit (const NegoService *service,
                             NegoScript *script,
                             NegoJobRequest *request,
                             GError **error);

/* The service that @call was made to. */
NegoService *nego_service_of (NegoCall *call);
