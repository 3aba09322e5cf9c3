# SPDX-License-Identifier: MIT
"""conversation: a guest agent on a socket of the test's own, and a client that says bytes.

The agent, ours or qemu-ga, inherits a socket that listens already (systemd's LISTEN_FDS): nothing
is waited for, and nothing is tried again.
"""

import json
import os
import pathlib
import socket
import subprocess
import sys
import tempfile
import unittest

from helpers import schema
from helpers.build import program
from helpers.transcript import Transcript

QEMU_GA = pathlib.Path("/usr/sbin/qemu-ga")
# Far above what anything here takes.
DEADLINE_S = 60
THEIR_SOCKET = "socket-of-qemu-ga"

# Only the process itself knows its number, which LISTEN_PID is.
_LAUNCHER = """\
import os, sys
os.dup2(int(sys.argv[1]), 3)
os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS="1")
os.execv(sys.argv[2], sys.argv[2:])
"""


class Agent:
    """An agent as a process: nego-agent, or the program `path`. Use as a context manager."""

    def __init__(self, path=None, launcher=(), env=None, arguments=()):
        self.is_ours = path is None
        self._path = path or program("nego-agent")
        self._launcher = launcher
        self._env = env or {}
        self._arguments = arguments

    def __enter__(self):
        self._holder = tempfile.TemporaryDirectory(prefix="nego-talk-")
        self.dir = pathlib.Path(self._holder.name)
        # Line tells by the name whose it is.
        self.socket = self.dir / ("socket" if self.is_ours else THEIR_SOCKET)
        with socket.socket(socket.AF_UNIX) as listener, open(self.dir / "log", "wb") as log:
            listener.bind(os.fspath(self.socket))
            listener.listen(16)
            self._process = subprocess.Popen(
                [*self._launcher, sys.executable, "-c", _LAUNCHER, str(listener.fileno()),
                 self._path, "-m", "unix-listen", "-p", self.socket, "-t", self.dir,
                 *self._arguments],
                env={**os.environ, "QGA_CONF": "/nonexistent", **self._env},
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, pass_fds=[listener.fileno()])
        return self

    def __exit__(self, *_):
        # Not TERM, of which qemu-ga does not always end.
        self._process.kill()
        self._process.wait()
        self._holder.cleanup()

    @property
    def pid(self):
        return self._process.pid

    def log(self):
        return (self.dir / "log").read_text(encoding="utf-8", errors="replace")


class Line:
    """A connection: what is sent and received, as it is."""

    def __init__(self, path):
        self.received = b""
        self._transcript = Transcript(path.name != THEIR_SOCKET)
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._socket.settimeout(DEADLINE_S)
        self._socket.connect(os.fspath(path))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._socket.close()
        self._transcript.close()

    def say(self, data):
        self._transcript.add_sent(data)
        self._socket.sendall(data)

    def hear(self):
        """More bytes, appended to `received`."""
        data = self._socket.recv(1 << 20)
        if not data:
            raise AssertionError(f"the agent closed the connection after {self.received[-200:]!r}")
        self.received += data
        self._transcript.add_received(data)

    def hear_line(self):
        """The next line, without its LF."""
        while b"\n" not in self.received:
            self.hear()
        line, _, self.received = self.received.partition(b"\n")
        return line

    def ask(self, request):
        """Says `request` and a LF; the JSON of the line that comes."""
        self.say(request + b"\n")
        return json.loads(self.hear_line())


class TalkCase(unittest.TestCase):
    """`path` is the agent's program, None: ours."""

    path = None

    def setUp(self):
        if self.path is not None and not self.path.exists():
            self.skipTest(f"no {self.path}")
        self.agent = self.enterContext(Agent(self.path))

    def diagnostics(self):
        return self.agent.log() if hasattr(self, "agent") and self.agent.dir.exists() else ""

    def check(self, name, value):
        """Our results are what the schema promises."""
        if self.agent.is_ours:
            self.assertEqual(schema.find_faults(name, value), [], name)

    def connect(self):
        return self.enterContext(Line(self.agent.socket))

    def commands(self):
        """Name to entry of guest-info's commands."""
        with Line(self.agent.socket) as line:
            info = line.ask(b'{"execute":"guest-info"}')["return"]
        return {entry["name"]: entry for entry in info["supported_commands"]}

    def need(self, *names):
        """Skips the test if the agent has not all of these commands enabled."""
        commands = self.commands()
        for name in names:
            if not commands.get(name, {}).get("enabled"):
                self.skipTest(f"the agent does not have {name}")
