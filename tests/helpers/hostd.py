# SPDX-License-Identifier: MIT
"""hostd: nego-hostd as a process of a test, and guests that are no more than the socket of a port."""

import itertools
import json
import os
import pathlib
import random

import socket
import subprocess
import tempfile
import threading

import unittest

from helpers.agent import safe_directory
from helpers.build import program
from helpers.transcript import Transcript

NEGO_HOSTD = program("nego-hostd")
# Far above what a busy machine needs.
PATIENCE_S = 60

class FakeGuest:
    """The socket of a guest's port, as QEMU makes it: one connection at a time. The guest's side is this object."""

    _calls = itertools.count()

    def __init__(self, path):
        self.path = pathlib.Path(path)
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(path))
        self._listener.listen(1)
        self._listener.settimeout(PATIENCE_S)
        self.connection = None
        self._rest = b""
        self._transcript = Transcript()

    def accept(self):
        """Waits for nego-hostd."""
        self.connection, _ = self._listener.accept()
        self.connection.settimeout(PATIENCE_S)
        self._rest = b""

    def hang_up(self):
        self._transcript.close()
        self.connection.close()
        self.connection = None

    def close(self):
        self._transcript.close()
        if self.connection is not None:
            self.connection.close()
        self._listener.close()
        self.path.unlink(missing_ok=True)

    def send(self, data):
        if not isinstance(data, bytes):
            data = json.dumps(data).encode() + b"\n"
        self._transcript.add_sent(data)
        self.connection.sendall(data)

    def receive_line(self):
        while b"\n" not in self._rest:
            data = self.connection.recv(1 << 16)
            if not data:
                raise EOFError("nego-hostd closed the connection")
            self._transcript.add_received(data)
            self._rest += data
        line, _, self._rest = self._rest.partition(b"\n")
        return line

    def receive(self):
        return json.loads(self.receive_line().rpartition(b"\xff")[2])

    def send_sync(self, ident=None):
        ident = random.getrandbits(53) if ident is None else ident
        self.send(b"\xff" + json.dumps({"execute": "guest-sync-delimited", "arguments": {"id": ident}}).encode() + b"\n")
        return ident

    def sync(self, ident=None):
        """Synchronises, and skips what is not the answer."""
        ident = self.send_sync(ident)
        while self.receive() != {"return": ident}:
            pass

    def start(self):
        self.accept()
        self.sync()

    def post(self, name, /, **arguments):
        """Sends a call; returns its id."""
        ident = f"c{next(self._calls)}"
        request = {"execute": name, "id": ident}
        if arguments:
            request["arguments"] = {key.replace("_", "-"): value for key, value in arguments.items()}
        self.send(request)
        return ident

    def call(self, name, /, **arguments):
        """The reply: an object with "return" or "error"."""
        ident = self.post(name, **arguments)
        while True:
            reply = self.receive()
            if reply.get("id") == ident:
                return reply

    def run(self, command, /, **arguments):
        """The status of a run that has ended."""
        reply = self.call("negotiator-exec", command=command, wait=PATIENCE_S, **arguments)
        if "return" not in reply:
            raise AssertionError(reply)
        return reply["return"]

    def error(self, name, /, **arguments):
        return self.call(name, **arguments)["error"]["desc"]

class Log:
    """What a process writes to its standard error, read by a thread."""

    def __init__(self, stream):
        self._stream = stream
        self._lines = []
        self._changed = threading.Condition()
        self._ended = False
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def _read(self):
        for line in self._stream:
            with self._changed:
                self._lines.append(line.rstrip("\n"))
                self._changed.notify_all()
        with self._changed:
            self._ended = True
            self._changed.notify_all()

    def lines(self):
        with self._changed:
            return list(self._lines)

    def wait(self, text, count=1):
        """Waits for `count` lines with `text`; returns them."""
        def found():
            return [line for line in self._lines if text in line]
        with self._changed:
            self._changed.wait_for(lambda: len(found()) >= count or self._ended, PATIENCE_S)
            if len(found()) < count:
                raise AssertionError(f"no '{text}' in the log: {self._lines}")
            return found()

    def close(self):
        self._thread.join(PATIENCE_S)
        self._stream.close()

def reachable_directory(*others):
    """A place as safe_directory() has it, in which other users can run programs, too; or one of `others`."""
    for place in others or (os.getcwd(), os.path.expanduser("~"), "/run", "/usr/local"):
        path = pathlib.Path(place)
        if os.access(path, os.W_OK) and all(part.stat().st_mode & 0o023 == 0o001 for part in (path, *path.parents)):
            if not os.statvfs(path).f_flag & os.ST_NOEXEC:
                return path
    raise unittest.SkipTest("no directory here is safe from other users, and open to them")


class HostdCase(unittest.TestCase):
    """nego-hostd with a directory of commands and rules of the test's own."""

    # What finds the place for them.
    place = staticmethod(safe_directory)

    def setUp(self):
        directory = tempfile.TemporaryDirectory(prefix="nego-hostd-")
        self.addCleanup(directory.cleanup)
        self.dir = pathlib.Path(directory.name)
        # Whatever the mask of the user is: the files have to be trusted.
        trusted = tempfile.TemporaryDirectory(prefix="nego-hostd-", dir=self.place())
        self.addCleanup(trusted.cleanup)
        self.trusted = pathlib.Path(trusted.name)
        for name in ("commands", "policy"):
            (self.trusted / name).mkdir(mode=0o755)
        # Others have to reach the commands.
        self.trusted.chmod(0o755)
        self.control = self.dir / "control"
        self.log = None

    def diagnostics(self):
        return "\n".join(self.log.lines()) if self.log is not None else ""

    def add_command(self, name, text):
        path = self.trusted / "commands" / name
        path.write_text(text if name.endswith(".conf") else "#!/bin/sh\n" + text, encoding="utf-8")
        path.chmod(0o644 if name.endswith(".conf") else 0o755)

    def add_rules(self, text, name="rules.conf"):
        path = self.trusted / "policy" / name
        path.write_text(text, encoding="utf-8")
        path.chmod(0o644)

    def add_guest(self, name):
        guest = FakeGuest(self.dir / f"{name}.port")
        self.addCleanup(guest.close)
        return guest

    def start(self, *names, run_as="self", arguments=(), environment=None, **options):
        """Starts nego-hostd for guests of these names; returns when it is ready."""
        process = self.spawn(*names, run_as=run_as, arguments=arguments, environment=environment, **options)
        self.log.wait("ready")
        return process

    def command(self, arguments):
        """The command line that runs `arguments` where nego-hostd is to be."""
        return arguments

    def spawn(self, *names, run_as="self", arguments=(), environment=None, **options):
        sockets = [argument for name in names for argument in ("--socket", f"{name}={self.dir / name}.port")]
        process = subprocess.Popen(
            self.command([NEGO_HOSTD, "--config", "/dev/null", "--control", self.control, "--run-as", run_as,
                          "--host-commands", self.trusted / "commands", "--policy", self.trusted / "policy", *sockets,
                          *arguments]),
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
            env={**os.environ, **(environment or {})}, **options)
        self.log = Log(process.stderr)
        self.addCleanup(self.log.close)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        return process

    def serve(self, *names, **options):
        """Guests of these names, synchronised with a nego-hostd that was started for them."""
        guests = [self.add_guest(name) for name in names]
        self.start(*names, **options)
        for guest in guests:
            guest.start()
        return guests
