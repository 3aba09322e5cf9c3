/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "common/client/event.h"

#include "common/base64.h"
#include "common/error.h"
#include "common/json.h"
#include "common/names.h"
#include "common/value.h"

#include <string.h>

/* The members of an event's data that are looked at; one that is not there has no text. */
typedef struct {
  NegoValue job, stream, offset, encoding, data;
} NegoEventMembers;

void
nego_event_clear (NegoEvent *event)
{
  g_clear_pointer (&event->job, g_free);
  g_clear_pointer (&event->data, g_free);
}

/* Finds what is looked at in the object @data. */
static void
nego_event_find_members (const NegoValue *data, NegoEventMembers *members)
{
  nego_value_find (data, "job", &members->job);
  nego_value_find (data, "stream", &members->stream);
  nego_value_find (data, "offset", &members->offset);
  nego_value_find (data, "encoding", &members->encoding);
  nego_value_find (data, "data", &members->data);
}

static gboolean
nego_event_fail (GError **error, const char *what)
{
  g_set_error (error, NEGO_ERROR, NEGO_ERROR_PARSE, "the agent's event makes no sense: %s", what);
  return FALSE;
}

static gboolean
nego_event_read_data (const NegoEventMembers *members, NegoEvent *event, GError **error)
{
  const NegoValue *data = &members->data;
  g_autoptr (GError) failure = NULL;

  if (data->len < 2 || data->text[0] != '"')
    return nego_event_fail (error, "it has no data");
  if (nego_value_is_string (&members->encoding, "base64")) {
    if (event->allocated < nego_base64_room (data->len - 2)) {
      event->allocated = nego_base64_room (data->len - 2);
      event->data = g_realloc (event->data, event->allocated);
    }
    if (nego_base64_decode_to (data->text + 1, data->len - 2, event->data, &event->len, &failure))
      return TRUE;
    return nego_event_fail (error, failure->message);
  }
  if (!nego_value_is_string (&members->encoding, "utf-8"))
    return nego_event_fail (error, "its encoding is unknown");
  g_free (event->data);
  event->data = (guint8 *) nego_json_string_value (data->text, data->len);
  event->allocated = 0;
  if (event->data == NULL)
    return nego_event_fail (error, "its text contains U+0000");
  event->len = strlen ((const char *) event->data);
  return TRUE;
}

static gboolean
nego_event_read_output (const NegoEventMembers *members, NegoEvent *event, GError **error)
{
  guint64 offset;

  if (nego_value_is_string (&members->stream, "err"))
    event->stream = 1;
  else if (!nego_value_is_string (&members->stream, "out"))
    return nego_event_fail (error, "its stream is unknown");
  if (!nego_value_get_uint (&members->offset, &offset))
    return nego_event_fail (error, "its offset is no number");
  event->offset = (gint64) offset;
  return nego_event_read_data (members, event, error);
}

gboolean
nego_event_is_one (const NegoFramerMessage *message)
{
  return nego_framer_message_find (message, "event") != NULL;
}

gboolean
nego_event_parse (const NegoFramerMessage *message, NegoEvent *event, GError **error)
{
  const NegoFramerMember *name = nego_framer_message_find (message, "event");
  const NegoFramerMember *data = nego_framer_message_find (message, "data");
  const NegoValue kind = { message->text + name->value, name->value_len };
  NegoEventMembers members = { 0 };

  event->kind = nego_value_is_string (&kind, "NEGOTIATOR_OUTPUT")   ? NEGO_EVENT_OUTPUT
                : nego_value_is_string (&kind, "NEGOTIATOR_EXITED") ? NEGO_EVENT_EXITED
                                                                    : NEGO_EVENT_OTHER;
  g_clear_pointer (&event->job, g_free);
  event->stream = 0;
  if (event->kind == NEGO_EVENT_OTHER)
    return TRUE;
  if (data == NULL || data->kind != NEGO_JSON_OBJECT)
    return nego_event_fail (error, "it has no data");
  nego_event_find_members (&(NegoValue){ message->text + data->value, data->value_len }, &members);
  event->job = nego_value_dup_string (&members.job);
  if (event->job == NULL)
    return nego_event_fail (error, "it names no job");
  return event->kind == NEGO_EVENT_EXITED || nego_event_read_output (&members, event, error);
}
