/* SPDX-License-Identifier: MIT */
#define G_LOG_DOMAIN "nego-cgroup"

#include "config.h"

#include "common/cgroup-tree.h"

#include "common/error.h"
#include "common/names.h"
#include "common/watch.h"

#include <errno.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <sys/xattr.h>
#include <unistd.h>

#define MOUNT "/sys/fs/cgroup"
#define LEAF  "daemon"

typedef struct {
  NegoCgroup *group;
  int watch; /* on its cgroup.events; -1 while its run goes on */
} NegoCgroupEntry;

struct NegoCgroupTree {
  grefcount refs;
  NegoCgroup *root;
  gboolean limits_memory;
  GHashTable *groups; /* group → NegoCgroupEntry: those that were not removed */
  NegoWatch *watch;   /* the cgroup.events of those that were released */
};

static void
nego_cgroup_entry_free (gpointer data)
{
  NegoCgroupEntry *entry = data;

  nego_cgroup_free (entry->group);
  g_free (entry);
}

char *
nego_cgroup_tree_find (const char *text, const char *mount, GError **error)
{
  g_auto (GStrv) lines = g_strsplit (text, "\n", -1);

  /* HIERARCHY:CONTROLLERS:PATH (cgroups(7)); that of the second version is number 0. */
  for (char **line = lines; *line != NULL; line++) {
    if (!g_str_has_prefix (*line, "0::/"))
      continue;
    if (strcmp (*line, "0::/") == 0) {
      g_set_error_literal (error, NEGO_ERROR, NEGO_ERROR_REFUSED,
                           "this process is in the root control group");
      return NULL;
    }
    return g_strconcat (mount, *line + strlen ("0::"), NULL);
  }
  g_set_error_literal (error, NEGO_ERROR, NEGO_ERROR_NOT_FOUND,
                       "this process is in no control group of the second version");
  return NULL;
}

static gboolean
nego_cgroup_tree_is_delegated (const char *path)
{
  /* For the system's manager, and that of a user, which may not write the first. */
  static const char *const names[] = { "trusted.delegate", "user.delegate" };

  for (guint i = 0; i < G_N_ELEMENTS (names); i++) {
    char value = '\0';

    if (getxattr (path, names[i], &value, 1) == 1 && value == '1')
      return TRUE;
  }
  return FALSE;
}

/* Whether this process is the only one in the group itself. */
static gboolean
nego_cgroup_tree_is_alone (const NegoCgroup *root, GError **error)
{
  g_autofree char *text = nego_cgroup_read (root, "cgroup.procs");
  g_autofree char *expected = g_strdup_printf ("%d\n", (int) getpid ());

  if (g_strcmp0 (text, expected) == 0)
    return TRUE;
  g_set_error (error, NEGO_ERROR, NEGO_ERROR_REFUSED,
               "other processes are in the control group '%s'", nego_cgroup_get_path (root));
  return FALSE;
}

/* Moves this process to a leaf. */
static gboolean
nego_cgroup_tree_descend (const NegoCgroup *root, GError **error)
{
  g_autofree char *path = g_build_filename (nego_cgroup_get_path (root), LEAF, NULL);
  g_autoptr (NegoCgroup) leaf = NULL;

  if (mkdir (path, 0755) != 0 && errno != EEXIST)
    return nego_error_set_errno (error, errno, "cannot make the control group '%s'", path);
  leaf = nego_cgroup_open (path, error);
  /* 0: whoever writes it. */
  return leaf != NULL && nego_cgroup_write (leaf, "cgroup.procs", "0", error);
}

static void
nego_cgroup_tree_changed_cb (NegoWatch *watch, guint32 mask, gpointer user_data)
{
  NegoCgroupTree *tree = user_data;
  GHashTableIter iter;
  gpointer value;

  g_hash_table_iter_init (&iter, tree->groups);
  while (g_hash_table_iter_next (&iter, NULL, &value)) {
    const NegoCgroupEntry *entry = value;

    if (entry->watch >= 0 && !nego_cgroup_is_populated (entry->group)
        && nego_cgroup_remove (entry->group, NULL))
      g_hash_table_iter_remove (&iter);
  }
}

NegoCgroupTree *
nego_cgroup_tree_new (const char *group, GError **error)
{
  g_autoptr (NegoCgroupTree) tree = g_new0 (NegoCgroupTree, 1);

  g_ref_count_init (&tree->refs);
  tree->groups = g_hash_table_new_full (NULL, NULL, NULL, nego_cgroup_entry_free);
  tree->root = nego_cgroup_open (group, error);
  if (tree->root == NULL || !nego_cgroup_tree_is_alone (tree->root, error))
    return NULL;
  tree->watch = nego_watch_new (nego_cgroup_tree_changed_cb, tree, error);
  if (tree->watch == NULL || !nego_cgroup_tree_descend (tree->root, error))
    return NULL;
  tree->limits_memory = nego_cgroup_write (tree->root, "cgroup.subtree_control", "+memory", NULL);
  return g_steal_pointer (&tree);
}

NegoCgroupTree *
nego_cgroup_tree_open (GError **error)
{
  g_autofree char *text = NULL;
  g_autofree char *path = NULL;
  struct statfs fs;

  if (statfs (MOUNT, &fs) != 0 || fs.f_type != CGROUP2_SUPER_MAGIC) {
    g_set_error_literal (error, NEGO_ERROR, NEGO_ERROR_NOT_FOUND,
                         "no control groups of the second version at '" MOUNT "'");
    return NULL;
  }
  if (!g_file_get_contents ("/proc/self/cgroup", &text, NULL, error))
    return NULL;
  path = nego_cgroup_tree_find (text, MOUNT, error);
  if (path == NULL)
    return NULL;
  if (!nego_cgroup_tree_is_delegated (path)) {
    g_set_error (error, NEGO_ERROR, NEGO_ERROR_REFUSED,
                 "the control group '%s' is not delegated to this program", path);
    return NULL;
  }
  return nego_cgroup_tree_new (path, error);
}

NegoCgroupTree *
nego_cgroup_tree_ref (NegoCgroupTree *tree)
{
  g_ref_count_inc (&tree->refs);
  return tree;
}

void
nego_cgroup_tree_unref (NegoCgroupTree *tree)
{
  if (tree == NULL || !g_ref_count_dec (&tree->refs))
    return;
  nego_watch_free (tree->watch);
  g_hash_table_unref (tree->groups);
  nego_cgroup_free (tree->root);
  g_free (tree);
}

gboolean
nego_cgroup_tree_limits_memory (const NegoCgroupTree *tree)
{
  return tree->limits_memory;
}

NegoCgroup *
nego_cgroup_tree_make (NegoCgroupTree *tree, const char *name, guint64 memory, GError **error)
{
  g_autoptr (NegoCgroup) group = NULL;
  NegoCgroupEntry *entry;

  if (g_hash_table_size (tree->groups) >= NEGO_CGROUPS) {
    g_set_error (error, NEGO_ERROR, NEGO_ERROR_BUSY, "too many control groups (limit %u)",
                 NEGO_CGROUPS);
    return NULL;
  }
  group = nego_cgroup_new (nego_cgroup_get_path (tree->root), name, error);
  if (group == NULL)
    return NULL;
  if (memory > 0 && !nego_cgroup_limit_memory (group, memory, error)) {
    nego_cgroup_remove (group, NULL);
    return NULL;
  }
  entry = g_new0 (NegoCgroupEntry, 1);
  entry->group = group;
  entry->watch = -1;
  g_hash_table_insert (tree->groups, group, entry);
  return g_steal_pointer (&group);
}

void
nego_cgroup_tree_release (NegoCgroupTree *tree, NegoCgroup *group)
{
  NegoCgroupEntry *entry = g_hash_table_lookup (tree->groups, group);
  g_autofree char *events = g_build_filename (nego_cgroup_get_path (group), "cgroup.events", NULL);
  g_autoptr (GError) error = NULL;

  /* Before the first look, so that no end is missed. */
  if (nego_cgroup_is_populated (group)) {
    entry->watch = nego_watch_add (tree->watch, events, IN_MODIFY);
    if (entry->watch >= 0 && nego_cgroup_is_populated (group))
      return;
  }
  /* What cannot be removed is left to whoever manages the machine. */
  if (!nego_cgroup_remove (group, &error))
    g_warning ("%s", error->message);
  g_hash_table_remove (tree->groups, group);
}
