# SPDX-License-Identifier: MIT
"""nego-host with a guest that lies: whatever comes from it, nego-host ends with one message, soon, and shows
nothing that a terminal would obey."""

import base64
import hashlib
import itertools
import json
import os
import resource
import signal
import socket
import subprocess
import sys
import threading
import time

from helpers import tap
from helpers.agent import AgentCase
from helpers.build import program

NEGO_HOST = program("nego-host")
MIB = 1 << 20
ESCAPE = "\x1b[2J\nnego-host: all is well"
ESCAPED = r"\x1b[2J\nnego-host: all is well"

STATUS = {
    "job": "1", "command": "x", "state": "exited", "exited": True, "exitcode": 0,
    "out-data": "", "out-encoding": "utf-8", "out-offset": 0, "out-next": 0, "out-eof": True,
    "err-data": "", "err-encoding": "utf-8", "err-offset": 0, "err-next": 0, "err-eof": True,
    "started-ns": 0, "elapsed-ns": 0, "instance": "i",
}
RUNNING = {**STATUS, "state": "running", "exited": False, "out-eof": False, "err-eof": False}
del RUNNING["exitcode"]
LIMITS = {
    "message-bytes": MIB, "message-tokens": 1, "message-depth": 1, "reply-bytes": 1, "args": 1,
    "arg-bytes": 1, "env": 1, "input-bytes": 1, "output-bytes": 1, "timeout": 1.0, "script-runs": 1,
    "jobs-running": 1, "jobs-queued": 1, "jobs-retained": 1, "jobs-retained-bytes": 1,
    "job-expiry": 1.0, "job-window-bytes": 1, "job-input-bytes": 1,
}
INFO = {"version": "1", "limits": LIMITS, "events": False, "frozen": False, "jobs": 0, "instance": "i",
        "cgroup": False}


def line(**members):
    return json.dumps(members).encode() + b"\n"


def returned(value):
    return line(**{"return": value})


class Guest:
    """Answers each request, but for syncs, with what `answer` makes of it: pieces of bytes, each sent as it comes."""

    def __init__(self, path, answer):
        self.requests = []
        self._answer = answer
        self._server = socket.socket(socket.AF_UNIX)
        self._server.bind(str(path))
        self._server.listen()
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def close(self):
        self._server.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        self._server.close()

    def _serve(self):
        while True:
            try:
                peer, _ = self._server.accept()
            except OSError:
                return
            with peer:
                try:
                    self._talk(peer)
                except OSError:
                    pass  # it hung up

    def _talk(self, peer):
        with peer.makefile("rb") as lines:
            for text in lines:
                request = json.loads(text.lstrip(b"\xff"))
                if request["execute"] == "guest-sync-delimited":
                    peer.sendall(b"\xff" + returned(request["arguments"]["id"]))
                    continue
                self.requests.append(request)
                for piece in self._answer(request):
                    peer.sendall(piece)


class HostileCase(AgentCase):
    def host(self, answer, *args, **options):
        """Runs nego-host against a guest with `answer`."""
        guest = Guest(self.socket, answer)
        options.setdefault("stdin", subprocess.DEVNULL)
        options.setdefault("stdout", subprocess.PIPE)
        if "input" in options:
            del options["stdin"]
        try:
            done = subprocess.run([NEGO_HOST, "--socket", self.socket, *args], check=False, timeout=60,
                                  stderr=subprocess.PIPE, **options)
        finally:
            guest.close()
            self.socket.unlink()
        self.requests = guest.requests
        return done

    def assert_bad(self, status, message, answer, *args, output=b"", **options):
        """nego-host ends with `status` and one message."""
        done = self.host(answer, *args, **options)
        self.assertEqual((done.stderr.decode(), done.stdout, done.returncode),
                         (f"nego-host: {message}\n", output, status))


def always(*pieces):
    return lambda request: pieces


def statuses(*rows):
    """Answers with one row after the other, the last one again and again."""
    rows = list(rows)
    return lambda request: [returned(rows.pop(0) if len(rows) > 1 else rows[0])]


class Hostile(HostileCase):
    def test_wrong_types(self):
        """In every member of a status, and one that nobody knows."""
        junk = (None, True, -1, 1.5, 10**30, ESCAPE, [], {}, [1] * 5000, {ESCAPE: 1})
        for name in (*STATUS, "reason", "signal", "key", "output-still-open", "out-truncated", ESCAPE):
            for value in junk:
                with self.subTest(name=name, value=str(value)[:20]):
                    done = self.host(statuses({**STATUS, name: value}), "exec", "x")
                    self.assertIn(done.returncode, (0, 125))
                    self.assertEqual(done.stdout, b"")
                    if done.returncode == 125:
                        self.assertRegex(done.stderr.decode(), r"\Anego-host: [ -~]+\n\Z")

    def test_exit_status(self):
        for status, message in (
                ({"exitcode": 256}, "exitcode is not from 0 to 255"),
                ({"exitcode": -1}, "exitcode is not from 0 to 255"),
                ({"state": "signalled"}, "signal is not from 1 to 127"),
                ({"state": "signalled", "signal": 128}, "signal is not from 1 to 127"),
                ({"state": "running"}, "state and exited contradict each other"),
                ({"exited": False}, "state and exited contradict each other")):
            self.assert_bad(125, f"the agent's answer makes no sense: {message}",
                            statuses({**STATUS, **status}), "exec", "x")
        # Events may be on their way, but not for ever.
        self.assert_bad(125, "negotiator command 'x' was started (--key k collects it), but: the agent's "
                        "answer makes no sense: it keeps output back",
                        statuses({**STATUS, "out-eof": False}), "exec", "--key", "k", "x")
        without = {name: value for name, value in STATUS.items() if name != "exitcode"}
        self.assert_bad(125, "the agent's answer makes no sense: exitcode is not from 0 to 255",
                        statuses(without), "exec", "x")

    def test_offsets(self):
        first = {**RUNNING, "out-data": "ab", "out-next": 2}
        for second in ({**first, "out-offset": 3, "out-next": 5},
                       {**RUNNING, "out-offset": 2, "out-next": 3},
                       {**RUNNING, "out-offset": 2, "out-next": 1},
                       {**RUNNING, "out-offset": -2, "out-next": -2}):
            self.assert_bad(125, "negotiator command 'x' was started (--key k collects it), but: the "
                            "agent's answer makes no sense: its offsets do not fit its output",
                            statuses(first, second), "exec", "--key", "k", "x", output=b"ab")

    def test_endless_output(self):
        size = 512 << 10

        def answer(request):
            """Events without end, whatever is said of them."""
            if request["execute"] != "negotiator-exec":
                return
            yield returned({**RUNNING, "job": "1"})
            for offset in itertools.count(0, size):
                yield line(event="NEGOTIATOR_OUTPUT", data={
                    "job": "1", "stream": "out", "offset": offset, "encoding": "utf-8", "data": "a" * size})

        done = self.host(answer, "--json", "exec", "--key", "k", "x")
        self.assertEqual((done.stderr.decode(), done.returncode, done.stdout),
                         ("nego-host: negotiator command 'x' was started (--key k collects it), but: the "
                          "agent's answer makes no sense: it has more output than a script can keep\n",
                          125, b""))
        # What is streamed may be without end; it takes no memory.
        ours, theirs = os.pipe()
        count = 0

        def read():
            nonlocal count
            with open(ours, "rb") as pipe:
                while count < 256 * MIB and (data := pipe.read(MIB)):
                    count += len(data)

        reader = threading.Thread(target=read)
        reader.start()
        limits = {}
        if b"__asan_init" not in NEGO_HOST.read_bytes():  # which takes all memory there is
            limits["preexec_fn"] = lambda: resource.setrlimit(resource.RLIMIT_DATA, (32 * MIB, 32 * MIB))
        done = self.host(answer, "exec", "x", stdout=theirs, **limits)
        os.close(theirs)
        reader.join()
        self.assertEqual((done.returncode, done.stderr), (-signal.SIGPIPE, b""))
        self.assertGreaterEqual(count, 256 * MIB)

    def test_answers_at_once(self):
        """It is not asked again and again at full speed."""
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        n = 0

        def answer(_):
            nonlocal n
            n += 1
            return [returned(RUNNING if n <= 1 else STATUS)]

        # One that says nothing unasked is asked every few seconds.
        started = time.monotonic()
        self.assertEqual(self.host(answer, "exec", "x").returncode, 0)
        self.assertGreater(time.monotonic() - started, 4)
        no_events = line(error={"class": "GenericError", "desc": "this channel carries no events"})
        n = 0

        def answer_polls(_):
            nonlocal n
            n += 1
            return [no_events if n == 1 else returned(RUNNING if n <= 20 else STATUS)]

        started = time.monotonic()
        self.assertEqual(self.host(answer_polls, "exec", "x").returncode, 0)
        self.assertGreater(time.monotonic() - started, 18 * 0.05)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        self.assertLess(after.ru_utime - before.ru_utime, 0.5)

    def test_texts(self):
        """No text drives the terminal, or looks like a message of ours."""
        error = always(line(error={"class": "GenericError", "desc": ESCAPE}))
        self.assert_bad(1, ESCAPED, error, "ping")
        self.assert_bad(125, ESCAPED, error, "exec", "x")
        self.assert_bad(126, f"negotiator command 'x' could not be started: {ESCAPED}",
                        statuses({**STATUS, "state": "failed", "reason": ESCAPE}), "exec", "x")
        self.assert_bad(125, f"Parameter 'state' does not accept value '{ESCAPED}'",
                        statuses({**STATUS, "state": ESCAPE}), "exec", "x")
        command = {"name": ESCAPE, "source": "user", "timeout": 1.0, "arguments": False, "enabled": False,
                   "read-only": True, "description": ESCAPE, "reason": ESCAPE}
        done = self.host(always(returned([command])), "commands")
        self.assertEqual(done.stdout.decode(), f"{ESCAPED}  {ESCAPED} (may not run: {ESCAPED})\n")
        done = self.host(always('{"return": "\x7f\u009b\u202e"}\n'.encode()), "qmp", '{"execute":"x"}')
        self.assertEqual(done.stdout, b'{"return": "\\u007F\\u009B\\u202E"}\n')

    def test_replies(self):
        no_reply = f"the agent at '{self.socket}' sent what is no reply: "
        silent = f"the agent does not answer at '{self.socket}': is nego-agent installed and running in the guest?"
        for message, piece, n in (
                (no_reply + "JSON token size limit exceeded", b"x" * MIB, 2),
                (no_reply + "JSON token size limit exceeded", b'{"return": "' + b"x" * MIB, 1),
                (no_reply + "JSON nesting depth limit exceeded", b'{"return": ' + b"[" * 100000, 1),
                (silent, b'{"return": {', 1),
                (silent, b"\xff" * MIB, 30),
                (silent, line(event="X") * 10000, 30)):
            with self.subTest(piece=piece[:20]):
                self.assert_bad(1, message, always(*[piece] * n), "--timeout", "1", "commands")

    def test_message_limit(self):
        limits = {**LIMITS, "message-bytes": 0}
        done = self.host(always(returned({**INFO, "limits": limits})), "exec", "x", *["y" * 100000] * 6)
        self.assertEqual(done.returncode, 125)
        self.assertRegex(done.stderr.decode(),
                         r"\Anego-host: the arguments make a request of \d+ bytes, more than this "
                         r"channel takes \(limit 0\)\n\Z")


class NonBlocking(HostileCase):
    """Standard streams that a program that shares them made non-blocking."""

    def test_output(self):
        size = 512 << 10
        ours, theirs = os.pipe()
        os.set_blocking(theirs, False)
        with open(ours, "rb") as pipe:
            data = []
            reader = threading.Thread(target=lambda: data.append(pipe.read()))
            reader.start()
            done = self.host(statuses({**STATUS, "out-data": "a" * size, "out-next": size}), "exec", "x",
                             stdout=theirs)
            os.close(theirs)
            reader.join()
        self.assertEqual((done.stderr, done.returncode, data), (b"", 0, [b"a" * size]))

    def test_input(self):
        theirs, ours = os.pipe()
        os.set_blocking(theirs, False)

        def write():
            with open(ours, "wb") as pipe:
                pipe.write(bytes(300 << 10))

        total, over = 0, False

        def answer(request):
            nonlocal total, over
            arguments = request["arguments"]
            total += len(base64.b64decode(arguments.get("input-data", "")))
            over = over or arguments.get("eof", False) or (
                request["execute"] == "negotiator-exec" and not arguments.get("input"))
            if request["execute"] == "negotiator-exec-input":
                pieces = [returned({"in-next": total})]
                if over:
                    pieces.append(line(event="NEGOTIATOR_EXITED", data={"job": "1"}))
                return pieces
            return [returned(STATUS if over else RUNNING)]

        writer = threading.Thread(target=write)
        writer.start()
        done = self.host(answer, "exec", "x", stdin=theirs)
        writer.join()
        os.close(theirs)
        self.assertEqual((done.stderr, done.returncode, total), (b"", 0, 300 << 10))


class Copies(HostileCase):
    """nego-host cp."""

    def setUp(self):
        super().setUp()
        self.host_dir = self.dir / "host"
        self.host_dir.mkdir()
        self.target = self.host_dir / "file"
        self.process = None
        self.started = threading.Event()

    def endless(self, size):
        """Answers with a file that says to have `size` bytes, and goes on for ever."""
        piece = bytes(1 << 16)

        def answer(request):
            arguments = request.get("arguments", {})
            if request["execute"] == "guest-file-open":
                return [returned(1)]
            if request["execute"] == "negotiator-file-stat":
                stat = {"regular": True, "size": size, "mode": 0o600, "mtime-ns": 0}
                if arguments["count"] > 0:
                    stat["sha256"] = hashlib.sha256(bytes(arguments["count"])).hexdigest()
                return [returned(stat)]
            if request["execute"] == "guest-file-read":
                return [returned({"count": len(piece), "buf-b64": base64.b64encode(piece).decode(), "eof": False})]
            if request["execute"] == "negotiator-file-create":
                return [returned({"handle": 1, "temporary": "x"})]
            if request["execute"] == "guest-file-write":
                return [returned({"count": len(base64.b64decode(arguments["buf-b64"])), "eof": False})]
            return [returned({})]

        return answer

    def test_no_more_than_told(self):
        done = self.host(self.endless(100000), "cp", ":/f", self.target)
        self.assertEqual((done.stderr, done.returncode, self.target.stat().st_size), (b"", 0, 100000))

    def test_no_size(self):
        self.assert_bad(1, "it has no size, and more than 16777216 bytes", self.endless(0), "cp", ":/f", self.target)
        self.assertEqual(list(self.host_dir.iterdir()), [])

    def interrupt(self, command, pieces, *words, signals=(signal.SIGINT,)):
        """Sends nego-host the signals when it first sends `command`, which is answered with `pieces` (None: as ever).
        Returns its status and its requests."""
        honest = self.endless(1 << 40)
        signalled = []

        def answer(request):
            if request["execute"] == command and not signalled:
                self.started.wait()
                for number in signals:
                    self.process.send_signal(number)
                signalled.append(True)
            if request["execute"] == command and pieces is not None:
                return pieces
            return honest(request)

        guest = Guest(self.socket, answer)
        self.addCleanup(guest.close)
        self.process = subprocess.Popen([NEGO_HOST, "--socket", self.socket, "cp", *words], stdin=subprocess.DEVNULL,
                                        stderr=subprocess.PIPE)
        self.addCleanup(self.process.stderr.close)
        self.addCleanup(self.process.wait)
        self.addCleanup(self.process.kill)
        self.started.set()
        self.assertEqual(self.process.communicate(timeout=60)[1], b"")
        return self.process.returncode, [request["execute"] for request in guest.requests]

    def test_interrupted_out(self):
        status, requests = self.interrupt("guest-file-read", None, ":/f", self.target)
        self.assertEqual((status, requests[-1]), (128 + signal.SIGINT, "guest-file-close"))
        self.assertEqual(list(self.host_dir.iterdir()), [])

    def test_interrupted_in(self):
        with open(self.target, "wb") as file:
            file.truncate(1 << 33)
        status, requests = self.interrupt("guest-file-write", None, self.target, ":/f")
        self.assertEqual((status, requests[-1]), (128 + signal.SIGINT, "guest-file-close"))
        self.assertNotIn("negotiator-file-finish", requests)

    def test_interrupted_twice(self):
        """A guest that does not answer holds nobody up."""
        status, _ = self.interrupt("guest-file-read", [], ":/f", self.target, signals=(signal.SIGINT, signal.SIGTERM))
        self.assertEqual(status, -signal.SIGINT)
        self.assertEqual(list(self.host_dir.iterdir()), [])


class Ended(HostileCase):
    """What ends nego-host before the guest does."""

    def test_reader_that_leaves(self):
        ours, theirs = os.pipe()
        os.close(ours)
        status = {**STATUS, "out-data": "a", "out-next": 1}
        done = self.host(statuses(status), "exec", "x", stdout=theirs)
        os.close(theirs)
        self.assertEqual((done.stderr, done.returncode), (b"", -signal.SIGPIPE))

    def test_reader_that_leaves_a_running_script(self):
        """The answer to the signal is awaited, behind output that nobody takes any more: an agent that writes reads no
        requests, and forgets those of who has left."""
        waited = []
        started = threading.Event()

        def answer(request):
            if request["execute"] == "negotiator-exec":
                return [returned({**RUNNING, "out-data": "a", "out-next": 1})]
            if request["execute"] != "negotiator-exec-signal":
                return [returned({})]
            return after_output()

        def after_output():
            yield line(event="NEGOTIATOR_OUTPUT", data={
                "job": "1", "stream": "out", "offset": 1, "encoding": "utf-8", "data": "b"})
            started.wait()
            try:
                process.wait(1)
            except subprocess.TimeoutExpired:
                waited.append(True)
            yield returned({})

        ours, theirs = os.pipe()
        os.close(ours)
        guest = Guest(self.socket, answer)
        self.addCleanup(guest.close)
        process = subprocess.Popen([NEGO_HOST, "--socket", self.socket, "exec", "x"], stdin=subprocess.DEVNULL,
                                   stdout=theirs, stderr=subprocess.PIPE)
        self.addCleanup(process.stderr.close)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        os.close(theirs)
        started.set()
        self.assertEqual((process.wait(60), process.stderr.read(), waited), (-signal.SIGPIPE, b"", [True]))

    def test_interrupt(self):
        """The first goes to the command. One that does not care does not hold up who means it."""
        asked, told, killed = threading.Event(), threading.Event(), threading.Event()

        def answer(request):
            asked.set()
            name = request["arguments"].get("signal")
            if name == "INT":
                told.set()
            elif name == "KILL":
                killed.set()
            return []

        guest = Guest(self.socket, answer)
        self.addCleanup(guest.close)
        with subprocess.Popen([NEGO_HOST, "--socket", self.socket, "exec", "x"],
                              stdin=subprocess.DEVNULL) as process:
            self.addCleanup(process.kill)
            self.assertTrue(asked.wait(30))
            process.send_signal(signal.SIGINT)
            self.assertTrue(told.wait(30))
            process.send_signal(signal.SIGINT)
            self.assertEqual(process.wait(30), 128 + signal.SIGINT)
            self.assertTrue(killed.is_set())


if __name__ == "__main__":
    sys.exit(tap.main())
