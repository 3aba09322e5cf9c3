# SPDX-License-Identifier: MIT
"""transfers: figures of what carries bytes: files, output of guest-exec, streamed output. As in figures.py."""

import contextlib
import json
import pathlib
import subprocess
import time

from helpers.guest import PORT_OURS
from subjects import OURS, THEIRS, drive, program

# Read and written in pieces of these; the labels of their figures.
PIECES = {"64k": 64 << 10, "1m": 1 << 20}
PING = '{"execute": "guest-ping"}'
TEXT = "yes 'a line of text, as logs have it, 0123456789'"
# What a script prints, and what guest-exec is given that it prints the same.
OUTPUTS = {"zeros": "head -c {} /dev/zero", "text": f"{TEXT} | head -c {{}}"}


def private_bytes(pid):
    text = pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii")
    return sum(int(line.split()[1]) << 10 for line in text.splitlines() if line.startswith("Private_"))


class Transfers:
    """`record` takes (figure, subject, value); `cpu` is the processor of both sides where they share one."""

    def __init__(self, subjects, size, record, cpu):
        self._subjects = subjects
        self._local = {name: subject for name, subject in subjects.local.items() if name in (THEIRS, OURS)}
        self._guests = subjects.guests
        self._size = size
        self._record = record
        self._cpu = cpu
        self.measures = (self.files, self.guest_files, self.guest_freeze, self.kept, self.beside, self.collect, self.stream,
                         self.first_byte)

    def files(self):
        for name, subject in self._local.items():
            for label, piece in PIECES.items():
                result = drive("file", subject.socket, subject.pid, subject.directory / "file", piece,
                               max(self._size.file // piece, 1), cpu=self._cpu, bind=subject.pid)
                self._record(f"read-{label}", name, result["read"])
                self._record(f"write-{label}", name, result["write"])

    def guest_files(self):
        for name, subject in self._guests.items():
            result = drive("file", subject.socket, 0, "/tmp/file", self._size.guest_piece,
                           self._size.guest_pieces)
            self._record("guest-read", name, result["read"])
            self._record("guest-write", name, result["write"])

    def guest_freeze(self):
        """A ping while a hook is run before a freeze; qemu-ga has one channel, and is busy."""
        for name, subject in self._guests.items():
            other = subject.guest.socket_path(PORT_OURS) if name == OURS else "-"
            wall = drive("beside", subject.socket, other, 1, PING, '{"execute": "guest-fsfreeze-freeze"}', PING)["wall"]
            drive("request", subject.socket, 0, 1, 1, '{"execute": "guest-fsfreeze-thaw"}', "return")
            self._record("guest-freeze", name, wall)

    def kept(self):
        for name, subject in self._local.items():
            path = subject.directory / "file"
            self._record("kept", name, drive("kept", subject.socket, subject.pid, path, self._size.piece,
                                             self._size.kept_ms)["kept"])

    def beside(self):
        """qemu-ga has one channel: there the ping is behind the read."""
        for name, subject in self._local.items():
            path = subject.directory / "file"
            with open(path, "wb") as file:
                file.write(bytes(self._size.piece))
            other = subject.socket if name == OURS else "-"
            start = json.dumps({"execute": "guest-file-open", "arguments": {"path": str(path)}})
            read = '{"execute": "guest-file-read", "arguments": {"handle": %%s, "count": %d}}' % self._size.piece
            self._record("beside", name, drive("beside", subject.socket, other, 3, start, read, PING)["wall"])

    def collect(self):
        for name in self._local:
            self._record("collect", name, self._collect(name, "zeros"))

    def _collect(self, name, output):
        """What guest-exec gives when it has ended; nanoseconds for each MiB."""
        size = self._size.collected
        start = json.dumps({"execute": "guest-exec", "arguments": {
            "path": "/bin/sh", "arg": ["-c", OUTPUTS[output].format(size)], "capture-output": True}})
        return drive("collect", self._local[name].socket, 1, start, size)["wall"] / (size >> 20)

    def _spawn_host(self, *arguments):
        return subprocess.Popen([program("nego-host"), "--socket", self._subjects.port, "exec", "-n",
                                 *map(str, arguments)], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)

    def stream(self):
        """Nanoseconds for each MiB, and how much more memory the two programs have meanwhile."""
        for figure, output in (("stream", "zeros"), ("stream-text", "text")):
            if OURS in self._local and program("nego-host"):
                began = time.monotonic_ns()
                self._stream(output)
                self._record(figure, OURS, (time.monotonic_ns() - began) / (self._size.streamed >> 20))
            if THEIRS in self._local:
                self._record(figure, THEIRS, self._collect(THEIRS, output))
        if OURS in self._local and program("nego-host"):
            self._stream("zeros", memory=True)

    def _stream(self, output, memory=False):
        size, total = self._size.streamed, 0
        agent = self._local[OURS].pid
        before = private_bytes(agent)
        most, samples = before, []
        with self._spawn_host(output, size) as process:
            while data := process.stdout.read(1 << 20):
                total += len(data)
                # Its end may be near, and with it that of the process.
                if memory and total < size:
                    with contextlib.suppress(OSError):
                        samples.append(private_bytes(process.pid))
                    most = max(most, private_bytes(agent))
        if (process.returncode, total) != (0, size):
            raise subprocess.CalledProcessError(process.returncode, output, stderr=f"{total} bytes of {size}")
        if memory:
            self._record("stream-agent", OURS, most - before)
            self._record("stream-host", OURS, max(samples) - self._idle_host() if samples else 0)

    def _idle_host(self):
        """The memory of a nego-host that waits."""
        with self._spawn_host("stamp") as process:
            process.stdout.readline()
            memory = private_bytes(process.pid)
            process.stdout.read()
        return memory

    def first_byte(self):
        if OURS not in self._local or not program("nego-host"):
            return
        for _ in range(self._size.stamps):
            with self._spawn_host("stamp") as process:
                written = int(process.stdout.readline())
                self._record("first-byte", OURS, time.time_ns() - written)
                process.stdout.read()
