/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "common/client/reply.h"

#include "common/error.h"
#include "common/names.h"

#include <string.h>

gsize
nego_reply_max_bytes (const char *command)
{
  return g_str_has_prefix (command, "guest-") ? NEGO_GUEST_REPLY_BYTES_QGA : NEGO_GUEST_REPLY_BYTES;
}

NegoFramer *
nego_reply_framer_new (gsize max_bytes)
{
  const NegoFramerLimits limits = {
    .max_bytes = max_bytes,
    .max_tokens = NEGO_GUEST_REPLY_TOKENS,
    .max_depth = NEGO_GUEST_REPLY_DEPTH,
  };

  return nego_framer_new (&limits);
}

gboolean
nego_reply_is_one (const NegoFramerMessage *message)
{
  return nego_framer_message_find (message, "return") != NULL
         || nego_framer_message_find (message, "error") != NULL;
}

GString *
nego_reply_check (const char *text, gsize len, gsize max_bytes, GError **error)
{
  g_autoptr (NegoFramer) framer = nego_reply_framer_new (max_bytes);
  NegoFramerMessage message;
  gsize used = 0;

  switch (nego_framer_feed (framer, (const guint8 *) text, len, &used, &message, error)) {
  case NEGO_FRAMER_MESSAGE:
    if (nego_reply_is_one (&message))
      return g_string_new_len (message.text, (gssize) message.len);
    break;
  case NEGO_FRAMER_ERROR:
    g_prefix_error (error, "the agent sent what is no reply: ");
    return NULL;
  case NEGO_FRAMER_MORE:
    break;
  }
  g_set_error_literal (error, NEGO_ERROR, NEGO_ERROR_PARSE, "the agent sent what is no reply");
  return NULL;
}

gboolean
nego_reply_is_error (const GString *reply)
{
  g_autoptr (JsonNode) root = json_from_string (reply->str, NULL);

  return root == NULL || json_object_has_member (json_node_get_object (root), "error");
}

/* Members that carry data, which only the reply's length bounds. */
static gboolean
nego_reply_is_data (const char *member)
{
  static const char *const names[] = { "out-data", "err-data", "buf-b64" };

  for (gsize i = 0; member != NULL && i < G_N_ELEMENTS (names); i++)
    if (strcmp (member, names[i]) == 0)
      return TRUE;
  return FALSE;
}

static gboolean nego_reply_check_node (JsonNode *node, const char *member, GError **error);

static gboolean
nego_reply_check_array (JsonArray *array, GError **error)
{
  const guint n = json_array_get_length (array);

  if (n > NEGO_GUEST_REPLY_LIST) {
    g_set_error (error, NEGO_ERROR, NEGO_ERROR_PARSE,
                 "the agent sent a list of %u items (limit %u)", n, NEGO_GUEST_REPLY_LIST);
    return FALSE;
  }
  for (guint i = 0; i < n; i++)
    if (!nego_reply_check_node (json_array_get_element (array, i), NULL, error))
      return FALSE;
  return TRUE;
}

static gboolean
nego_reply_check_object (JsonObject *object, GError **error)
{
  JsonObjectIter iter;
  const char *member;
  JsonNode *node;

  json_object_iter_init (&iter, object);
  while (json_object_iter_next (&iter, &member, &node))
    if (!nego_reply_check_node (node, member, error))
      return FALSE;
  return TRUE;
}

static gboolean
nego_reply_check_node (JsonNode *node, const char *member, GError **error)
{
  gsize len;

  if (JSON_NODE_HOLDS_OBJECT (node))
    return nego_reply_check_object (json_node_get_object (node), error);
  if (JSON_NODE_HOLDS_ARRAY (node))
    return nego_reply_check_array (json_node_get_array (node), error);
  if (!JSON_NODE_HOLDS_VALUE (node) || json_node_get_value_type (node) != G_TYPE_STRING
      || nego_reply_is_data (member))
    return TRUE;
  len = strlen (json_node_get_string (node));
  if (len <= NEGO_GUEST_REPLY_STRING_BYTES)
    return TRUE;
  g_set_error (error, NEGO_ERROR, NEGO_ERROR_PARSE,
               "the agent sent a text of %" G_GSIZE_FORMAT " bytes (limit %u)", len,
               NEGO_GUEST_REPLY_STRING_BYTES);
  return FALSE;
}

/* The string member @name of the object in @node, or NULL. */
static const char *
nego_reply_string (JsonNode *node, const char *name)
{
  JsonNode *member;

  if (!JSON_NODE_HOLDS_OBJECT (node))
    return NULL;
  member = json_object_get_member (json_node_get_object (node), name);
  if (member == NULL || !JSON_NODE_HOLDS_VALUE (member)
      || json_node_get_value_type (member) != G_TYPE_STRING)
    return NULL;
  return json_node_get_string (member);
}

/* Turns the error object @node, the answer to @command, into @error. */
static void
nego_reply_set_error (JsonNode *node, const char *command, GError **error)
{
  const char *klass = nego_reply_string (node, "class");
  const char *desc = nego_reply_string (node, "desc");

  if (desc == NULL) {
    g_set_error (error, NEGO_ERROR, NEGO_ERROR_PARSE, "the agent's error to '%s' has no text",
                 command);
  } else if (strstr (desc, "has been disabled") != NULL) {
    /* qemu-ga gives both classes, as its version is. */
    g_set_error (error, NEGO_ERROR, NEGO_ERROR_REFUSED,
                 "%s (block-rpcs or allow-rpcs, or commands in [negotiator], in the configuration "
                 "of the guest's agent)",
                 desc);
  } else if (g_strcmp0 (klass, "CommandNotFound") == 0) {
    g_set_error (error, NEGO_ERROR, NEGO_ERROR_COMMAND_NOT_FOUND, "%s%s", desc,
                 g_str_has_prefix (command, "negotiator-")
                   ? ": the guest's agent is not nego-agent; install nego-agent in the guest"
                   : "");
  } else if (g_str_has_prefix (desc, "unknown negotiator command")) {
    g_set_error_literal (error, NEGO_ERROR, NEGO_ERROR_NOT_FOUND, desc);
  } else if (g_str_has_prefix (desc, "negotiator command")
             && strstr (desc, "is refused by") != NULL) {
    g_set_error_literal (error, NEGO_ERROR, NEGO_ERROR_REFUSED, desc);
  } else {
    g_set_error_literal (error, NEGO_ERROR, NEGO_ERROR_GENERIC, desc);
  }
}

JsonNode *
nego_reply_parse (const GString *reply, const char *command, GError **error)
{
  g_autoptr (JsonParser) parser = json_parser_new ();
  JsonNode *root, *node;

  if (!json_parser_load_from_data (parser, reply->str, (gssize) reply->len, error)) {
    g_prefix_error (error, "the agent's reply to '%s': ", command);
    return NULL;
  }
  root = json_parser_get_root (parser);
  if (!nego_reply_check_node (root, NULL, error)) {
    g_prefix_error (error, "the reply to '%s': ", command);
    return NULL;
  }
  node = json_object_get_member (json_node_get_object (root), "return");
  if (node != NULL)
    return json_node_ref (node);
  nego_reply_set_error (json_object_get_member (json_node_get_object (root), "error"), command,
                        error);
  return NULL;
}
