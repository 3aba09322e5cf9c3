/* SPDX-License-Identifier: MIT */
/*
 * freeze-fixture: a NegoFreeze with file systems that only pretend, below a root of the test's own.
 */
#pragma once

#include "agent/freeze.h"

#define FREEZE_BOOT "f1d2d2f9-24e9-4b1c-8d1a-111111111111"

/* What the system calls do, and what was called; shared with threads. A file system is known by the
 * last part of its path. */
typedef struct {
  GMutex lock;
  GCond changed;
  GString *calls;     /* "freeze a; thaw a; " */
  GHashTable *frozen; /* names */
  const char *fails;  /* freezing it does, with errnum */
  int errnum;
  const char *sticks; /* freezing it waits until this is something else */
  const char *dead;   /* thawing it fails with EIO */
  const char *slow;   /* thawing it waits until this is something else */
} FreezeFake;

extern FreezeFake freeze_fake;
extern const NegoFreezeOps freeze_fake_ops;

typedef struct {
  char *root;
  char *hooks; /* a directory; NULL: no test */
  NegoFreeze *freeze;
  GString *changes; /* "frozen; thawed; " */
  gint64 count;
  char *error;
  guint answers;
} FreezeFixture;

/* For g_test_add(); without a directory for hooks (script-dir.h) there is nothing. */
void freeze_fixture_set_up (FreezeFixture *fixture, gconstpointer data);
void freeze_fixture_tear_down (FreezeFixture *fixture, gconstpointer data);

/* Three file systems, a mounted first; "missing" has no directory. */
void freeze_fixture_write_mounts (FreezeFixture *fixture, gboolean with_missing);
char *freeze_fixture_get_mount (FreezeFixture *fixture, const char *name);
/* Instead of the former one. */
void freeze_fixture_start (FreezeFixture *fixture, const char *hook, guint thaw_after_ms);
/* The same; a thaw has failed after a moment. */
void freeze_fixture_start_impatient (FreezeFixture *fixture);

/* For nego_freeze_new(), nego_freeze_freeze() and nego_freeze_thaw(). */
void freeze_fixture_changed_cb (gboolean frozen, gpointer user_data);
void freeze_fixture_done_cb (gint64 count, const GError *error, gpointer user_data);

/* For @n answers, and no more. */
void freeze_fixture_wait (FreezeFixture *fixture, guint n);
void freeze_fixture_freeze (FreezeFixture *fixture, const char *const *paths);
void freeze_fixture_thaw (FreezeFixture *fixture);

/* The answer, and what was called since the last look; NULL: no error. */
void
freeze_fixture_check (FreezeFixture *fixture, gint64 count, const char *error, const char *calls);
void freeze_fixture_check_changes (FreezeFixture *fixture, const char *changes);
/* Whether a later agent would find that file systems are frozen. */
gboolean freeze_fixture_is_marked (FreezeFixture *fixture);
