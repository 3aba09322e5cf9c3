/* SPDX-License-Identifier: MIT */
/* hook: real ones, before and after a freeze of file systems that only pretend. */
#include "config.h"

#include "tests/helpers/freeze-fixture.h"
#include "tests/helpers/script-dir.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

/* The log file's lines, which hooks write, each with a blank behind it. */
static void
check_log (FreezeFixture *fixture, const char *expected)
{
  g_autofree char *path = g_strconcat (fixture->root, "/log", NULL);
  g_autofree char *text = NULL;

  g_assert_true (g_file_get_contents (path, &text, NULL, NULL));
  g_assert_cmpstr (text, ==, expected);
  g_assert_true (g_file_set_contents (path, "", -1, NULL));
}

/* A hook that notes its runs, and then does what @freeze or @thaw say. Returns its path. */
static char *
add_hook (FreezeFixture *fixture, const char *freeze_text, const char *thaw_text)
{
  g_autofree char *text
    = g_strdup_printf ("#!/bin/sh\nprintf '%%s ' \"$*\" >>%s/log\ncase $1 in\nfreeze) %s ;;\n"
                       "thaw) %s ;;\nesac\n",
                       fixture->root, freeze_text, thaw_text);

  return script_dir_add (fixture->hooks, "hook", 0755, text);
}

static void
test_hook (FreezeFixture *fixture, gconstpointer data)
{
  g_autofree char *hook = NULL;

  if (fixture->hooks == NULL)
    return;
  hook = add_hook (fixture, "echo said; exit 0", "exit 0");
  freeze_fixture_start (fixture, hook, 0);
  freeze_fixture_freeze (fixture, NULL);
  freeze_fixture_check (fixture, 3, NULL, "freeze c; freeze b; freeze a; ");
  check_log (fixture, "freeze ");
  freeze_fixture_thaw (fixture);
  freeze_fixture_check (fixture, 3, NULL, "thaw a; thaw b; thaw c; ");
  check_log (fixture, "thaw ");
  /* None to freeze: both. */
  freeze_fixture_freeze (fixture, (const char *const[]){ NULL });
  freeze_fixture_check (fixture, 0, NULL, "");
  check_log (fixture, "freeze thaw ");
  /* Nothing frozen: as qemu-ga. */
  freeze_fixture_thaw (fixture);
  check_log (fixture, "thaw ");
  freeze_fake.fails = "a";
  freeze_fake.errnum = EIO;
  freeze_fixture_freeze (fixture, NULL);
  g_assert_nonnull (fixture->error);
  check_log (fixture, "freeze thaw ");
}

static void
check_freeze_hook (FreezeFixture *fixture, const char *text, const char *error)
{
  g_autofree char *hook = add_hook (fixture, text, "exit 0");
  g_autofree char *expected
    = g_strdup_printf ("child process has failed to execute fsfreeze hook: '%s freeze': %s", hook,
                       error);

  freeze_fixture_start (fixture, hook, 0);
  freeze_fixture_freeze (fixture, NULL);
  freeze_fixture_check (fixture, 0, expected, "");
  freeze_fixture_check_changes (fixture, "");
  check_log (fixture, "freeze thaw ");
}

static void
test_freeze_hook_fails (FreezeFixture *fixture, gconstpointer data)
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
test_no_hook_there (FreezeFixture *fixture, gconstpointer data)
{
  g_autofree char *hook = NULL;

  if (fixture->hooks == NULL)
    return;
  hook = g_strconcat (fixture->hooks, "/missing", NULL);
  freeze_fixture_start (fixture, hook, 0);
  freeze_fixture_freeze (fixture, NULL);
  g_assert_true (
    g_str_has_prefix (fixture->error, "child process has failed to execute fsfreeze hook: '"));
  g_assert_nonnull (strstr (fixture->error, "/missing freeze': "));
}

static void
test_thaw_hook_fails (FreezeFixture *fixture, gconstpointer data)
{
  g_autofree char *hook = NULL;
  g_autofree char *expected = NULL;

  if (fixture->hooks == NULL)
    return;
  hook = add_hook (fixture, "exit 0", "echo no; exit 2");
  freeze_fixture_start (fixture, hook, 0);
  freeze_fixture_freeze (fixture, NULL);
  freeze_fixture_check (fixture, 3, NULL, "freeze c; freeze b; freeze a; ");
  expected = g_strdup_printf ("child process has failed to execute fsfreeze hook: '%s thaw': exit "
                              "status 2: no (file systems thawed: 3)",
                              hook);
  freeze_fixture_thaw (fixture);
  freeze_fixture_check (fixture, 3, expected, "thaw a; thaw b; thaw c; ");
  freeze_fixture_check_changes (fixture, "frozen; thawed; ");
  g_assert_true (nego_freeze_is_idle (fixture->freeze));
}

/* A thaw while the freeze hook runs ends it, and the thaw hook comes behind it. */
static void
test_thaw_in_hook (FreezeFixture *fixture, gconstpointer data)
{
  g_autofree char *hook = NULL;
  g_autofree char *path = NULL;
  struct stat st;

  if (fixture->hooks == NULL)
    return;
  hook = add_hook (fixture, "exec sleep 1000", "exit 0");
  freeze_fixture_start (fixture, hook, 0);
  path = g_strconcat (fixture->root, "/log", NULL);
  nego_freeze_freeze (fixture->freeze, NULL, freeze_fixture_done_cb, fixture);
  do {
    if (!g_main_context_iteration (NULL, FALSE))
      g_thread_yield ();
    g_assert_cmpint (stat (path, &st), ==, 0);
  } while (st.st_size == 0);
  nego_freeze_thaw (fixture->freeze, freeze_fixture_done_cb, fixture);
  freeze_fixture_wait (fixture, 2);
  freeze_fixture_check (fixture, 0, NULL, "");
  check_log (fixture, "freeze thaw ");
  freeze_fixture_check_changes (fixture, "");
}

static void
test_hook_too_long (FreezeFixture *fixture, gconstpointer data)
{
  g_autofree char *hook = NULL;
  g_autofree char *expected = NULL;

  if (fixture->hooks == NULL)
    return;
  hook = add_hook (fixture, "exec sleep 1000", "exec sleep 1000");
  g_clear_pointer (&fixture->freeze, nego_freeze_free);
  fixture->freeze = nego_freeze_new (&(NegoFreezeSettings){ .root = fixture->root,
                                                            .hook = hook,
                                                            .hook_ms = 1000,
                                                            .ops = &freeze_fake_ops },
                                     freeze_fixture_changed_cb, fixture);
  freeze_fixture_freeze (fixture, NULL);
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
#define ADD(name, func)                                                        \
  g_test_add ("/hook/" name, FreezeFixture, NULL, freeze_fixture_set_up, func, \
              freeze_fixture_tear_down)
  ADD ("hook", test_hook);
  ADD ("freeze-hook-fails", test_freeze_hook_fails);
  ADD ("no-hook-there", test_no_hook_there);
  ADD ("thaw-hook-fails", test_thaw_hook_fails);
  ADD ("thaw-in-hook", test_thaw_in_hook);
  ADD ("hook-too-long", test_hook_too_long);
  return g_test_run ();
}
