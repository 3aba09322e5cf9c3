/* SPDX-License-Identifier: MIT */
/*
 * cpu-stats: what the processors did, of /proc/stat (proc(5)).
 */
#pragma once

#include "qapi/qapi-types.h"

/* The rows of the text of /proc/stat, with @hz ticks a second; a row that is no row of a processor
 * is skipped. Returns: (transfer full) (element-type QapiGuestCpuStats). */
GPtrArray *nego_cpu_stats_parse (const char *text, guint64 hz);
