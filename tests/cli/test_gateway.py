#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The guest's programs and their host: the agent's socket, and at the port's other end a host of
the test's own."""

import json
import os
import pathlib
import socket
import stat
import subprocess
import sys
import tempfile
import threading
import unittest

from helpers import tap
from helpers.agent import ENVIRONMENT, NEGO_AGENT
from helpers.qga import Qga, QgaClosed, QgaError

LOST = "the host connection changed; the command may have run"
DEADLINE = 60


class Host:
    """The port's other end: one request after the other, as the test wants it."""

    def __init__(self, connection):
        self.connection = connection
        self.connection.settimeout(DEADLINE)
        self.pending = b""

    def close(self):
        self.connection.close()

    def read(self):
        """The next request; None at the end."""
        while b"\n" not in self.pending:
            data = self.connection.recv(1 << 16)
            if not data:
                return None
            self.pending += data
        line, _, self.pending = self.pending.partition(b"\n")
        return json.loads(line.lstrip(b"\xff"))

    def write(self, message, before=b""):
        self.connection.sendall(before + json.dumps(message).encode() + b"\n")

    def answer(self, request, value):
        self.write({"return": value, "id": request["id"]})

    def synchronise(self):
        request = self.read()
        assert request["execute"] == "guest-sync-delimited", request
        self.write({"return": request["arguments"]["id"]}, b"\xff")


class GatewayCase(unittest.TestCase):
    def setUp(self):
        directory = tempfile.TemporaryDirectory(prefix="nego-gateway-")
        self.addCleanup(directory.cleanup)
        self.dir = pathlib.Path(directory.name)
        self.path = self.dir / "run" / "host.sock"

    def start(self, *settings, pass_fds=()):
        """Starts the agent, and returns when its socket is there. Its log so far: self.log."""
        conf = self.dir / "agent.conf"
        conf.write_text("\n".join(["[negotiator]", f"host-socket={self.path}",
                                   "host-socket-group=no-such-group-here", *settings, ""]))
        agent = subprocess.Popen(
            [NEGO_AGENT, "-m", "unix-listen", "-p", self.dir / "agent.sock", "-c", conf],
            env=ENVIRONMENT, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
            pass_fds=pass_fds)
        self.addCleanup(agent.stderr.close)
        self.addCleanup(agent.wait)
        self.addCleanup(agent.kill)
        self.log = ""
        for line in agent.stderr:
            self.log += line
            if "find the host" in line or "cannot call the host" in line:
                break
        return agent

    def start_with_host(self, *settings):
        ours, theirs = socket.socketpair()
        with theirs:
            agent = self.start(f"host-port=fd:{theirs.fileno()}", *settings,
                               pass_fds=[theirs.fileno()])
        host = Host(ours)
        self.addCleanup(host.close)
        return agent, host

    def client(self):
        client = Qga(self.path, timeout=DEADLINE, is_ours=False)
        self.addCleanup(client.close)
        return client

    def assert_refused(self, client, message, request):
        client.send(request)
        self.assertEqual(json.loads(client.receive_line())["error"]["desc"], message)


class Gateway(GatewayCase):
    def test_no_port(self):
        self.start(f"host-port=virtio-serial:{self.dir}/no-such-port")
        client = self.client()
        reason = "the port 'negotiator-guest-to-host.0' is not there, or another process holds it"
        self.assert_refused(client, reason, {"execute": "guest-ping"})
        self.assert_refused(client, reason, {"execute": "negotiator-list"})
        client.send({"execute": "negotiator-connection"})
        self.assertEqual(json.loads(client.receive_line())["return"],
                         {"connected": False, "reason": reason, "clients": 1})
        # A sync says only that the agent is there.
        client.send({"execute": "guest-sync", "arguments": {"id": 5}})
        self.assertEqual(json.loads(client.receive_line()), {"return": 5})

    def test_access(self):
        agent, _ = self.start_with_host()
        self.assertIn("there is no group 'no-such-group-here': only root can use", self.log)
        self.assertEqual(stat.S_IMODE(self.path.stat().st_mode), 0o600)
        agent.terminate()
        self.assertEqual(agent.wait(DEADLINE), 0)
        self.assertFalse(self.path.exists())

    def test_no_socket(self):
        """The host's calls are served all the same."""
        self.path = self.dir / "missing" / "run" / "host.sock"
        self.start(f"host-port=virtio-serial:{self.dir}/no-such-port")
        self.assertIn("programs here cannot call the host: failed to make the directory", self.log)
        with Qga(self.dir / "agent.sock", timeout=DEADLINE) as client:
            client.send({"execute": "guest-ping"})
            self.assertEqual(json.loads(client.receive_line()), {"return": {}})

    def test_switched_off(self):
        self.path = self.dir / "host.sock"
        conf = self.dir / "agent.conf"
        conf.write_text(f"[negotiator]\nhost-calls=false\nhost-port=virtio-serial:{self.dir}/none\n"
                        f"host-socket={self.path}\n")
        agent = subprocess.Popen(
            [NEGO_AGENT, "-m", "unix-listen", "-p", self.dir / "agent.sock", "-c", conf],
            env=ENVIRONMENT, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        self.addCleanup(agent.stderr.close)
        self.addCleanup(agent.wait)
        self.addCleanup(agent.kill)
        self.assertIn("negotiator commands", agent.stderr.readline())
        with Qga(self.dir / "agent.sock", timeout=DEADLINE) as client:
            client.send({"execute": "guest-ping"})
            client.receive_line()
        self.assertFalse(self.path.exists())

    def test_calls(self):
        _, host = self.start_with_host()
        host.synchronise()
        client = self.client()
        client.send({"execute": "guest-ping", "id": "mine"})
        self.assertEqual(json.loads(client.receive_line()), {"return": {}, "id": "mine"})
        client.send({"execute": "negotiator-exec", "arguments": {"command": "x", "key": "k"},
                     "id": [1]})
        request = host.read()
        self.assertEqual((request["execute"], request["arguments"]),
                         ("negotiator-exec", {"command": "x", "key": "k"}))
        self.assertIsInstance(request["id"], int)
        host.answer(request, {"job": "j1", "exited": True})
        self.assertEqual(json.loads(client.receive_line()),
                         {"return": {"job": "j1", "exited": True}, "id": [1]})
        client.send({"execute": "no-such"})
        host.write({"error": {"class": "CommandNotFound", "desc": "none"}, "id": host.read()["id"]})
        self.assertEqual(json.loads(client.receive_line()),
                         {"error": {"class": "CommandNotFound", "desc": "none"}})

    def test_fifty_programs(self):
        """More than one user's clients may be: nobody is refused, nothing is mixed up."""
        _, host = self.start_with_host()
        host.synchronise()

        def serve():
            while (request := host.read()) is not None:
                if "request" not in request["arguments"]:
                    host.answer(request, request["arguments"])

        server = threading.Thread(target=serve)
        server.start()
        failures = []

        def call(number):
            try:
                with Qga(self.path, timeout=DEADLINE, is_ours=False) as client:
                    for turn in range(20):
                        arguments = {"n": number, "turn": turn}
                        client.send({"execute": "guest-info", "arguments": arguments, "id": turn})
                        reply = json.loads(client.receive_line())
                        if reply != {"return": arguments, "id": turn}:
                            failures.append(reply)
            except (OSError, QgaClosed, QgaError, ValueError) as error:
                failures.append(error)

        programs = [threading.Thread(target=call, args=[number]) for number in range(50)]
        for program in programs:
            program.start()
        for program in programs:
            program.join()
        host.connection.shutdown(socket.SHUT_RDWR)
        server.join()
        self.assertEqual(failures, [])

    def test_host_lost(self):
        """Each call that is out fails once, and further ones at once."""
        _, host = self.start_with_host()
        host.synchronise()
        clients = [self.client() for _ in range(3)]
        for client in clients:
            client.send({"execute": "negotiator-list", "id": 7})
            host.read()
        host.close()
        for client in clients:
            self.assertEqual(json.loads(client.receive_line()),
                             {"id": 7, "error": {"class": "GenericError", "desc": LOST}})
            self.assert_refused(client, "no host is connected", {"execute": "negotiator-list"})

    def test_host_changed(self):
        """The host was started anew, unseen: it says so, and is synchronised with again."""
        _, host = self.start_with_host()
        host.synchronise()
        client = self.client()
        client.send({"execute": "negotiator-list"})
        host.write({"error": {"class": "GenericError", "desc": "not synchronised"},
                    "id": host.read()["id"]})
        self.assertEqual(json.loads(client.receive_line())["error"]["desc"], LOST)
        host.synchronise()
        client.send({"execute": "negotiator-list"})
        host.answer(host.read(), [])
        self.assertEqual(json.loads(client.receive_line()), {"return": []})

    def test_program_leaves(self):
        """Its waiting is ended on the host."""
        _, host = self.start_with_host()
        host.synchronise()
        with Qga(self.path, timeout=DEADLINE, is_ours=False) as client:
            client.send({"execute": "negotiator-exec", "arguments": {"command": "x", "wait": 600}})
            request = host.read()
        self.assertEqual(host.read()["arguments"], {"request": request["id"]})
        forget = host.read()
        self.assertEqual((forget["execute"], forget["arguments"]),
                         ("negotiator-exec-forget", {"key": request["arguments"]["key"]}))

    def test_stop(self):
        """With programs connected and calls out it ends in order."""
        agent, host = self.start_with_host()
        host.synchronise()
        client = self.client()
        client.send({"execute": "negotiator-list"})
        host.read()
        agent.terminate()
        self.assertEqual(agent.wait(DEADLINE), 0)
        self.assertNotIn("CRITICAL", agent.stderr.read().upper())
        self.assertFalse(os.path.exists(self.path))


if __name__ == "__main__":
    sys.exit(tap.main())
