/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "common/client/result.h"

#include "common/error.h"
#include "common/json.h"
#include "common/piece.h"
#include "common/client/output.h"
#include "qapi/qapi-visit.h"

#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>

void
nego_result_init (NegoResult *result, gboolean json, gboolean quiet, const char *guest)
{
  sigset_t signals;

  *result = (NegoResult){ .json = json, .quiet = quiet, .guest = guest };
  for (guint i = 0; json && i < G_N_ELEMENTS (result->collected); i++)
    result->collected[i] = g_byte_array_new ();
  sigemptyset (&signals);
  sigaddset (&signals, SIGINT);
  sigaddset (&signals, SIGTERM);
  sigaddset (&signals, SIGHUP);
  /* The command is told first. */
  signal (SIGPIPE, SIG_IGN);
  /* Threads that libvirt's calls get later inherit the mask. */
  pthread_sigmask (SIG_BLOCK, &signals, NULL);
  result->signal_fd = signalfd (-1, &signals, SFD_CLOEXEC);
}

void
nego_result_clear (NegoResult *result)
{
  for (guint i = 0; i < G_N_ELEMENTS (result->collected); i++)
    g_clear_pointer (&result->collected[i], g_byte_array_unref);
  if (result->signal_fd >= 0)
    close (result->signal_fd);
}

gboolean
nego_result_put (guint stream, const guint8 *data, gsize len, gpointer user_data, GError **error)
{
  NegoResult *result = user_data;
  const int fd = stream == 0 ? STDOUT_FILENO : STDERR_FILENO;

  if (result->collected[stream] == NULL) {
    if (nego_output_data (fd, data, len, error))
      return TRUE;
    result->reader_left = nego_output_reader_left (fd);
    return FALSE;
  }
  g_byte_array_append (result->collected[stream], data, (guint) len);
  return TRUE;
}

int
nego_result_exit_status (const QapiNegotiatorJobStatus *status, GError **message)
{
  switch (status->state) {
  case QAPI_NEGOTIATOR_JOB_STATE_EXITED:
    return (int) status->exitcode;
  case QAPI_NEGOTIATOR_JOB_STATE_SIGNALLED:
    return NEGO_RESULT_SIGNAL + (int) status->signal;
  case QAPI_NEGOTIATOR_JOB_STATE_TIMED_OUT:
    g_set_error (message, NEGO_ERROR, NEGO_ERROR_TIMEOUT,
                 "negotiator command '%s' timed out after %.1f s", status->command,
                 (double) status->elapsed_ns / 1e9);
    return NEGO_RESULT_TIMED_OUT;
  case QAPI_NEGOTIATOR_JOB_STATE_FAILED:
    g_set_error (message, NEGO_ERROR, NEGO_ERROR_GENERIC,
                 "negotiator command '%s' could not be started: %s", status->command,
                 status->reason != NULL ? status->reason : "no reason given");
    return NEGO_RESULT_REFUSED;
  default:
    g_set_error (message, NEGO_ERROR, NEGO_ERROR_GENERIC,
                 "negotiator command '%s' was cancelled on the other side", status->command);
    return NEGO_RESULT_FAILED;
  }
}

int
nego_result_exit_status_of_error (const GError *error)
{
  if (g_error_matches (error, NEGO_ERROR, NEGO_ERROR_NOT_FOUND))
    return NEGO_RESULT_UNKNOWN;
  if (g_error_matches (error, NEGO_ERROR, NEGO_ERROR_REFUSED))
    return NEGO_RESULT_REFUSED;
  return NEGO_RESULT_FAILED;
}

void
nego_result_say (const NegoResult *result, const GError *error)
{
  if (result->quiet)
    return;
  if (result->guest != NULL)
    nego_output_say ("guest '%s': %s", result->guest, error->message);
  else
    nego_output_say ("%s", error->message);
}

/* Says what of the output the guest did not keep: nothing is lost in silence. */
static void
nego_result_say_truncated (const NegoResult *result, const QapiNegotiatorJobStatus *status)
{
  if (result->quiet)
    return;
  if (status->out_truncated)
    nego_output_say ("the output was cut after %" G_GINT64_FORMAT
                     " bytes (MaxOutput in the command's settings)",
                     status->out_next);
  if (status->err_truncated)
    nego_output_say ("the error output was cut after %" G_GINT64_FORMAT
                     " bytes (MaxOutput in the command's settings)",
                     status->err_next);
}

/* Puts all of a stream's output into its members of the status. */
static void
nego_result_join (const GByteArray *all,
                  char **data,
                  QapiNegotiatorOutputEncoding *encoding,
                  gint64 *offset,
                  gint64 next)
{
  g_auto (NegoPiece) piece = { 0 };

  nego_piece_take (&piece, all->data, all->len, TRUE, FALSE, nego_piece_bound (all->len));
  g_free (*data);
  *data = g_steal_pointer (&piece.text);
  *encoding
    = piece.base64 ? QAPI_NEGOTIATOR_OUTPUT_ENCODING_BASE64 : QAPI_NEGOTIATOR_OUTPUT_ENCODING_UTF_8;
  *offset = next - (gint64) all->len;
}

void
nego_result_append_json (GString *out,
                         QapiNegotiatorJobStatus *status,
                         GByteArray *const collected[2])
{
  NegoJsonWriter writer;

  nego_result_join (collected[0], &status->out_data, &status->out_encoding, &status->out_offset,
                    status->out_next);
  nego_result_join (collected[1], &status->err_data, &status->err_encoding, &status->err_offset,
                    status->err_next);
  nego_json_writer_init (&writer, out);
  qapi_negotiator_job_status_encode (&writer, status);
}

int
nego_result_finish (NegoResult *result,
                    const NegoRun *run,
                    QapiNegotiatorJobStatus *status,
                    const GError *error)
{
  g_autoptr (GError) failure = NULL;
  int exit_status;

  /* As any program at the end of whose pipe nobody is. */
  if (result->reader_left) {
    signal (SIGPIPE, SIG_DFL);
    raise (SIGPIPE);
  }
  if (status == NULL) {
    if (g_error_matches (error, NEGO_ERROR, NEGO_ERROR_INTERRUPTED))
      return NEGO_RESULT_SIGNAL + result->interrupted_by;
    nego_result_say (result, error);
    return nego_result_exit_status_of_error (error);
  }
  nego_result_say_truncated (result, status);
  if (result->json) {
    g_autoptr (GString) text = g_string_new (NULL);

    nego_result_append_json (text, status, result->collected);
    g_string_append_c (text, '\n');
    if (!nego_output_text (text, &failure)) {
      nego_result_say (result, failure);
      return NEGO_RESULT_FAILED;
    }
  }
  if (run->detach)
    return 0;
  exit_status = nego_result_exit_status (status, &failure);
  if (failure != NULL)
    nego_result_say (result, failure);
  return exit_status;
}
