/* SPDX-License-Identifier: MIT */
/*
 * process-group: who is in a process group, by /proc. The kernel has no call for it: kill(-group,
 * 0) finds a leader that nobody has reaped yet, too.
 */
#pragma once

#include <glib.h>

#include <sys/types.h>

/* Whether @pid lives and is in @group. */
gboolean nego_process_group_has (pid_t group, pid_t pid);

/* A process that lives and is in @group; 0: there is none; -1: nobody can tell, /proc cannot be
 * read. A process that ends while one looks may have left a child that is not found: only if the
 * numbers of processes begin anew at that moment. */
pid_t nego_process_group_find_member (pid_t group);
