/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "common/error.h"
#include "common/names.h"
#include "host-client/copy.h"
#include "host-client/verbs.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* A person waits so long before wanting to know how far it is, and between two looks. */
#define NEGO_CMD_PROGRESS_US (G_USEC_PER_SEC / 4)

typedef struct {
  gint64 next;
  gboolean shown;
} NegoCmdProgress;

static void
nego_cmd_progress (guint64 done, guint64 total, gpointer user_data)
{
  NegoCmdProgress *progress = user_data;
  const gint64 now = g_get_monotonic_time ();

  if (now < progress->next)
    return;
  progress->next = now + NEGO_CMD_PROGRESS_US;
  progress->shown = TRUE;
  fprintf (stderr, "\r%3u %%  %.1f MiB", total > 0 ? (guint) MIN (done * 100 / total, 100) : 0,
           (double) done / (1 << 20));
  fflush (stderr);
}

/* Where the path of GUEST:PATH begins, or NULL for a local path: one with a '/' before its ':', or
 * without a ':'. */
static const char *
nego_cmd_remote_path (const char *word)
{
  gsize len = strcspn (word, ":/");

  return word[len] == ':' ? word + len + 1 : NULL;
}

/* @path, or, if it is a directory, the name of @other in it. Returns: (transfer full). */
static char *
nego_cmd_target (const char *path, const char *other, gboolean is_dir)
{
  g_autofree char *name = g_path_get_basename (other);

  return is_dir ? g_build_filename (path, name, NULL) : g_strdup (path);
}

static gboolean
nego_cmd_copy (
  NegoCopy *copy, const char *from_remote, const char *to_remote, char **words, GError **error)
{
  g_autofree char *target = NULL;

  if (from_remote != NULL) {
    target = nego_cmd_target (words[1], from_remote, g_file_test (words[1], G_FILE_TEST_IS_DIR));
    return nego_copy_out (copy, from_remote, target, error);
  }
  target = nego_cmd_target (to_remote, words[0], g_str_has_suffix (to_remote, "/"));
  return nego_copy_in (copy, words[0], target, error);
}

/* nego-host cp GUEST:PATH FILE, or the other way round */
int
nego_cmd_cp (const NegoOptions *options)
{
  const char *from = nego_cmd_remote_path (options->args[0]);
  const char *to = nego_cmd_remote_path (options->args[1]);
  const char *word = options->args[from != NULL ? 0 : 1], *path = from != NULL ? from : to;
  NegoOptions named = *options;
  g_autofree char *guest = NULL;
  g_autoptr (NegoRemote) remote = NULL;
  g_autoptr (GError) error = NULL;
  NegoCmdProgress progress = { .next = g_get_monotonic_time () + G_USEC_PER_SEC };
  NegoCopy copy = { .answer_s = options->has_timeout ? options->timeout : NEGO_COPY_ANSWER_S };
  gboolean done;

  if ((from != NULL) == (to != NULL) || *path == '\0') {
    error = g_error_new (NEGO_ERROR, NEGO_ERROR_CONFIG,
                         "one of '%s' and '%s' must be GUEST:PATH, and the other a local file",
                         options->args[0], options->args[1]);
    nego_verb_fail (options, error);
    return 2;
  }
  guest = g_strndup (word, (gsize) (path - word) - 1);
  if (options->socket == NULL)
    named.guest = guest;
  remote = nego_verb_open (&named, nego_options_deadline (options, NEGO_GUEST_ANSWER_S), &error);
  if (remote == NULL)
    return nego_verb_fail (&named, error);
  copy.guest = remote;
  copy.user_data = &progress;
  if (!options->quiet && isatty (STDERR_FILENO))
    copy.progress = nego_cmd_progress;
  done = nego_cmd_copy (&copy, from, to, options->args, &error);
  if (progress.shown)
    fputs ("\r\033[K", stderr);
  return done ? 0 : nego_verb_fail (&named, error);
}
