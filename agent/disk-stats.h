/* SPDX-License-Identifier: MIT */
/*
 * disk-stats: the kernel's table of what block devices have done (Documentation/admin-guide/
 * iostats.rst). Which columns there are depends on its version.
 */
#pragma once

#include "qapi/qapi-types.h"

/* The devices (QapiGuestDiskStatsInfo), of /proc/diskstats below @root (sysfs.h). Errors:
 * NEGO_ERROR_*, with QGA's text. */
GPtrArray *nego_disk_stats_read (const char *root, GError **error);
