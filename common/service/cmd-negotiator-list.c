/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "common/service/service.h"
#include "common/service/handlers.h"
#include "common/error.h"
#include "common/names.h"

#include <string.h>

/* What an entry has beside its texts: the names of its members, the numbers, the brackets. */
#define ENTRY_BYTES 256u

static QapiNegotiatorCommand *
nego_cmd_describe (const NegoService *service, const NegoScript *script)
{
  QapiNegotiatorCommand *command = qapi_negotiator_command_new ();

  command->name = g_strdup (script->name);
  command->source = script->source == NEGO_SCRIPT_BUILTIN ? QAPI_NEGOTIATOR_COMMAND_SOURCE_BUILTIN
                                                          : QAPI_NEGOTIATOR_COMMAND_SOURCE_USER;
  command->description = g_strdup (script->conf->description);
  command->timeout = script->conf->timeout_ms / 1000.0;
  command->user = g_strdup (script->conf->user);
  command->arguments = script->conf->arguments;
  command->read_only = script->conf->read_only;
  command->reason
    = script->refusal != NULL ? g_strdup (script->refusal) : nego_service_refusal (service, script);
  command->enabled = command->reason == NULL;
  return command;
}

static gsize
nego_cmd_text_length (const char *text)
{
  return text != NULL ? nego_json_string_length (text, strlen (text)) : 0;
}

GPtrArray *
nego_cmd_negotiator_list (NegoCall *call, GError **error)
{
  const NegoService *service = nego_service_of (call);
  g_autoptr (GPtrArray) scripts = nego_registry_list (service->registry);
  g_autoptr (GPtrArray) commands
    = g_ptr_array_new_with_free_func ((GDestroyNotify) qapi_negotiator_command_free);
  gsize length = 0;

  for (guint i = 0; i < scripts->len; i++) {
    QapiNegotiatorCommand *command = nego_cmd_describe (service, scripts->pdata[i]);

    g_ptr_array_add (commands, command);
    length += ENTRY_BYTES + nego_cmd_text_length (command->name)
              + nego_cmd_text_length (command->description) + nego_cmd_text_length (command->user)
              + nego_cmd_text_length (command->reason);
  }
  if (length > NEGO_REPLY_BYTES) {
    g_set_error (error, NEGO_ERROR, NEGO_ERROR_GENERIC,
                 "the list of negotiator commands is longer than %u bytes", NEGO_REPLY_BYTES);
    return NULL;
  }
  return g_steal_pointer (&commands);
}
