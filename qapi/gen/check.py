# SPDX-License-Identifier: MIT
"""check: from expressions to a schema, refusing everything that is wrong or not supported."""

import re

from doc import Doc
from names import c_name, upper
from schema import (BUILTINS, Alternate, Array, Command, Enum, Event, Member, Schema, Struct,
                    arguments_name)
from source import SchemaError

# The features that a command may have.
COMMAND_FEATURES = ('async', 'bulk', 'long', 'read-only', 'allow-frozen', 'runs-scripts')

_KEYS = {
    'enum': ('data',),
    'struct': ('data', 'base'),
    'alternate': ('data',),
    'command': ('data', 'returns', 'features', 'success-response'),
    'event': ('data',),
}
_MUST_HAVE = {'enum': ('data',), 'struct': ('data',), 'alternate': ('data',), 'command': (),
              'event': ('data',)}
_UNSUPPORTED = ('union',)
_TYPE_NAME = re.compile(r'[A-Z][A-Za-z0-9]*[a-z][A-Za-z0-9]*')
_NAME = re.compile(r'[a-z][a-z0-9-]*')
_EXCUSED_NAME = re.compile(r'[a-z][a-z0-9_-]*')
_EVENT_NAME = re.compile(r'[A-Z][A-Z0-9]*(_[A-Z0-9]+)*')
_VALUE_NAME = re.compile(r'[a-z0-9][a-z0-9-]*')


class _Checker:
    def __init__(self, parser):
        self._pragma = parser.pragma
        self._schema = Schema(files=parser.files)
        self._definitions = {}
        self._c_names = {}
        self._pending = []  # (definition, keys), to resolve once all names are known
        for item in parser.items:
            if isinstance(item, Doc):
                self._schema.items.append(item)
            else:
                self._define(item)

    def _fail(self, definition, message):
        kind = type(definition).__name__.lower()
        raise SchemaError(definition.place, f"{kind} '{definition.name}': {message}")

    # First: the definitions' names and keys.

    def _define(self, expression):
        keys, place = expression.keys, expression.place
        for kind in _UNSUPPORTED:
            if kind in keys:
                raise SchemaError(place, f"'{kind}' is not supported by this generator")
        kinds = [kind for kind in _KEYS if kind in keys]
        if len(kinds) != 1:
            raise SchemaError(place, "a definition has one of the keys 'enum', 'struct', "
                              "'alternate', 'command', 'event'")
        kind = kinds[0]
        name = keys[kind]
        if not isinstance(name, str):
            raise SchemaError(place, f"the name of the {kind} is not a string")
        cls = {'enum': Enum, 'struct': Struct, 'alternate': Alternate, 'command': Command,
               'event': Event}[kind]
        definition = cls(name, place, expression.doc)
        for key in keys:
            if key != kind and key not in _KEYS[kind]:
                self._fail(definition, f"key '{key}' is unknown or not supported")
        for key in _MUST_HAVE[kind]:
            if key not in keys:
                self._fail(definition, f"key '{key}' is missing")
        self._check_name(definition)
        if name in BUILTINS or name in self._definitions:
            self._fail(definition, 'the name is taken already')
        self._definitions[name] = definition
        self._schema.items.append(definition)
        self._pending.append((definition, keys))

    def _check_name(self, definition):
        name = definition.name
        if isinstance(definition, Command):
            if not _NAME.fullmatch(name) and not (
                    _EXCUSED_NAME.fullmatch(name)
                    and self._pragma.excuses('command-name-exceptions', name)):
                self._fail(definition, "a command's name is lower case, with '-' between words")
        elif isinstance(definition, Event):
            if not _EVENT_NAME.fullmatch(name):
                self._fail(definition, "an event's name is upper case, with '_' between words")
        elif not _TYPE_NAME.fullmatch(name):
            self._fail(definition, "a type's name is in CamelCase")
        elif name.endswith('List'):
            self._fail(definition, "a type's name does not end in 'List'")

    def _claim(self, definition, name):
        """Two names of the schema may not become one in C."""
        other = self._c_names.setdefault(name, definition)
        if other is not definition:
            self._fail(definition, f"its C name '{name}' is that of '{other.name}'")

    # Then: what they consist of.

    def run(self):
        for definition, keys in self._pending:
            resolve = {Enum: self._enum, Struct: self._struct, Alternate: self._alternate,
                       Command: self._command, Event: self._event}[type(definition)]
            resolve(definition, keys)
        for definition, _ in self._pending:
            if isinstance(definition, Struct):
                self._check_base(definition)
        for definition, _ in self._pending:
            self._finish(definition)
        self._schema.commands.sort(key=lambda command: command.name)
        return self._schema

    def _finish(self, definition):
        if isinstance(definition, Struct):
            self._check_clashes(definition, definition.members)
        if isinstance(definition, (Struct, Alternate)):
            self._refuse_cycle(definition, definition, [])
            self._schema.structs.append(definition)
        elif isinstance(definition, Enum):
            self._schema.enums.append(definition)
        elif isinstance(definition, Event):
            self._schema.events.append(definition)
        else:
            self._schema.commands.append(definition)
            if definition.arguments:
                self._check_clashes(definition, definition.arguments.members)
                self._claim(definition, definition.arguments.c_name)
                self._claim(definition, definition.arguments.c_prefix)
                self._schema.structs.append(definition.arguments)
            self._claim(definition, c_name(definition.name))
        if not isinstance(definition, Command):
            self._claim(definition, definition.c_name)
            self._claim(definition, definition.c_prefix)
        self._check_doc(definition)

    def _type(self, definition, spec, what):
        """The type that @spec names: 'Name' or ['Name']."""
        if isinstance(spec, list):
            if len(spec) != 1 or not isinstance(spec[0], str):
                self._fail(definition, f"{what}: a list is written ['TYPE']")
            return Array(self._type(definition, spec[0], what))
        if not isinstance(spec, str):
            self._fail(definition, f'{what}: a type is a name or a list of one name')
        found = BUILTINS.get(spec) or self._definitions.get(spec)
        if found is None or isinstance(found, (Command, Event)):
            self._fail(definition, f"{what}: there is no type '{spec}'")
        return found

    def _members(self, definition, data, optional_allowed=True):
        if not isinstance(data, dict):
            self._fail(definition, "'data' is not an object")
        members = []
        for key, spec in data.items():
            name = key.removeprefix('*')
            what = f"member '{name}'"
            if key != name and not optional_allowed:
                self._fail(definition, f'{what} cannot be optional')
            if not _NAME.fullmatch(name) and not (
                    _EXCUSED_NAME.fullmatch(name)
                    and self._pragma.excuses('member-name-exceptions', definition.name)):
                self._fail(definition, f"{what}: a member's name is lower case, with '-' between "
                           'words')
            if name == 'u' or c_name(name).startswith('has_'):
                self._fail(definition, f'{what}: the name is reserved')
            if isinstance(spec, dict):
                if list(spec) != ['type']:
                    self._fail(definition, f"{what}: the only supported key is 'type'")
                spec = spec['type']
            members.append(Member(name, self._type(definition, spec, what), key != name))
        return members

    def _enum(self, enum, keys):
        if not isinstance(keys['data'], list):
            self._fail(enum, "'data' is not a list")
        for spec in keys['data']:
            name = spec.get('name') if isinstance(spec, dict) and list(spec) == ['name'] else spec
            if not isinstance(name, str):
                self._fail(enum, "a value is a name or { 'name': NAME }")
            if not _VALUE_NAME.fullmatch(name):
                self._fail(enum, f"value '{name}': a value's name is lower case, with '-' between "
                           'words')
            if upper(name) in [upper(value.name) for value in enum.values]:
                self._fail(enum, f"value '{name}' is there already")
            enum.values.append(Member(name))
        if not enum.values:
            self._fail(enum, 'it has no values')

    def _struct(self, struct, keys):
        struct.local = self._members(struct, keys['data'])
        if 'base' in keys:
            struct.base = self._type(struct, keys['base'], 'base')
            if not isinstance(struct.base, Struct):
                self._fail(struct, 'its base is not a struct')

    def _alternate(self, alternate, keys):
        alternate.members = self._members(alternate, keys['data'], optional_allowed=False)
        if not alternate.members:
            self._fail(alternate, 'it has no branches')
        taken = {}
        for member in alternate.members:
            if isinstance(member.type, Alternate):
                self._fail(alternate, f"branch '{member.name}' is an alternate")
            if member.type.json in taken:
                self._fail(alternate, f"branch '{member.name}' cannot be told from "
                           f"'{taken[member.type.json]}': both are a JSON {member.type.json}")
            taken[member.type.json] = member.name
        self._check_texts(alternate, taken)
        self._check_clashes(alternate, alternate.members)

    def _check_texts(self, alternate, taken):
        """QEMU's command lines write everything as text, so QEMU refuses what is ambiguous there."""
        for member in alternate.members:
            texts = [value.name for value in member.type.values] \
                if isinstance(member.type, Enum) else []
            anything = member.type is BUILTINS['str']
            clashes = {
                'boolean': anything or 'on' in texts or 'off' in texts,
                'number': anything or any(text[0].isdigit() for text in texts),
            }
            for json, clash in clashes.items():
                if clash and json in taken:
                    self._fail(alternate, f"branch '{member.name}' reads as a {json}, which is "
                               f"'{taken[json]}'")

    def _command(self, command, keys):
        if 'data' in keys:
            arguments = Struct(arguments_name(command.name), command.place, None)
            if isinstance(keys['data'], str):
                arguments.base = self._type(command, keys['data'], "'data'")
                if not isinstance(arguments.base, Struct):
                    self._fail(command, "'data' is not a struct")
            else:
                arguments.local = self._members(command, keys['data'])
            command.arguments = arguments if keys['data'] else None
        if 'returns' in keys:
            command.returns = self._type(command, keys['returns'], "'returns'")
            self._check_returns(command)
        if 'success-response' in keys:
            if keys['success-response'] is not False:
                self._fail(command, "'success-response' can only be false")
            command.success_response = False
            if command.returns:
                self._fail(command, 'it has no success response, and so returns nothing')
        self._command_features(command, keys.get('features', []))

    def _event(self, event, keys):
        event.data = self._type(event, keys['data'], "'data'")
        if not isinstance(event.data, Struct):
            self._fail(event, "'data' is not a struct")

    def _check_returns(self, command):
        returns = command.returns
        element = returns.element if isinstance(returns, Array) else returns
        if not isinstance(element, Struct) and not self._pragma.excuses(
                'command-returns-exceptions', command.name):
            self._fail(command, 'it returns neither an object nor a list of objects')

    def _command_features(self, command, features):
        if not isinstance(features, list):
            self._fail(command, "'features' is not a list")
        for feature in features:
            if feature not in COMMAND_FEATURES:
                self._fail(command, f"there is no feature '{feature}'")
            if feature in command.features:
                self._fail(command, f"feature '{feature}' is there twice")
            command.features.append(feature)

    # Last: what only the whole shows.

    def _check_base(self, struct):
        seen = []
        base = struct
        while base is not None:
            if base in seen:
                self._fail(struct, 'it is its own base')
            seen.append(base)
            base = base.base

    def _check_clashes(self, definition, members):
        seen = {}
        for member in members:
            other = seen.setdefault(c_name(member.name), member)
            if other is not member:
                self._fail(definition, f"member '{member.name}' clashes with '{other.name}'")

    def _refuse_cycle(self, start, definition, path):
        """Decoding, encoding and freeing recurse over types; so no type may contain itself."""
        for member in definition.members:
            inner = member.type.element if isinstance(member.type, Array) else member.type
            if inner is start:
                self._fail(start, 'it contains itself, by ' + '.'.join(path + [member.name]))
            if isinstance(inner, (Struct, Alternate)) and len(path) < len(self._definitions):
                self._refuse_cycle(start, inner, path + [member.name])

    def _check_doc(self, definition):
        doc = definition.doc
        if doc is None:
            if self._pragma.doc_required:
                self._fail(definition, 'it has no documentation')
            return
        if doc.symbol != definition.name:
            raise SchemaError(doc.place, f"documentation of '{doc.symbol}' is followed by "
                              f"'{definition.name}'")
        if isinstance(definition, Enum):
            members = definition.values
        elif isinstance(definition, Command):
            members = definition.arguments.local if definition.arguments else []
        elif isinstance(definition, Event):
            members = []
        elif isinstance(definition, Struct):
            members = definition.local
        else:
            members = definition.members
        self._check_described(definition, 'member', [m.name for m in members], doc.members)
        self._check_described(definition, 'feature', definition.features, doc.features)
        if 'Returns' in doc.sections and not getattr(definition, 'returns', None):
            self._fail(definition, "'Returns:' of what returns nothing")
        if 'Errors' in doc.sections and not isinstance(definition, Command):
            self._fail(definition, "'Errors:' of what is not a command")
        if 'Since' not in doc.sections and self._pragma.doc_required:
            self._fail(definition, "its documentation has no 'Since:'")

    def _check_described(self, definition, what, names, described):
        excused = self._pragma.excuses('documentation-exceptions', definition.name)
        for name in names:
            if not described.get(name) and self._pragma.doc_required and not excused:
                self._fail(definition, f"{what} '{name}' is not documented")
        for name in described:
            if name not in names:
                self._fail(definition, f"documented {what} '{name}' does not exist")


def check(parser):
    """Returns the Schema of what @parser read."""
    return _Checker(parser).run()
