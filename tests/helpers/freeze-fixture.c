/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "tests/helpers/freeze-fixture.h"

#include "agent/frozen-marker.h"
#include "tests/helpers/script-dir.h"
#include "tests/helpers/tree.h"

#include <errno.h>
#include <unistd.h>

FreezeFake freeze_fake;

static void
note (const char *what, const char *name)
{
  g_string_append_printf (freeze_fake.calls, "%s %s; ", what, name);
}

static int
fake_freeze (const char *path, int fd)
{
  g_autofree char *name = g_path_get_basename (path);
  int errnum = 0;

  g_mutex_lock (&freeze_fake.lock);
  note ("freeze", name);
  g_cond_broadcast (&freeze_fake.changed);
  while (g_strcmp0 (freeze_fake.sticks, name) == 0)
    g_cond_wait (&freeze_fake.changed, &freeze_fake.lock);
  if (g_strcmp0 (freeze_fake.fails, name) == 0)
    errnum = freeze_fake.errnum;
  else if (!g_hash_table_add (freeze_fake.frozen, g_strdup (name)))
    errnum = EBUSY;
  g_mutex_unlock (&freeze_fake.lock);
  return errnum;
}

static int
fake_thaw (const char *path, int fd)
{
  g_autofree char *name = g_path_get_basename (path);
  int errnum = EINVAL;

  g_mutex_lock (&freeze_fake.lock);
  while (g_strcmp0 (freeze_fake.slow, name) == 0)
    g_cond_wait (&freeze_fake.changed, &freeze_fake.lock);
  if (g_strcmp0 (freeze_fake.dead, name) == 0)
    errnum = EIO;
  else if (g_hash_table_remove (freeze_fake.frozen, name))
    errnum = 0;
  if (errnum != EINVAL)
    note ("thaw", name);
  g_cond_broadcast (&freeze_fake.changed);
  g_mutex_unlock (&freeze_fake.lock);
  return errnum;
}

const NegoFreezeOps freeze_fake_ops = { fake_freeze, fake_thaw };

void
freeze_fixture_changed_cb (gboolean frozen, gpointer user_data)
{
  FreezeFixture *fixture = user_data;

  g_string_append (fixture->changes, frozen ? "frozen; " : "thawed; ");
}

char *
freeze_fixture_get_mount (FreezeFixture *fixture, const char *name)
{
  return g_strconcat (fixture->root, "/mnt/", name, NULL);
}

void
freeze_fixture_write_mounts (FreezeFixture *fixture, gboolean with_missing)
{
  g_autofree char *path = g_strconcat (fixture->root, "/proc/self/mountinfo", NULL);
  g_autofree char *text
    = g_strdup_printf ("1 0 8:1 / %s/mnt/a rw - ext4 x rw\n2 0 8:2 / %s/mnt/b rw - ext4 x rw\n"
                       "3 0 0:9 / /proc rw - proc x rw\n4 0 8:3 / %s/mnt/c rw - ext4 x rw\n",
                       fixture->root, fixture->root, fixture->root);
  g_autofree char *more
    = g_strdup_printf ("%s5 0 8:4 / %s/mnt/missing rw - ext4 x rw\n", text, fixture->root);

  g_assert_true (g_file_set_contents (path, with_missing ? more : text, -1, NULL));
}

static void
start (FreezeFixture *fixture, const char *hook, guint thaw_after_ms, guint thaw_wait_ms)
{
  const NegoFreezeSettings settings = {
    .root = fixture->root,
    .statedir = fixture->root,
    .boot_id = FREEZE_BOOT,
    .hook = hook,
    .hook_ms = 60000,
    .thaw_after_ms = thaw_after_ms,
    .thaw_wait_ms = thaw_wait_ms,
    .ops = &freeze_fake_ops,
  };

  g_clear_pointer (&fixture->freeze, nego_freeze_free);
  fixture->freeze = nego_freeze_new (&settings, freeze_fixture_changed_cb, fixture);
}

void
freeze_fixture_start (FreezeFixture *fixture, const char *hook, guint thaw_after_ms)
{
  start (fixture, hook, thaw_after_ms, 60000);
}

void
freeze_fixture_start_impatient (FreezeFixture *fixture)
{
  start (fixture, NULL, 0, 50);
}

void
freeze_fixture_set_up (FreezeFixture *fixture, gconstpointer data)
{
  static const TreeEntry entries[] = {
    { "/mnt/a", NULL, NULL }, { "/mnt/b", NULL, NULL },
    { "/mnt/c", NULL, NULL }, { "/proc/self/mountinfo", "", NULL },
    { "/log", "", NULL },
  };

  fixture->hooks = script_dir_new ();
  if (fixture->hooks == NULL)
    return;
  fixture->root = tree_new (entries, G_N_ELEMENTS (entries));
  fixture->changes = g_string_new (NULL);
  freeze_fixture_write_mounts (fixture, FALSE);
  freeze_fake.calls = g_string_new (NULL);
  freeze_fake.frozen = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  freeze_fake.fails = freeze_fake.sticks = freeze_fake.dead = freeze_fake.slow = NULL;
  freeze_fixture_start (fixture, NULL, 0);
}

void
freeze_fixture_tear_down (FreezeFixture *fixture, gconstpointer data)
{
  if (fixture->hooks == NULL)
    return;
  nego_freeze_free (fixture->freeze);
  g_hash_table_unref (freeze_fake.frozen);
  g_string_free (freeze_fake.calls, TRUE);
  g_string_free (fixture->changes, TRUE);
  g_free (fixture->error);
  tree_free (fixture->root);
  script_dir_free (fixture->hooks);
}

void
freeze_fixture_done_cb (gint64 count, const GError *error, gpointer user_data)
{
  FreezeFixture *fixture = user_data;

  fixture->count = count;
  g_free (fixture->error);
  fixture->error = error != NULL ? g_strdup (error->message) : NULL;
  fixture->answers++;
}

void
freeze_fixture_wait (FreezeFixture *fixture, guint n)
{
  while (fixture->answers < n)
    g_main_context_iteration (NULL, TRUE);
  g_assert_cmpuint (fixture->answers, ==, n);
  fixture->answers = 0;
}

void
freeze_fixture_freeze (FreezeFixture *fixture, const char *const *paths)
{
  nego_freeze_freeze (fixture->freeze, paths, freeze_fixture_done_cb, fixture);
  freeze_fixture_wait (fixture, 1);
}

void
freeze_fixture_thaw (FreezeFixture *fixture)
{
  nego_freeze_thaw (fixture->freeze, freeze_fixture_done_cb, fixture);
  freeze_fixture_wait (fixture, 1);
}

void
freeze_fixture_check (FreezeFixture *fixture, gint64 count, const char *error, const char *calls)
{
  g_assert_cmpstr (fixture->error, ==, error);
  g_assert_cmpint (fixture->count, ==, count);
  g_mutex_lock (&freeze_fake.lock);
  g_assert_cmpstr (freeze_fake.calls->str, ==, calls);
  g_string_truncate (freeze_fake.calls, 0);
  g_mutex_unlock (&freeze_fake.lock);
}

void
freeze_fixture_check_changes (FreezeFixture *fixture, const char *changes)
{
  g_assert_cmpstr (fixture->changes->str, ==, changes);
  g_string_truncate (fixture->changes, 0);
}

gboolean
freeze_fixture_is_marked (FreezeFixture *fixture)
{
  g_autofree char *path = nego_frozen_marker_get_path (fixture->root);

  return access (path, F_OK) == 0;
}
