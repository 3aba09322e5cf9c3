# SPDX-License-Identifier: MIT
"""manual: the reference of a schema's commands and types, as reStructuredText for rst2man."""

import re

from doc import Doc
from schema import Alternate, Array, Builtin, Command, Enum, Event, Struct

_BUILTIN_NAMES = {'str': 'string', 'bool': 'boolean', 'int': 'integer', 'number': 'number',
                  'size': 'size in bytes'}


def _inline(text):
    """@name, as the schema's documentation writes names, to ``name``."""
    return re.sub(r'(?<![\w`])@([A-Za-z0-9](?:[A-Za-z0-9_-]*[A-Za-z0-9])?)', r'``\1``', text)


def _indent(text, columns):
    return '\n'.join(' ' * columns + line if line else '' for line in text.split('\n'))


def _heading(text, underline):
    return f'{text}\n{underline * len(text)}\n'


def _type(a_type):
    if isinstance(a_type, Array):
        return f'list of {_type(a_type.element)}'
    if isinstance(a_type, Builtin):
        return _BUILTIN_NAMES.get(a_type.name, f'integer ({a_type.name})')
    return f'``{a_type.name}``'


def _entry(term, text):
    return f'{term}\n{_indent(_inline(text or "Not documented."), 2)}\n'


def _members(definition):
    text = ''
    base = definition.base if isinstance(definition, Struct) else None
    if base:
        text += f'The members of ``{base.name}``, and:\n\n' if definition.local \
            else f'The members of ``{base.name}``.\n\n'
    described = definition.doc.members if definition.doc else {}
    members = definition.local if isinstance(definition, Struct) else definition.members
    for member in members:
        kind = _type(member.type) + (', optional' if member.optional else '')
        text += _entry(f'``{member.name}`` ({kind})', described.get(member.name)) + '\n'
    return text


def _features(command):
    if not command.features:
        return ''
    described = command.doc.features if command.doc else {}
    entries = '\n'.join(_entry(f'``{feature}``', described.get(feature))
                        for feature in command.features)
    return 'Features:\n\n' + _indent(entries, 2).rstrip() + '\n\n'


def _one_line(text):
    return ' '.join(text.split())


def _command(command):
    doc = command.doc
    text = _inline(doc.body) + '\n\n' if doc and doc.body else ''
    arguments = command.arguments
    if arguments and (arguments.base or arguments.local):
        described = Struct(arguments.name, arguments.place, doc, base=arguments.base,
                           local=arguments.local)
        text += 'Arguments:\n\n' + _indent(_members(described), 2).rstrip() + '\n\n'
    else:
        text += 'It has no arguments.\n\n'
    if not command.success_response:
        text += 'Sends no reply when it succeeds.\n\n'
    else:
        returns = _type(command.returns) if command.returns else 'an empty object'
        more = doc.sections.get('Returns') if doc else None
        text += f'Returns ({returns}): {_inline(_one_line(more))}.\n\n' if more \
            else f'Returns {returns}.\n\n'
    if doc and doc.sections.get('Errors'):
        text += 'Errors:\n\n' + _indent(_inline(doc.sections['Errors']), 2) + '\n\n'
    return text + _features(command)


def _enum(enum):
    text = ''
    for value in enum.values:
        text += _entry(f'``{value.name}``', enum.doc.members.get(value.name) if enum.doc else None)
        text += '\n'
    return text


def _definition(definition):
    doc = definition.doc
    kinds = {Event: 'event', Enum: 'string', Struct: 'object', Alternate: 'one of several types'}
    title = definition.name
    if not isinstance(definition, Command):
        title += f' ({kinds[type(definition)]})'
    text = _heading(title, '~') + '\n'
    if isinstance(definition, Command):
        text += _command(definition)
    else:
        text += _inline(doc.body) + '\n\n' if doc and doc.body else ''
        if isinstance(definition, Event):
            text += f'Its data: {_type(definition.data)}.\n\n'
        else:
            text += _enum(definition) if isinstance(definition, Enum) else _members(definition)
    if doc and 'Since' in doc.sections:
        text += f'Since {_one_line(doc.sections["Since"])}.\n\n'
    return text


def reference(schema):
    """The free documentation of the files gives the sections; a file's commands and events come
    before its types."""
    text = ''
    for group in _groups(schema.items):
        for item in group:
            text += _inline(item.body) + '\n\n' if isinstance(item, Doc) else _definition(item)
    return text.rstrip('\n') + '\n'


def _groups(items):
    """Cuts @items before each free documentation and sorts the types of a group behind its
    commands and events."""
    groups = [[]]
    for item in items:
        if isinstance(item, Doc):
            groups.append([])
        groups[-1].append(item)
    ranks = {Doc: 0, Command: 1, Event: 2}
    return [sorted(group, key=lambda item: ranks.get(type(item), 3)) for group in groups]
