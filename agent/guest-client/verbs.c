/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "agent/guest-client/verbs.h"

#include "common/client/link-socket.h"
#include "common/client/output.h"
#include "common/error.h"
#include "common/names.h"

/* The port has one owner, and that is to be the agent. */
static void
nego_guest_verb_explain_busy (GError **error)
{
  if (error != NULL && g_error_matches (*error, NEGO_ERROR, NEGO_ERROR_BUSY)
      && g_file_test (NEGO_HOST_SOCKET, G_FILE_TEST_EXISTS)) {
    g_autofree char *text
      = g_strdup_printf ("%s: nego-agent has it, and offers '%s'; leave out --character-device",
                         (*error)->message, NEGO_HOST_SOCKET);

    g_clear_error (error);
    g_set_error_literal (error, NEGO_ERROR, NEGO_ERROR_BUSY, text);
  }
}

NegoRemote *
nego_guest_verb_open (const NegoGuestOptions *options, GError **error)
{
  const double patience = options->has_timeout ? options->timeout : NEGO_GUEST_ANSWER_S;
  const char *socket = options->socket != NULL ? options->socket : NEGO_HOST_SOCKET;
  NegoLink *link;

  if (options->device != NULL) {
    link = nego_link_socket_new_device (options->device, patience, error);
    if (link == NULL)
      nego_guest_verb_explain_busy (error);
  } else {
    link = nego_link_socket_new (socket, patience, error);
  }
  return link != NULL ? nego_remote_new (link) : NULL;
}

int
nego_guest_verb_fail (const NegoGuestOptions *options, const GError *error)
{
  if (!options->quiet)
    nego_output_say ("%s", error->message);
  return 1;
}
