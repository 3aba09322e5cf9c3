/* SPDX-License-Identifier: MIT */
/*
 * freeze: freezes and thaws the guest's file systems: the hook, one file system after another, the
 * marker for a later agent, and the thaw by itself when a time is over.
 *
 * A thaw is always possible, also while a freeze goes on. The last mounted is frozen first, and
 * thawed last, so that a file system in a file finds the one below it as it needs it.
 */
#pragma once

#include "agent/freeze-mount.h"

typedef struct NegoFreeze NegoFreeze;

/* Strings are copied. */
typedef struct {
  const char *root;     /* before /proc (sysfs.h); NULL: "" */
  const char *statedir; /* for the marker; NULL: none is kept */
  const char *boot_id;  /* NULL: not known */
  const char *hook;     /* NULL: none */
  guint hook_ms;        /* how long it may run; 0: without end */
  guint thaw_after_ms;  /* from the first file system; 0: never */
  guint thaw_wait_ms;   /* for one file system, before its thaw has failed; 0: NEGO_THAW_WAIT_MS */
  const NegoFreezeOps *ops;
} NegoFreezeSettings;

/* From now on file systems are frozen, or are no longer. */
typedef void (*NegoFreezeChangedFunc) (gboolean frozen, gpointer user_data);

/* Where the marker says that file systems are frozen, it starts so, without calling @changed. */
NegoFreeze *nego_freeze_new (const NegoFreezeSettings *settings,
                             NegoFreezeChangedFunc changed,
                             gpointer user_data);
/* What is frozen stays so, but for what is being frozen now. No one is told any more. */
void nego_freeze_free (NegoFreeze *freeze);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (NegoFreeze, nego_freeze_free)

/* Also after a thaw that was answered with an error, or that gave a freeze up: until the threads
 * that do it have come back from the kernel. */
gboolean nego_freeze_is_frozen (const NegoFreeze *freeze);
/* Nothing is frozen, no thread freezes or thaws what we froze, and no hook runs. */
gboolean nego_freeze_is_idle (const NegoFreeze *freeze);

/* Called once, maybe at once: @error is borrowed; NULL: @count file systems. */
typedef void (*NegoFreezeFunc) (gint64 count, const GError *error, gpointer user_data);

/* Freezes all, or those that are mounted on @paths (NULL-terminated; NULL: all). A path where none
 * is mounted is no error, as in qemu-ga. */
void nego_freeze_freeze (NegoFreeze *freeze,
                         const char *const *paths,
                         NegoFreezeFunc done,
                         gpointer user_data);
/* Thaws all, also what others froze. @done may be NULL. */
void nego_freeze_thaw (NegoFreeze *freeze, NegoFreezeFunc done, gpointer user_data);

/* Nothing is frozen any more, and no hook runs. */
typedef void (*NegoFreezeEndedFunc) (gpointer user_data);
/* For an agent that ends: freezes are refused from here on, and what is frozen is thawed. @ended is
 * called once, maybe at once. */
void nego_freeze_end (NegoFreeze *freeze, NegoFreezeEndedFunc ended, gpointer user_data);
