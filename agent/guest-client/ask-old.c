/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "agent/guest-client/verbs.h"
#include "common/client/old-remote.h"
#include "common/client/output.h"
#include "common/names.h"

#include <string.h>

/* NULL: the host is none of that kind, or is reached through the agent. */
static NegoOldRemote *
nego_guest_ask_old_open (const NegoGuestOptions *options, gint64 deadline)
{
  NegoEnd *end
    = options->old && options->device != NULL ? nego_end_new_device (options->device, NULL) : NULL;
  g_autoptr (NegoOldRemote) host = end != NULL ? nego_old_remote_new (end, deadline, NULL) : NULL;

  return host != NULL && !host->speaks_qmp ? g_steal_pointer (&host) : NULL;
}

/* The output as the Python program printed it: what is at its end was one LF. */
static GString *
nego_guest_ask_old_take_output (const char *output)
{
  g_autoptr (GString) text = g_string_new (output);

  while (text->len > 0 && g_ascii_isspace (text->str[text->len - 1]))
    g_string_truncate (text, text->len - 1);
  if (text->len > 0)
    g_string_append_c (text, '\n');
  return g_steal_pointer (&text);
}

static GString *
nego_guest_ask_old_list (const NegoOldRemote *host)
{
  g_autoptr (GString) text = g_string_new (NULL);

  for (char **name = host->names; *name != NULL; name++) {
    nego_output_escape (text, *name, strlen (*name));
    g_string_append_c (text, '\n');
  }
  return g_steal_pointer (&text);
}

gboolean
nego_guest_ask_old (const NegoGuestOptions *options, int *status)
{
  const gint64 deadline = nego_guest_options_deadline (options, NEGO_GUEST_ANSWER_S);
  g_autoptr (NegoOldRemote) host = nego_guest_ask_old_open (options, deadline);
  g_autoptr (GString) text = NULL;
  g_autoptr (GError) error = NULL;
  g_autofree char *output = NULL;

  if (host == NULL)
    return FALSE;
  if (options->args[0] == NULL) {
    text = nego_guest_ask_old_list (host);
  } else {
    output
      = nego_old_remote_execute (host, (const char *const *) options->args, NULL, deadline, &error);
    if (output != NULL)
      text = nego_guest_ask_old_take_output (output);
  }
  *status
    = text != NULL && nego_output_text (text, &error) ? 0 : nego_guest_verb_fail (options, error);
  return TRUE;
}
