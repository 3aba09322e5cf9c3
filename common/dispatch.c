/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "common/dispatch.h"

#include "common/error.h"

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
    if (!json_parser_load_from_data (dispatcher->parser, arguments, (gssize) arguments_len,
                                     &error)) {
      /* The framer is stricter than json-glib, so this is memory, or a fault of ours. */
      g_prefix_error (&error, "failed to parse the arguments: ");
      nego_call_fail (call, error);
      return;
    }
    node = json_parser_steal_root (dispatcher->parser);
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
