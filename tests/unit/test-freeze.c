/* SPDX-License-Identifier: MIT */
/* freeze, freeze-items, freeze-mount, frozen-marker: with file systems that only pretend. */
#include "config.h"

#include "agent/frozen-marker.h"
#include "common/error.h"
#include "tests/helpers/freeze-fixture.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void
test_freeze_and_thaw (FreezeFixture *fixture, gconstpointer data)
{
  if (fixture->hooks == NULL)
    return;
  g_assert_true (nego_freeze_is_idle (fixture->freeze));
  freeze_fixture_freeze (fixture, NULL);
  freeze_fixture_check (fixture, 3, NULL, "freeze c; freeze b; freeze a; ");
  freeze_fixture_check_changes (fixture, "frozen; ");
  g_assert_true (nego_freeze_is_frozen (fixture->freeze));
  g_assert_true (freeze_fixture_is_marked (fixture));
  freeze_fixture_freeze (fixture, NULL);
  freeze_fixture_check (fixture, 0, "a freeze or thaw goes on already", "");
  freeze_fixture_thaw (fixture);
  freeze_fixture_check (fixture, 3, NULL, "thaw a; thaw b; thaw c; ");
  freeze_fixture_check_changes (fixture, "thawed; ");
  g_assert_false (freeze_fixture_is_marked (fixture));
  g_assert_true (nego_freeze_is_idle (fixture->freeze));
  /* What somebody else froze. */
  g_hash_table_add (freeze_fake.frozen, g_strdup ("b"));
  freeze_fixture_thaw (fixture);
  freeze_fixture_check (fixture, 1, NULL, "thaw b; ");
  freeze_fixture_check_changes (fixture, "");
}

static void
test_list (FreezeFixture *fixture, gconstpointer data)
{
  static const char *const none[] = { NULL };
  g_autofree char *b = fixture->hooks != NULL ? freeze_fixture_get_mount (fixture, "b") : NULL;
  const char *const some[] = { "/nonexistent", b, NULL };

  if (fixture->hooks == NULL)
    return;
  freeze_fixture_freeze (fixture, some);
  freeze_fixture_check (fixture, 1, NULL, "freeze b; ");
  freeze_fixture_thaw (fixture);
  freeze_fixture_check (fixture, 1, NULL, "thaw b; ");
  freeze_fixture_freeze (fixture, none);
  freeze_fixture_check (fixture, 0, NULL, "");
  g_assert_true (nego_freeze_is_idle (fixture->freeze));
  freeze_fixture_check_changes (fixture, "frozen; thawed; frozen; thawed; ");
}

static void
test_passed_over (FreezeFixture *fixture, gconstpointer data)
{
  static const int errnums[] = { EOPNOTSUPP, EBUSY };

  if (fixture->hooks == NULL)
    return;
  for (guint i = 0; i < G_N_ELEMENTS (errnums); i++) {
    freeze_fake.fails = "b";
    freeze_fake.errnum = errnums[i];
    freeze_fixture_freeze (fixture, NULL);
    freeze_fixture_check (fixture, 2, NULL, "freeze c; freeze b; freeze a; ");
    freeze_fixture_thaw (fixture);
    freeze_fixture_check (fixture, 2, NULL, "thaw a; thaw c; ");
  }
}

static void
test_failure (FreezeFixture *fixture, gconstpointer data)
{
  g_autofree char *text = NULL;

  if (fixture->hooks == NULL)
    return;
  freeze_fake.fails = "b";
  freeze_fake.errnum = EIO;
  freeze_fixture_freeze (fixture, NULL);
  text = g_strdup_printf ("failed to freeze %s/mnt/b: Input/output error", fixture->root);
  freeze_fixture_check (fixture, 0, text, "freeze c; freeze b; thaw c; ");
  freeze_fixture_check_changes (fixture, "frozen; thawed; ");
  g_assert_true (nego_freeze_is_idle (fixture->freeze));
  g_assert_false (freeze_fixture_is_marked (fixture));
}

static void
test_cannot_open (FreezeFixture *fixture, gconstpointer data)
{
  g_autofree char *text = NULL;

  if (fixture->hooks == NULL)
    return;
  freeze_fixture_write_mounts (fixture, TRUE);
  freeze_fixture_freeze (fixture, NULL);
  text
    = g_strdup_printf ("failed to open %s/mnt/missing: No such file or directory", fixture->root);
  freeze_fixture_check (fixture, 0, text, "");
}

/* A file can be a mount point, too. */
static void
test_file (FreezeFixture *fixture, gconstpointer data)
{
  g_autofree char *b = fixture->hooks != NULL ? freeze_fixture_get_mount (fixture, "b") : NULL;

  if (fixture->hooks == NULL)
    return;
  g_assert_cmpint (rmdir (b), ==, 0);
  g_assert_true (g_file_set_contents (b, "", -1, NULL));
  freeze_fixture_freeze (fixture, NULL);
  freeze_fixture_check (fixture, 3, NULL, "freeze c; freeze b; freeze a; ");
  freeze_fixture_thaw (fixture);
  freeze_fixture_check (fixture, 3, NULL, "thaw a; thaw b; thaw c; ");
}

static void
test_no_mounts (FreezeFixture *fixture, gconstpointer data)
{
  static const char text[]
    = "failed to open mtab file: '/proc/self/mountinfo': No such file or directory";
  g_autofree char *path = NULL;

  if (fixture->hooks == NULL)
    return;
  freeze_fixture_freeze (fixture, NULL);
  freeze_fixture_check (fixture, 3, NULL, "freeze c; freeze b; freeze a; ");
  path = g_strconcat (fixture->root, "/proc/self/mountinfo", NULL);
  g_assert_cmpint (unlink (path), ==, 0);
  /* What it froze itself. */
  freeze_fixture_thaw (fixture);
  freeze_fixture_check (fixture, 3, text, "thaw a; thaw b; thaw c; ");
  freeze_fixture_freeze (fixture, NULL);
  freeze_fixture_check (fixture, 0, text, "");
  g_assert_true (nego_freeze_is_idle (fixture->freeze));
}

static void
test_dead_disk (FreezeFixture *fixture, gconstpointer data)
{
  g_autofree char *text = NULL;

  if (fixture->hooks == NULL)
    return;
  freeze_fixture_freeze (fixture, NULL);
  freeze_fixture_check (fixture, 3, NULL, "freeze c; freeze b; freeze a; ");
  freeze_fake.dead = "b";
  freeze_fixture_thaw (fixture);
  text = g_strdup_printf ("failed to thaw %s/mnt/b: Input/output error", fixture->root);
  freeze_fixture_check (fixture, 2, text, "thaw a; thaw b; thaw c; ");
  freeze_fake.dead = NULL;
  freeze_fixture_thaw (fixture);
  freeze_fixture_check (fixture, 1, NULL, "thaw b; ");
}

static void
wait_calls (const char *calls)
{
  g_mutex_lock (&freeze_fake.lock);
  while (!g_str_equal (freeze_fake.calls->str, calls))
    g_cond_wait (&freeze_fake.changed, &freeze_fake.lock);
  g_string_truncate (freeze_fake.calls, 0);
  g_mutex_unlock (&freeze_fake.lock);
}

static void
unstick (void)
{
  g_mutex_lock (&freeze_fake.lock);
  freeze_fake.sticks = freeze_fake.slow = NULL;
  g_cond_broadcast (&freeze_fake.changed);
  g_mutex_unlock (&freeze_fake.lock);
}

static void
await_calls (const char *calls)
{
  for (;;) {
    gboolean seen;

    g_mutex_lock (&freeze_fake.lock);
    seen = g_str_equal (freeze_fake.calls->str, calls);
    g_mutex_unlock (&freeze_fake.lock);
    if (seen)
      break;
    if (!g_main_context_iteration (NULL, FALSE))
      g_thread_yield ();
  }
  wait_calls (calls);
}

static void
check_refused (FreezeFixture *fixture, const char *error)
{
  freeze_fixture_freeze (fixture, NULL);
  freeze_fixture_check (fixture, 0, error, "");
}

static void
wait_idle (FreezeFixture *fixture)
{
  while (!nego_freeze_is_idle (fixture->freeze))
    g_main_context_iteration (NULL, TRUE);
}

/* A thaw while one is being frozen: the others are thawed at once, and that one when it is. Until
 * then no freeze may come, which would find it frozen, and nothing may be written to it. */
static void
test_thaw_while_freezing (FreezeFixture *fixture, gconstpointer data)
{
  if (fixture->hooks == NULL)
    return;
  freeze_fake.sticks = "b";
  nego_freeze_freeze (fixture->freeze, NULL, freeze_fixture_done_cb, fixture);
  await_calls ("freeze c; freeze b; ");
  nego_freeze_thaw (fixture->freeze, NULL, NULL);
  freeze_fixture_wait (fixture, 1);
  freeze_fixture_check (fixture, 0, "the freeze was ended by a thaw", "thaw c; ");
  freeze_fixture_check_changes (fixture, "frozen; ");
  g_assert_true (freeze_fixture_is_marked (fixture));
  g_assert_false (nego_freeze_is_idle (fixture->freeze));
  check_refused (fixture, "a freeze or thaw goes on already");
  freeze_fixture_thaw (fixture);
  freeze_fixture_check (fixture, 0, NULL, "");
  unstick ();
  wait_idle (fixture);
  freeze_fixture_check (fixture, 0, NULL, "thaw b; ");
  freeze_fixture_check_changes (fixture, "thawed; ");
  g_assert_false (freeze_fixture_is_marked (fixture));
  freeze_fixture_freeze (fixture, NULL);
  freeze_fixture_check (fixture, 3, NULL, "freeze c; freeze b; freeze a; ");
}

/* A thaw that takes too long is an error, but not forgotten. */
static void
test_slow_thaw (FreezeFixture *fixture, gconstpointer data)
{
  g_autofree char *b = fixture->hooks != NULL ? freeze_fixture_get_mount (fixture, "b") : NULL;
  g_autofree char *error = g_strdup_printf ("failed to thaw %s: Connection timed out", b);
  const char *const only_b[] = { b, NULL };

  if (fixture->hooks == NULL)
    return;
  freeze_fixture_start_impatient (fixture);
  freeze_fixture_freeze (fixture, only_b);
  freeze_fixture_check (fixture, 1, NULL, "freeze b; ");
  freeze_fake.slow = "b";
  freeze_fixture_thaw (fixture);
  freeze_fixture_check (fixture, 0, error, "");
  freeze_fixture_check_changes (fixture, "frozen; ");
  g_assert_true (nego_freeze_is_frozen (fixture->freeze));
  g_assert_true (freeze_fixture_is_marked (fixture));
  check_refused (fixture, "a freeze or thaw goes on already");
  unstick ();
  wait_idle (fixture);
  freeze_fixture_check_changes (fixture, "thawed; ");
  g_assert_false (freeze_fixture_is_marked (fixture));
}

static void
ended_cb (gpointer user_data)
{
  gboolean *ended = user_data;

  *ended = TRUE;
}

/* An agent that ends waits for what is being frozen, and freezes nothing any more. */
static void
test_end (FreezeFixture *fixture, gconstpointer data)
{
  gboolean ended = FALSE;

  if (fixture->hooks == NULL)
    return;
  freeze_fake.sticks = "b";
  nego_freeze_freeze (fixture->freeze, NULL, freeze_fixture_done_cb, fixture);
  await_calls ("freeze c; freeze b; ");
  nego_freeze_end (fixture->freeze, ended_cb, &ended);
  freeze_fixture_wait (fixture, 1);
  freeze_fixture_check (fixture, 0, "the freeze was ended by a thaw", "thaw c; ");
  g_assert_false (ended);
  unstick ();
  wait_idle (fixture);
  g_assert_true (ended);
  freeze_fixture_check (fixture, 0, "the freeze was ended by a thaw", "thaw b; ");
  check_refused (fixture, "the agent is stopping");
}

static void
test_end_idle (FreezeFixture *fixture, gconstpointer data)
{
  gboolean ended = FALSE;

  if (fixture->hooks == NULL)
    return;
  nego_freeze_end (fixture->freeze, ended_cb, &ended);
  g_assert_true (ended);
  freeze_fixture_check (fixture, 0, NULL, "");
  check_refused (fixture, "the agent is stopping");
}

/* Two that want the same thaw. */
static void
test_two_thaws (FreezeFixture *fixture, gconstpointer data)
{
  if (fixture->hooks == NULL)
    return;
  freeze_fixture_freeze (fixture, NULL);
  nego_freeze_thaw (fixture->freeze, freeze_fixture_done_cb, fixture);
  nego_freeze_thaw (fixture->freeze, freeze_fixture_done_cb, fixture);
  freeze_fixture_wait (fixture, 2);
  freeze_fixture_check (fixture, 3, NULL, "freeze c; freeze b; freeze a; thaw a; thaw b; thaw c; ");
}

static void
test_free_while_freezing (FreezeFixture *fixture, gconstpointer data)
{
  if (fixture->hooks == NULL)
    return;
  freeze_fake.sticks = "c";
  nego_freeze_freeze (fixture->freeze, NULL, freeze_fixture_done_cb, fixture);
  await_calls ("freeze c; ");
  g_clear_pointer (&fixture->freeze, nego_freeze_free);
  unstick ();
  await_calls ("thaw c; ");
  g_assert_cmpuint (fixture->answers, ==, 0);
}

static void
test_deadline (FreezeFixture *fixture, gconstpointer data)
{
  if (fixture->hooks == NULL)
    return;
  /* Long enough for the thread to begin first. */
  freeze_fixture_start (fixture, NULL, 2000);
  freeze_fake.sticks = "a";
  nego_freeze_freeze (fixture->freeze, NULL, freeze_fixture_done_cb, fixture);
  await_calls ("freeze c; freeze b; freeze a; ");
  freeze_fixture_wait (fixture, 1);
  freeze_fixture_check (fixture, 0, "the freeze was ended by a thaw", "thaw b; thaw c; ");
  unstick ();
  /* Its thread thaws it; it uses the fake's table until then. */
  await_calls ("thaw a; ");
}

/* The marker of an agent that was killed. */
static void
check_marker (FreezeFixture *fixture, const char *text, gboolean frozen)
{
  g_autofree char *path = nego_frozen_marker_get_path (fixture->root);

  g_assert_true (g_file_set_contents (path, text, -1, NULL));
  freeze_fixture_start (fixture, NULL, 0);
  g_assert_cmpint (nego_freeze_is_frozen (fixture->freeze), ==, frozen);
  g_assert_cmpint (freeze_fixture_is_marked (fixture), ==, frozen);
  freeze_fixture_check_changes (fixture, "");
}

static void
test_restart (FreezeFixture *fixture, gconstpointer data)
{
  struct stat st;
  g_autofree char *path = NULL;

  if (fixture->hooks == NULL)
    return;
  check_marker (fixture, "another boot", FALSE);
  check_marker (fixture, "", TRUE);
  check_marker (fixture, FREEZE_BOOT "\n", TRUE);
  freeze_fixture_thaw (fixture);
  freeze_fixture_check (fixture, 0, NULL, "");
  freeze_fixture_check_changes (fixture, "thawed; ");
  g_assert_false (freeze_fixture_is_marked (fixture));

  freeze_fixture_freeze (fixture, NULL);
  path = nego_frozen_marker_get_path (fixture->root);
  g_assert_cmpint (stat (path, &st), ==, 0);
  g_assert_cmpint (st.st_mode & 07777, ==, 0600);
  freeze_fixture_check (fixture, 3, NULL, "freeze c; freeze b; freeze a; ");
  freeze_fixture_check_changes (fixture, "frozen; ");
  freeze_fixture_start (fixture, NULL, 0);
  g_assert_true (nego_freeze_is_frozen (fixture->freeze));
  freeze_fixture_thaw (fixture);
  freeze_fixture_check (fixture, 3, NULL, "thaw a; thaw b; thaw c; ");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  /* What fails here is a warning in the log, too. */
  g_log_set_always_fatal (G_LOG_FATAL_MASK);
#define ADD(name, func)                                                          \
  g_test_add ("/freeze/" name, FreezeFixture, NULL, freeze_fixture_set_up, func, \
              freeze_fixture_tear_down)
  ADD ("freeze-and-thaw", test_freeze_and_thaw);
  ADD ("list", test_list);
  ADD ("passed-over", test_passed_over);
  ADD ("failure", test_failure);
  ADD ("cannot-open", test_cannot_open);
  ADD ("file", test_file);
  ADD ("no-mounts", test_no_mounts);
  ADD ("dead-disk", test_dead_disk);
  ADD ("thaw-while-freezing", test_thaw_while_freezing);
  ADD ("slow-thaw", test_slow_thaw);
  ADD ("end", test_end);
  ADD ("end-idle", test_end_idle);
  ADD ("two-thaws", test_two_thaws);
  ADD ("free-while-freezing", test_free_while_freezing);
  ADD ("deadline", test_deadline);
  ADD ("restart", test_restart);
  return g_test_run ();
}
