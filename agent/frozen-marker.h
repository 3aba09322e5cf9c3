/* SPDX-License-Identifier: MIT */
/*
 * frozen-marker: the file that says that file systems are frozen, for an agent that is started
 * after this one was killed: qemu-ga's, in the directory for state.
 *
 * In it is the boot's random name, where qemu-ga's is empty: what another boot froze is not frozen.
 */
#pragma once

#include <glib.h>

/* Its path in @statedir. Returns: (transfer full). */
char *nego_frozen_marker_get_path (const char *statedir);

/* Whether it is there and of this boot, whose name is @boot_id (NULL: not known), or of one that it
 * does not name. One of another boot is removed. */
gboolean nego_frozen_marker_is_set (const char *path, const char *boot_id);

/* A failure is a warning in the log. */
void nego_frozen_marker_set (const char *path, const char *boot_id);
void nego_frozen_marker_clear (const char *path);
