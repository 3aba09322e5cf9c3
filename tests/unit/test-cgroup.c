/* SPDX-License-Identifier: MIT */
/* On a directory that looks like a group; real ones are in tests/vm/test_job_cgroup.py. */
#include "config.h"

#include "common/cgroup.h"
#include "common/error.h"

#include <glib/gstdio.h>

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

typedef struct {
  char *dir;
  NegoCgroup *group; /* in it */
} Fixture;

static void
put (const Fixture *f, const char *name, const char *text)
{
  g_autofree char *path = g_build_filename (nego_cgroup_get_path (f->group), name, NULL);

  g_assert_true (g_file_set_contents (path, text, -1, NULL));
}

static void
assert_text (const Fixture *f, const char *name, const char *expected)
{
  g_autofree char *text = nego_cgroup_read (f->group, name);

  g_assert_cmpstr (text, ==, expected);
}

static void
set_up (Fixture *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;

  f->dir = g_dir_make_tmp ("nego-cgroup-XXXXXX", NULL);
  f->group = nego_cgroup_new (f->dir, "group", &error);
  g_assert_no_error (error);
}

static void
tear_down (Fixture *f, gconstpointer data)
{
  static const char *const names[]
    = { "cgroup.kill", "cgroup.freeze",    "cgroup.procs",      "cgroup.events",
        "memory.max",  "memory.oom.group", "below/cgroup.procs" };

  for (guint i = 0; i < G_N_ELEMENTS (names); i++) {
    g_autofree char *path = g_build_filename (f->dir, "group", names[i], NULL);

    unlink (path);
  }
  nego_cgroup_remove (f->group, NULL);
  nego_cgroup_free (f->group);
  g_assert_cmpint (rmdir (f->dir), ==, 0);
  g_free (f->dir);
}

static void
test_errors (Fixture *f, gconstpointer data)
{
  g_autofree char *twice
    = g_strdup_printf ("cannot make the control group '%s/group': File exists", f->dir);
  g_autofree char *unwritten
    = g_strdup_printf ("cannot write '1' to '%s/group/memory.oom.group': No such file or directory",
                       f->dir);
  g_autofree char *busy
    = g_strdup_printf ("cannot remove the control group '%s/group': Directory not empty", f->dir);
  g_autoptr (GError) error = NULL;

  g_assert_null (nego_cgroup_new (f->dir, "group", &error));
  g_assert_cmpstr (error->message, ==, twice);
  g_clear_error (&error);
  g_assert_null (nego_cgroup_open ("/no/such/group", &error));
  g_assert_cmpstr (error->message, ==,
                   "cannot open the control group '/no/such/group': No such file or directory");
  g_clear_error (&error);
  g_assert_false (nego_cgroup_limit_memory (f->group, 1, &error));
  g_assert_cmpstr (error->message, ==, unwritten);
  g_clear_error (&error);
  put (f, "cgroup.events", "");
  g_assert_false (nego_cgroup_remove (f->group, &error));
  g_assert_cmpstr (error->message, ==, busy);
}

static void
test_memory (Fixture *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;

  put (f, "memory.max", "");
  put (f, "memory.oom.group", "");
  g_assert_true (nego_cgroup_limit_memory (f->group, G_GUINT64_CONSTANT (5000000000), &error));
  g_assert_no_error (error);
  assert_text (f, "memory.max", "5000000000");
  assert_text (f, "memory.oom.group", "1");
}

static void
test_populated (Fixture *f, gconstpointer data)
{
  g_assert_false (nego_cgroup_is_populated (f->group));
  put (f, "cgroup.events", "populated 1\nfrozen 0\n");
  g_assert_true (nego_cgroup_is_populated (f->group));
  put (f, "cgroup.events", "populated 0\nfrozen 0\n");
  g_assert_false (nego_cgroup_is_populated (f->group));
}

static void
test_kill (Fixture *f, gconstpointer data)
{
  put (f, "cgroup.kill", "");
  nego_cgroup_kill (f->group);
  assert_text (f, "cgroup.kill", "1");
}

static pid_t
start_sleeper (void)
{
  const pid_t pid = fork ();

  if (pid == 0) {
    signal (SIGTERM, SIG_IGN);
    pause ();
    _exit (0);
  }
  g_assert_cmpint (pid, >, 0);
  return pid;
}

static void
assert_killed (pid_t pid)
{
  int status;

  g_assert_cmpint (waitpid (pid, &status, 0), ==, pid);
  g_assert_true (WIFSIGNALED (status) && WTERMSIG (status) == SIGKILL);
}

/* As before Linux 5.14: without a cgroup.kill. */
static void
test_kill_each (Fixture *f, gconstpointer data)
{
  g_autofree char *below = g_build_filename (f->dir, "group", "below", NULL);
  const pid_t first = start_sleeper (), second = start_sleeper ();
  g_autofree char *in_group = g_strdup_printf ("0\n%d\n", (int) first);
  g_autofree char *in_below = g_strdup_printf ("%d\n", (int) second);

  g_assert_cmpint (g_mkdir (below, 0700), ==, 0);
  put (f, "cgroup.freeze", "");
  put (f, "cgroup.procs", in_group);
  put (f, "below/cgroup.procs", in_below);
  nego_cgroup_kill (f->group);
  assert_killed (first);
  assert_killed (second);
  assert_text (f, "cgroup.freeze", "0");
}

/* Groups that a script made in its own. */
static void
test_remove_below (Fixture *f, gconstpointer data)
{
  g_autofree char *deep = g_build_filename (f->dir, "group", "a", "b", "c", NULL);
  g_autoptr (GError) error = NULL;

  g_assert_cmpint (g_mkdir_with_parents (deep, 0700), ==, 0);
  g_assert_true (nego_cgroup_remove (f->group, &error));
  g_assert_no_error (error);
  g_assert_false (g_file_test (nego_cgroup_get_path (f->group), G_FILE_TEST_EXISTS));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
#define ADD(name, func) g_test_add ("/cgroup/" name, Fixture, NULL, set_up, func, tear_down)
  ADD ("errors", test_errors);
  ADD ("kill", test_kill);
  ADD ("kill-each", test_kill_each);
  ADD ("memory", test_memory);
  ADD ("populated", test_populated);
  ADD ("remove-below", test_remove_below);
  return g_test_run ();
}
