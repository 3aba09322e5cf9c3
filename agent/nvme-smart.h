/* SPDX-License-Identifier: MIT */
/*
 * nvme-smart: an NVMe disk's health: log page 02h of its controller (NVM Express Base
 * Specification, "SMART / Health Information").
 */
#pragma once

#include "qapi/qapi-types.h"

/* So long is the log page. */
#define NEGO_NVME_SMART_BYTES 512

typedef struct {
  gboolean known; /* the disk told */
  guint8 page[NEGO_NVME_SMART_BYTES];
} NegoNvmeSmart;

/* Asks the disk whose device node is @node: @answer is a NegoNvmeSmart. It blocks as long as the
 * disk does. */
void nego_nvme_smart_ask (const char *node, gpointer answer);

QapiGuestDiskSmart *nego_nvme_smart_parse (const NegoNvmeSmart *answer);
