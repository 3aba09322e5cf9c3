/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "common/error.h"
#include "common/names.h"
#include "common/client/result.h"
#include "host-client/copy.h"
#include "host-client/errand.h"
#include "host-client/verbs.h"

#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
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

/* What is done on a thread. */
typedef struct {
  const NegoOptions *options;
  NegoCopy copy;
  const char *from, *to; /* the guest's path; NULL: it is the other */
  gboolean done;
  GError *error;
} NegoCmdCopy;

static void
nego_cmd_copy_open (gpointer data)
{
  NegoCmdCopy *self = data;

  self->copy.guest
    = nego_verb_open (self->options, nego_options_deadline (self->options, NEGO_GUEST_ANSWER_S),
                      &self->error);
}

static void
nego_cmd_copy_do (gpointer data)
{
  NegoCmdCopy *self = data;
  char **words = self->options->args;
  g_autofree char *target = NULL;

  if (self->from != NULL) {
    target = nego_cmd_target (words[1], self->from, g_file_test (words[1], G_FILE_TEST_IS_DIR));
    self->done = nego_copy_out (&self->copy, self->from, target, &self->error);
  } else {
    target = nego_cmd_target (self->to, words[0], g_str_has_suffix (self->to, "/"));
    self->done = nego_copy_in (&self->copy, words[0], target, &self->error);
  }
}

/* Copies, and tidies up after a signal: returns its number, 0 for none. */
static int
nego_cmd_copy_run (NegoCmdCopy *self, int signal_fd)
{
  NegoErrand *errand = nego_errand_new (nego_cmd_copy_do, self, &self->error);
  int number;

  if (errand == NULL)
    return 0;
  number = nego_errand_wait (errand, signal_fd, -1);
  if (number > 0) {
    eventfd_write (self->copy.interrupt_fd, 1);
    /* A second one, or a guest that does not answer. */
    if (nego_errand_wait (errand, signal_fd, NEGO_COPY_TIDY_MS) != 0) {
      const char *temporary = g_atomic_pointer_get (&self->copy.temporary);

      if (temporary != NULL)
        unlink (temporary);
      nego_errand_die (number);
    }
  }
  nego_errand_free (errand);
  return number;
}

/* With the guest that is named. */
static int
nego_cmd_cp_with (const NegoOptions *options, const char *from, const char *to)
{
  NegoCmdProgress progress = { .next = g_get_monotonic_time () + G_USEC_PER_SEC };
  NegoCmdCopy self = { .options = options, .from = from, .to = to };
  g_auto (NegoResult) result = { .signal_fd = -1 };
  int number = 0, status = 1;

  nego_result_init (&result, FALSE, options->quiet, options->guest);
  self.copy.answer_s = options->has_timeout ? options->timeout : NEGO_COPY_ANSWER_S;
  self.copy.user_data = &progress;
  if (!options->quiet && isatty (STDERR_FILENO))
    self.copy.progress = nego_cmd_progress;
  self.copy.interrupt_fd = eventfd (0, EFD_CLOEXEC);
  nego_errand_run (nego_cmd_copy_open, &self, result.signal_fd);
  if (self.copy.guest != NULL)
    number = nego_cmd_copy_run (&self, result.signal_fd);
  if (progress.shown)
    fputs ("\r\033[K", stderr);
  if (self.done)
    status = 0;
  else if (g_error_matches (self.error, NEGO_ERROR, NEGO_ERROR_INTERRUPTED))
    status = NEGO_RESULT_SIGNAL + number;
  else
    nego_verb_fail (options, self.error);
  g_clear_error (&self.error);
  g_clear_pointer (&self.copy.guest, nego_remote_free);
  g_free (self.copy.temporary);
  close (self.copy.interrupt_fd);
  return status;
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

  if ((from != NULL) == (to != NULL) || *path == '\0') {
    g_autoptr (GError) error
      = g_error_new (NEGO_ERROR, NEGO_ERROR_CONFIG,
                     "one of '%s' and '%s' must be GUEST:PATH, and the other a local file",
                     options->args[0], options->args[1]);

    nego_verb_fail (options, error);
    return 2;
  }
  guest = g_strndup (word, (gsize) (path - word) - 1);
  if (options->socket == NULL)
    named.guest = guest;
  return nego_cmd_cp_with (&named, from, to);
}
