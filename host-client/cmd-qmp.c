/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "common/error.h"
#include "common/framer.h"
#include "common/json.h"
#include "common/names.h"
#include "common/client/output.h"
#include "common/client/reply.h"
#include "host-client/verbs.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The one JSON object in @text. */
static gboolean
nego_cmd_parse_request (
  NegoFramer *framer, const char *text, gsize len, NegoFramerMessage *message, GError **error)
{
  gsize used = 0;

  switch (nego_framer_feed (framer, (const guint8 *) text, len, &used, message, error)) {
  case NEGO_FRAMER_MESSAGE:
    if (strspn (text + used, " \t\r\n") == len - used)
      return TRUE;
    g_set_error_literal (error, NEGO_ERROR, NEGO_ERROR_PARSE, "more than one request");
    return FALSE;
  case NEGO_FRAMER_MORE:
    g_set_error_literal (error, NEGO_ERROR, NEGO_ERROR_PARSE, "it is not complete");
    return FALSE;
  case NEGO_FRAMER_ERROR:
    break;
  }
  return FALSE;
}

/* The command that @message asks for; "" when it has none, as the agent will say. */
static char *
nego_cmd_name (const NegoFramerMessage *message)
{
  const NegoFramerMember *member = nego_framer_message_find (message, "execute");
  char *name = NULL;

  if (member != NULL && member->kind == NEGO_JSON_STRING)
    name = nego_json_string_value (message->text + member->value, member->value_len);
  return name != NULL ? name : g_strdup ("");
}

static GString *
nego_cmd_pass (NegoRemote *guest, const char *text, gsize len, gint64 deadline, GError **error)
{
  const NegoFramerLimits limits = {
    .max_bytes = NEGO_MESSAGE_BYTES_QGA,
    .max_tokens = NEGO_MESSAGE_TOKENS,
    .max_depth = NEGO_MESSAGE_DEPTH,
  };
  g_autoptr (NegoFramer) framer = nego_framer_new (&limits);
  g_autofree char *name = NULL;
  NegoFramerMessage message;

  if (!nego_cmd_parse_request (framer, text, len, &message, error)) {
    g_prefix_error (error, "the request: ");
    return NULL;
  }
  name = nego_cmd_name (&message);
  return nego_remote_pass (guest, message.text, message.len, name, deadline, error);
}

/* Sends one request and prints its reply. Returns whether that is no error. */
static gboolean
nego_cmd_do (const NegoOptions *options, NegoRemote *guest, const char *text, gsize len)
{
  const gint64 deadline = nego_options_deadline (options, NEGO_GUEST_ANSWER_S);
  g_autoptr (GError) error = NULL;
  g_autoptr (GString) reply = nego_cmd_pass (guest, text, len, deadline, &error);

  if (reply == NULL || !nego_output_json (reply->str, reply->len, &error)) {
    nego_verb_fail (options, error);
    return FALSE;
  }
  return !nego_reply_is_error (reply);
}

/* Each line of the standard input is a request. */
static int
nego_cmd_converse (const NegoOptions *options, NegoRemote *guest)
{
  const gboolean prompt = isatty (STDIN_FILENO) && !options->quiet;
  g_autoptr (GError) error = NULL;
  int status = 0;
  char *line = NULL;
  size_t size = 0;

  for (;;) {
    gssize len;

    if (prompt) {
      fputs ("qmp> ", stdout);
      fflush (stdout);
    }
    len = getline (&line, &size, stdin);
    if (len < 0)
      break;
    if (strspn (line, " \t\r\n") < (gsize) len && !nego_cmd_do (options, guest, line, (gsize) len))
      status = 1;
  }
  if (ferror (stdin)) {
    nego_error_set_errno (&error, errno, "cannot read the standard input");
    status = nego_verb_fail (options, error);
  }
  if (prompt)
    fputs ("\n", stdout);
  free (line);
  return status;
}

/* nego-host qmp GUEST [JSON] */
int
nego_cmd_qmp (const NegoOptions *options)
{
  const gint64 deadline = nego_options_deadline (options, NEGO_GUEST_ANSWER_S);
  g_autoptr (GError) error = NULL;
  g_autoptr (NegoRemote) guest = nego_verb_open (options, deadline, &error);
  const char *request = options->args[0];

  if (guest == NULL)
    return nego_verb_fail (options, error);
  if (request == NULL)
    return nego_cmd_converse (options, guest);
  return nego_cmd_do (options, guest, request, strlen (request)) ? 0 : 1;
}
