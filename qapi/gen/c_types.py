# SPDX-License-Identifier: MIT
"""c_types: the C types of a schema, and the tables (qapi/type.h) that describe them."""

from names import c_name, upper
from schema import Alternate, Array, is_pointer


def _value(enum, name):
    return f'{enum.c_prefix.upper()}_{upper(name)}'


def _branch(alternate, name):
    return f'{alternate.c_prefix.upper()}_KIND_{upper(name)}'


def _declare(a_type, name):
    """'char *name', 'gint64 name'."""
    space = '' if a_type.c_type[-1] in '* ' else ' '
    return f'{a_type.c_type}{space}{name}'


def _has(member):
    return member.optional and not is_pointer(member.type)


def _enum_header(enum):
    values = ''.join(f'  {_value(enum, v.name)},\n' for v in enum.values)
    return (f'typedef enum {{\n{values}}} {enum.c_name};\n'
            f'extern const QapiType {enum.table};\n'
            f'const char *{enum.c_prefix}_to_string ({enum.c_name} value);\n'
            f'gboolean {enum.c_prefix}_from_string (const char *name, {enum.c_name} *ret);\n')


def _enum_source(enum):
    names = ''.join(f'  [{_value(enum, v.name)}] = "{v.name}",\n' for v in enum.values)
    return (f'static const char *const {enum.c_prefix}_values[] = {{\n{names}}};\n\n'
            f'const QapiType {enum.table} = {{\n'
            f'  .name = "{enum.name}",\n'
            '  .kind = QAPI_KIND_ENUM,\n'
            f'  .size = sizeof ({enum.c_name}),\n'
            f'  .values = {enum.c_prefix}_values,\n'
            f'  .n_values = G_N_ELEMENTS ({enum.c_prefix}_values),\n'
            '};\n\n'
            f'const char *\n{enum.c_prefix}_to_string ({enum.c_name} value)\n{{\n'
            f'  return {enum.c_prefix}_values[value];\n}}\n\n'
            f'gboolean\n{enum.c_prefix}_from_string (const char *name, {enum.c_name} *ret)\n{{\n'
            f'  const int value = qapi_type_find_value (&{enum.table}, name);\n\n'
            '  if (value < 0)\n    return FALSE;\n'
            f'  *ret = ({enum.c_name}) value;\n  return TRUE;\n}}\n')


def _fields(struct):
    if not struct.members:
        # C has no empty struct; g_new0() of none would give NULL.
        return '  char empty;\n'
    text = ''
    for member in struct.members:
        if _has(member):
            text += f'  gboolean has_{c_name(member.name)};\n'
        text += f'  {_declare(member.type, c_name(member.name))};\n'
    return text


def _object_functions_header(definition):
    name, prefix = definition.c_name, definition.c_prefix
    return (f'extern const QapiType {definition.table};\n'
            f'{name} *{prefix}_new (void);\n'
            f'void {prefix}_free ({name} *value);\n'
            f'G_DEFINE_AUTOPTR_CLEANUP_FUNC ({name}, {prefix}_free)\n')


def _object_header(definition):
    name = definition.c_name
    if not isinstance(definition, Alternate):
        return f'struct {name} {{\n{_fields(definition)}}};\n' + _object_functions_header(definition)
    kinds = ''.join(f'  {_branch(definition, m.name)},\n' for m in definition.members)
    fields = ''.join(f'    {_declare(m.type, c_name(m.name))};\n' for m in definition.members)
    return (f'typedef enum {{\n{kinds}}} {name}Kind;\n\n'
            f'struct {name} {{\n  {name}Kind kind;\n  union {{\n{fields}  }} u;\n}};\n'
            + _object_functions_header(definition))


def _member_row(definition, member):
    is_list = isinstance(member.type, Array)
    table = (member.type.element if is_list else member.type).table
    fields = [f'.name = "{member.name}"', f'.type = &{table}']
    if is_list:
        fields.append('.list = TRUE')
    if member.optional:
        fields.append('.optional = TRUE')
    where = 'u' if isinstance(definition, Alternate) else c_name(member.name)
    fields.append(f'.offset = offsetof ({definition.c_name}, {where})')
    fields.append(f'.has = offsetof ({definition.c_name}, has_{c_name(member.name)})'
                  if _has(member) else '.has = QAPI_NO_HAS')
    return '  {\n' + ''.join(f'    {f},\n' for f in fields) + '  },\n'


def _object_source(definition):
    name, prefix = definition.c_name, definition.c_prefix
    members, table = '', ''
    if definition.members:
        rows = ''.join(_member_row(definition, m) for m in definition.members)
        members = f'static const QapiMember {prefix}_members[] = {{\n{rows}}};\n\n'
        table = (f'  .members = {prefix}_members,\n'
                 f'  .n_members = G_N_ELEMENTS ({prefix}_members),\n')
    kind = 'ALTERNATE' if isinstance(definition, Alternate) else 'STRUCT'
    return (f'{members}const QapiType {definition.table} = {{\n'
            f'  .name = "{definition.name}",\n'
            f'  .kind = QAPI_KIND_{kind},\n'
            f'  .size = sizeof ({name}),\n{table}'
            f'  .free = (GDestroyNotify) {prefix}_free,\n}};\n\n'
            f'{name} *\n{prefix}_new (void)\n{{\n  return g_new0 ({name}, 1);\n}}\n\n'
            f'void\n{prefix}_free ({name} *value)\n{{\n'
            f'  qapi_type_free (&{definition.table}, value);\n}}\n')


def header(schema):
    parts = ['#pragma once\n\n#include "qapi/type.h"\n\n#include <glib.h>\n']
    forwards = ''.join(f'typedef struct {s.c_name} {s.c_name};\n' for s in schema.structs)
    parts += [forwards] if forwards else []
    parts += [_enum_header(enum) for enum in schema.enums]
    parts += [_object_header(definition) for definition in schema.structs]
    return '\n'.join(parts)


def source(schema):
    parts = ['#include "config.h"\n\n#include "qapi/qapi-types.h"\n\n#include <stddef.h>\n']
    parts += [_enum_source(enum) for enum in schema.enums]
    parts += [_object_source(definition) for definition in schema.structs]
    return '\n'.join(parts)
