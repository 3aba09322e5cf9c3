# SPDX-License-Identifier: MIT
"""qga: a client of a guest agent on a socket: QEMU's chardev or an agent that listens."""

import itertools
import json
import os
import socket
import time

from helpers.transcript import Transcript


class QgaError(Exception):
    """The agent answered with an error."""

    def __init__(self, error):
        super().__init__(error["desc"])
        self.error_class = error["class"]
        self.desc = error["desc"]


class QgaTimeout(Exception):
    """No answer in time."""


class QgaClosed(Exception):
    """The socket was closed."""


class Qga:
    _ids = itertools.count(int(time.time() * 1000) % 1000000000)

    def __init__(self, path, timeout=30, is_ours=True):
        """`is_ours`: it is no other agent, whose replies need not be as our schema says."""
        self.timeout = timeout
        self._transcript = Transcript(is_ours)
        self._pending = b""
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._socket.settimeout(timeout)
        self._socket.connect(os.fspath(path))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self._socket.close()
        self._transcript.close()

    def fileno(self):
        return self._socket.fileno()

    def send(self, data):
        """Sends raw bytes, or the JSON of anything else."""
        if not isinstance(data, bytes):
            data = json.dumps(data).encode() + b"\n"
        self._transcript.add_sent(data)
        self._socket.sendall(data)

    def stuff(self, requests):
        """Sends of `requests` (bytes each) until the socket takes no more; returns how many went
        whole. If not all did, this client can only read from now on: a part of one may be gone."""
        self._socket.setblocking(False)
        count = 0
        try:
            for request in requests:
                self._transcript.add_sent(request)
                self._socket.sendall(request)
                count += 1
        except BlockingIOError:
            pass
        self._socket.setblocking(True)
        return count

    def receive_line(self, timeout=None):
        """The next line, without its LF."""
        deadline = time.monotonic() + (self.timeout if timeout is None else timeout)
        parts = [self._pending]
        while b"\n" not in parts[-1]:
            try:
                self._socket.settimeout(max(0.001, deadline - time.monotonic()))
                data = self._socket.recv(1 << 20)
            except TimeoutError:
                self._pending = b"".join(parts)
                raise QgaTimeout(f"no answer; so far {self._pending[-200:]!r}") from None
            if not data:
                raise QgaClosed("the socket was closed")
            self._transcript.add_received(data)
            parts.append(data)
        line, _, self._pending = b"".join(parts).partition(b"\n")
        return line

    def receive(self, timeout=None):
        """The next message."""
        return json.loads(self.receive_line(timeout))

    def sync(self, timeout=None):
        """What a careful client does first: resets the agent's parser, then skips what is not the
        answer. Returns the lines that were skipped."""
        ident = next(self._ids)
        self.send(b"\xff" + json.dumps({"execute": "guest-sync-delimited",
                                        "arguments": {"id": ident}}).encode() + b"\n")
        deadline = time.monotonic() + (self.timeout if timeout is None else timeout)
        skipped = []
        while True:
            line = self.receive_line(max(0.001, deadline - time.monotonic()))
            before, delimiter, text = line.rpartition(b"\xff")
            if delimiter and json.loads(text).get("return") == ident:
                if before:
                    skipped.append(before)
                return skipped
            skipped.append(line)

    def command(self, name, /, timeout=None, **arguments):
        """Runs command `name` (members' _ stand for -) and returns what it returns."""
        request = {"execute": name}
        if arguments:
            request["arguments"] = {key.replace("_", "-"): value
                                    for key, value in arguments.items()}
        self.send(request)
        reply = self.receive(timeout)
        if "error" in reply:
            raise QgaError(reply["error"])
        return reply["return"]
