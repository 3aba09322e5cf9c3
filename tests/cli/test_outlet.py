# SPDX-License-Identifier: MIT
"""A guest's agent as nego-hostd offers it to local programs: many nego-hosts at once on one port."""

import grp
import json
import os
import queue
import select
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


class SteadyPort:
    """QEMU's socket of a port whose guest or agent starts anew: its client's connection stays. What the client sends
    while there is no agent waits."""

    def __init__(self, path, agent):
        self._agent = agent
        self._server = socket.socket(socket.AF_UNIX)
        self._server.bind(str(path))
        self._server.listen()
        self._agents = queue.Queue()
        self._woken, self._waker = socket.socketpair()
        self._sent = b""
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()
        self.attach()

    def attach(self):
        """There is an agent, or a new one."""
        agent = socket.socket(socket.AF_UNIX)
        agent.connect(str(self._agent))
        self._agents.put(agent)
        self._waker.sendall(b"a")

    def wait_sent(self, text):
        """Waits until the client has sent `text` since the last time."""
        with self._changed:
            if not self._changed.wait_for(lambda: text in self._sent, PATIENCE_S):
                raise AssertionError(f"{text} was not sent: {self._sent}")
            self._sent = b""

    def _serve(self):
        try:
            client, _ = self._server.accept()
        except OSError:
            return
        agent = None
        while True:
            ready = select.select([self._woken, *([client, agent] if agent else [])], [], [])[0]
            if self._woken in ready:
                if self._woken.recv(1) != b"a":
                    break
                agent = self._agents.get()
            elif agent in ready:
                data = self._receive(agent)
                if data:
                    client.sendall(data)
                else:
                    agent.close()
                    agent = None
            elif client in ready:
                data = self._receive(client)
                if not data:
                    break
                with self._changed:
                    self._sent += data
                    self._changed.notify_all()
                try:
                    agent.sendall(data)
                except OSError:
                    pass  # it has just gone
        client.close()
        if agent:
            agent.close()

    @staticmethod
    def _receive(end):
        try:
            return end.recv(65536)
        except OSError:
            return b""

    def close(self):
        self._server.shutdown(socket.SHUT_RDWR)
        self._waker.close()
        self._thread.join(PATIENCE_S)
        self._server.close()
        self._woken.close()
        while not self._agents.empty():
            self._agents.get().close()


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


class OutletCase(HostdCase):
    port_type = Port

    def setUp(self):
        super().setUp()
        scripts = self.trusted / "scripts"
        scripts.mkdir(mode=0o755)
        scripts.chmod(0o755)
        for name, text in SCRIPTS.items():
            is_script = not name.endswith(".conf")
            (scripts / name).write_text("#!/bin/sh\n" + text + "\n" if is_script else text)
            (scripts / name).chmod(0o755 if is_script else 0o644)
        self.conf = self.dir / "agent.conf"
        self.conf.write_text(f"[negotiator]\nguest-commands={scripts}\nchannels=unix-listen:{self.dir}/channel\n"
                             "host-calls=false\n")
        self.agent = self.start_agent()
        self.port = self.port_type(self.dir / "agent.port", self.dir / "channel")
        self.addCleanup(self.port.close)
        self.start(arguments=("--agent-socket", f"web/1={self.dir}/agent.port"))
        self.outlet = self.dir / "guests" / "web%2F1.sock"
        self.wait_connected()

    def start_agent(self):
        process = subprocess.Popen(
            [NEGO_AGENT, "-m", "unix-listen", "-p", self.dir / "qga", "-c", self.conf], env=ENVIRONMENT,
            stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        self.addCleanup(process.stderr.close)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        self.assertIn("negotiator commands", process.stderr.readline())
        return process

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


class Outlet(OutletCase):
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

    def test_files_left_open(self):
        """By more programs than the agent opens files for one: it takes all of them for the same client."""
        for _ in range(70):
            with Qga(self.outlet, PATIENCE_S) as client:
                client.command("guest-file-open", path="/dev/null")

    def test_no_port(self):
        self.port.close()
        (self.dir / "agent.port").unlink()
        status, _, err = self.run_host("ping")
        self.assertEqual(status, 1)
        self.assertNotEqual(err, b"")


class Restarted(OutletCase):
    port_type = SteadyPort

    def setUp(self):
        super().setUp()
        # Nobody ends the script of an agent that was killed but the test, which holds the FIFO's other end.
        os.mkfifo(self.dir / "go")
        self.addCleanup(os.close, os.open(self.dir / "go", os.O_RDWR))
        script = self.trusted / "scripts" / "silent"
        script.write_text(f"#!/bin/sh\nexec cat {self.dir}/go\n")
        script.chmod(0o755)

    def wait_for_job(self, client, job):
        """Of another client's; its reply is still to come."""
        client.send({"execute": "negotiator-exec-status", "arguments": {"job": job, "wait": 60}})
        self.port.wait_sent(b"negotiator-exec-status")

    def check_waits(self):
        """Two clients do not wait for each other: the agent runs requests as they come."""
        with Qga(self.outlet, PATIENCE_S) as waiter, Qga(self.outlet, PATIENCE_S) as other:
            job = other.command("negotiator-exec", command="silent")["job"]
            self.wait_for_job(waiter, job)
            other.command("guest-info")
            other.command("negotiator-exec-signal", job=job, signal="KILL")
            self.assertEqual(json.loads(waiter.receive_line())["return"]["signal"], 9)

    def start_anew(self):
        self.agent.kill()
        self.agent.wait()
        self.agent = self.start_agent()
        self.port.attach()

    def test_agent_with_a_call(self):
        """What it had does not wait for ever, and what comes then is run as it comes."""
        with Qga(self.outlet, PATIENCE_S) as client:
            self.wait_for_job(client, client.command("negotiator-exec", command="silent")["job"])
            self.start_anew()
            error = json.loads(client.receive_line())["error"]
            self.assertEqual(error["desc"], "the connection to the guest changed; the command may have run")
        self.check_waits()


if __name__ == "__main__":
    sys.exit(tap.main())
