#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""nego-hostd with a guest that means harm: other guests are served all the same, and neither the memory nor the log
grows."""

import os
import pathlib
import random
import selectors
import sys
import time

from helpers import tap
from helpers.hostd import NEGO_HOSTD, PATIENCE_S, HostdCase

MIB = 1 << 20
PING = b'{"execute":"guest-ping","id":1}\n'
# Of the whole daemon, whatever two guests do.
MEMORY = 160 * MIB
SANITIZED = b"__asan_init" in pathlib.Path(NEGO_HOSTD).read_bytes()


class Hostile(HostdCase):
    def setUp(self):
        super().setUp()
        self.add_command("hello", "echo hello")
        self.guest = self.add_guest("bad")
        self.other = self.add_guest("good")
        self.hostd = None
        self.begun = 0.0

    def begin(self):
        self.begun = time.monotonic()
        self.hostd = self.start("bad", "good")
        self.guest.start()
        self.other.start()

    def assert_fine(self):
        """The other guest is served, and the memory is below its cap."""
        self.assertEqual(self.other.run("hello")["out-data"], "hello\n")
        status = pathlib.Path(f"/proc/{self.hostd.pid}/status").read_text(encoding="utf-8")
        peak, = [int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM:")]
        if not SANITIZED:
            self.assertLess(peak << 10, MEMORY)

    def assert_quiet(self, text):
        """The log has 10 lines with `text` at once, and one more each 10 seconds."""
        self.assertLessEqual(len([line for line in self.log.lines() if text in line]),
                             11 + (time.monotonic() - self.begun) / 10)

    def drain(self):
        """Until the guest is answered again, whatever comes before that."""
        self.guest.sync()

    def push(self, data, times=1):
        """Sends without reading, as much as is taken within some time; returns how many times whole."""
        connection = self.guest.connection
        connection.settimeout(0.5)
        try:
            for count in range(times):
                connection.sendall(data)
        except TimeoutError:
            return count
        finally:
            connection.settimeout(PATIENCE_S)
        return times

    def test_flood_unread(self):
        self.begin()
        self.push(PING * 100, 1000)
        self.assert_fine()
        self.assertEqual(self.other.call("guest-ping")["return"], {})

    def test_ten_thousand_calls(self):
        """All are answered, those above the quota with an error."""
        self.begin()
        sent, refused, answered, rest = 0, 0, 0, b""
        connection = self.guest.connection
        data = PING * 10000
        connection.setblocking(False)
        with selectors.DefaultSelector() as selector:
            selector.register(connection, selectors.EVENT_READ | selectors.EVENT_WRITE)
            while answered < 10000:
                (_, events), = selector.select(PATIENCE_S)
                if events & selectors.EVENT_WRITE:
                    sent += connection.send(data[sent:sent + (1 << 16)])
                    if sent == len(data):
                        selector.modify(connection, selectors.EVENT_READ)
                if events & selectors.EVENT_READ:
                    *lines, rest = (rest + connection.recv(1 << 16)).split(b"\n")
                    answered += len(lines)
                    refused += sum(b"too many calls (limit 1000 a second)" in line for line in lines)
        connection.settimeout(PATIENCE_S)
        self.assert_fine()
        self.assert_quiet("times a second")
        if refused == 0:
            self.skipTest("this machine takes longer than the quota allows for")

    def test_half_message(self):
        self.begin()
        self.guest.send(b'{"execute":"guest-ping","id":"' + b"x" * (MIB - 1000))
        self.assert_fine()
        self.drain()

    def test_resets_by_byte(self):
        self.begin()
        self.push(b"\xff" * MIB, 20)
        self.assert_fine()
        self.push(b'\xff{"execute"' * 10000, 20)
        self.assert_fine()

    def test_garbage(self):
        self.begin()
        noise = random.Random(1)
        for _ in range(10):
            self.push(noise.randbytes(100000))
            self.assert_fine()
        self.push(b"{" * 100000 + b"[" * 100000 + b'"' * 99999)
        self.assert_fine()

    def test_ids(self):
        self.begin()
        for ident in (b'"' + b"x" * 900000 + b'"', b"[" * 20 + b"]" * 20, b"null", b"1" * 5000, b'"\\u0000"'):
            self.guest.send(b'{"execute":"guest-ping","id":' + ident + b"}\n")
            self.guest.receive_line()
            self.assert_fine()

    def test_synchronisations(self):
        self.begin()
        errors = []
        for _ in range(100):
            ident = self.guest.send_sync()
            reply = self.guest.receive()
            if reply != {"return": ident}:
                errors.append(reply["error"]["desc"])
        self.assertLessEqual(set(errors), {"too many synchronisations (limit 1 a second)"})
        self.assert_fine()
        if not errors:
            self.skipTest("this machine takes longer than the quota allows for")

    def test_connections(self):
        """A socket that is closed again and again is not connected to as often."""
        self.begin()
        for _ in range(8):
            self.guest.hang_up()
            self.guest.accept()
        self.assert_fine()
        self.guest.sync()

    def test_refused_calls(self):
        self.begin()
        for _ in range(1000):
            self.assertIn("is refused by", self.guest.error("negotiator-exec", command="hello", arg=["x"]))
        self.assert_quiet("is refused by")
        self.assert_fine()

    def test_forged_names(self):
        self.add_rules("[rule any]\nguest = *\ncommand = who\nenvironment = yes\n")
        self.add_command("who", "echo $NEGOTIATOR_GUEST")
        self.begin()
        self.assertIn("environment variable 'NEGOTIATOR_GUEST' is never admitted",
                      self.guest.error("negotiator-exec", command="who", env=["NEGOTIATOR_GUEST=good"]))
        self.guest.send({"execute": "negotiator-exec", "guest": "good", "arguments": {"command": "who"}})
        self.assertIn("error", self.guest.receive())
        self.assertIn("error", self.guest.call("negotiator-exec", command="who", guest="good"))
        self.assertEqual(self.guest.run("who")["out-data"], "bad\n")

    def test_runs(self):
        """4 run, 64 wait, and one more is refused; the other guest has places of its own."""
        fifo = self.dir / "fifo"
        os.mkfifo(fifo)
        self.add_command("hang", f"read -r line <{fifo}")
        self.begin()
        for _ in range(68):
            self.assertIn("return", self.guest.call("negotiator-exec", command="hang", wait=0))
        self.assertEqual(self.guest.error("negotiator-exec", command="hang", wait=0),
                         "too many queued jobs (limit 64)")
        states = [job["state"] for job in self.guest.call("negotiator-jobs")["return"]]
        self.assertEqual((states.count("running"), states.count("queued")), (4, 64))
        self.assert_fine()
        self.guest.hang_up()
        self.guest.start()
        for job in self.guest.call("negotiator-jobs")["return"]:
            self.guest.call("negotiator-exec-forget", job=job["job"])
        self.assert_fine()

    def test_output(self):
        """Each run fills what is kept; the oldest are forgotten."""
        self.add_command("large", "head -c 5000000 /dev/zero; head -c 5000000 /dev/zero >&2")
        self.begin()
        for _ in range(10):
            self.assertTrue(self.guest.run("large")["out-truncated"])
        kept = self.guest.call("negotiator-jobs")["return"]
        self.assertLessEqual(sum(job["out-next"] + job["err-next"] for job in kept), 16 * MIB)
        self.assert_fine()

    def test_notes(self):
        self.begin()
        for n in range(500):
            self.guest.call("negotiator-notify", name=f"n{n}", value="x" * 4096)
        self.assert_fine()


if __name__ == "__main__":
    sys.exit(tap.main())
