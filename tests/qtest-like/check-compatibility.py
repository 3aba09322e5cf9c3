# SPDX-License-Identifier: MIT
"""check-compatibility.py PAGE TEST...: whether each test that the page names exists. Writes TAP.

In the page "…/name" has the beginning of the name before it, and "/path/…" stands for all below.
"""
import pathlib
import re
import subprocess
import sys


def list_tests(program):
    run = subprocess.run([program, '-l'], capture_output=True, text=True, check=True)
    return [line for line in run.stdout.splitlines() if line.startswith('/')]


def named_tests(page):
    """Yields (line number, path or beginning of paths)."""
    beginning = ''
    for number, line in enumerate(page.read_text(encoding='utf-8').splitlines(), 1):
        for name in re.findall(r'``((?:/|…/)[a-z0-9/…-]+)``', line):
            if name.startswith('…'):
                name = beginning + name[1:]
            beginning = name.rpartition('/')[0]
            yield number, name.removesuffix('…')


def main(page, *programs):
    tests = [test for program in programs for test in list_tests(program)]
    names = list(named_tests(page))
    print(f'1..{len(names)}')
    for case, (number, name) in enumerate(names, 1):
        found = any(test == name or (name.endswith('/') and test.startswith(name))
                    for test in tests)
        print(f'{"ok" if found else "not ok"} {case} - line {number}: {name}')
    return 0


if __name__ == '__main__':
    sys.exit(main(pathlib.Path(sys.argv[1]), *sys.argv[2:]))
