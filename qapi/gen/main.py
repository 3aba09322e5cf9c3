#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Generates C code and the reference manual from a QAPI schema.

The schema is written in QEMU's language (docs/devel/qapi-code-gen.rst of QEMU), less unions,
conditions, types that contain themselves, and what only QEMU has a use for; check.py refuses these.
The outputs are qapi-types.[ch], qapi-visit.[ch], qapi-commands.[ch],
qapi-events.h and negotiator-ref.rst.
"""

import sys

sys.dont_write_bytecode = True

# pylint: disable=wrong-import-position
import argparse
import os

import c_commands
import c_events
import c_types
import c_visit
import manual
from check import check
from parser import Parser
from source import SchemaError


def outputs(schema):
    """The text of each file, by its name."""
    notice = '/* Generated from the schema in qapi/ by qapi/gen; changes here are lost. */\n'
    texts = {'negotiator-ref.rst': manual.reference(schema)}
    for name, module in (('types', c_types), ('visit', c_visit), ('commands', c_commands)):
        texts[f'qapi-{name}.h'] = notice + module.header(schema)
        texts[f'qapi-{name}.c'] = notice + module.source(schema)
    texts['qapi-events.h'] = notice + c_events.header(schema)
    return texts


def main():
    options = argparse.ArgumentParser(description='Generate code from a QAPI schema.')
    options.add_argument('schema', help='the schema file')
    options.add_argument('--output-dir', required=True)
    options.add_argument('--depfile', help='also write the files that the outputs depend on')
    args = options.parse_args()
    try:
        schema = check(Parser(args.schema))
    except SchemaError as error:
        sys.exit(str(error))
    for name, text in outputs(schema).items():
        with open(os.path.join(args.output_dir, name), 'w', encoding='utf-8') as stream:
            stream.write(text)
    if args.depfile:
        with open(args.depfile, 'w', encoding='utf-8') as stream:
            stream.write(f'{os.path.join(args.output_dir, "qapi-types.c")}: '
                         + ' '.join(schema.files) + '\n')


if __name__ == '__main__':
    main()
