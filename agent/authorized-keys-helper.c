/* SPDX-License-Identifier: MIT */
/*
 * The process that has become the user, started by the exec helper. It works in HOME, which that
 * one took from the account, and does one thing.
 */
#include "config.h"

#include "agent/authorized-keys.h"
#include "common/error.h"
#include "common/names.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

gboolean
nego_authorized_keys_is_helper (int argc, char **argv)
{
  return argc > 0 && strcmp (argv[0], NEGO_AUTHORIZED_KEYS_HELPER) == 0;
}

/* The lines of standard input, or NULL if they are more than one call may have. */
static char **
nego_authorized_keys_read_lines (void)
{
  g_autoptr (GString) text = g_string_new (NULL);
  char piece[65536];
  ssize_t n;

  while ((n = read (STDIN_FILENO, piece, sizeof piece)) != 0) {
    if (n < 0 && errno == EINTR)
      continue;
    if (n < 0 || text->len + (gsize) n > (gsize) NEGO_KEYS * (NEGO_KEY_BYTES + 1))
      return NULL;
    g_string_append_len (text, piece, n);
  }
  return g_strsplit (text->str, "\n", -1);
}

static gboolean
nego_authorized_keys_help (const char *what, const char *home, GError **error)
{
  g_auto (GStrv) lines = NULL;

  if (strcmp (what, "list") == 0) {
    lines = nego_authorized_keys_list (home, error);
    for (guint i = 0; lines != NULL && lines[i] != NULL; i++)
      printf ("%s\n", lines[i]);
    return lines != NULL;
  }
  lines = nego_authorized_keys_read_lines ();
  if (lines == NULL) {
    g_set_error_literal (error, NEGO_ERROR, NEGO_ERROR_IO, "cannot read the keys");
    return FALSE;
  }
  if (strcmp (what, "remove") == 0)
    return nego_authorized_keys_remove (home, (const char *const *) lines, error);
  return nego_authorized_keys_add (home, (const char *const *) lines, strcmp (what, "reset") == 0,
                                   error);
}

int
nego_authorized_keys_helper_main (int argc, char **argv)
{
  g_autoptr (GError) error = NULL;
  const char *home = g_getenv ("HOME");

  umask (077);
  if (argc != 2 || home == NULL || !g_path_is_absolute (home)) {
    printf ("the user has no home directory");
    return 1;
  }
  if (nego_authorized_keys_help (argv[1], home, &error))
    return fflush (stdout) == 0 ? 0 : 1;
  printf ("%s", error->message);
  return 1;
}
