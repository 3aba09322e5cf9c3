/* SPDX-License-Identifier: MIT */
/*
 * disks: the machine's disks and their partitions, as sysfs has them.
 */
#pragma once

#include "qapi/qapi-types.h"

/* The disks (QapiGuestDiskInfo), without their health; below @root (sysfs.h). Errors:
 * NEGO_ERROR_IO, with QGA's text. */
GPtrArray *nego_disks_list (const char *root, GError **error);
