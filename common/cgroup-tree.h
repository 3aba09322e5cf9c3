/* SPDX-License-Identifier: MIT */
/*
 * cgroup-tree: the control groups below the one that was delegated to this program, one for each
 * run of a script (cgroup.h), and their removal once they are empty.
 *
 * Delegated means: whoever manages the machine's groups has left this one to us. systemd says so by
 * an extended attribute (systemd.resource-control(5), "Delegate="), and nothing else is taken for
 * it. A group with processes cannot give its controllers to groups below, so this program moves to
 * a leaf of its own.
 */
#pragma once

#include "common/cgroup.h"

typedef struct NegoCgroupTree NegoCgroupTree;

/* Takes the group of this process, if it was delegated and nobody else is in it. Errors: why there
 * is none. */
NegoCgroupTree *nego_cgroup_tree_open (GError **error);
/* The same of the group at the path @group. */
NegoCgroupTree *nego_cgroup_tree_new (const char *group, GError **error);
/* Those who have runs share it. */
NegoCgroupTree *nego_cgroup_tree_ref (NegoCgroupTree *tree);
/* The groups that are not empty stay. NULL: nothing. */
void nego_cgroup_tree_unref (NegoCgroupTree *tree);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (NegoCgroupTree, nego_cgroup_tree_unref)

/* The path below @mount of the group that @text, a /proc/PID/cgroup, names. Errors: it names none
 * of the second version, or the root. Returns: (transfer full). */
char *nego_cgroup_tree_find (const char *text, const char *mount, GError **error);

/* Whether its groups can have a limit of memory. */
gboolean nego_cgroup_tree_limits_memory (const NegoCgroupTree *tree);

/* Makes a group @name; @memory: its limit in bytes, 0: none. Errors: the system's, and "too many
 * control groups (limit N)". Returns: (transfer none), to be given to nego_cgroup_tree_release().
 */
NegoCgroup *
nego_cgroup_tree_make (NegoCgroupTree *tree, const char *name, guint64 memory, GError **error);

/* The run of @group is over: the group is removed now, or when the last process of it has ended. */
void nego_cgroup_tree_release (NegoCgroupTree *tree, NegoCgroup *group);
