# SPDX-License-Identifier: MIT
"""old_peer: the Python negotiator's framing, both ends, as docs/protocol.rst has it."""

import json
import os
import socket
import threading


def frame(message):
    text = message if isinstance(message, str) else json.dumps(message)
    return f"{len(text)}\n{text}".encode("ascii")


class OldClosed(Exception):
    """The other end is gone."""


class OldConnection:
    """One end of a connection. Like the Python negotiator, it ends on a line that is not digits."""

    def __init__(self, end, timeout=60):
        self._socket = end
        self._socket.settimeout(timeout)
        self._file = end.makefile("rb")

    def close(self):
        self._file.close()
        self._socket.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def send(self, message):
        """Sends raw bytes, or the frame of anything else."""
        self._socket.sendall(message if isinstance(message, bytes) else frame(message))

    def receive(self):
        line = self._file.readline()
        if not line:
            raise OldClosed
        if not line.strip().isdigit():
            raise ValueError(f"not a byte count: {line!r}")
        text = self._file.read(int(line))
        if len(text) < int(line):
            raise OldClosed
        return json.loads(text)

    def receive_line(self):
        """A line of another protocol."""
        return self._file.readline()

    def call(self, method, *args, **kw):
        self.send({"method": method, "args": args, "kw": kw})
        return self.receive()


class OldClient(OldConnection):
    def __init__(self, path, timeout=60):
        end = socket.socket(socket.AF_UNIX)
        end.settimeout(timeout)
        end.connect(os.fspath(path))
        super().__init__(end, timeout)


class OldServer:
    """Serves one connection after the other, as the daemons do; `methods` maps names to functions, whose
    exceptions are errors. `requests` are those that came, `broken` is what ended a connection."""

    def __init__(self, path, methods):
        self.requests = []
        self.broken = []
        self._methods = methods
        self._server = socket.socket(socket.AF_UNIX)
        self._server.bind(os.fspath(path))
        self._server.listen()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def close(self):
        # Ends accept(), and with it the thread once its client is gone.
        self._server.shutdown(socket.SHUT_RDWR)
        self._thread.join(60)
        self._server.close()

    def _run(self):
        while True:
            try:
                end, _ = self._server.accept()
            except OSError:
                return
            with OldConnection(end) as connection:
                try:
                    while True:
                        connection.send(self._answer(connection.receive()))
                except (OldClosed, OSError):
                    pass
                except ValueError as error:
                    self.broken.append(str(error))

    def _answer(self, request):
        self.requests.append(request)
        try:
            method = self._methods[request["method"]]
            result = method(*request["args"], **request["kw"])
        except Exception as error:  # as the Python negotiator
            return {"success": False, "error": str(error)}
        return {"success": True, "result": result}
