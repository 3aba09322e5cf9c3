/* SPDX-License-Identifier: MIT */
/*
 * valgrind: what cannot be tested under it. It makes a fork of posix_spawn()'s vfork, so that a
 * program that cannot be executed is an exit with 127 and no error; its own memory counts as ours;
 * and above the limit of descriptors, accept() takes the client, closes it and then fails.
 */
#pragma once

#include <glib.h>

#include <string.h>

/* Skips the running test under valgrind; then TRUE. */
static inline gboolean
skip_under_valgrind (void)
{
  const char *preload = g_getenv ("LD_PRELOAD");

  if (preload == NULL || strstr (preload, "vgpreload") == NULL)
    return FALSE;
  g_test_skip ("valgrind differs here: see tests/helpers/valgrind.h");
  return TRUE;
}
