# SPDX-License-Identifier: MIT
"""schema: the definitions of a schema, with their types resolved. What may be written is check.py's.

A type is a Builtin, an Enum, a Struct, an Alternate or an Array of one of these.
"""

from dataclasses import dataclass, field

from names import camel, snake


@dataclass(frozen=True)
class Builtin:
    name: str
    c_type: str
    json: str  # as the manual and alternates know it

    @property
    def table(self):
        return f'qapi_{self.name}_type'


BUILTINS = {b.name: b for b in (
    Builtin('str', 'char *', 'string'),
    Builtin('bool', 'gboolean', 'boolean'),
    Builtin('int', 'gint64', 'number'),
    Builtin('int8', 'gint8', 'number'),
    Builtin('int16', 'gint16', 'number'),
    Builtin('int32', 'gint32', 'number'),
    Builtin('int64', 'gint64', 'number'),
    Builtin('uint8', 'guint8', 'number'),
    Builtin('uint16', 'guint16', 'number'),
    Builtin('uint32', 'guint32', 'number'),
    Builtin('uint64', 'guint64', 'number'),
    Builtin('size', 'guint64', 'number'),
    Builtin('number', 'double', 'number'),
)}


@dataclass
class Member:
    """Of a struct, a branch of an alternate, or (with @type None) a value of an enum."""

    name: str
    type: object = None
    optional: bool = False
    features: list = field(default_factory=list)


@dataclass
class Definition:
    """What enums, structs, alternates, commands and events have in common."""

    name: str
    place: object
    doc: object
    features: list = field(default_factory=list)

    @property
    def c_name(self):
        return 'Qapi' + self.name

    @property
    def c_prefix(self):
        return 'qapi_' + snake(self.name)

    @property
    def table(self):
        return self.c_prefix + '_type'


@dataclass
class Enum(Definition):
    values: list = field(default_factory=list)
    json = 'string'

    @property
    def c_type(self):
        return self.c_name + ' '


@dataclass
class Struct(Definition):
    """@local are the members written in it; a command's arguments are a struct without a doc."""

    base: object = None
    local: list = field(default_factory=list)
    json = 'object'

    @property
    def c_type(self):
        return self.c_name + ' *'

    @property
    def members(self):
        return (self.base.members if self.base else []) + self.local


@dataclass
class Alternate(Definition):
    members: list = field(default_factory=list)
    json = None

    @property
    def c_type(self):
        return self.c_name + ' *'


@dataclass(frozen=True)
class Array:
    element: object
    json = 'array'

    @property
    def c_type(self):
        if self.element is BUILTINS['str']:
            return 'char **'
        return 'GPtrArray *' if is_object(self.element) else 'GArray *'


@dataclass
class Command(Definition):
    """@arguments is a Struct or None, @returns a type or None."""

    arguments: object = None
    returns: object = None
    success_response: bool = True


@dataclass
class Event(Definition):
    """@data is a Struct."""

    data: object = None


def is_object(a_type):
    """Whether its C value is a pointer to an object of its own."""
    return isinstance(a_type, (Struct, Alternate))


def is_pointer(a_type):
    return is_object(a_type) or isinstance(a_type, Array) or a_type is BUILTINS['str']


def arguments_name(command):
    """The name of the struct of a command's arguments."""
    return camel(command) + 'Args'


@dataclass
class Schema:
    """@items: definitions and free documentation in the order of the files. The lists below hold
    what C is generated for; @structs has the commands' arguments too, and stands in an order in
    which each struct's base and members come first."""

    items: list = field(default_factory=list)
    enums: list = field(default_factory=list)
    structs: list = field(default_factory=list)
    commands: list = field(default_factory=list)
    events: list = field(default_factory=list)
    files: list = field(default_factory=list)

    def returned_arrays(self):
        """The element types of the lists that commands return, each once."""
        elements = []
        for command in self.commands:
            if isinstance(command.returns, Array) and command.returns.element not in elements:
                elements.append(command.returns.element)
        return elements
