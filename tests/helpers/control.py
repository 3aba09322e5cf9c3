# SPDX-License-Identifier: MIT
"""control: runs shell scripts in a micro guest, over its second serial port.

It has nothing to do with the agents and the ports under test, so that looking does not disturb.
"""

import base64
import os
import selectors
import socket
import time


class GuestTimeout(Exception):
    """The guest did not answer in time."""


class ControlError(Exception):
    """A script in the guest failed."""


class Control:
    """The host's end: QEMU connects to a socket of ours, so that not a byte is lost."""

    def __init__(self, path):
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._listener.bind(os.fspath(path))
        self._listener.listen(1)
        self._connection = None
        self._pending = b""
        self._id = 0

    def wait_ready(self, timeout, watch=None):
        """Waits until init offers the line. `watch` is a descriptor that becomes readable when
        the guest is gone."""
        deadline = time.monotonic() + timeout
        self._accept(deadline, watch)
        while self._read_line(deadline, watch) != b"ready":
            pass

    def wait_restored(self, timeout):
        """Waits for another QEMU, in which the guest goes on."""
        self._accept(time.monotonic() + timeout)

    def _accept(self, deadline, watch=None):
        self._wait(self._listener, deadline, watch)
        if self._connection is not None:
            self._connection.close()
        self._connection = self._listener.accept()[0]
        self._pending = b""

    def _wait(self, source, deadline, watch=None):
        with selectors.DefaultSelector() as selector:
            selector.register(source, selectors.EVENT_READ)
            if watch is not None:
                selector.register(watch, selectors.EVENT_READ)
            ready = selector.select(max(0, deadline - time.monotonic()))
        if not ready:
            raise GuestTimeout("the guest's control line gave no answer")
        if all(key.fileobj is not source for key, _ in ready):
            raise GuestTimeout("QEMU ended")

    def _read_line(self, deadline, watch=None):
        while b"\n" not in self._pending:
            self._wait(self._connection, deadline, watch)
            data = self._connection.recv(65536)
            if not data:
                raise GuestTimeout("the guest's control line was closed")
            self._pending += data
        line, _, self._pending = self._pending.partition(b"\n")
        return line.rstrip(b"\r")

    def run(self, script, timeout=30):
        """Runs `script` with the guest's sh; returns its exit status and its output."""
        deadline = time.monotonic() + timeout
        self._id += 1
        request = b"%d %s\n" % (self._id, base64.b64encode(script.encode()))
        # The tty's buffer: more is lost when the guest is slow to read.
        assert len(request) < 4096, "the script is too long for the control line"
        self._connection.sendall(request)
        lines = []
        while True:
            line = self._read_line(deadline)
            if line == b"begin %d" % self._id:
                lines = []
            elif line.startswith(b"end %d " % self._id):
                return int(line.split()[2]), base64.b64decode(b"".join(lines)).decode()
            else:
                lines.append(line)

    def check(self, script, timeout=30):
        """As run(), but a failure is an exception; returns the output."""
        status, output = self.run(script, timeout)
        if status != 0:
            raise ControlError(f"'{script}' gave exit status {status}: {output}")
        return output

    def close(self):
        if self._connection is not None:
            self._connection.close()
        self._listener.close()
