/* SPDX-License-Identifier: MIT */
/*
 * agent: what the guest's commands share: the one context that handlers get. It owns the engines;
 * channels are the server's.
 */
#pragma once

#include "agent/clock.h"
#include "agent/freeze.h"
#include "agent/power.h"
#include "agent/process-table.h"
#include "agent/tools.h"
#include "agent/survey.h"
#include "agent/file-table.h"
#include "agent/trim.h"
#include "common/offload.h"
#include "common/service/service.h"

typedef struct {
  NegoService service;  /* first: handlers of common/service/ see only this */
  NegoOffload *offload; /* for what may block */
  NegoProcessTable *processes;
  NegoTools *tools;
  NegoPower *power;
  const NegoClock *clock; /* borrowed */
  const char *home;       /* of every user, in tests; NULL: that of the account */
  const char *root;       /* before the paths of /proc, /sys and /run: "" but for tests */
  NegoSurvey *usage;      /* of file systems (fs-usage.h) */
  NegoSurvey *smart;      /* of NVMe disks (nvme-smart.h) */
  NegoFreeze *freeze;
  NegoTrimFunc trim_func;            /* nego_trim_real but for tests */
  NegoTrim *trim;                    /* that goes on, or NULL */
  NegoFreezeChangedFunc frozen_func; /* may be NULL */
  gpointer frozen_data;
  NegoFileTable *files; /* of guest-file-open */
} NegoAgent;

/* Takes all three (transfer full). */
NegoAgent *nego_agent_new (NegoPolicy *policy, NegoRegistry *registry, NegoJobTable *jobs);
void nego_agent_free (NegoAgent *agent);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (NegoAgent, nego_agent_free)

/* Freezes with @settings (the boot's name and the system calls are the agent's) instead of the
 * defaults; before anybody is served. While frozen the policy is, and @changed is called, too. */
void nego_agent_set_freeze (NegoAgent *agent,
                            const NegoFreezeSettings *settings,
                            NegoFreezeChangedFunc changed,
                            gpointer user_data);

/* The agent that @call was made to. */
NegoAgent *nego_agent_of (NegoCall *call);
