/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "common/error.h"
#include "common/json.h"
#include "common/names.h"
#include "common/piece.h"
#include "host-client/output.h"
#include "host-client/run.h"
#include "host-client/verbs.h"
#include "qapi/decode.h"
#include "qapi/qapi-visit.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

/* nego-host's own exit statuses, where the script's is not to be had (as of coreutils' timeout and
 * env). */
enum {
  EXIT_TIMED_OUT = 124,
  EXIT_FAILED = 125,
  EXIT_REFUSED = 126,
  EXIT_UNKNOWN = 127,
  EXIT_SIGNAL = 128,
};

/* Every port takes a request of this size; above it, the agent is asked. */
#define ANY_PORT_BYTES (512u << 10)
/* What stands around the arguments in a request. */
#define REQUEST_EXTRA_BYTES 1024u

/* The standard input to its end. FALSE: @error. */
static gboolean
nego_cmd_read_input (const NegoOptions *options, GByteArray *input, GError **error)
{
  if (options->no_input || isatty (STDIN_FILENO))
    return TRUE;
  for (;;) {
    guint8 piece[16 << 10];
    const gssize n = read (STDIN_FILENO, piece, sizeof piece);

    if (n == 0 || (n < 0 && errno == EBADF)) /* it is closed */
      return TRUE;
    if (n < 0 && errno == EAGAIN) { /* whoever shares it made it non-blocking */
      nego_output_wait (STDIN_FILENO, POLLIN);
      continue;
    }
    if (n < 0 && errno != EINTR)
      return nego_error_set_errno (error, errno, "cannot read the standard input");
    if (n > 0)
      g_byte_array_append (input, piece, (guint) n);
    if (input->len > NEGO_SCRIPT_INPUT_BYTES) {
      g_set_error (
        error, NEGO_ERROR, NEGO_ERROR_GENERIC,
        "the standard input is more than a command takes (limit %u bytes; -n sends none)",
        NEGO_SCRIPT_INPUT_BYTES);
      return FALSE;
    }
  }
}

/* A name for this run, so that a lost reply can be asked for again. */
static char *
nego_cmd_new_key (void)
{
  guint64 random[2] = { 0, 0 };

  if (getrandom (random, sizeof random, 0) != sizeof random)
    random[0] = (guint64) g_get_real_time ();
  return g_strdup_printf ("nego-host-%016" G_GINT64_MODIFIER "x%016" G_GINT64_MODIFIER "x",
                          random[0], random[1]);
}

/* Asks @guest how many @bytes of a message it takes. */
static gboolean
nego_cmd_message_bytes (NegoGuest *guest, gint64 deadline, guint64 *bytes, GError **error)
{
  g_autoptr (JsonNode) reply = nego_guest_ask (guest, "negotiator-info", deadline, error);
  g_autoptr (QapiNegotiatorInfo) info = NULL;

  if (reply != NULL)
    info = qapi_decode (&qapi_negotiator_info_type, reply, "negotiator-info", FALSE, error);
  if (info == NULL)
    return FALSE;
  *bytes = info->limits->message_bytes;
  return TRUE;
}

/* The guest that @options name, on a way that takes @len bytes of arguments. */
static NegoGuest *
nego_cmd_open (const NegoOptions *options, gsize len, gint64 deadline, GError **error)
{
  g_autoptr (NegoGuest) guest = nego_verb_open (options, deadline, error);
  guint64 limit = NEGO_GUEST_REQUEST_BYTES_LIBVIRT;

  if (guest == NULL)
    return NULL;
  len += REQUEST_EXTRA_BYTES;
  if (!nego_guest_is_shared (guest)) {
    if (len <= ANY_PORT_BYTES)
      return g_steal_pointer (&guest);
    if (!nego_cmd_message_bytes (guest, deadline, &limit, error))
      return NULL;
  }
  if (len <= limit)
    return g_steal_pointer (&guest);
  g_set_error (error, NEGO_ERROR, NEGO_ERROR_GENERIC,
               "the input and arguments make a request of %" G_GSIZE_FORMAT
               " bytes, more than %s takes (limit %" G_GUINT64_FORMAT ")%s",
               len, nego_guest_is_shared (guest) ? "libvirt's agent call" : "this channel", limit,
               nego_guest_is_shared (guest) ? "; a channel '" NEGO_PORT_HOST_TO_GUEST "' takes more"
                                            : "");
  return NULL;
}

/* What ended @status, as nego-host's exit status; said if it is none of the script's own. */
static int
nego_cmd_exit_status (const NegoOptions *options, const QapiNegotiatorJobStatus *status)
{
  const char *command = options->args[0];
  g_autoptr (GError) error = NULL;
  int exit_status;

  switch (status->state) {
  case QAPI_NEGOTIATOR_JOB_STATE_EXITED:
    return (int) status->exitcode;
  case QAPI_NEGOTIATOR_JOB_STATE_SIGNALLED:
    return EXIT_SIGNAL + (int) status->signal;
  case QAPI_NEGOTIATOR_JOB_STATE_TIMED_OUT:
    exit_status = EXIT_TIMED_OUT;
    g_set_error (&error, NEGO_ERROR, NEGO_ERROR_TIMEOUT,
                 "negotiator command '%s' timed out after %.1f s", command,
                 (double) status->elapsed_ns / 1e9);
    break;
  case QAPI_NEGOTIATOR_JOB_STATE_FAILED:
    exit_status = EXIT_REFUSED;
    g_set_error (&error, NEGO_ERROR, NEGO_ERROR_GENERIC,
                 "negotiator command '%s' could not be started: %s", command,
                 status->reason != NULL ? status->reason : "no reason given");
    break;
  default:
    exit_status = EXIT_FAILED;
    g_set_error (&error, NEGO_ERROR, NEGO_ERROR_GENERIC,
                 "negotiator command '%s' was cancelled in the guest", command);
  }
  nego_verb_fail (options, error);
  return exit_status;
}

/* The exit status for @error, which is said. */
static int
nego_cmd_fail (const NegoOptions *options, const GError *error)
{
  nego_verb_fail (options, error);
  if (g_error_matches (error, NEGO_ERROR, NEGO_ERROR_NOT_FOUND))
    return EXIT_UNKNOWN;
  if (g_error_matches (error, NEGO_ERROR, NEGO_ERROR_REFUSED))
    return EXIT_REFUSED;
  return EXIT_FAILED;
}

/* Says what of the output the guest did not keep: nothing is lost in silence. */
static void
nego_cmd_say_truncated (const NegoOptions *options, const QapiNegotiatorJobStatus *status)
{
  if (options->quiet)
    return;
  if (status->out_truncated)
    nego_output_say ("the output was cut after %" G_GINT64_FORMAT
                     " bytes (MaxOutput in the command's settings in the guest)",
                     status->out_next);
  if (status->err_truncated)
    nego_output_say ("the error output was cut after %" G_GINT64_FORMAT
                     " bytes (MaxOutput in the command's settings in the guest)",
                     status->err_next);
}

/* Puts all of a stream's output into its members of the status. */
static void
nego_cmd_join (const GByteArray *all,
               char **data,
               QapiNegotiatorOutputEncoding *encoding,
               gint64 *offset)
{
  g_auto (NegoPiece) piece = { 0 };

  nego_piece_take (&piece, all->data, all->len, TRUE, FALSE, nego_piece_bound (all->len));
  g_free (*data);
  *data = g_steal_pointer (&piece.text);
  *encoding
    = piece.base64 ? QAPI_NEGOTIATOR_OUTPUT_ENCODING_BASE64 : QAPI_NEGOTIATOR_OUTPUT_ENCODING_UTF_8;
  *offset = 0;
}

static gboolean
nego_cmd_print_status (const NegoRun *run, QapiNegotiatorJobStatus *status, GError **error)
{
  g_autoptr (GString) text = g_string_new (NULL);
  NegoJsonWriter writer;

  nego_cmd_join (run->collected[0], &status->out_data, &status->out_encoding, &status->out_offset);
  nego_cmd_join (run->collected[1], &status->err_data, &status->err_encoding, &status->err_offset);
  nego_json_writer_init (&writer, text);
  qapi_negotiator_job_status_encode (&writer, status);
  g_string_append_c (text, '\n');
  return nego_output_text (text, error);
}

/* Runs the command; @run lacks its guest yet. */
static QapiNegotiatorJobStatus *
nego_cmd_run (const NegoOptions *options, NegoRun *run, GError **error)
{
  const gint64 deadline = nego_options_deadline (options, NEGO_GUEST_ANSWER_S);
  /* The longest that the arguments can be decides the way; how long to wait, the way. */
  gsize len = run->input_len / 3 * 4 + 4;
  g_autoptr (NegoGuest) guest = NULL;
  g_autoptr (GString) arguments = NULL;

  for (gsize i = 0; run->args[i] != NULL; i++)
    len += nego_json_string_length (run->args[i], strlen (run->args[i])) + 2;
  guest = nego_cmd_open (options, len, deadline, error);
  if (guest == NULL)
    return NULL;
  run->guest = guest;
  arguments = nego_run_arguments (run);
  return nego_run_do (run, arguments, error);
}

/* nego-host exec GUEST COMMAND [ARG…] */
int
nego_cmd_exec (const NegoOptions *options)
{
  g_autoptr (GByteArray) input = g_byte_array_new ();
  g_autoptr (GByteArray) out = options->json ? g_byte_array_new () : NULL;
  g_autoptr (GByteArray) err = options->json ? g_byte_array_new () : NULL;
  g_autoptr (GError) error = NULL;
  g_autoptr (QapiNegotiatorJobStatus) status = NULL;
  g_autofree char *key = options->key != NULL ? g_strdup (options->key) : nego_cmd_new_key ();
  NegoRun run = {
    .command = options->args[0],
    .args = (const char *const *) options->args + 1,
    .key = key,
    .timeout = options->timeout,
    .silence = NEGO_GUEST_ANSWER_S,
    .collected = { out, err },
  };

  if (options->has_timeout)
    run.silence = MIN (options->timeout, NEGO_GUEST_ANSWER_S);
  if (!nego_cmd_read_input (options, input, &error))
    return nego_cmd_fail (options, error);
  run.input = input->data;
  run.input_len = input->len;
  status = nego_cmd_run (options, &run, &error);
  if (status == NULL)
    return nego_cmd_fail (options, error);
  nego_cmd_say_truncated (options, status);
  if (options->json && !nego_cmd_print_status (&run, status, &error))
    return nego_cmd_fail (options, error);
  return nego_cmd_exit_status (options, status);
}
