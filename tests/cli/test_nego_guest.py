#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""nego-guest, the agent and nego-hostd: the port between the last two is a socket's connection."""

import json
import pathlib
import socket
import subprocess
import sys
import threading
import unittest

from helpers import tap
from helpers.agent import ENVIRONMENT, NEGO_AGENT
from helpers.build import program
from helpers.hostd import HostdCase

NEGO_GUEST = program("nego-guest")
DEADLINE = 60
USAGE = 2


class Usage(unittest.TestCase):
    def assert_fails(self, message, *arguments, name="nego-guest", status=USAGE):
        done = subprocess.run([name, *arguments], executable=NEGO_GUEST, capture_output=True,
                              text=True, stdin=subprocess.DEVNULL, timeout=DEADLINE, check=False)
        self.assertEqual((done.stderr, done.stdout, done.returncode),
                         (f"{pathlib.Path(name).name}: {message}\n", "", status))

    def test_errors(self):
        self.assert_fails("a verb is needed (nego-guest --help lists them)")
        self.assert_fails("unknown verb 'run' (nego-guest --help lists them)", "run")
        self.assert_fails("unknown option '--nothing'", "--nothing", "list")
        self.assert_fails("option '-t' needs a value", "list", "-t")
        self.assert_fails("option '--json' takes no value", "list", "--json=1")
        self.assert_fails("option '--timeout': 'x' is not a number of seconds from 0 to 2592000",
                          "--timeout", "x", "list")
        self.assert_fails("option '--key': 'a b' is not 1 to 64 letters, digits and '._-'",
                          "--key", "a b", "exec", "x")
        self.assert_fails("'exec' needs COMMAND [ARG…]", "exec")
        self.assert_fails("'list': unexpected argument 'x'", "list", "x")
        self.assert_fails("option '--socket' does not go with '--character-device'",
                          "--socket", "/a", "-c", "/b", "list")
        self.assert_fails("options '-n', '--detach' and '--key' are not for 'ping'", "-n", "ping")

    def test_errors_old(self):
        self.assert_fails("unexpected argument 'x'", "x", name="negotiator-guest")
        self.assert_fails("unknown option '-z'", "-z", name="negotiator-guest")
        self.assert_fails("option '-e' needs a value", "-e", name="negotiator-guest")

    def test_no_agent(self):
        self.assert_fails(
            "cannot connect to '/nonexistent/host.sock': No such file or directory; is the guest, "
            "or the agent, running?", "--socket", "/nonexistent/host.sock", "list", status=1)

    def test_no_device(self):
        self.assert_fails("cannot open '/nonexistent/port': No such file or directory",
                          "-c", "/nonexistent/port", "list", status=1)


class Guest(HostdCase):
    """One guest, with its agent, and its host."""

    def start_both(self):
        """nego-hostd, and an agent whose port a thread joins with nego-hostd's socket."""
        guest = self.add_guest("web")
        self.start("web")
        guest.accept()
        self.port = guest.connection
        self.start_agent()

    def start_agent(self):
        ours, theirs = socket.socketpair()
        self.relays = [threading.Thread(target=self.relay, args=pair, daemon=True)
                       for pair in ((ours, self.port), (self.port, ours))]
        self.addCleanup(self.end_relays, ours)
        for relay in self.relays:
            relay.start()
        self.path = self.dir / "host.sock"
        conf = self.dir / "agent.conf"
        conf.write_text(f"[negotiator]\nhost-port=fd:{theirs.fileno()}\nhost-socket={self.path}\n"
                        "host-socket-group=no-such-group-here\n", encoding="utf-8")
        with theirs:
            agent = subprocess.Popen(
                [NEGO_AGENT, "-m", "unix-listen", "-p", self.dir / "agent.sock", "-c", conf],
                env=ENVIRONMENT, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
                pass_fds=[theirs.fileno()])
        self.addCleanup(agent.stderr.close)
        self.addCleanup(agent.wait)
        self.addCleanup(agent.kill)
        for line in agent.stderr:
            if "find the host" in line:
                break

    @staticmethod
    def relay(source, target):
        try:
            while data := source.recv(1 << 16):
                target.sendall(data)
        except OSError:
            pass

    def end_relays(self, ours):
        for connection in (ours, self.port):
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
        for relay in self.relays:
            relay.join(DEADLINE)
        ours.close()

    def run_guest(self, *arguments, name="nego-guest", data=None):
        where = ["--socket", self.path] if name == "nego-guest" else []
        return subprocess.run([name, *map(str, [*where, *arguments])], executable=NEGO_GUEST,
                              input=data, stdin=subprocess.DEVNULL if data is None else None,
                              capture_output=True, timeout=DEADLINE, check=False)

    def assert_run(self, expected, *arguments, **keywords):
        done = self.run_guest(*arguments, **keywords)
        self.assertEqual((done.returncode, done.stdout, done.stderr), expected, self.diagnostics())

    def test_verbs(self):
        self.add_command("hello", 'echo "hello $NEGOTIATOR_GUEST"; echo problem >&2; exit 3')
        self.add_command("count", "wc -c")
        self.add_rules("[rule all]\nguest=*\ncommand=*\ninput=yes\n")
        self.start_both()
        self.assert_run((0, b"", b""), "wait")
        self.assertRegex(self.run_guest("ping").stdout, rb"\Athe host answered in [\d.]+ ms\n\Z")
        listed = self.run_guest("list").stdout.decode()
        self.assertRegex(listed, r"(?m)^hello\b")
        self.assert_run((3, b"hello web\n", b"problem\n"), "exec", "hello")
        self.assert_run((0, b"100000\n", b""), "exec", "count", data=b"x" * 100000)
        self.assertEqual(self.run_guest("exec", "none").returncode, 127)
        info = json.loads(self.run_guest("--json", "info").stdout)
        self.assertTrue(info["connection"]["connected"])
        self.assertIn("since-ns", info["connection"])
        self.assertRegex(self.run_guest("info").stdout.decode(), r"(?m)^connected since +\d{4}-")

    def test_notify(self):
        self.start_both()
        self.assert_run((0, b"", b""), "notify", "ready")
        self.assert_run((0, b"", b""), "notify", "release=a=b")
        done = self.run_guest("notify", "No=1")
        self.assertEqual((done.returncode, done.stdout), (1, b""))
        self.assertIn(b"name 'No' is not 1 to 64 of", done.stderr)

    def test_programs_at_once(self):
        """Each gets what its own run writes."""
        self.add_command("hello", "echo hello")
        self.start_both()
        self.assert_run((0, b"", b""), "wait")
        programs = [subprocess.Popen([NEGO_GUEST, "--socket", self.path, "exec", "-n", "hello"],
                                     stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                     stderr=subprocess.PIPE) for _ in range(8)]
        for process in programs:
            self.assertEqual(process.communicate(timeout=DEADLINE), (b"hello\n", b""))
            self.assertEqual(process.returncode, 0)

    def test_no_host(self):
        self.port, other = socket.socketpair()
        self.addCleanup(self.port.close)
        self.start_agent()
        # The host is gone before it has said anything.
        other.close()
        done = self.run_guest("-t", "0.1", "wait")
        self.assertEqual(done.returncode, 1)
        self.assertIn(b"nego-guest: the host did not come in time: ", done.stderr)
        self.assertEqual(self.run_guest("exec", "hello").returncode, 125)
        self.assertEqual(self.run_guest("ping").returncode, 1)


if __name__ == "__main__":
    sys.exit(tap.main())
