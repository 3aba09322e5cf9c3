# SPDX-License-Identifier: MIT
"""transcript: what the connections of tests carry, kept for scripts/check-replies.

The environment variable NEGO_TEST_TRANSCRIPTS names a directory; without it nothing is kept. Each
process has a file there, a paragraph for each connection: "> NAME" for each command that was named,
then "< LINE" for each line that came. tests/qtest-like writes the same.
"""

import os
import pathlib
import re
import sys
import threading

# Requests may be malformed, split and single-quoted: their commands are found without a parser.
_NAME = re.compile(rb"""execute["']\s*:\s*["']([A-Za-z0-9-]+)["']""")
# That something is a string is all that the schema says of it; most of a long one is left out.
_STRING = re.compile(rb'"(?:[^"\\]|\\.)*"')
_KEPT = re.compile(rb'"(?:[^"\\]|\\u....|\\[^u]){0,256}')
_lock = threading.Lock()


def _shorten(line):
    return line if len(line) < 4096 else _STRING.sub(
        lambda found: _KEPT.match(found[0])[0] + b'"', line)


def _append(sent, received):
    directory = os.environ.get("NEGO_TEST_TRANSCRIPTS")
    if not directory:
        return
    lines = [b"connection", *(b"> " + name for name in _NAME.findall(sent)),
             *(b"< " + _shorten(line) for line in received.split(b"\n")[:-1])]
    path = pathlib.Path(directory, f"{pathlib.Path(sys.argv[0]).stem}.{os.getpid()}")
    with _lock, open(path, "ab") as file:
        file.write(b"".join(line + b"\n" for line in lines))


class Transcript:
    """Of one connection."""

    def __init__(self, wanted=True):
        self._wanted = wanted and bool(os.environ.get("NEGO_TEST_TRANSCRIPTS"))
        self._sent = []
        self._received = []

    def add_sent(self, data):
        if self._wanted:
            self._sent.append(data)

    def add_received(self, data):
        if self._wanted:
            self._received.append(data)

    def close(self):
        if self._sent or self._received:
            _append(b"".join(self._sent), b"".join(self._received))
        self._sent, self._received = [], []


def add_exchange(request, reply):
    """One request and its reply, as text, that went another way than over a connection of the test's
    own."""
    _append(request.encode(), reply.encode().strip() + b"\n")
