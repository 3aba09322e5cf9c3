# SPDX-License-Identifier: MIT
"""A guest's agent as nego-hostd offers it to local programs: many nego-hosts at once on one port."""

import grp
import json
import os
import queue
import socket
import stat
import subprocess
import sys
import threading

from helpers import tap
from helpers.agent import ENVIRONMENT, NEGO_AGENT
from helpers.build import program
from helpers.hostd import PATIENCE_S, HostdCase
from helpers.qga import Qga

NEGO_HOST = program("nego-host")
SCRIPTS = {
    "copy": "cat",
    "hang": "echo started; exec sleep 1000",
    "hang.conf": "[Command]\nTimeout=900\n",
    "who.conf": "[Command]\nConcurrency=64\n",
    "who": "echo \"$1\"; exit 3",
}
PROGRAMS = 20


class Port:
    """QEMU's socket of a port with an agent behind it: one client at a time, the next ones wait in its backlog."""

    def __init__(self, path, agent):
        self._agent = agent
        self._server = socket.socket(socket.AF_UNIX)
        self._server.bind(str(path))
        self._server.listen()
        self._ends = []
        self.connected = queue.Queue()
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def _serve(self):
        while True:
            try:
                client, _ = self._server.accept()
            except OSError:
                return
            agent = socket.socket(socket.AF_UNIX)
            agent.connect(str(self._agent))
            self._ends = [client, agent]
            self.connected.put(True)
            back = threading.Thread(target=self._pass, args=(agent, client))
            back.start()
            self._pass(client, agent)
            back.join()
            client.close()
            agent.close()

    @staticmethod
    def _pass(source, sink):
        try:
            while data := source.recv(65536):
                sink.sendall(data)
        except OSError:
            pass
        for end in (source, sink):
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def cut(self):
        """As when QEMU's client is thrown out."""
        for end in self._ends:
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def close(self):
        if self._server.fileno() < 0:
            return
        self._server.shutdown(socket.SHUT_RDWR)
        self.cut()
        self._thread.join(PATIENCE_S)
        self._server.close()


class Access(HostdCase):
    """Who may use the socket of a guest: the daemon looks for the guest's port by itself, there need be none."""

    def find_mode(self, text):
        conf = self.dir / "hostd.conf"
        conf.write_text(f"[hostd]\n{text}", encoding="utf-8")
        # The last one counts.
        self.start(arguments=("--config", conf, "--agent-socket", f"web={self.dir}/agent.port"))
        found = (self.dir / "guests" / "web.sock").stat()
        return stat.S_IMODE(found.st_mode), grp.getgrgid(found.st_gid).gr_name

    def test_group_and_mode(self):
        own = grp.getgrgid(os.getegid()).gr_name
        self.assertEqual(self.find_mode(f"guests-group={own}\nguests-mode=0606\n"), (0o606, own))

    def test_no_such_group(self):
        """Nobody else then."""
        self.assertEqual(self.find_mode("group=no-such-group-here\nguests-mode=0666\n")[0], 0o600)
        self.assertEqual(stat.S_IMODE(self.control.stat().st_mode), 0o600)
        self.log.wait("there is no group 'no-such-group-here'")

    def test_as_the_control_socket(self):
        own = grp.getgrgid(os.getegid()).gr_name
        self.assertEqual(self.find_mode(f"group={own}\n"), (0o660, own))


class Outlet(HostdCase):
    def setUp(self):
        super().setUp()
        scripts = self.trusted / "scripts"
        scripts.mkdir(mode=0o755)
        scripts.chmod(0o755)
        for name, text in SCRIPTS.items():
            is_script = not name.endswith(".conf")
            (scripts / name).write_text("#!/bin/sh\n" + text + "\n" if is_script else text)
            (scripts / name).chmod(0o755 if is_script else 0o644)
        conf = self.dir / "agent.conf"
        conf.write_text(f"[negotiator]\nguest-commands={scripts}\nchannels=unix-listen:{self.dir}/channel\n"
                        "host-calls=false\n")
        self.start_agent(conf)
        self.port = Port(self.dir / "agent.port", self.dir / "channel")
        self.addCleanup(self.port.close)
        self.start(arguments=("--agent-socket", f"web/1={self.dir}/agent.port"))
        self.outlet = self.dir / "guests" / "web%2F1.sock"
        self.wait_connected()

    def start_agent(self, conf):
        process = subprocess.Popen(
            [NEGO_AGENT, "-m", "unix-listen", "-p", self.dir / "qga", "-c", conf], env=ENVIRONMENT,
            stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        self.addCleanup(process.stderr.close)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        self.assertIn("negotiator commands", process.stderr.readline())

    def wait_connected(self):
        with Qga(self.outlet, timeout=PATIENCE_S) as client:
            connection = client.command("negotiator-connection", wait=PATIENCE_S)
        self.assertEqual((connection["connected"], connection["port"]), (True, f"{self.dir}/agent.port"))

    def host(self, *args, **options):
        return subprocess.Popen([NEGO_HOST, "--socket", self.outlet, *map(str, args)], stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE, **{"stdin": subprocess.DEVNULL, **options})

    def run_host(self, *args, data=None):
        with self.host(*args, stdin=subprocess.PIPE) as process:
            out, err = process.communicate(data, timeout=PATIENCE_S)
            return process.returncode, out, err

    def test_socket(self):
        mode = self.outlet.stat().st_mode
        self.assertTrue(stat.S_ISSOCK(mode))
        self.assertEqual(mode & 0o007, 0)

    def test_many_programs(self):
        """Nothing is refused, nothing is mixed up."""
        processes = [self.host("exec", "who", number) for number in range(PROGRAMS)]
        for number, process in enumerate(processes):
            with process:
                out, err = process.communicate(timeout=PATIENCE_S)
                self.assertEqual((out, err, process.returncode), (f"{number}\n".encode(), b"", 3))

    def test_streaming(self):
        data = os.urandom(3 << 20)
        self.assertEqual(self.run_host("exec", "copy", data=data), (0, data, b""))

    def test_jobs_and_kill(self):
        """Of another nego-host's run."""
        with self.host("exec", "hang") as running:
            self.assertEqual(running.stdout.readline(), b"started\n")
            status, out, _ = self.run_host("jobs", "--json")
            self.assertEqual(status, 0)
            job, = json.loads(out)
            self.assertEqual(job["command"], "hang")
            self.assertEqual(self.run_host("kill", job["job"])[0], 0)
            out, _ = running.communicate(timeout=PATIENCE_S)
            self.assertEqual((out, running.returncode), (b"", 128 + 15))

    def test_connection_lost(self):
        self.port.connected.get(timeout=PATIENCE_S)
        for _ in range(3):
            self.port.cut()
            # Anew, not what was there before.
            self.port.connected.get(timeout=PATIENCE_S)
            self.wait_connected()
            self.assertEqual(self.run_host("exec", "who", "x")[:2], (3, b"x\n"))

    def test_no_port(self):
        self.port.close()
        (self.dir / "agent.port").unlink()
        status, _, err = self.run_host("ping")
        self.assertEqual(status, 1)
        self.assertNotEqual(err, b"")


if __name__ == "__main__":
    sys.exit(tap.main())
