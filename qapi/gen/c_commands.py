# SPDX-License-Identifier: MIT
"""c_commands: the handlers' table, the commands' table, and what lies between a request's arguments,
the handler and the reply."""

from names import c_name
from schema import Array, is_pointer

_FEATURE_BITS = {
    'async': ('ASYNC', 'the handler answers later, with qapi_NAME_return() or nego_call_fail()'),
    'bulk': ('BULK', 'takes one long string by nego_call_take_bulk()'),
    'long': ('LONG', 'does not hold up a sync'),
    'read-only': ('READ_ONLY', 'changes nothing'),
    'allow-frozen': ('ALLOW_FROZEN', 'may run while file systems are frozen'),
    'runs-scripts': ('RUNS_SCRIPTS', 'runs a script, whose own settings say what it may do'),
    None: ('NO_SUCCESS_RESPONSE', 'sends no reply when it succeeds'),
}

_HEADER = '''\
#pragma once

#include "common/call.h"
#include "qapi/qapi-visit.h"

/* Features of a command. */
enum {
%(bits)s};

/* The functions behind the commands; NULL: this side does not serve the command. Arguments are
 * borrowed and may not be kept beyond the function's return. A synchronous handler returns the
 * command's result (transfer full), or writes a scalar to @ret and returns TRUE; NULL or FALSE with
 * @error set is the error reply. An empty list is not NULL. */
typedef struct {
%(handlers)s} QapiHandlers;

typedef struct {
  const char *name;
  guint features; /* QAPI_COMMAND_* */
  /* Decodes @arguments (NULL: none), calls the handler, answers @call. */
  void (*marshal) (NegoCall *call, const QapiHandlers *handlers, JsonNode *arguments);
  gsize handler; /* its offset in QapiHandlers */
} QapiCommand;

/* All commands of the schema, sorted by name. */
extern const QapiCommand qapi_commands[];
extern const gsize qapi_n_commands;

/* The command @name, or NULL. */
const QapiCommand *qapi_command_find (const char *name);

/* Whether @handlers has a function for @command. */
gboolean qapi_command_is_served (const QapiCommand *command, const QapiHandlers *handlers);
'''

_SOURCE = '''\
#include "config.h"

#include "qapi/qapi-commands.h"

#include "qapi/encode.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

static G_GNUC_UNUSED void
return_nothing (NegoCall *call)
{
  NegoJsonWriter *writer = nego_call_begin_return (call);

  if (writer == NULL)
    return;
  nego_json_writer_begin_object (writer);
  nego_json_writer_end_object (writer);
  nego_call_end_return (call);
}
%(functions)s
const QapiCommand qapi_commands[] = {
%(rows)s};

const gsize qapi_n_commands = G_N_ELEMENTS (qapi_commands);

static int
compare_name (const void *name, const void *command)
{
  return strcmp (name, ((const QapiCommand *) command)->name);
}

const QapiCommand *
qapi_command_find (const char *name)
{
  return bsearch (name, qapi_commands, qapi_n_commands, sizeof (qapi_commands[0]), compare_name);
}

gboolean
qapi_command_is_served (const QapiCommand *command, const QapiHandlers *handlers)
{
  void (*handler) (void);

  memcpy (&handler, (const guint8 *) handlers + command->handler, sizeof handler);
  return handler != NULL;
}
'''


def _is_async(command):
    return 'async' in command.features


def _by_pointer(command):
    """The handler returns the result; else it returns TRUE and writes a scalar to @ret."""
    return command.returns is not None and is_pointer(command.returns)


def _scalar(command):
    return command.returns.c_type.rstrip()


def _handler(command):
    parameters = ['NegoCall *call']
    if command.arguments:
        parameters.append(f'const {command.arguments.c_name} *args')
    if _is_async(command):
        result = 'void '
    elif _by_pointer(command):
        result = command.returns.c_type
    else:
        result = 'gboolean '
        if command.returns:
            parameters.append(f'{_scalar(command)} *ret')
    if not _is_async(command):
        parameters.append('GError **error')
    return f'  {result}(*{c_name(command.name)}) ({", ".join(parameters)});\n'


def _returner_head(command):
    name = f'qapi_{c_name(command.name)}_return'
    if command.returns is None:
        return name, 'NegoCall *call'
    if _by_pointer(command):
        const = '' if isinstance(command.returns, Array) else 'const '
        return name, f'NegoCall *call, {const}{command.returns.c_type}ret'
    return name, f'NegoCall *call, {_scalar(command)} ret'


def _write(command):
    """The statement that writes ret to writer."""
    returns = command.returns
    if isinstance(returns, Array):
        return f'qapi_encode_list (writer, &{returns.element.table}, ret);'
    return f'qapi_encode_slot (writer, &{returns.table}, &ret);'


def _returner(command):
    name, parameters = _returner_head(command)
    static = '' if _is_async(command) else 'static '
    if not command.success_response:
        body = '  nego_call_end_silently (call);\n'
    elif command.returns is None:
        body = '  return_nothing (call);\n'
    else:
        body = ('  NegoJsonWriter *writer = nego_call_begin_return (call);\n\n'
                '  if (writer == NULL)\n    return;\n'
                f'  {_write(command)}\n  nego_call_end_return (call);\n')
    return f'\n{static}void\n{name} ({parameters})\n{{\n{body}}}\n'


def _free_result(command):
    returns = command.returns
    if isinstance(returns, Array):
        return f'  qapi_type_free_list (&{returns.element.table}, ret);\n'
    if returns.table == 'qapi_str_type':
        return '  g_free (ret);\n'
    return f'  {returns.c_prefix}_free (ret);\n'


def _marshal(command):
    name = c_name(command.name)
    declarations, fetch, arguments = '', '', 'call'
    if command.arguments:
        a_name, prefix = command.arguments.c_name, command.arguments.c_prefix
        declarations += f'  g_autoptr ({a_name}) args = NULL;\n'
        fetch = (f'  args = qapi_decode_arguments (&{prefix}_type, arguments, &error);\n'
                 '  if (args == NULL) {\n')
        arguments += ', args'
    else:
        fetch = '  if (!qapi_decode_no_arguments (arguments, &error)) {\n'
    fetch += '    nego_call_fail (call, error);\n    return;\n  }\n'
    declarations += '  GError *error = NULL;\n'
    if _is_async(command):
        body = f'  handlers->{name} ({arguments});\n'
    elif _by_pointer(command):
        declarations += f'  {command.returns.c_type}ret;\n'
        body = (f'  ret = handlers->{name} ({arguments}, &error);\n  if (ret == NULL) {{\n'
                '    nego_call_fail (call, error);\n    return;\n  }\n'
                f'  qapi_{name}_return (call, ret);\n' + _free_result(command))
    else:
        ret = ''
        if command.returns:
            declarations += f'  {_scalar(command)} ret;\n'
            ret = ', &ret'
        answer = f'qapi_{name}_return (call{", ret" if ret else ""})'
        if command.returns is None:
            answer = 'return_nothing (call)' if command.success_response \
                else 'nego_call_end_silently (call)'
        body = (f'  if (!handlers->{name} ({arguments}{ret}, &error)) {{\n'
                '    nego_call_fail (call, error);\n    return;\n  }\n'
                f'  {answer};\n')
    return (f'\nstatic void\nmarshal_{name} (NegoCall *call, const QapiHandlers *handlers, '
            f'JsonNode *arguments)\n{{\n{declarations}\n{fetch}{body}}}\n')


def _functions(command):
    if _is_async(command) or command.returns:
        return _returner(command) + _marshal(command)
    return _marshal(command)


def _row(command):
    bits = [f'QAPI_COMMAND_{_FEATURE_BITS[feature][0]}' for feature in command.features]
    if not command.success_response:
        bits.append('QAPI_COMMAND_NO_SUCCESS_RESPONSE')
    name = c_name(command.name)
    return (f'  {{\n    .name = "{command.name}",\n'
            f'    .features = {" | ".join(bits) or "0"},\n'
            f'    .marshal = marshal_{name},\n'
            f'    .handler = offsetof (QapiHandlers, {name}),\n  }},\n')


def header(schema):
    bits = ''.join(f'  QAPI_COMMAND_{name} = 1 << {bit}, /* {meaning} */\n'
                   for bit, (name, meaning) in enumerate(_FEATURE_BITS.values()))
    text = _HEADER % {'bits': bits, 'handlers': ''.join(map(_handler, schema.commands))}
    returners = [_returner_head(c) for c in schema.commands if _is_async(c)]
    if returners:
        text += '\n/* The answers of asynchronous commands; @ret is borrowed. */\n'
        text += ''.join(f'void {name} ({parameters});\n' for name, parameters in returners)
    return text


def source(schema):
    return _SOURCE % {'functions': ''.join(map(_functions, schema.commands)),
                      'rows': ''.join(map(_row, schema.commands))}
