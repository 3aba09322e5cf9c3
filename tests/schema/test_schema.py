# SPDX-License-Identifier: MIT
"""Golden tests of the generator: one small schema for each of its rules.

good/NAME.json says in a comment "# Outputs: types.h ..." which outputs are compared with
good/NAME.out. bad/NAME.json must be refused with the text of bad/NAME.err, which starts with file and
line. With NEGO_UPDATE_GOLDENS set, the expected texts are rewritten; review them as a diff.
"""

import contextlib
import difflib
import os
import re
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

HERE = Path(__file__).resolve().parent
GENERATOR = HERE.parent.parent / 'qapi' / 'gen'
UPDATE = 'NEGO_UPDATE_GOLDENS' in os.environ

sys.path[:0] = [str(GENERATOR), str(HERE.parent)]

# pylint: disable=wrong-import-position
import main as generator
from check import check
from helpers import tap
from parser import Parser
from source import SchemaError


def file_of(output):
    return 'negotiator-ref.rst' if output == 'ref.rst' else f'qapi-{output}'


def generate(folder, name):
    """The outputs of a schema; its directory is the current one, so that errors are the same
    wherever the tests run."""
    with contextlib.chdir(folder):
        return generator.outputs(check(Parser(name)))


class GoldenTest(unittest.TestCase):
    maxDiff = None

    def compare(self, path, text):
        if UPDATE:
            path.write_text(text, encoding='utf-8')
        expected = path.read_text(encoding='utf-8')
        if text != expected:
            self.fail('\n' + ''.join(difflib.unified_diff(
                expected.splitlines(True), text.splitlines(True), path.name, 'generated')))

    def check_good(self, schema):
        outputs = generate(schema.parent, schema.name)
        wanted = re.search('^# Outputs: (.*)$', schema.read_text(encoding='utf-8'), re.MULTILINE)
        text = ''
        for name in wanted[1].split():
            text += f'==> {name} <==\n{outputs[file_of(name)]}'
        self.compare(schema.with_suffix('.out'), text)

    def check_bad(self, schema):
        with self.assertRaises(SchemaError) as caught:
            generate(schema.parent, schema.name)
        self.compare(schema.with_suffix('.err'), f'{caught.exception}\n')


def add_tests():
    for kind in ('good', 'bad'):
        for schema in sorted((HERE / kind).glob('*.json')):
            def test(self, schema=schema, check_one=f'check_{kind}'):
                getattr(self, check_one)(schema)
            name = f'test_{kind}_{schema.stem.replace("-", "_")}'
            setattr(GoldenTest, name, test)


class ProgramTest(unittest.TestCase):
    """The generator as the build runs it."""

    def run_it(self, *args):
        return subprocess.run([sys.executable, GENERATOR / 'main.py', *args], cwd=HERE,
                              capture_output=True, text=True, check=False)

    def test_writes_all_outputs_and_dependencies(self):
        with tempfile.TemporaryDirectory() as out:
            result = self.run_it('good/include.json', '--output-dir', out,
                                 '--depfile', f'{out}/qapi.d')
            self.assertEqual((result.returncode, result.stderr), (0, ''))
            self.assertEqual(sorted(os.listdir(out)), [
                'negotiator-ref.rst', 'qapi-commands.c', 'qapi-commands.h', 'qapi-events.h',
                'qapi-types.c', 'qapi-types.h', 'qapi-visit.c', 'qapi-visit.h', 'qapi.d'])
            self.assertEqual(Path(out, 'qapi.d').read_text(encoding='utf-8'),
                             f'{out}/qapi-types.c: good/include.json good/enum.json\n')

    def test_reports_an_error_and_writes_nothing(self):
        with tempfile.TemporaryDirectory() as out:
            result = self.run_it('bad/enum-empty.json', '--output-dir', out)
            self.assertEqual(result.returncode, 1)
            self.assertEqual(result.stderr,
                             "bad/enum-empty.json:2: enum 'Foo': it has no values\n")
            self.assertEqual(os.listdir(out), [])

    def test_reports_a_missing_schema(self):
        result = self.run_it('no-such.json', '--output-dir', '.')
        self.assertEqual((result.returncode, result.stderr),
                         (1, "no-such.json:1: cannot read 'no-such.json': "
                          'No such file or directory\n'))


class ErrorsTest(unittest.TestCase):
    """The error texts that the schema promises are those of the code."""

    @staticmethod
    def texts_of_code():
        """All string literals, adjacent ones joined, with '*' for each conversion."""
        text = ''
        source = HERE.parent.parent
        for path in [*source.glob('agent/*.c'), *source.glob('common/**/*.[ch]'),
                     *source.glob('host-client/hostd/*.c')]:
            code = re.sub(r'(?<!\\)"\s*(G_\w+_FORMAT)?\s*"', lambda m: 'u' if m[1] else '',
                          path.read_text(encoding='utf-8'))
            code = re.sub(r'(?<!\\)"\s*G_\w+_FORMAT', 'u"', code)
            text += '\n'.join(re.findall(r'"((?:[^"\\\n]|\\.)*)"', code)) + '\n'
        return re.sub(r'%[.0-9]*[a-z]', '*', text.replace('\\"', '"'))

    def test_promised_errors_are_those_of_the_code(self):
        code = self.texts_of_code()
        schema = check(Parser(str(HERE.parent.parent / 'qapi' / 'negotiator-schema.json')))
        promised = [(command.name, text) for command in schema.commands
                    for text in re.findall('^- ``(.*?)``', command.doc.sections.get('Errors', ''),
                                           re.MULTILINE)]
        self.assertGreater(len(promised), 20)
        for command, text in promised:
            with self.subTest(command=command, text=text):
                pattern = re.sub(r"""\bN\b|(?<=["'])x(?=["'/])|(?<= )x(?= )""", '*', text)
                # The names of members are values in the code.
                pattern = re.sub('^(out|err)-offset', '*', pattern)
                # Not assertIn(), which would print all of the code.
                self.assertTrue(pattern in code, 'no such text in the code')


class QemuTest(unittest.TestCase):
    """QEMU's own generator accepts the schema and, which shows that ours takes no more than QEMU's,
    each good one here. Set NEGO_QEMU_QAPI_GEN to scripts/qapi-gen.py of a QEMU 10.2 tree."""

    def test_qemu_accepts(self):
        generator_path = os.environ.get('NEGO_QEMU_QAPI_GEN')
        if generator_path is None:
            self.skipTest('NEGO_QEMU_QAPI_GEN is not set')
        source = HERE.parent.parent
        schemas = [source / 'qapi' / 'negotiator-schema.json',
                   source / 'tests' / 'unit' / 'kinds' / 'qapi' / 'kinds.json',
                   *sorted((HERE / 'good').glob('*.json'))]
        for schema in schemas:
            with self.subTest(schema=schema.name), tempfile.TemporaryDirectory() as out:
                result = subprocess.run([sys.executable, generator_path, '-o', out, '-p', 'test-',
                                         schema], capture_output=True, text=True, check=False)
                self.assertEqual((result.returncode, result.stderr), (0, ''))


class CoverageTest(unittest.TestCase):
    """Each rule of the generator has its schema: no error text is without a test."""

    def test_every_error_text_is_expected_somewhere(self):
        expected = ''.join(p.read_text(encoding='utf-8') for p in (HERE / 'bad').glob('*.err'))
        for module in ('check', 'doc', 'lexer', 'parser'):
            source = (GENERATOR / f'{module}.py').read_text(encoding='utf-8')
            for fragment in self.fragments(source):
                with self.subTest(module=module, text=fragment):
                    self.assertIn(fragment, expected)

    @staticmethod
    def fragments(source):
        """The longest constant part of each error text."""
        for call in re.finditer(r'(?:SchemaError\(|_fail\()((?:[^()]|\([^()]*\))*)\)', source):
            parts = []
            for literal in re.finditer(r'''f?"([^"]*)"|f?'([^']*)\'''', call[1]):
                parts += re.split(r'\{[^}]*\}', literal[1] or literal[2] or '')
            text = max(parts, key=len, default='').strip()
            if len(text) > 5:
                yield text


add_tests()

if __name__ == '__main__':
    sys.exit(tap.main())
