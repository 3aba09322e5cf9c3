# SPDX-License-Identifier: MIT
"""qmp: a client of QEMU's monitor, enough to plug devices and to wait for events."""

import json
import os
import socket


class QmpError(Exception):
    """QEMU answered with an error."""


class Qmp:
    def __init__(self, connection):
        self._socket = connection
        self._file = connection.makefile("rb")
        self.events = []
        self._read()  # the greeting
        self.command("qmp_capabilities")

    @classmethod
    def listen(cls, path):
        """A socket that QEMU is told to connect to: it is there before QEMU starts."""
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        listener.bind(os.fspath(path))
        listener.listen(1)
        return listener

    def _read(self):
        line = self._file.readline()
        if not line:
            raise QmpError("QEMU closed its monitor")
        return json.loads(line)

    def command(self, name, /, **arguments):
        """Sends command `name` and returns what it returns."""
        request = {"execute": name, "arguments": arguments}
        self._socket.sendall(json.dumps(request).encode() + b"\n")
        while True:
            message = self._read()
            if "event" in message:
                self.events.append(message)
            elif "error" in message:
                raise QmpError(f"{name}: {message['error']['desc']}")
            else:
                return message["return"]

    def wait_event(self, name, /, timeout=30, **data):
        """Takes the first event `name` whose data has these members; waits for it if need be."""
        def matches(event):
            return event["event"] == name and data.items() <= event.get("data", {}).items()

        self._socket.settimeout(timeout)
        try:
            while True:
                for event in self.events:
                    if matches(event):
                        self.events.remove(event)
                        return event
                self.events.append(self._read())
        finally:
            self._socket.settimeout(None)

    def close(self):
        self._file.close()
        self._socket.close()
