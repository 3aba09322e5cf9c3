/* SPDX-License-Identifier: MIT */
/* freeze, freeze-mount, frozen-marker, hook: with real hooks, and file systems that only pretend.
 */
#include "config.h"

#include "agent/freeze.h"
#include "agent/frozen-marker.h"
#include "common/error.h"
#include "tests/helpers/script-dir.h"
#include "tests/helpers/tree.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define BOOT "f1d2d2f9-24e9-4b1c-8d1a-111111111111"

/* What the system calls do, and what was called; shared with threads. A file system is known by the
 * last part of its path. */
static struct {
  GMutex lock;
  GCond changed;
  GString *calls;     /* "freeze a; thaw a; " */
  GHashTable *frozen; /* names */
  const char *fails;  /* freezing it does, with errnum */
  int errnum;
  const char *sticks; /* freezing it waits until this is something else */
  const char *dead;   /* thawing it fails with EIO */
} fake;

static void
note (const char *what, const char *name)
{
  g_string_append_printf (fake.calls, "%s %s; ", what, name);
}

static int
fake_freeze (const char *path, int fd)
{
  g_autofree char *name = g_path_get_basename (path);
  int errnum = 0;

  g_mutex_lock (&fake.lock);
  note ("freeze", name);
  g_cond_broadcast (&fake.changed);
  while (g_strcmp0 (fake.sticks, name) == 0)
    g_cond_wait (&fake.changed, &fake.lock);
  if (g_strcmp0 (fake.fails, name) == 0)
    errnum = fake.errnum;
  else if (!g_hash_table_add (fake.frozen, g_strdup (name)))
    errnum = EBUSY;
  g_mutex_unlock (&fake.lock);
  return errnum;
}

static int
fake_thaw (const char *path, int fd)
{
  g_autofree char *name = g_path_get_basename (path);
  int errnum = EINVAL;

  g_mutex_lock (&fake.lock);
  if (g_strcmp0 (fake.dead, name) == 0)
    errnum = EIO;
  else if (g_hash_table_remove (fake.frozen, name))
    errnum = 0;
  if (errnum != EINVAL)
    note ("thaw", name);
  g_cond_broadcast (&fake.changed);
  g_mutex_unlock (&fake.lock);
  return errnum;
}

static const NegoFreezeOps fake_ops = { fake_freeze, fake_thaw };

typedef struct {
  char *root;
  char *hooks; /* a directory; NULL: no test */
  NegoFreeze *freeze;
  GString *changes; /* "frozen; thawed; " */
  gint64 count;
  char *error;
  guint answers;
} Fixture;

static void
changed_cb (gboolean frozen, gpointer user_data)
{
  Fixture *fixture = user_data;

  g_string_append (fixture->changes, frozen ? "frozen; " : "thawed; ");
}

static char *
mount_path (Fixture *fixture, const char *name)
{
  return g_strconcat (fixture->root, "/mnt/", name, NULL);
}

/* Three file systems, a mounted first; "missing" has no directory. */
static void
write_mounts (Fixture *fixture, gboolean with_missing)
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
start (Fixture *fixture, const char *hook, guint thaw_after_ms)
{
  const NegoFreezeSettings settings = {
    .root = fixture->root,
    .statedir = fixture->root,
    .boot_id = BOOT,
    .hook = hook,
    .hook_ms = 60000,
    .thaw_after_ms = thaw_after_ms,
    .ops = &fake_ops,
  };

  g_clear_pointer (&fixture->freeze, nego_freeze_free);
  fixture->freeze = nego_freeze_new (&settings, changed_cb, fixture);
}

static void
set_up (Fixture *fixture, gconstpointer data)
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
  write_mounts (fixture, FALSE);
  fake.calls = g_string_new (NULL);
  fake.frozen = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  fake.fails = fake.sticks = fake.dead = NULL;
  start (fixture, NULL, 0);
}

static void
tear_down (Fixture *fixture, gconstpointer data)
{
  if (fixture->hooks == NULL)
    return;
  nego_freeze_free (fixture->freeze);
  g_hash_table_unref (fake.frozen);
  g_string_free (fake.calls, TRUE);
  g_string_free (fixture->changes, TRUE);
  g_free (fixture->error);
  tree_free (fixture->root);
  script_dir_free (fixture->hooks);
}

static void
done_cb (gint64 count, const GError *error, gpointer user_data)
{
  Fixture *fixture = user_data;

  fixture->count = count;
  g_free (fixture->error);
  fixture->error = error != NULL ? g_strdup (error->message) : NULL;
  fixture->answers++;
}

static void
wait_answers (Fixture *fixture, guint n)
{
  while (fixture->answers < n)
    g_main_context_iteration (NULL, TRUE);
  g_assert_cmpuint (fixture->answers, ==, n);
  fixture->answers = 0;
}

static void
freeze_list (Fixture *fixture, const char *const *paths)
{
  nego_freeze_freeze (fixture->freeze, paths, done_cb, fixture);
  wait_answers (fixture, 1);
}

static void
thaw (Fixture *fixture)
{
  nego_freeze_thaw (fixture->freeze, done_cb, fixture);
  wait_answers (fixture, 1);
}

/* The answer, since the last look; NULL: no error. */
static void
check (Fixture *fixture, gint64 count, const char *error, const char *calls)
{
  g_assert_cmpstr (fixture->error, ==, error);
  g_assert_cmpint (fixture->count, ==, count);
  g_mutex_lock (&fake.lock);
  g_assert_cmpstr (fake.calls->str, ==, calls);
  g_string_truncate (fake.calls, 0);
  g_mutex_unlock (&fake.lock);
}

static void
check_changes (Fixture *fixture, const char *changes)
{
  g_assert_cmpstr (fixture->changes->str, ==, changes);
  g_string_truncate (fixture->changes, 0);
}

static gboolean
is_marked (Fixture *fixture)
{
  g_autofree char *path = nego_frozen_marker_get_path (fixture->root);

  return access (path, F_OK) == 0;
}

static void
test_freeze_and_thaw (Fixture *fixture, gconstpointer data)
{
  if (fixture->hooks == NULL)
    return;
  g_assert_true (nego_freeze_is_idle (fixture->freeze));
  freeze_list (fixture, NULL);
  check (fixture, 3, NULL, "freeze c; freeze b; freeze a; ");
  check_changes (fixture, "frozen; ");
  g_assert_true (nego_freeze_is_frozen (fixture->freeze));
  g_assert_true (is_marked (fixture));
  freeze_list (fixture, NULL);
  check (fixture, 0, "a freeze or thaw goes on already", "");
  thaw (fixture);
  check (fixture, 3, NULL, "thaw a; thaw b; thaw c; ");
  check_changes (fixture, "thawed; ");
  g_assert_false (is_marked (fixture));
  g_assert_true (nego_freeze_is_idle (fixture->freeze));
  /* What somebody else froze. */
  g_hash_table_add (fake.frozen, g_strdup ("b"));
  thaw (fixture);
  check (fixture, 1, NULL, "thaw b; ");
  check_changes (fixture, "");
}

static void
test_list (Fixture *fixture, gconstpointer data)
{
  static const char *const none[] = { NULL };
  g_autofree char *b = fixture->hooks != NULL ? mount_path (fixture, "b") : NULL;
  const char *const some[] = { "/nonexistent", b, NULL };

  if (fixture->hooks == NULL)
    return;
  freeze_list (fixture, some);
  check (fixture, 1, NULL, "freeze b; ");
  thaw (fixture);
  check (fixture, 1, NULL, "thaw b; ");
  freeze_list (fixture, none);
  check (fixture, 0, NULL, "");
  g_assert_true (nego_freeze_is_idle (fixture->freeze));
  check_changes (fixture, "frozen; thawed; frozen; thawed; ");
}

static void
test_passed_over (Fixture *fixture, gconstpointer data)
{
  static const int errnums[] = { EOPNOTSUPP, EBUSY };

  if (fixture->hooks == NULL)
    return;
  for (guint i = 0; i < G_N_ELEMENTS (errnums); i++) {
    fake.fails = "b";
    fake.errnum = errnums[i];
    freeze_list (fixture, NULL);
    check (fixture, 2, NULL, "freeze c; freeze b; freeze a; ");
    thaw (fixture);
    check (fixture, 2, NULL, "thaw a; thaw c; ");
  }
}

static void
test_failure (Fixture *fixture, gconstpointer data)
{
  g_autofree char *text = NULL;

  if (fixture->hooks == NULL)
    return;
  fake.fails = "b";
  fake.errnum = EIO;
  freeze_list (fixture, NULL);
  text = g_strdup_printf ("failed to freeze %s/mnt/b: Input/output error", fixture->root);
  check (fixture, 0, text, "freeze c; freeze b; thaw c; ");
  check_changes (fixture, "frozen; thawed; ");
  g_assert_true (nego_freeze_is_idle (fixture->freeze));
  g_assert_false (is_marked (fixture));
}

static void
test_cannot_open (Fixture *fixture, gconstpointer data)
{
  g_autofree char *text = NULL;

  if (fixture->hooks == NULL)
    return;
  write_mounts (fixture, TRUE);
  freeze_list (fixture, NULL);
  text
    = g_strdup_printf ("failed to open %s/mnt/missing: No such file or directory", fixture->root);
  check (fixture, 0, text, "");
}

static void
test_no_mounts (Fixture *fixture, gconstpointer data)
{
  static const char text[]
    = "failed to open mtab file: '/proc/self/mountinfo': No such file or directory";
  g_autofree char *path = NULL;

  if (fixture->hooks == NULL)
    return;
  freeze_list (fixture, NULL);
  check (fixture, 3, NULL, "freeze c; freeze b; freeze a; ");
  path = g_strconcat (fixture->root, "/proc/self/mountinfo", NULL);
  g_assert_cmpint (unlink (path), ==, 0);
  /* What it froze itself. */
  thaw (fixture);
  check (fixture, 3, text, "thaw a; thaw b; thaw c; ");
  freeze_list (fixture, NULL);
  check (fixture, 0, text, "");
  g_assert_true (nego_freeze_is_idle (fixture->freeze));
}

static void
test_dead_disk (Fixture *fixture, gconstpointer data)
{
  g_autofree char *text = NULL;

  if (fixture->hooks == NULL)
    return;
  freeze_list (fixture, NULL);
  check (fixture, 3, NULL, "freeze c; freeze b; freeze a; ");
  fake.dead = "b";
  thaw (fixture);
  text = g_strdup_printf ("failed to thaw %s/mnt/b: Input/output error", fixture->root);
  check (fixture, 2, text, "thaw a; thaw b; thaw c; ");
  fake.dead = NULL;
  thaw (fixture);
  check (fixture, 1, NULL, "thaw b; ");
}

static void
wait_calls (const char *calls)
{
  g_mutex_lock (&fake.lock);
  while (!g_str_equal (fake.calls->str, calls))
    g_cond_wait (&fake.changed, &fake.lock);
  g_string_truncate (fake.calls, 0);
  g_mutex_unlock (&fake.lock);
}

static void
unstick (void)
{
  g_mutex_lock (&fake.lock);
  fake.sticks = NULL;
  g_cond_broadcast (&fake.changed);
  g_mutex_unlock (&fake.lock);
}

static void
await_calls (const char *calls)
{
  for (;;) {
    gboolean seen;

    g_mutex_lock (&fake.lock);
    seen = g_str_equal (fake.calls->str, calls);
    g_mutex_unlock (&fake.lock);
    if (seen)
      break;
    if (!g_main_context_iteration (NULL, FALSE))
      g_thread_yield ();
  }
  wait_calls (calls);
}

/* A thaw while one is being frozen: the others are thawed at once, and that one when it is. */
static void
test_thaw_while_freezing (Fixture *fixture, gconstpointer data)
{
  if (fixture->hooks == NULL)
    return;
  fake.sticks = "b";
  nego_freeze_freeze (fixture->freeze, NULL, done_cb, fixture);
  await_calls ("freeze c; freeze b; ");
  nego_freeze_thaw (fixture->freeze, NULL, NULL);
  wait_answers (fixture, 1);
  check (fixture, 0, "the freeze was ended by a thaw", "thaw c; ");
  g_assert_true (nego_freeze_is_idle (fixture->freeze));
  unstick ();
  await_calls ("thaw b; ");
}

/* Two that want the same thaw. */
static void
test_two_thaws (Fixture *fixture, gconstpointer data)
{
  if (fixture->hooks == NULL)
    return;
  freeze_list (fixture, NULL);
  nego_freeze_thaw (fixture->freeze, done_cb, fixture);
  nego_freeze_thaw (fixture->freeze, done_cb, fixture);
  wait_answers (fixture, 2);
  check (fixture, 3, NULL, "freeze c; freeze b; freeze a; thaw a; thaw b; thaw c; ");
}

static void
test_free_while_freezing (Fixture *fixture, gconstpointer data)
{
  if (fixture->hooks == NULL)
    return;
  fake.sticks = "c";
  nego_freeze_freeze (fixture->freeze, NULL, done_cb, fixture);
  await_calls ("freeze c; ");
  g_clear_pointer (&fixture->freeze, nego_freeze_free);
  unstick ();
  await_calls ("thaw c; ");
  g_assert_cmpuint (fixture->answers, ==, 0);
}

static void
test_deadline (Fixture *fixture, gconstpointer data)
{
  if (fixture->hooks == NULL)
    return;
  /* Long enough for the thread to begin first. */
  start (fixture, NULL, 2000);
  fake.sticks = "a";
  nego_freeze_freeze (fixture->freeze, NULL, done_cb, fixture);
  await_calls ("freeze c; freeze b; freeze a; ");
  wait_answers (fixture, 1);
  check (fixture, 0, "the freeze was ended by a thaw", "thaw b; thaw c; ");
  unstick ();
  /* Its thread thaws it; it uses the fake's table until then. */
  await_calls ("thaw a; ");
}

/* The marker of an agent that was killed. */
static void
check_marker (Fixture *fixture, const char *text, gboolean frozen)
{
  g_autofree char *path = nego_frozen_marker_get_path (fixture->root);

  g_assert_true (g_file_set_contents (path, text, -1, NULL));
  start (fixture, NULL, 0);
  g_assert_cmpint (nego_freeze_is_frozen (fixture->freeze), ==, frozen);
  g_assert_cmpint (is_marked (fixture), ==, frozen);
  check_changes (fixture, "");
}

static void
test_restart (Fixture *fixture, gconstpointer data)
{
  struct stat st;
  g_autofree char *path = NULL;

  if (fixture->hooks == NULL)
    return;
  check_marker (fixture, "another boot", FALSE);
  check_marker (fixture, "", TRUE);
  check_marker (fixture, BOOT "\n", TRUE);
  thaw (fixture);
  check (fixture, 0, NULL, "");
  check_changes (fixture, "thawed; ");
  g_assert_false (is_marked (fixture));

  freeze_list (fixture, NULL);
  path = nego_frozen_marker_get_path (fixture->root);
  g_assert_cmpint (stat (path, &st), ==, 0);
  g_assert_cmpint (st.st_mode & 07777, ==, 0600);
  check (fixture, 3, NULL, "freeze c; freeze b; freeze a; ");
  check_changes (fixture, "frozen; ");
  start (fixture, NULL, 0);
  g_assert_true (nego_freeze_is_frozen (fixture->freeze));
  thaw (fixture);
  check (fixture, 3, NULL, "thaw a; thaw b; thaw c; ");
}

/* The log file's lines, which hooks write, each with a blank behind it. */
static void
check_log (Fixture *fixture, const char *expected)
{
  g_autofree char *path = g_strconcat (fixture->root, "/log", NULL);
  g_autofree char *text = NULL;

  g_assert_true (g_file_get_contents (path, &text, NULL, NULL));
  g_assert_cmpstr (text, ==, expected);
  g_assert_true (g_file_set_contents (path, "", -1, NULL));
}

/* A hook that notes its runs, and then does what @freeze or @thaw say. Returns its path. */
static char *
add_hook (Fixture *fixture, const char *freeze_text, const char *thaw_text)
{
  g_autofree char *text
    = g_strdup_printf ("#!/bin/sh\nprintf '%%s ' \"$*\" >>%s/log\ncase $1 in\nfreeze) %s ;;\n"
                       "thaw) %s ;;\nesac\n",
                       fixture->root, freeze_text, thaw_text);

  return script_dir_add (fixture->hooks, "hook", 0755, text);
}

static void
test_hook (Fixture *fixture, gconstpointer data)
{
  g_autofree char *hook = NULL;

  if (fixture->hooks == NULL)
    return;
  hook = add_hook (fixture, "echo said; exit 0", "exit 0");
  start (fixture, hook, 0);
  freeze_list (fixture, NULL);
  check (fixture, 3, NULL, "freeze c; freeze b; freeze a; ");
  check_log (fixture, "freeze ");
  thaw (fixture);
  check (fixture, 3, NULL, "thaw a; thaw b; thaw c; ");
  check_log (fixture, "thaw ");
  /* None to freeze: both. */
  freeze_list (fixture, (const char *const[]){ NULL });
  check (fixture, 0, NULL, "");
  check_log (fixture, "freeze thaw ");
  /* Nothing frozen: as qemu-ga. */
  thaw (fixture);
  check_log (fixture, "thaw ");
  fake.fails = "a";
  fake.errnum = EIO;
  freeze_list (fixture, NULL);
  g_assert_nonnull (fixture->error);
  check_log (fixture, "freeze thaw ");
}

static void
check_freeze_hook (Fixture *fixture, const char *text, const char *error)
{
  g_autofree char *hook = add_hook (fixture, text, "exit 0");
  g_autofree char *expected
    = g_strdup_printf ("child process has failed to execute fsfreeze hook: '%s freeze': %s", hook,
                       error);

  start (fixture, hook, 0);
  freeze_list (fixture, NULL);
  check (fixture, 0, expected, "");
  check_changes (fixture, "");
  check_log (fixture, "freeze thaw ");
}

static void
test_freeze_hook_fails (Fixture *fixture, gconstpointer data)
{
  if (fixture->hooks == NULL)
    return;
  check_freeze_hook (fixture, "exit 3", "exit status 3");
  check_freeze_hook (fixture, "echo first; echo the last >&2; exit 1", "exit status 1: the last");
  check_freeze_hook (fixture, "printf 'no line'; exit 1", "exit status 1: no line");
  check_freeze_hook (fixture, "kill -9 $$", "terminated by signal 9");
  check_freeze_hook (fixture,
                     "head -c 1000000 /dev/zero | tr '\\0' x; echo; echo end; echo; exit 1",
                     "exit status 1: end");
  /* A background child that holds the output. */
  check_freeze_hook (fixture, "sleep 1000 & echo waits; kill $!; exit 1", "exit status 1: waits");
}

static void
test_no_hook_there (Fixture *fixture, gconstpointer data)
{
  g_autofree char *hook = NULL;

  if (fixture->hooks == NULL)
    return;
  hook = g_strconcat (fixture->hooks, "/missing", NULL);
  start (fixture, hook, 0);
  freeze_list (fixture, NULL);
  g_assert_true (
    g_str_has_prefix (fixture->error, "child process has failed to execute fsfreeze hook: '"));
  g_assert_nonnull (strstr (fixture->error, "/missing freeze': "));
}

static void
test_thaw_hook_fails (Fixture *fixture, gconstpointer data)
{
  g_autofree char *hook = NULL;
  g_autofree char *expected = NULL;

  if (fixture->hooks == NULL)
    return;
  hook = add_hook (fixture, "exit 0", "echo no; exit 2");
  start (fixture, hook, 0);
  freeze_list (fixture, NULL);
  check (fixture, 3, NULL, "freeze c; freeze b; freeze a; ");
  expected = g_strdup_printf ("child process has failed to execute fsfreeze hook: '%s thaw': exit "
                              "status 2: no (file systems thawed: 3)",
                              hook);
  thaw (fixture);
  check (fixture, 3, expected, "thaw a; thaw b; thaw c; ");
  check_changes (fixture, "frozen; thawed; ");
  g_assert_true (nego_freeze_is_idle (fixture->freeze));
}

/* A thaw while the freeze hook runs ends it, and the thaw hook comes behind it. */
static void
test_thaw_in_hook (Fixture *fixture, gconstpointer data)
{
  g_autofree char *hook = NULL;
  g_autofree char *path = NULL;
  struct stat st;

  if (fixture->hooks == NULL)
    return;
  hook = add_hook (fixture, "exec sleep 1000", "exit 0");
  start (fixture, hook, 0);
  path = g_strconcat (fixture->root, "/log", NULL);
  nego_freeze_freeze (fixture->freeze, NULL, done_cb, fixture);
  do {
    if (!g_main_context_iteration (NULL, FALSE))
      g_thread_yield ();
    g_assert_cmpint (stat (path, &st), ==, 0);
  } while (st.st_size == 0);
  nego_freeze_thaw (fixture->freeze, done_cb, fixture);
  wait_answers (fixture, 2);
  check (fixture, 0, NULL, "");
  check_log (fixture, "freeze thaw ");
  check_changes (fixture, "");
}

static void
test_hook_too_long (Fixture *fixture, gconstpointer data)
{
  g_autofree char *hook = NULL;
  g_autofree char *expected = NULL;

  if (fixture->hooks == NULL)
    return;
  hook = add_hook (fixture, "exec sleep 1000", "exec sleep 1000");
  g_clear_pointer (&fixture->freeze, nego_freeze_free);
  fixture->freeze = nego_freeze_new (
    &(NegoFreezeSettings){ .root = fixture->root, .hook = hook, .hook_ms = 1000, .ops = &fake_ops },
    changed_cb, fixture);
  freeze_list (fixture, NULL);
  expected = g_strdup_printf ("child process has failed to execute fsfreeze hook: '%s freeze': it "
                              "did not end within 1 s",
                              hook);
  g_assert_cmpstr (fixture->error, ==, expected);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  /* What fails here is a warning in the log, too. */
  g_log_set_always_fatal (G_LOG_FATAL_MASK);
#define ADD(name, func) g_test_add ("/freeze/" name, Fixture, NULL, set_up, func, tear_down)
  ADD ("freeze-and-thaw", test_freeze_and_thaw);
  ADD ("list", test_list);
  ADD ("passed-over", test_passed_over);
  ADD ("failure", test_failure);
  ADD ("cannot-open", test_cannot_open);
  ADD ("no-mounts", test_no_mounts);
  ADD ("dead-disk", test_dead_disk);
  ADD ("thaw-while-freezing", test_thaw_while_freezing);
  ADD ("two-thaws", test_two_thaws);
  ADD ("free-while-freezing", test_free_while_freezing);
  ADD ("deadline", test_deadline);
  ADD ("restart", test_restart);
  ADD ("hook", test_hook);
  ADD ("freeze-hook-fails", test_freeze_hook_fails);
  ADD ("no-hook-there", test_no_hook_there);
  ADD ("thaw-hook-fails", test_thaw_hook_fails);
  ADD ("thaw-in-hook", test_thaw_in_hook);
  ADD ("hook-too-long", test_hook_too_long);
  return g_test_run ();
}
