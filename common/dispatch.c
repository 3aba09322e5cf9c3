/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "common/dispatch.h"

#include "common/error.h"

#include <json-glib/json-glib.h>

struct NegoDispatcher {
  const QapiHandlers *handlers;
  NegoPolicy *policy;
  gpointer context;
  JsonParser *parser; /* kept: making one costs more than parsing a request's arguments */
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

gpointer
nego_dispatcher_get_context (NegoDispatcher *dispatcher)
{
  return dispatcher->context;
}

const QapiCommand *
nego_dispatcher_find (NegoDispatcher *dispatcher, const char *name, GError **error)
{
  const QapiCommand *command = qapi_command_find (name);
  const char *refusal;

  if (command == NULL || !qapi_command_is_served (command, dispatcher->handlers)) {
    g_set_error (error, NEGO_ERROR, NEGO_ERROR_COMMAND_NOT_FOUND,
                 "The command %s has not been found", name);
    return NULL;
  }
  refusal = nego_policy_refusal (dispatcher->policy, command);
  if (refusal != NULL) {
    g_set_error (error, NEGO_ERROR, NEGO_ERROR_COMMAND_NOT_FOUND,
                 "Command %s has been disabled: %s", name, refusal);
    return NULL;
  }
  return command;
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
      func (command, nego_policy_refusal (dispatcher->policy, command) == NULL, user_data);
  }
}
