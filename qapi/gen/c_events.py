# SPDX-License-Identifier: MIT
"""c_events: a function for each event that writes it with the right C type of its data."""

from names import snake


def _function(event):
    name = snake(event.name)
    return (f'\nstatic inline void\nqapi_event_{name} (GString *out, '
            f'const {event.data.c_name} *data)\n{{\n'
            f'  qapi_event_write (out, "{event.name}", &{event.data.table}, data);\n}}\n')


def header(schema):
    text = '#pragma once\n\n#include "qapi/event.h"\n#include "qapi/qapi-types.h"\n'
    return text + ''.join(map(_function, schema.events))
