# SPDX-License-Identifier: MIT
"""subjects: what is measured: both agents and the bare programs, on sockets and in guests.

Each subject is started once and serves all rounds, so that rounds can be interleaved.
"""

import contextlib
import json
import os
import pathlib
import shutil
import stat
import subprocess
import tempfile

from helpers import build, case, image
from helpers.guest import PORT_OURS, PORT_QGA, Guest

PORT_BARE = "org.example.bench.0"
OURS, THEIRS, BARE = "ours", "qemu-ga", "bare"


def program(name):
    """The path of a program of this build, or None."""
    for directory in ("tests/bench", "agent", "host-client"):
        path = build.build_root() / directory / name
        if path.is_file():
            return path
    return None


def is_safe(directory):
    """Whether the agent would run a script in `directory`: nobody else can change the path."""
    for path in (directory, *directory.parents):
        status = path.lstat()
        if status.st_uid not in (0, os.getuid()) or status.st_mode & 0o022 or \
                not stat.S_ISDIR(status.st_mode):
            return False
    return os.access(directory, os.W_OK)


def make_directory():
    """A temporary directory for sockets and scripts. Short: a socket's path has 107 bytes."""
    for place in (pathlib.Path("/run"), pathlib.Path.home(), build.build_root()):
        if is_safe(place):
            return pathlib.Path(tempfile.mkdtemp(prefix=".nego-bench-", dir=place))
    raise RuntimeError("neither /run, the home nor the build directory is safe from other users")


def drive(*arguments, cpu=None, bind=None, first=False):
    """Runs a measurement of the driver; returns its results. `first`: the driver and process `bind`
    run before all others."""
    command = [program("bench-driver")]
    if first:
        command.append("-r")
    if cpu is not None:
        command += ["-c", str(cpu)]
    if bind is not None:
        command += ["-b", str(bind)]
    done = subprocess.run([*command, *map(str, arguments)], capture_output=True, check=True,
                          text=True, stdin=subprocess.DEVNULL)
    results = {}
    for line in done.stdout.splitlines():
        results |= json.loads(line)
    return results


class Local:
    """A program that listens on a socket of this machine."""

    def __init__(self, name, directory, command):
        self.name = name
        self.directory = directory / name
        self.directory.mkdir()
        self.socket = self.directory / "socket"
        self.command = [*command, self.socket] if name == BARE else [
            *command, "-m", "unix-listen", "-p", self.socket, "-t", self.directory]
        self._log = open(self.directory / "log", "wb")
        self._process = subprocess.Popen(self.command, stdin=subprocess.DEVNULL,
                                         stdout=self._log, stderr=self._log)
        self.pid = self._process.pid

    def stop(self):
        # Not TERM, of which qemu-ga does not always end.
        self._process.kill()
        self._process.wait()
        self._log.close()


class InGuest:
    """An agent in a guest of its own, on the port that libvirt uses."""

    def __init__(self, name, guest, command, port=PORT_QGA):
        self.name = name
        self.guest = guest
        self.socket = guest.socket_path(port)
        self._command = command
        self.start()

    def start(self):
        self.daemon = self.guest.daemon(self.name, self._command)

    def settle(self):
        """Returns when the guest has seen that the last client left: the control line goes the same
        way, after it."""
        self.guest.control.check("true")


class Subjects:
    """All of them. Use as a context manager. `local` and `guests` are by name; what cannot be had
    here is not in them, and `missing` says why."""

    def __init__(self, with_guests=True):
        self._stack = contextlib.ExitStack()
        self._with_guests = with_guests
        self.local = {}
        self.guests = {}
        self.missing = []
        self.trivial = None
        self.port = None  # the socket of our agent that carries events

    def __enter__(self):
        try:
            self._start_local()
            if self._with_guests:
                self._start_guests()
        except BaseException:
            self._stack.close()
            raise
        return self

    def __exit__(self, *_):
        self._stack.close()

    def _start_local(self):
        directory = make_directory()
        self._stack.callback(shutil.rmtree, directory, ignore_errors=True)
        commands = directory / "commands"
        commands.mkdir()
        # A trivial compiled command, with a key file that is read and checked at each run.
        self.trivial = commands / "trivial"
        shutil.copy(program("trivial"), self.trivial)
        (commands / "trivial.conf").write_text(
            "[Command]\nDescription=does nothing\nTimeout=60\nArguments=false\nConcurrency=64\n")
        for name, text in (("zeros", "exec head -c \"$1\" /dev/zero"),
                           ("text", "yes 'a line of text, as logs have it, 0123456789' | head -c \"$1\""),
                           # When it was written, by the clock of the reader.
                           ("stamp", "sleep 0.1; date +%s%N; sleep 0.1")):
            (commands / name).write_text(f"#!/bin/sh\n{text}\n")
            (commands / name).chmod(0o755)
            (commands / f"{name}.conf").write_text("[Command]\nTimeout=0\n")
        configuration = directory / "agent.conf"
        self.port = directory / "port"
        configuration.write_text(f"[negotiator]\nguest-commands={commands}\n")
        self._add_local(BARE, directory, [program("bare-echo")])
        if image.QEMU_GA.exists():
            self._add_local(THEIRS, directory, [image.QEMU_GA])
        else:
            self.missing.append(f"no {image.QEMU_GA}: package qemu-guest-agent")
        if program("nego-agent"):
            self._add_local(OURS, directory, [program("nego-agent"), "-c", configuration, "--channel",
                                              f"unix-listen:{self.port}"])
        else:
            self.missing.append("this build has no nego-agent")
        if not program("nego-host"):
            self.missing.append("this build has no nego-host")

    def _add_local(self, name, directory, command):
        self.local[name] = Local(name, directory, command)
        self._stack.callback(self.local[name].stop)

    def _start_guests(self):
        hook = "-F/bin/freeze-hook"
        for name, command in ((THEIRS, f"{case.QEMU_GA} {hook}"),
                              (OURS, f"nego-agent {hook} -p $(vport {PORT_QGA}) "
                                     f"--channel virtio-serial:$(vport {PORT_OURS})")):
            if name not in self.local:
                continue
            reason = case.unavailable()
            if reason:
                self.missing.append(f"no guest: {reason}")
                continue
            echo = ("bin/bare-echo", program("bare-echo").read_bytes(), 0o755)
            slow = ("bin/freeze-hook", b"#!/bin/sh\nsleep 0.3\n", 0o755)
            guest = self._stack.enter_context(Guest(ports=(PORT_QGA, PORT_OURS, PORT_BARE), files=(echo, slow)))
            self.guests[name] = InGuest(name, guest, command)
