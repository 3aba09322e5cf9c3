# SPDX-License-Identifier: MIT
"""parser: from tokens to expressions, each with its place and its documentation; includes and
pragmas are followed here."""

import os
from dataclasses import dataclass, field

from doc import Doc
from lexer import tokenize
from source import Place, SchemaError

_PRAGMA_LISTS = ('command-name-exceptions', 'command-returns-exceptions',
                 'documentation-exceptions', 'member-name-exceptions')


@dataclass
class Pragma:
    """What the schema's author asked for (doc-required) and asked to be excused from."""

    doc_required: bool = False
    exceptions: dict = field(default_factory=lambda: {name: [] for name in _PRAGMA_LISTS})

    def excuses(self, rule, name):
        return name in self.exceptions[rule]


@dataclass
class Expression:
    """One top-level object: @keys as it stands in the file, @doc is None without documentation."""

    keys: dict
    place: Place
    doc: Doc


class _Reader:
    """Reads the values of one file's tokens."""

    def __init__(self, tokens):
        self._tokens = tokens
        self._pos = 0

    def peek(self):
        return self._tokens[self._pos]

    def take(self, *kinds):
        token = self._tokens[self._pos]
        if kinds and token.kind not in kinds:
            wanted = ' or '.join(f"'{k}'" if len(k) == 1 else f'a {k}' for k in kinds)
            raise SchemaError(token.place, f'expected {wanted}, found {token.describe()}')
        self._pos += 1
        return token

    def object(self):
        self.take('{')
        members = {}
        if self.peek().kind == '}':
            self.take()
            return members
        while True:
            key = self.take('string')
            if key.value in members:
                raise SchemaError(key.place, f"duplicate key '{key.value}'")
            self.take(':')
            members[key.value] = self.value()
            if self.take(',', '}').kind == '}':
                return members

    def array(self):
        self.take('[')
        elements = []
        if self.peek().kind == ']':
            self.take()
            return elements
        while True:
            elements.append(self.value())
            if self.take(',', ']').kind == ']':
                return elements

    def value(self):
        token = self.peek()
        if token.kind == '{':
            return self.object()
        if token.kind == '[':
            return self.array()
        if token.kind in ('string', 'word'):
            return self.take().value
        raise SchemaError(token.place, f'expected a value, found {token.describe()}')


class Parser:
    """The expressions and free documentation of a schema file and of all that it includes, in order.

    After the constructor: @items (Expression or Doc), @pragma, @files (for a dependency file)."""

    def __init__(self, path):
        self.items = []
        self.pragma = Pragma()
        self.files = []
        self._open = []
        self._read(path, None)

    def _read(self, path, included_at):
        real = os.path.realpath(path)
        if real in self._open:
            raise SchemaError(included_at, f"'{os.path.basename(path)}' includes itself")
        if path in self.files:
            return
        try:
            with open(path, encoding='utf-8') as stream:
                text = stream.read()
        except (OSError, UnicodeDecodeError) as error:
            why = error.strerror if isinstance(error, OSError) else 'it is not UTF-8'
            raise SchemaError(included_at or Place(path, 1),
                              f"cannot read '{os.path.basename(path)}': {why}") from error
        self.files.append(path)
        self._open.append(real)
        self._file(path, _Reader(tokenize(text, path)))
        self._open.pop()

    def _file(self, path, reader):
        doc = None
        while reader.peek().kind != 'end':
            token = reader.peek()
            if token.kind == 'doc':
                self._refuse_dangling(doc)
                doc = Doc(reader.take().value, token.place)
                if doc.symbol is None:
                    self.items.append(doc)
                    doc = None
                continue
            keys = reader.object()
            if 'include' in keys or 'pragma' in keys:
                self._refuse_dangling(doc)
                self._directive(path, keys, token.place)
            else:
                self.items.append(Expression(keys, token.place, doc))
            doc = None
        self._refuse_dangling(doc)

    @staticmethod
    def _refuse_dangling(doc):
        if doc is not None:
            raise SchemaError(doc.place, f"documentation of '{doc.symbol}' is not followed by "
                              'its definition')

    def _directive(self, path, keys, place):
        if len(keys) != 1:
            raise SchemaError(place, "'include' and 'pragma' stand alone")
        if 'pragma' in keys:
            self._pragma(keys['pragma'], place)
            return
        name = keys['include']
        if not isinstance(name, str):
            raise SchemaError(place, "'include' needs a file name")
        self._read(os.path.join(os.path.dirname(path), name), place)

    def _pragma(self, pragma, place):
        if not isinstance(pragma, dict):
            raise SchemaError(place, "'pragma' needs an object")
        for name, value in pragma.items():
            if name == 'doc-required':
                if not isinstance(value, bool):
                    raise SchemaError(place, "pragma 'doc-required' needs true or false")
                self.pragma.doc_required = value
            elif name in _PRAGMA_LISTS:
                if not isinstance(value, list) or not all(isinstance(v, str) for v in value):
                    raise SchemaError(place, f"pragma '{name}' needs a list of names")
                self.pragma.exceptions[name] += value
            else:
                raise SchemaError(place, f"unknown pragma '{name}'")
