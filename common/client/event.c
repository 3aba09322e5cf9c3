/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "common/client/event.h"

#include "common/base64.h"
#include "common/error.h"
#include "common/json.h"
#include "common/names.h"

#include <string.h>

/* A stretch of the framer's text. */
typedef struct {
  const char *text;
  gsize len;
} NegoEventText;

/* The members of an event's data that are looked at; one that is not there has no text. */
typedef struct {
  NegoEventText job, stream, offset, encoding, data;
} NegoEventMembers;

void
nego_event_clear (NegoEvent *event)
{
  g_clear_pointer (&event->job, g_free);
  g_clear_pointer (&event->data, g_free);
}

/* The functions below rely on the framer: the text is strict JSON without blanks. */

/* Behind the string that begins at @p. */
static const char *
nego_event_skip_string (const char *p)
{
  for (p++;; p++) {
    const char *quote = strchr (p, '"');
    gsize escapes = 0;

    while (quote - 1 - escapes >= p && quote[-1 - (gssize) escapes] == '\\')
      escapes++;
    p = quote;
    if (escapes % 2 == 0)
      return quote + 1;
  }
}

/* Behind the value that begins at @p. */
static const char *
nego_event_skip_value (const char *p)
{
  guint depth = 0;

  do {
    if (*p == '"') {
      p = nego_event_skip_string (p);
      continue;
    }
    if (*p == '{' || *p == '[')
      depth++;
    else if (*p == '}' || *p == ']')
      depth--;
    p++;
  } while (depth > 0 || (*p != ',' && *p != '}' && *p != ']' && *p != '\0'));
  return p;
}

static gboolean
nego_event_is_text (const NegoEventText *member, const char *text)
{
  const gsize len = strlen (text);

  return member->len == len + 2 && member->text[0] == '"'
         && memcmp (member->text + 1, text, len) == 0;
}

/* Finds what is looked at in the object @text. */
static void
nego_event_find_members (const char *text, NegoEventMembers *members)
{
  const struct {
    const char *name;
    NegoEventText *place;
  } rows[] = {
    { "job", &members->job },       { "stream", &members->stream },
    { "offset", &members->offset }, { "encoding", &members->encoding },
    { "data", &members->data },
  };
  const char *p = text + 1;

  while (*p == '"') {
    const char *key_end = nego_event_skip_string (p);
    const NegoEventText key = { p, (gsize) (key_end - p) };
    const char *value = key_end + 1;
    const char *end = nego_event_skip_value (value);

    for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
      if (nego_event_is_text (&key, rows[i].name))
        *rows[i].place = (NegoEventText){ value, (gsize) (end - value) };
    p = *end == ',' ? end + 1 : end;
  }
}

static gboolean
nego_event_fail (GError **error, const char *what)
{
  g_set_error (error, NEGO_ERROR, NEGO_ERROR_PARSE, "the agent's event makes no sense: %s", what);
  return FALSE;
}

static gboolean
nego_event_read_text (const NegoEventText *member, char **text)
{
  g_autofree char *copy = NULL;

  if (member->len < 2 || member->text[0] != '"')
    return FALSE;
  copy = g_strndup (member->text, member->len);
  *text = nego_json_string_value (copy, member->len);
  return *text != NULL;
}

static gboolean
nego_event_read_offset (const NegoEventText *member, gint64 *offset)
{
  g_autofree char *text = g_strndup (member->text, MIN (member->len, 32));
  guint64 value;

  if (!g_ascii_string_to_unsigned (text, 10, 0, G_MAXINT64, &value, NULL))
    return FALSE;
  *offset = (gint64) value;
  return TRUE;
}

static gboolean
nego_event_read_data (const NegoEventMembers *members, NegoEvent *event, GError **error)
{
  const NegoEventText *data = &members->data;
  g_autoptr (GError) failure = NULL;

  if (data->len < 2 || data->text[0] != '"')
    return nego_event_fail (error, "it has no data");
  if (nego_event_is_text (&members->encoding, "base64")) {
    if (event->allocated < nego_base64_room (data->len - 2)) {
      event->allocated = nego_base64_room (data->len - 2);
      event->data = g_realloc (event->data, event->allocated);
    }
    if (nego_base64_decode_to (data->text + 1, data->len - 2, event->data, &event->len, &failure))
      return TRUE;
    return nego_event_fail (error, failure->message);
  }
  if (!nego_event_is_text (&members->encoding, "utf-8"))
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
  if (nego_event_is_text (&members->stream, "err"))
    event->stream = 1;
  else if (!nego_event_is_text (&members->stream, "out"))
    return nego_event_fail (error, "its stream is unknown");
  if (!nego_event_read_offset (&members->offset, &event->offset))
    return nego_event_fail (error, "its offset is no number");
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
  const NegoEventText kind = { message->text + name->value, name->value_len };
  NegoEventMembers members = { 0 };

  event->kind = nego_event_is_text (&kind, "NEGOTIATOR_OUTPUT")   ? NEGO_EVENT_OUTPUT
                : nego_event_is_text (&kind, "NEGOTIATOR_EXITED") ? NEGO_EVENT_EXITED
                                                                  : NEGO_EVENT_OTHER;
  g_clear_pointer (&event->job, g_free);
  event->stream = 0;
  if (event->kind == NEGO_EVENT_OTHER)
    return TRUE;
  if (data == NULL || data->kind != NEGO_JSON_OBJECT)
    return nego_event_fail (error, "it has no data");
  nego_event_find_members (message->text + data->value, &members);
  if (!nego_event_read_text (&members.job, &event->job))
    return nego_event_fail (error, "it names no job");
  return event->kind == NEGO_EVENT_EXITED || nego_event_read_output (&members, event, error);
}
