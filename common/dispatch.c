/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "common/dispatch.h"

#include "common/bulk.h"
#include "common/error.h"
#include "common/names.h"

#include <json-glib/json-glib.h>

struct NegoDispatcher {
  const QapiHandlers *handlers;
  NegoPolicy *policy;
  gpointer context;
  NegoDispatcherGate gate; /* NULL: none */
  JsonParser *parser;      /* kept: making one costs more than parsing a request's arguments */
};

NegoDispatcher *
nego_dispatcher_new (const QapiHandlers *handlers, NegoPolicy *policy, gpointer context)
{
  NegoDispatcher *dispatcher = g_new0 (NegoDispatcher, 1);

  dispatcher->handlers = handlers;
  dispatcher->policy = policy;
  dispatcher->context = context;
  dispatcher->parser = json_parser_new ();
  return dispatcher;
}

void
nego_dispatcher_free (NegoDispatcher *dispatcher)
{
  if (dispatcher == NULL)
    return;
  g_object_unref (dispatcher->parser);
  g_free (dispatcher);
}

void
nego_dispatcher_set_gate (NegoDispatcher *dispatcher, NegoDispatcherGate gate)
{
  dispatcher->gate = gate;
}

gpointer
nego_dispatcher_get_context (NegoDispatcher *dispatcher)
{
  return dispatcher->context;
}

const QapiCommand *
nego_dispatcher_find (NegoDispatcher *dispatcher, const char *name, GError **error)
{
  const QapiCommand *command;

  if (dispatcher->gate != NULL && !dispatcher->gate (dispatcher->context, name, error))
    return NULL;
  command = qapi_command_find (name);
  if (command == NULL || !qapi_command_is_served (command, dispatcher->handlers)) {
    g_set_error (error, NEGO_ERROR, NEGO_ERROR_COMMAND_NOT_FOUND,
                 "The command %s has not been found", name);
    return NULL;
  }
  switch (nego_policy_judge (dispatcher->policy, command)) {
  case NEGO_POLICY_ALLOWED:
    return command;
  case NEGO_POLICY_FROZEN:
    g_set_error_literal (error, NEGO_ERROR, NEGO_ERROR_GENERIC, "the agent is in frozen state");
    return NULL;
  case NEGO_POLICY_NOT_ALLOWED:
  default:
    g_set_error (error, NEGO_ERROR, NEGO_ERROR_COMMAND_NOT_FOUND,
                 "Command %s has been disabled: the command is not allowed", name);
    return NULL;
  }
}

/* The arguments as json-glib's tree. The framer is stricter than json-glib, so what fails here is
 * memory, or a fault of ours. */
static JsonNode *
nego_dispatcher_parse (NegoDispatcher *dispatcher,
                       const QapiCommand *command,
                       const char *arguments,
                       gsize arguments_len,
                       NegoCall *call,
                       GError **error)
{
  g_auto (NegoBulk) bulk = { 0 };
  JsonNode *node;

  if (arguments_len > NEGO_BULK_BYTES && nego_bulk_take (&bulk, arguments, arguments_len)) {
    arguments = bulk.text->str;
    arguments_len = bulk.text->len;
  }
  if (!json_parser_load_from_data (dispatcher->parser, arguments, (gssize) arguments_len, error)) {
    g_prefix_error (error, "failed to parse the arguments: ");
    return NULL;
  }
  node = json_parser_steal_root (dispatcher->parser);
  for (guint i = 0; bulk.members != NULL && i < bulk.members->len; i++) {
    NegoBulkMember *member = bulk.members->pdata[i];

    if (i == 0 && (command->features & QAPI_COMMAND_BULK) != 0) {
      nego_call_set_bulk (call, g_steal_pointer (&member->key), g_steal_pointer (&member->value));
      continue;
    }
    json_object_set_string_member (json_node_get_object (node), member->key, member->value);
    g_clear_pointer (&member->value, g_free);
  }
  return node;
}

void
nego_dispatcher_run (NegoDispatcher *dispatcher,
                     const QapiCommand *command,
                     const char *arguments,
                     gsize arguments_len,
                     NegoCall *call)
{
  g_autoptr (JsonNode) node = NULL;
  GError *error = NULL;

  if (arguments_len > strlen ("{}")) {
    node = nego_dispatcher_parse (dispatcher, command, arguments, arguments_len, call, &error);
    if (node == NULL) {
      nego_call_fail (call, error);
      return;
    }
  }
  command->marshal (call, dispatcher->handlers, node);
}

void
nego_dispatcher_each (NegoDispatcher *dispatcher, NegoDispatcherEachFunc func, gpointer user_data)
{
  gsize i;

  for (i = 0; i < qapi_n_commands; i++) {
    const QapiCommand *command = &qapi_commands[i];

    if (qapi_command_is_served (command, dispatcher->handlers))
      func (command, nego_policy_judge (dispatcher->policy, command) == NEGO_POLICY_ALLOWED,
            user_data);
  }
}
