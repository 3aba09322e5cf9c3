/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "common/old-request.h"

#include "common/error.h"
#include "common/framer.h"
#include "common/json.h"
#include "common/names.h"
#include "common/old-frame.h"

#include <string.h>

static const NegoFramerLimits limits
  = { .max_bytes = NEGO_OLD_BYTES, .max_tokens = NEGO_OLD_TOKENS, .max_depth = NEGO_OLD_DEPTH };

/* Makes strict JSON of an object's text; @message is valid as long as the framer. */
static gboolean
nego_old_request_frame (
  NegoFramer *framer, const char *text, gsize len, NegoFramerMessage *message, GError **error)
{
  gsize used;

  switch (nego_framer_feed (framer, (const guint8 *) text, len, &used, message, error)) {
  case NEGO_FRAMER_MESSAGE:
    if (used == len || strspn (text + used, " \t\r\n") >= len - used)
      return TRUE;
    break;
  case NEGO_FRAMER_ERROR:
    return FALSE;
  case NEGO_FRAMER_MORE:
  default:
    break;
  }
  g_set_error_literal (error, NEGO_ERROR, NEGO_ERROR_PARSE, "the message is not one JSON object");
  return FALSE;
}

/* The member @name, or NULL; of two of a name there are none in what the framer passed. */
static const NegoFramerMember *
nego_old_request_member (const NegoFramerMessage *message, const char *name)
{
  const gsize len = strlen (name);

  for (guint i = 0; i < MIN (message->n_members, NEGO_FRAMER_MEMBERS); i++) {
    const NegoFramerMember *member = &message->members[i];

    if (member->key_len == len + 2 && memcmp (message->text + member->key + 1, name, len) == 0)
      return member;
  }
  return NULL;
}

/* The string of a member; NULL: it is none. Returns: (transfer full). */
static char *
nego_old_request_string (const NegoFramerMessage *message, const NegoFramerMember *member)
{
  if (member == NULL || member->kind != NEGO_JSON_STRING || member->has_nul)
    return NULL;
  return nego_json_string_value (message->text + member->value, member->value_len);
}

/* Where the string ends that begins at @at; strict JSON, so that it does. */
static const char *
nego_old_request_skip_string (const char *at)
{
  for (at++; *at != '"'; at++)
    if (*at == '\\')
      at++;
  return at + 1;
}

/* The strings of an array; NULL: it is none, or has something else in it. Returns: (transfer full).
 */
static char **
nego_old_request_strings (const NegoFramerMessage *message, const NegoFramerMember *member)
{
  g_autoptr (GPtrArray) strings = g_ptr_array_new_with_free_func (g_free);
  const char *at;

  if (member == NULL || member->kind != NEGO_JSON_ARRAY || member->has_nul)
    return NULL;
  for (at = message->text + member->value + 1; *at != ']';) {
    const char *end;

    if (*at == ',')
      at++;
    if (*at != '"')
      return NULL;
    end = nego_old_request_skip_string (at);
    g_ptr_array_add (strings, nego_json_string_value (at, (gsize) (end - at)));
    at = end;
  }
  g_ptr_array_add (strings, NULL);
  return (char **) g_ptr_array_free (g_steal_pointer (&strings), FALSE);
}

static gboolean
nego_old_request_fail (GError **error, const char *message)
{
  g_set_error_literal (error, NEGO_ERROR, NEGO_ERROR_GENERIC, message);
  return FALSE;
}

/* Reads "input" of the keyword arguments. */
static gboolean
nego_old_request_take_input (NegoOldRequest *request,
                             const NegoFramerMessage *message,
                             GError **error)
{
  const NegoFramerMember *member = nego_old_request_member (message, "kw");
  g_autoptr (NegoFramer) framer = nego_framer_new (&limits);
  NegoFramerMessage keywords;

  if (member == NULL)
    return TRUE;
  if (member->kind != NEGO_JSON_OBJECT)
    return nego_old_request_fail (error, "kw must be an object");
  if (!nego_old_request_frame (framer, message->text + member->value, member->value_len, &keywords,
                               error))
    return FALSE;
  if (keywords.n_members > NEGO_FRAMER_MEMBERS)
    return nego_old_request_fail (error, "kw has too many members");
  member = nego_old_request_member (&keywords, "input");
  if (member == NULL || member->kind == NEGO_JSON_NULL)
    return TRUE;
  request->input = nego_old_request_string (&keywords, member);
  return request->input != NULL
         || nego_old_request_fail (error, "input must be a string without U+0000");
}

static gboolean
nego_old_request_take (NegoOldRequest *request, const NegoFramerMessage *message, GError **error)
{
  g_autofree char *method
    = nego_old_request_string (message, nego_old_request_member (message, "method"));
  g_autofree char *quoted = NULL;

  if (method == NULL)
    return nego_old_request_fail (error, "method must be a string");
  if (strcmp (method, "list_commands") == 0) {
    request->method = NEGO_OLD_LIST_COMMANDS;
    return TRUE;
  }
  if (strcmp (method, "execute") != 0) {
    quoted = nego_error_quote (method);
    g_set_error (error, NEGO_ERROR, NEGO_ERROR_GENERIC, "Method %s not supported", quoted);
    return FALSE;
  }
  request->method = NEGO_OLD_EXECUTE;
  request->args = nego_old_request_strings (message, nego_old_request_member (message, "args"));
  if (request->args == NULL || request->args[0] == NULL)
    return nego_old_request_fail (error, "args must be strings without U+0000, at least one");
  return nego_old_request_take_input (request, message, error);
}

gboolean
nego_old_request_parse (NegoOldRequest *request, const char *text, gsize len, GError **error)
{
  g_autoptr (NegoFramer) framer = nego_framer_new (&limits);
  g_auto (NegoOldRequest) taken = { 0 };
  NegoFramerMessage message;

  if (!nego_old_request_frame (framer, text, len, &message, error)
      || !nego_old_request_take (&taken, &message, error))
    return FALSE;
  *request = taken;
  taken = (NegoOldRequest){ 0 };
  return TRUE;
}

void
nego_old_request_clear (NegoOldRequest *request)
{
  g_clear_pointer (&request->args, g_strfreev);
  g_clear_pointer (&request->input, g_free);
}

void
nego_old_request_write (GString *out, const NegoOldRequest *request)
{
  g_autoptr (GString) text = g_string_new (NULL);
  NegoJsonWriter writer;

  nego_json_writer_init (&writer, text);
  nego_json_writer_begin_object (&writer);
  nego_json_writer_key (&writer, "method");
  nego_json_writer_string (&writer,
                           request->method == NEGO_OLD_EXECUTE ? "execute" : "list_commands");
  nego_json_writer_key (&writer, "args");
  nego_json_writer_begin_array (&writer);
  for (char **arg = request->args; arg != NULL && *arg != NULL; arg++)
    nego_json_writer_string (&writer, *arg);
  nego_json_writer_end_array (&writer);
  nego_json_writer_key (&writer, "kw");
  nego_json_writer_begin_object (&writer);
  if (request->input != NULL) {
    nego_json_writer_key (&writer, "input");
    nego_json_writer_string (&writer, request->input);
  }
  nego_json_writer_end_object (&writer);
  nego_json_writer_end_object (&writer);
  nego_old_frame_write (out, text->str, text->len);
}

/* Begins a reply whose last member's value follows. */
static void
nego_old_reply_begin (NegoJsonWriter *writer, GString *text, gboolean success)
{
  nego_json_writer_init (writer, text);
  nego_json_writer_begin_object (writer);
  nego_json_writer_key (writer, "success");
  nego_json_writer_boolean (writer, success);
  nego_json_writer_key (writer, success ? "result" : "error");
}

static void
nego_old_reply_end (NegoJsonWriter *writer, const GString *text, GString *out)
{
  nego_json_writer_end_object (writer);
  nego_old_frame_write (out, text->str, text->len);
}

void
nego_old_reply_write_names (GString *out, const GPtrArray *names)
{
  g_autoptr (GString) text = g_string_new (NULL);
  NegoJsonWriter writer;

  nego_old_reply_begin (&writer, text, TRUE);
  nego_json_writer_begin_array (&writer);
  for (guint i = 0; i < names->len; i++)
    nego_json_writer_string (&writer, names->pdata[i]);
  nego_json_writer_end_array (&writer);
  nego_json_writer_key (&writer, "qmp");
  nego_json_writer_boolean (&writer, TRUE);
  nego_old_reply_end (&writer, text, out);
}

void
nego_old_reply_write_output (GString *out, const char *output, gsize len)
{
  g_autoptr (GString) text = g_string_new (NULL);
  NegoJsonWriter writer;

  nego_old_reply_begin (&writer, text, TRUE);
  nego_json_writer_string_len (&writer, output, len);
  nego_old_reply_end (&writer, text, out);
}

void
nego_old_reply_write_error (GString *out, const char *message)
{
  g_autoptr (GString) text = g_string_new (NULL);
  NegoJsonWriter writer;

  nego_old_reply_begin (&writer, text, FALSE);
  nego_json_writer_string (&writer, message);
  nego_old_reply_end (&writer, text, out);
}

static gboolean
nego_old_request_is_true (const NegoFramerMessage *message, const NegoFramerMember *member)
{
  return member != NULL && member->kind == NEGO_JSON_BOOLEAN && message->text[member->value] == 't';
}

gboolean
nego_old_reply_parse (NegoOldReply *reply, const char *text, gsize len, GError **error)
{
  g_autoptr (NegoFramer) framer = nego_framer_new (&limits);
  const NegoFramerMember *member;
  NegoFramerMessage message;

  *reply = (NegoOldReply){ 0 };
  if (!nego_old_request_frame (framer, text, len, &message, error))
    return FALSE;
  member = nego_old_request_member (&message, "success");
  if (member == NULL || member->kind != NEGO_JSON_BOOLEAN)
    return nego_old_request_fail (error, "the reply does not say whether the call succeeded");
  reply->success = nego_old_request_is_true (&message, member);
  reply->qmp = nego_old_request_is_true (&message, nego_old_request_member (&message, "qmp"));
  member = nego_old_request_member (&message, reply->success ? "result" : "error");
  reply->text = nego_old_request_string (&message, member);
  reply->names = reply->success ? nego_old_request_strings (&message, member) : NULL;
  return TRUE;
}

void
nego_old_reply_clear (NegoOldReply *reply)
{
  g_clear_pointer (&reply->text, g_free);
  g_clear_pointer (&reply->names, g_strfreev);
}
