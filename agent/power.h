/* SPDX-License-Identifier: MIT */
/*
 * power: ending and suspending the guest, by the first of several ways that there is and that
 * works:
 *
 *   powerdown, halt, reboot   logind (busctl), systemctl, shutdown(8), poweroff(8) and its kin, and
 *                             at last reboot(2), behind a sync(2)
 *   suspend                   systemctl, pm-utils, /sys/power/state
 *
 * A way of systemd's counts only where systemd is the init.
 */
#pragma once

#include "agent/tools.h"
#include "common/offload.h"

typedef struct NegoPower NegoPower;

typedef enum {
  NEGO_POWER_POWERDOWN,
  NEGO_POWER_HALT,
  NEGO_POWER_REBOOT,
  NEGO_POWER_SUSPEND_DISK,
  NEGO_POWER_SUSPEND_RAM,
  NEGO_POWER_SUSPEND_HYBRID,
} NegoPowerAction;

/* reboot(2): the number of a command; -1 with errno. */
typedef int (*NegoPowerRebootFunc) (int command);
/* @error: why no way worked, that of the last one that there was; NULL: one did. Borrowed. */
typedef void (*NegoPowerFunc) (const GError *error, gpointer user_data);

/* Both are borrowed. */
NegoPower *nego_power_new (NegoTools *tools, NegoOffload *offload);
void nego_power_free (NegoPower *power);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (NegoPower, nego_power_free)

/* For tests, which must not end this machine. */
void nego_power_set_reboot (NegoPower *power, NegoPowerRebootFunc reboot);

/* Calls @done once. Errors: NEGO_ERROR_GENERIC with QGA's texts. */
void
nego_power_run (NegoPower *power, NegoPowerAction action, NegoPowerFunc done, gpointer user_data);
