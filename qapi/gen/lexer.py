# SPDX-License-Identifier: MIT
"""lexer: the text of a schema file as tokens.

The language is JSON with single-quoted ASCII strings and '#' comments. A comment block between two
lines '##' is documentation and a token of its own.
"""

import re
from dataclasses import dataclass

from source import Place, SchemaError

_TOKEN = re.compile(r"""
    (?P<space>[ \n]+)
  | (?P<punct>[{}\[\]:,])
  | (?P<word>[a-z]+)
  | '(?P<string>[^'\n]*)'
""", re.VERBOSE)

_WORDS = {'true': True, 'false': False}


@dataclass
class Token:
    """@kind is a punctuation character, 'string', 'word', 'doc' or 'end'."""

    kind: str
    value: object
    place: Place

    def describe(self):
        """The token as error texts call it."""
        if self.kind == 'end':
            return 'end of file'
        if self.kind == 'doc':
            return 'a documentation comment'
        if self.kind == 'string':
            return f"string '{self.value}'"
        return f"'{self.kind if self.kind != 'word' else str(self.value).lower()}'"


def _doc_token(lines, start, file):
    """The token of the block that opens at lines[start], and the number of its last line."""
    body = []
    for number in range(start + 1, len(lines)):
        line = lines[number]
        place = Place(file, number + 1)
        if line == '##':
            return Token('doc', body, Place(file, start + 1)), number
        if not line.startswith('#'):
            break
        if line not in ('#',) and not line.startswith('# '):
            raise SchemaError(place, "documentation lines must start with '# '")
        if line.endswith(' '):
            raise SchemaError(place, 'documentation line ends with a blank')
        body.append((line[2:], place))
    raise SchemaError(Place(file, start + 1), "documentation comment must end with a line '##'")


def _line_tokens(line, place):
    pos = 0
    while pos < len(line):
        if line[pos] == '#':
            return
        match = _TOKEN.match(line, pos)
        if match is None:
            if line[pos] == "'":
                raise SchemaError(place, "missing closing ' of a string")
            raise SchemaError(place, f'stray {line[pos]!r}')
        pos = match.end()
        if match['punct']:
            yield Token(match['punct'], match['punct'], place)
        elif match['word']:
            if match['word'] not in _WORDS:
                raise SchemaError(place, f"unknown word '{match['word']}'")
            yield Token('word', _WORDS[match['word']], place)
        elif match['string'] is not None:
            if not re.fullmatch(r'[ -\[\]-~]*', match['string']):
                raise SchemaError(place, 'a string holds printable ASCII, and no backslash')
            yield Token('string', match['string'], place)


def tokenize(text, file):
    """Returns the tokens of @text; the last one is 'end'."""
    lines = text.split('\n')
    tokens = []
    number = 0
    while number < len(lines):
        if lines[number].startswith('##'):
            if lines[number] != '##':
                raise SchemaError(Place(file, number + 1), "a line of documentation opens with '##' "
                                  'and nothing else')
            token, number = _doc_token(lines, number, file)
            tokens.append(token)
        else:
            tokens.extend(_line_tokens(lines[number], Place(file, number + 1)))
        number += 1
    tokens.append(Token('end', None, Place(file, len(lines))))
    return tokens
