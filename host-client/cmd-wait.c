/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "common/client/output.h"
#include "common/json.h"
#include "host-client/told.h"
#include "host-client/verbs.h"
#include "qapi/qapi-visit.h"

#include <string.h>

static gboolean
nego_cmd_print_note (const NegoOptions *options, const QapiNegotiatorNote *note, GError **error)
{
  g_autoptr (GString) text = g_string_new (NULL);
  NegoJsonWriter writer;

  if (options->json) {
    nego_json_writer_init (&writer, text);
    qapi_negotiator_note_encode (&writer, note);
  } else if (note->value != NULL) {
    nego_output_escape (text, note->value, strlen (note->value));
  } else {
    return TRUE;
  }
  g_string_append_c (text, '\n');
  return nego_output_text (text, error);
}

/* nego-host wait GUEST */
int
nego_cmd_wait (const NegoOptions *options)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (NegoRemote) hostd = nego_told_open (options, &error);
  const char *wanted = options->note != NULL ? options->note : "ready";
  const char *equals = strchr (wanted, '=');
  g_autofree char *name
    = equals != NULL ? g_strndup (wanted, (gsize) (equals - wanted)) : g_strdup (wanted);
  g_autoptr (QapiNegotiatorNote) note = NULL;

  if (hostd != NULL)
    note = nego_told_wait (hostd, options->guest, name, equals != NULL ? equals + 1 : NULL,
                           options->has_timeout ? options->timeout : 0, &error);
  if (note == NULL || !nego_cmd_print_note (options, note, &error))
    return nego_verb_fail (options, error);
  return 0;
}
