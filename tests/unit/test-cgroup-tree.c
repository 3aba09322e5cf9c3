/* SPDX-License-Identifier: MIT */
/* On a directory that looks like a delegated group; a real one is in tests/vm/test_job_cgroup.py.
 */
#include "config.h"

#include "common/cgroup-tree.h"
#include "common/error.h"
#include "common/names.h"

#include <glib/gstdio.h>

#include <unistd.h>

typedef struct {
  char *dir;
} Fixture;

static void
put (const char *dir, const char *name, const char *text)
{
  g_autofree char *path = g_build_filename (dir, name, NULL);

  g_assert_true (g_file_set_contents (path, text, -1, NULL));
}

static void
drop (const char *dir, const char *name)
{
  g_autofree char *path = g_build_filename (dir, name, NULL);

  g_remove (path);
}

static void
set_up (Fixture *f, gconstpointer data)
{
  g_autofree char *leaf = NULL;
  g_autofree char *self = g_strdup_printf ("%d\n", (int) getpid ());

  f->dir = g_dir_make_tmp ("nego-tree-XXXXXX", NULL);
  leaf = g_build_filename (f->dir, "daemon", NULL);
  g_assert_cmpint (g_mkdir (leaf, 0700), ==, 0);
  put (f->dir, "cgroup.procs", self);
  put (leaf, "cgroup.procs", "");
}

static void
tear_down (Fixture *f, gconstpointer data)
{
  static const char *const names[]
    = { "daemon/cgroup.procs", "daemon", "cgroup.procs", "cgroup.subtree_control" };

  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    drop (f->dir, names[i]);
  g_assert_cmpint (rmdir (f->dir), ==, 0);
  g_free (f->dir);
}

static NegoCgroupTree *
open_tree (Fixture *f)
{
  g_autoptr (GError) error = NULL;
  NegoCgroupTree *tree = nego_cgroup_tree_new (f->dir, &error);

  g_assert_no_error (error);
  return tree;
}

static void
test_find (void)
{
  static const struct {
    const char *text, *path, *message;
  } cases[] = {
    { "0::/system.slice/nego-agent.service\n", "/m/system.slice/nego-agent.service", NULL },
    { "4:memory:/x\n0::/a b\n", "/m/a b", NULL },
    { "0::/\n", NULL, "this process is in the root control group" },
    { "1:name=systemd:/x\n", NULL, "this process is in no control group of the second version" },
    { "", NULL, "this process is in no control group of the second version" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autoptr (GError) error = NULL;
    g_autofree char *path = nego_cgroup_tree_find (cases[i].text, "/m", &error);

    g_assert_cmpstr (path, ==, cases[i].path);
    g_assert_cmpstr (error != NULL ? error->message : NULL, ==, cases[i].message);
  }
}

static void
test_moves_to_a_leaf (Fixture *f, gconstpointer data)
{
  g_autofree char *procs = g_build_filename (f->dir, "daemon", "cgroup.procs", NULL);
  g_autofree char *text = NULL;
  g_autoptr (NegoCgroupTree) tree = open_tree (f);

  g_assert_true (g_file_get_contents (procs, &text, NULL, NULL));
  g_assert_cmpstr (text, ==, "0");
  g_assert_false (nego_cgroup_tree_limits_memory (tree));
}

static void
test_takes_the_memory_controller (Fixture *f, gconstpointer data)
{
  g_autofree char *text = NULL;
  g_autofree char *control = g_build_filename (f->dir, "cgroup.subtree_control", NULL);
  g_autoptr (NegoCgroupTree) tree = NULL;

  put (f->dir, "cgroup.subtree_control", "");
  tree = open_tree (f);
  g_assert_true (nego_cgroup_tree_limits_memory (tree));
  g_assert_true (g_file_get_contents (control, &text, NULL, NULL));
  g_assert_cmpstr (text, ==, "+memory");
}

static void
test_others_are_in_it (Fixture *f, gconstpointer data)
{
  g_autofree char *procs = g_strdup_printf ("1\n%d\n", (int) getpid ());
  g_autofree char *expected
    = g_strdup_printf ("other processes are in the control group '%s'", f->dir);
  g_autoptr (GError) error = NULL;

  put (f->dir, "cgroup.procs", procs);
  g_assert_null (nego_cgroup_tree_new (f->dir, &error));
  g_assert_error (error, NEGO_ERROR, NEGO_ERROR_REFUSED);
  g_assert_cmpstr (error->message, ==, expected);
}

static void
test_empty_group_is_removed (Fixture *f, gconstpointer data)
{
  g_autofree char *path = g_build_filename (f->dir, "job-1", NULL);
  g_autoptr (NegoCgroupTree) tree = open_tree (f);
  g_autoptr (GError) error = NULL;
  NegoCgroup *group = nego_cgroup_tree_make (tree, "job-1", 0, &error);

  g_assert_no_error (error);
  g_assert_cmpstr (nego_cgroup_get_path (group), ==, path);
  g_assert_true (g_file_test (path, G_FILE_TEST_IS_DIR));
  nego_cgroup_tree_release (tree, group);
  g_assert_false (g_file_test (path, G_FILE_TEST_EXISTS));
}

static void
test_group_is_removed_when_it_empties (Fixture *f, gconstpointer data)
{
  g_autofree char *path = g_build_filename (f->dir, "job-1", NULL);
  g_autoptr (NegoCgroupTree) tree = open_tree (f);
  g_autoptr (GError) error = NULL;
  NegoCgroup *group = nego_cgroup_tree_make (tree, "job-1", 0, &error);

  g_assert_no_error (error);
  put (path, "cgroup.events", "populated 1\n");
  nego_cgroup_tree_release (tree, group);
  g_assert_true (g_file_test (path, G_FILE_TEST_IS_DIR));
  /* The kernel changes the file; here its end is the event, or the directory were not empty. */
  drop (path, "cgroup.events");
  while (g_file_test (path, G_FILE_TEST_EXISTS))
    g_main_context_iteration (NULL, TRUE);
}

static void
test_limit_of_memory_that_cannot_be_set (Fixture *f, gconstpointer data)
{
  g_autofree char *path = g_build_filename (f->dir, "job-1", NULL);
  g_autofree char *expected
    = g_strdup_printf ("cannot write '1' to '%s/memory.oom.group': No such file or directory",
                       path);
  g_autoptr (NegoCgroupTree) tree = open_tree (f);
  g_autoptr (GError) error = NULL;

  g_assert_null (nego_cgroup_tree_make (tree, "job-1", 1 << 20, &error));
  g_assert_cmpstr (error->message, ==, expected);
  g_assert_false (g_file_test (path, G_FILE_TEST_EXISTS));
}

static void
test_limit_of_groups (Fixture *f, gconstpointer data)
{
  g_autoptr (NegoCgroupTree) tree = open_tree (f);
  g_autoptr (GPtrArray) groups = g_ptr_array_new ();
  g_autoptr (GError) error = NULL;

  for (guint i = 0; i < NEGO_CGROUPS; i++) {
    g_autofree char *name = g_strdup_printf ("job-%u", i);

    g_ptr_array_add (groups, nego_cgroup_tree_make (tree, name, 0, &error));
    g_assert_no_error (error);
  }
  g_assert_null (nego_cgroup_tree_make (tree, "more", 0, &error));
  g_assert_error (error, NEGO_ERROR, NEGO_ERROR_BUSY);
  g_assert_cmpstr (error->message, ==, "too many control groups (limit 1024)");
  for (guint i = 0; i < groups->len; i++)
    nego_cgroup_tree_release (tree, groups->pdata[i]);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/cgroup-tree/find", test_find);
#define ADD(name, func) g_test_add ("/cgroup-tree/" name, Fixture, NULL, set_up, func, tear_down)
  ADD ("empty-group-is-removed", test_empty_group_is_removed);
  ADD ("group-is-removed-when-it-empties", test_group_is_removed_when_it_empties);
  ADD ("limit-of-groups", test_limit_of_groups);
  ADD ("limit-of-memory-that-cannot-be-set", test_limit_of_memory_that_cannot_be_set);
  ADD ("moves-to-a-leaf", test_moves_to_a_leaf);
  ADD ("others-are-in-it", test_others_are_in_it);
  ADD ("takes-the-memory-controller", test_takes_the_memory_controller);
  return g_test_run ();
}
