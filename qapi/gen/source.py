# SPDX-License-Identifier: MIT
"""source: a place in a schema file, and the one exception that names it."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Place:
    """A line of a schema file. @file is as the person named it, so that an editor finds it."""

    file: str
    line: int

    def __str__(self):
        return f'{self.file}:{self.line}'


class SchemaError(Exception):
    """The schema is wrong, at a place."""

    def __init__(self, place, message):
        super().__init__(f'{place}: {message}')
