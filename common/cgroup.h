/* SPDX-License-Identifier: MIT */
/*
 * cgroup: one control group of the kernel's second version, for one run of a script: what the
 * script starts cannot leave it, so that all of it can be killed, waited for and limited.
 *
 * The files and what they do: Documentation/admin-guide/cgroup-v2.rst of Linux. Processes enter by
 * themselves (exec.h). Which groups there are, and when they are removed, is cgroup-tree.h's.
 */
#pragma once

#include <glib.h>

typedef struct NegoCgroup NegoCgroup;

/* Makes the group @name in the group at @parent, a path. */
NegoCgroup *nego_cgroup_new (const char *parent, const char *name, GError **error);
/* The group at @path, which exists. */
NegoCgroup *nego_cgroup_open (const char *path, GError **error);
/* The group itself stays. */
void nego_cgroup_free (NegoCgroup *group);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (NegoCgroup, nego_cgroup_free)

const char *nego_cgroup_get_path (const NegoCgroup *group);

/* Writes @text to the group's file @name. Errors: "cannot write 'TEXT' to 'PATH'…". */
gboolean
nego_cgroup_write (const NegoCgroup *group, const char *name, const char *text, GError **error);
/* The text of the group's file @name, up to 64 KiB, or NULL. Returns: (transfer full). */
char *nego_cgroup_read (const NegoCgroup *group, const char *name);

/* All processes in it together may use @bytes of memory; when they need more, the kernel kills all
 * of them. */
gboolean nego_cgroup_limit_memory (const NegoCgroup *group, guint64 bytes, GError **error);

/* Whether a process is left in it or in a group below it. */
gboolean nego_cgroup_is_populated (const NegoCgroup *group);

/* KILL to all processes in it and below. They are gone some moments later. */
void nego_cgroup_kill (const NegoCgroup *group);

/* Removes it, and the groups that a script has made in it. */
gboolean nego_cgroup_remove (const NegoCgroup *group, GError **error);
