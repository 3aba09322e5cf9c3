/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "common/error.h"
#include "common/json.h"
#include "common/names.h"
#include "common/random.h"
#include "common/client/output.h"
#include "common/client/result.h"
#include "host-client/errand.h"
#include "host-client/verbs.h"
#include "qapi/decode.h"

#include <string.h>
#include <unistd.h>

/* Every port takes a request of this size; above it, the agent is asked. */
#define ANY_PORT_BYTES (512u << 10)
/* What stands around the arguments in a request. */
#define REQUEST_EXTRA_BYTES 1024u

/* Asks @guest how many @bytes of a message it takes. */
static gboolean
nego_cmd_message_bytes (NegoRemote *guest, gint64 deadline, guint64 *bytes, GError **error)
{
  g_autoptr (JsonNode) reply = nego_remote_ask (guest, "negotiator-info", deadline, error);
  g_autoptr (QapiNegotiatorInfo) info = NULL;

  if (reply != NULL)
    info = qapi_decode (&qapi_negotiator_info_type, reply, "negotiator-info", FALSE, error);
  if (info == NULL)
    return FALSE;
  *bytes = info->limits->message_bytes;
  return TRUE;
}

/* Whether @guest takes a request with @len bytes of arguments. */
static gboolean
nego_cmd_check_length (NegoRemote *guest, gsize len, gint64 deadline, GError **error)
{
  guint64 limit = NEGO_GUEST_REQUEST_BYTES_LIBVIRT;

  len += REQUEST_EXTRA_BYTES;
  if (!nego_remote_is_shared (guest)) {
    if (len <= ANY_PORT_BYTES)
      return TRUE;
    if (!nego_cmd_message_bytes (guest, deadline, &limit, error))
      return FALSE;
  }
  if (len <= limit)
    return TRUE;
  g_set_error (error, NEGO_ERROR, NEGO_ERROR_GENERIC,
               "the arguments make a request of %" G_GSIZE_FORMAT
               " bytes, more than %s takes (limit %" G_GUINT64_FORMAT ")%s",
               len, nego_remote_is_shared (guest) ? "libvirt's agent call" : "this channel", limit,
               nego_remote_is_shared (guest) ? "; a channel '" NEGO_PORT_HOST_TO_GUEST
                                               "' takes more"
                                             : "");
  return FALSE;
}

typedef struct {
  const NegoOptions *options;
  NegoRemote *guest;
  GError *error;
} NegoCmdOpening;

static void
nego_cmd_open (gpointer data)
{
  NegoCmdOpening *self = data;
  const gint64 deadline = nego_verb_open_deadline ();
  g_autoptr (NegoRemote) guest = nego_verb_open (self->options, deadline, &self->error);
  char **args = self->options->args;
  gsize len = 0;

  for (gsize i = 1; args[i] != NULL; i++)
    len += nego_json_string_length (args[i], strlen (args[i])) + 2;
  if (guest != NULL && nego_cmd_check_length (guest, len, deadline, &self->error))
    self->guest = g_steal_pointer (&guest);
}

/* Says which job was started. */
static int
nego_cmd_print_job (const QapiNegotiatorJobStatus *status)
{
  g_autoptr (GString) text = g_string_new (NULL);

  nego_output_escape (text, status->job, strlen (status->job));
  g_string_append_c (text, '\n');
  return nego_output_text (text, NULL) ? 0 : NEGO_RESULT_FAILED;
}

static int
nego_cmd_exec_one (const NegoOptions *options)
{
  const gboolean has_input = !options->no_input && !options->detach && !isatty (STDIN_FILENO);
  g_autofree char *key = options->key != NULL ? g_strdup (options->key) : nego_random_name ();
  g_autoptr (QapiNegotiatorJobStatus) status = NULL;
  NegoCmdOpening opening = { .options = options };
  g_autoptr (GError) error = NULL;
  g_auto (NegoResult) result = { .signal_fd = -1 };
  NegoRun run = {
    .command = options->args[0],
    .args = (const char *const *) options->args + 1,
    .key = key,
    .detach = options->detach,
    .flow = !options->json && !options->detach,
    .timeout = options->timeout,
    .silence = NEGO_GUEST_ANSWER_S,
    .input_fd = has_input ? STDIN_FILENO : -1,
    .put = nego_result_put,
    .reopen = nego_verb_reopen,
    .user_data = &result,
  };

  nego_result_init (&result, options->json, options->quiet, options->guest);
  result.owner = (gpointer) options;
  run.signal_fd = result.signal_fd;
  run.interrupted_by = &result.interrupted_by;
  nego_errand_run (nego_cmd_open, &opening, result.signal_fd);
  error = opening.error;
  if (opening.guest != NULL)
    status = nego_run_do (&run, opening.guest, &error);
  if (status != NULL && options->detach && !options->json)
    return nego_cmd_print_job (status);
  return nego_result_finish (&result, &run, status, error);
}

/* nego-host exec GUEST COMMAND [ARG…] */
int
nego_cmd_exec (const NegoOptions *options)
{
  return options->many ? nego_cmd_exec_many (options) : nego_cmd_exec_one (options);
}
