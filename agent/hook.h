/* SPDX-License-Identifier: MIT */
/*
 * hook: the program that is run before file systems are frozen and after they are thawed, with the
 * argument "freeze" or "thaw" (qemu-ga's fsfreeze-hook). One run at a time.
 *
 * It gets the agent's environment and /dev/null as its input. Of its output the end is kept, for
 * the error when it fails. A background child of it that holds the output is not waited for.
 */
#pragma once

#include <glib.h>

typedef struct NegoHook NegoHook;

/* @error (borrowed): why it failed: "child process has failed to execute fsfreeze hook: 'PATH
 * ARGUMENT': …", with its last line; NULL: it ended well. */
typedef void (*NegoHookDoneFunc) (const GError *error, gpointer user_data);

/* @path NULL: there is none, and each run ends well at once. @timeout_ms: how long it may run; 0:
 * without end. */
NegoHook *nego_hook_new (const char *path, guint timeout_ms);
/* Kills what runs; @done is not called. */
void nego_hook_free (NegoHook *hook);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (NegoHook, nego_hook_free)

/* @done is called once, maybe before this returns. */
void
nego_hook_run (NegoHook *hook, const char *argument, NegoHookDoneFunc done, gpointer user_data);

/* Ends what runs; @done is called when it has ended. */
void nego_hook_end (NegoHook *hook);
