/* SPDX-License-Identifier: MIT */
/*
 * vcpus: the guest's processors, of /sys/devices/system/cpu, and switching them on and off. Both
 * wait for the kernel's lock of a processor that is being switched.
 */
#pragma once

#include "qapi/qapi-types.h"

/* Returns: (transfer full) (element-type QapiGuestLogicalProcessor): sorted by number, or NULL. */
GPtrArray *nego_vcpus_list (const char *root, GError **error);

/* Makes the processor @id be @online; one that is already is left alone. */
gboolean nego_vcpus_switch (const char *root, gint64 id, gboolean online, GError **error);
