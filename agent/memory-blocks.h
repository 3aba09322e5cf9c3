/* SPDX-License-Identifier: MIT */
/*
 * memory-blocks: the blocks of the guest's memory, of /sys/devices/system/memory, and switching
 * them on and off, for which the kernel moves what is in them.
 */
#pragma once

#include "qapi/qapi-types.h"

/* At most @limit of them. Returns: (transfer full) (element-type QapiGuestMemoryBlock): sorted by
 * number, or NULL. */
GPtrArray *nego_memory_blocks_list (const char *root, guint limit, GError **error);

/* Makes the block @index be @online; one that is already is left alone. Returns: (transfer full):
 * what became of it. */
QapiGuestMemoryBlockResponse *
nego_memory_blocks_switch (const char *root, guint64 index, gboolean online);

/* The size of each block in *@size. */
gboolean nego_memory_blocks_get_size (const char *root, guint64 *size, GError **error);
