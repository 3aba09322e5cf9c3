/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "agent/pidfile.h"
#include "common/error.h"

#include <glib/gstdio.h>

#include <sys/stat.h>
#include <unistd.h>

typedef struct {
  char *dir;
  char *path;
} Fixture;

static void
set_up (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GError) error = NULL;

  fixture->dir = g_dir_make_tmp ("nego-pidfile-XXXXXX", &error);
  g_assert_no_error (error);
  fixture->path = g_build_filename (fixture->dir, "pid", NULL);
}

static void
tear_down (Fixture *fixture, gconstpointer data)
{
  g_unlink (fixture->path);
  g_assert_cmpint (g_rmdir (fixture->dir), ==, 0);
  g_free (fixture->dir);
  g_free (fixture->path);
}

static NegoPidfile *
take (Fixture *fixture)
{
  g_autoptr (GError) error = NULL;
  NegoPidfile *pidfile = nego_pidfile_new (fixture->path, &error);

  g_assert_no_error (error);
  return pidfile;
}

static void
assert_ours (Fixture *fixture)
{
  g_autofree char *expected = g_strdup_printf ("%d\n", getpid ());
  g_autofree char *text = NULL;

  g_assert_true (g_file_get_contents (fixture->path, &text, NULL, NULL));
  g_assert_cmpstr (text, ==, expected);
}

static void
test_life (Fixture *fixture, gconstpointer data)
{
  NegoPidfile *pidfile = take (fixture);
  struct stat st;

  assert_ours (fixture);
  g_assert_cmpint (stat (fixture->path, &st), ==, 0);
  g_assert_cmpuint (st.st_mode & 07777, ==, 0600);
  nego_pidfile_free (pidfile);
  g_assert_false (g_file_test (fixture->path, G_FILE_TEST_EXISTS));
}

/* Left behind by a process that was killed. */
static void
test_stale (Fixture *fixture, gconstpointer data)
{
  g_autoptr (NegoPidfile) pidfile = NULL;

  g_assert_true (g_file_set_contents (fixture->path, "1234567890\n", -1, NULL));
  pidfile = take (fixture);
  assert_ours (fixture);
}

/* A file that somebody put in the place of ours is not ours to remove. */
static void
test_replaced (Fixture *fixture, gconstpointer data)
{
  NegoPidfile *pidfile = take (fixture);

  g_assert_cmpint (g_unlink (fixture->path), ==, 0);
  g_assert_true (g_file_set_contents (fixture->path, "other\n", -1, NULL));
  nego_pidfile_free (pidfile);
  g_assert_true (g_file_test (fixture->path, G_FILE_TEST_EXISTS));
}

/* In another process: a lock is no obstacle to its owner. */
static void
test_locked (Fixture *fixture, gconstpointer data)
{
  g_autoptr (NegoPidfile) pidfile = NULL;
  const char *held = g_getenv ("NEGO_TEST_PIDFILE");

  if (g_test_subprocess ()) {
    g_autoptr (GError) error = NULL;
    g_autofree char *expected
      = g_strdup_printf ("failed to lock the pid file '%s': process %d has it", held, getppid ());

    g_assert_null (nego_pidfile_new (held, &error));
    g_assert_error (error, NEGO_ERROR, NEGO_ERROR_BUSY);
    g_assert_cmpstr (error->message, ==, expected);
    g_clear_error (&error);
    g_assert_false (nego_pidfile_check (held, &error));
    g_assert_error (error, NEGO_ERROR, NEGO_ERROR_BUSY);
    g_assert_cmpstr (error->message, ==, expected);
    return;
  }
  pidfile = take (fixture);
  g_setenv ("NEGO_TEST_PIDFILE", fixture->path, TRUE);
  g_test_trap_subprocess (NULL, 0, G_TEST_SUBPROCESS_DEFAULT);
  g_test_trap_assert_passed ();
  assert_ours (fixture);
}

/* Looking makes no file. */
static void
test_check (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GError) error = NULL;

  g_assert_true (nego_pidfile_check (fixture->path, &error));
  g_assert_no_error (error);
  g_assert_false (g_file_test (fixture->path, G_FILE_TEST_EXISTS));
  g_assert_true (g_file_set_contents (fixture->path, "1234567890\n", -1, NULL));
  g_assert_true (nego_pidfile_check (fixture->path, &error));
  g_assert_no_error (error);
}

static void
test_no_directory (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GError) error = NULL;

  g_assert_null (nego_pidfile_new ("/nonexistent/pid", &error));
  g_assert_error (error, NEGO_ERROR, NEGO_ERROR_NOT_FOUND);
  g_assert_cmpstr (error->message, ==,
                   "failed to open the pid file '/nonexistent/pid': No such file or directory");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add ("/pidfile/life", Fixture, NULL, set_up, test_life, tear_down);
  g_test_add ("/pidfile/stale", Fixture, NULL, set_up, test_stale, tear_down);
  g_test_add ("/pidfile/replaced", Fixture, NULL, set_up, test_replaced, tear_down);
  g_test_add ("/pidfile/locked", Fixture, NULL, set_up, test_locked, tear_down);
  g_test_add ("/pidfile/check", Fixture, NULL, set_up, test_check, tear_down);
  g_test_add ("/pidfile/no-directory", Fixture, NULL, set_up, test_no_directory, tear_down);
  return g_test_run ();
}
