# SPDX-License-Identifier: MIT
"""c_visit: a decoder and an encoder with the right C types for each struct and alternate, and for
each list that a command returns."""

from schema import Array


def _list_c_type(element):
    return Array(element).c_type


def _list_prefix(element):
    return element.table.removesuffix('_type') + '_list'


def _heads(schema):
    """(return type, name, parameters, body) of each function."""
    for definition in schema.structs:
        prefix, table = definition.c_prefix, f'&{definition.table}'
        yield (f'{definition.c_name} *', f'{prefix}_decode',
               'JsonNode *node, const char *path, gboolean strict, GError **error',
               f'return qapi_decode ({table}, node, path, strict, error);')
        yield ('void', f'{prefix}_encode',
               f'NegoJsonWriter *writer, const {definition.c_name} *value',
               f'qapi_encode (writer, {table}, value);')
    for element in schema.returned_arrays():
        c_type, prefix = _list_c_type(element), _list_prefix(element)
        yield (c_type, f'{prefix}_decode',
               'JsonNode *node, const char *path, gboolean strict, GError **error',
               f'return qapi_decode_list (&{element.table}, node, path, strict, error);')
        yield ('void', f'{prefix}_encode', f'NegoJsonWriter *writer, {c_type}list',
               f'qapi_encode_list (writer, &{element.table}, list);')


def header(schema):
    text = '#pragma once\n\n#include "common/json.h"\n#include "qapi/decode.h"\n'
    text += '#include "qapi/qapi-types.h"\n\n'
    for c_type, name, parameters, _ in _heads(schema):
        space = '' if c_type.endswith('*') else ' '
        text += f'{c_type}{space}{name} ({parameters});\n'
    return text


def source(schema):
    text = '#include "config.h"\n\n#include "qapi/qapi-visit.h"\n\n#include "qapi/encode.h"\n'
    for c_type, name, parameters, body in _heads(schema):
        text += f'\n{c_type}\n{name} ({parameters})\n{{\n  {body}\n}}\n'
    return text
