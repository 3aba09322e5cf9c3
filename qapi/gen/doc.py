# SPDX-License-Identifier: MIT
"""doc: one documentation comment, cut into its parts.

A definition's comment starts with '@NAME:' alone on its line; then come paragraphs, '@MEMBER: text'
descriptions, 'Features:' with its own descriptions, and 'Returns:', 'Errors:', 'Since:' sections.
A comment without '@NAME:' is free text (a heading, an introduction). The text is reStructuredText.
"""

import re
import textwrap

from source import SchemaError

_MAX_COLUMNS = 70
_DESCRIPTION = re.compile(r'@([^:]*):(?: +(.*))?$')
_SECTION = re.compile(r'(Returns|Errors|Since|Notes?|Examples?|TODO):(?!:)(?: +(.*))?$')
_ONE_BLANK = re.compile(r'(?<!\be\.g)(?<!^\d)[.!?] [A-Z0-9(]')


def _check_line(text, place, literal):
    """QEMU's generator has these two rules, and the files are for both."""
    if literal:
        return
    if len(text) + 2 > _MAX_COLUMNS and not re.fullmatch(r' *(https?|ftp)://[^ ]*', text):
        raise SchemaError(place, f'documentation line is longer than {_MAX_COLUMNS} characters')
    if _ONE_BLANK.search(text):
        raise SchemaError(place, 'two blanks go between sentences')


class Doc:
    """@symbol (None: free text), @body, @members, @features (name to text), @sections (name to
    text), all text dedented."""

    def __init__(self, lines, place):
        self.place = place
        self.symbol = None
        self.body = ''
        self.members = {}
        self.features = {}
        self.sections = {}
        self._check_lines(lines)
        if lines and lines[0][0].startswith('@'):
            self._definition(lines)
        else:
            self.body = '\n'.join(text for text, _ in lines).strip('\n')
            for text, where in lines:
                if _DESCRIPTION.match(text):
                    raise SchemaError(where, 'a description outside the documentation of a '
                                      'definition')

    @staticmethod
    def _check_lines(lines):
        literal = None
        for text, place in lines:
            indent = len(text) - len(text.lstrip())
            if literal is not None and text and indent <= literal:
                literal = None
            _check_line(text, place, literal is not None)
            if re.fullmatch(r' *::', text):
                literal = indent

    def _definition(self, lines):
        match = re.fullmatch(r'@([^:]+):', lines[0][0])
        if match is None:
            raise SchemaError(lines[0][1], "the first line names the definition: '@NAME:'")
        self.symbol = match[1]
        body = []
        target = None  # the (dict, name) that indented lines belong to
        store = self.members
        seen_section = False
        for text, place in lines[1:]:
            description = _DESCRIPTION.match(text)
            section = _SECTION.match(text)
            if text == 'Features:':
                if store is self.features:
                    raise SchemaError(place, "a second 'Features:'")
                store, target, seen_section = self.features, None, False
            elif description:
                if seen_section:
                    raise SchemaError(place, f"description of '@{description[1]}:' follows a section")
                target = self._open(store, description[1], description[2], place)
            elif section:
                if section[1] not in ('Returns', 'Errors', 'Since'):
                    raise SchemaError(place, f"there is no section '{section[1]}:'")
                target = self._open(self.sections, section[1], section[2], place)
                seen_section = True
            elif not text or text.startswith(' ') and target:
                self._append(target, body, text)
            elif target and not self._ends_blank(target):
                raise SchemaError(place, 'the lines of a description are indented')
            else:
                target = None
                body.append(text)
        self.body = '\n'.join(body).strip('\n')
        for store in (self.members, self.features, self.sections):
            for name, text in store.items():
                first, _, rest = text.partition('\n')
                store[name] = (first + '\n' + textwrap.dedent(rest)).strip('\n')

    @staticmethod
    def _open(store, name, text, place):
        if name in store:
            raise SchemaError(place, f"a second description of '{name}'")
        store[name] = text or ''
        return store, name

    @staticmethod
    def _append(target, body, text):
        if target is None:
            body.append(text)
        else:
            store, name = target
            store[name] += '\n' + text

    @staticmethod
    def _ends_blank(target):
        store, name = target
        return store[name].endswith('\n')
