/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "common/wire.h"

#include "common/error.h"

#include <string.h>

/* Twice PATH_MAX: two paths fit, a request that is echoed does not. */
#define NEGO_WIRE_DESC_BYTES 8192u

void
nego_wire_request_clear (NegoWireRequest *request)
{
  g_clear_pointer (&request->execute, g_free);
}

static gboolean
nego_wire_refuse (GError **error, const char *text)
{
  g_set_error_literal (error, NEGO_ERROR, NEGO_ERROR_GENERIC, text);
  return FALSE;
}

static gboolean
nego_wire_parse_execute (const NegoFramerMessage *message,
                         const NegoFramerMember *member,
                         NegoWireRequest *request,
                         GError **error)
{
  if (member->kind != NEGO_JSON_STRING)
    return nego_wire_refuse (error, "QMP input member 'execute' must be a string");
  if (member->has_nul)
    return nego_wire_refuse (error, "QMP input member 'execute' must not contain U+0000");
  request->execute = nego_json_string_value (message->text + member->value, member->value_len);
  return TRUE;
}

static gboolean
nego_wire_parse_arguments (const NegoFramerMessage *message,
                           const NegoFramerMember *member,
                           NegoWireRequest *request,
                           GError **error)
{
  if (member->kind != NEGO_JSON_OBJECT)
    return nego_wire_refuse (error, "QMP input member 'arguments' must be an object");
  if (member->has_nul)
    return nego_wire_refuse (error, "QMP input member 'arguments' must not contain U+0000");
  request->arguments = message->text + member->value;
  request->arguments_len = member->value_len;
  return TRUE;
}

static gboolean
nego_wire_refuse_member (const NegoFramerMessage *message,
                         const NegoFramerMember *member,
                         GError **error)
{
  g_autofree char *name = nego_json_string_value (message->text + member->key, member->key_len);

  g_set_error (error, NEGO_ERROR, NEGO_ERROR_GENERIC, "QMP input member '%s' is unexpected",
               name != NULL ? name : "");
  return FALSE;
}

static gboolean
nego_wire_is_key (const NegoFramerMessage *message, const NegoFramerMember *member, const char *key)
{
  gsize len = strlen (key);

  return member->key_len == len + 2 && memcmp (message->text + member->key + 1, key, len) == 0;
}

gboolean
nego_wire_parse_request (const NegoFramerMessage *message, NegoWireRequest *request, GError **error)
{
  const NegoFramerMember *execute = NULL, *arguments = NULL, *other = NULL;
  guint i;

  for (i = 0; i < MIN (message->n_members, NEGO_FRAMER_MEMBERS); i++) {
    const NegoFramerMember *member = &message->members[i];

    if (nego_wire_is_key (message, member, "execute")) {
      execute = member;
    } else if (nego_wire_is_key (message, member, "arguments")) {
      arguments = member;
    } else if (nego_wire_is_key (message, member, "id")) {
      request->id = message->text + member->value;
      request->id_len = member->value_len;
    } else if (other == NULL) {
      other = member;
    }
  }
  /* Keys are unique, so a fourth member is an unexpected one, and among the recorded ones. */
  if (other != NULL)
    return nego_wire_refuse_member (message, other, error);
  if (execute == NULL)
    return nego_wire_refuse (error, "QMP input lacks member 'execute'");
  return nego_wire_parse_execute (message, execute, request, error)
         && (arguments == NULL || nego_wire_parse_arguments (message, arguments, request, error));
}

void
nego_wire_write_error (GString *out, const GError *error, const char *id)
{
  gboolean not_found = g_error_matches (error, NEGO_ERROR, NEGO_ERROR_COMMAND_NOT_FOUND);
  NegoJsonWriter writer;

  nego_json_writer_init (&writer, out);
  nego_json_writer_begin_object (&writer);
  if (id != NULL) {
    nego_json_writer_key (&writer, "id");
    nego_json_writer_raw (&writer, id, strlen (id));
  }
  nego_json_writer_key (&writer, "error");
  nego_json_writer_begin_object (&writer);
  nego_json_writer_key (&writer, "class");
  nego_json_writer_string (&writer, not_found ? "CommandNotFound" : "GenericError");
  nego_json_writer_key (&writer, "desc");
  nego_json_writer_string_len (&writer, error->message,
                               strnlen (error->message, NEGO_WIRE_DESC_BYTES));
  nego_json_writer_end_object (&writer);
  nego_json_writer_end_object (&writer);
  g_string_append_c (out, '\n');
}

void
nego_wire_write_error_text (GString *out, const char *text, gsize len, const char *id)
{
  NegoJsonWriter writer;

  nego_json_writer_init (&writer, out);
  nego_json_writer_begin_object (&writer);
  if (id != NULL) {
    nego_json_writer_key (&writer, "id");
    nego_json_writer_raw (&writer, id, strlen (id));
  }
  nego_json_writer_key (&writer, "error");
  nego_json_writer_raw (&writer, text, len);
  nego_json_writer_end_object (&writer);
  g_string_append_c (out, '\n');
}
