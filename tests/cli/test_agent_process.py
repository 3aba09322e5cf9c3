# SPDX-License-Identifier: MIT
"""agent-process: the agent's life as a process: start, daemon, pid file, log file, signals, idling."""

import base64
import contextlib
import os
import pathlib
import random
import re
import resource
import select
import signal
import socket
import struct
import subprocess
import sys
import tempfile

from helpers import tap
from helpers.agent import ENVIRONMENT, NEGO_AGENT, AgentCase, run, safe_directory
from helpers.qga import Qga, QgaError

STARTS = 1000
AT_ONCE = 4


class Daemon(AgentCase):
    def setUp(self):
        super().setUp()
        self.pidfile = self.dir / "pid"
        self.args = ["-d", "-m", "unix-listen", "-p", self.socket, "-f", self.pidfile]

    def daemonize(self, *args, **kwargs):
        """Returns the daemon's pid; it serves by then."""
        result = run(*self.args, *args, **kwargs)
        self.assertEqual((result.returncode, result.stdout), (0, ""), result.stderr)
        pid = int(self.pidfile.read_text())
        self.addCleanup(self.end, pid)
        return pid

    def end(self, pid, signum=signal.SIGTERM):
        """Sends the signal and returns once the process is gone."""
        try:
            descriptor = os.pidfd_open(pid)
        except ProcessLookupError:
            return
        with open(descriptor, "rb"):
            signal.pidfd_send_signal(descriptor, signum)
            select.select([descriptor], [], [], 30)

    def test_life(self):
        pid = self.daemonize()
        self.assertEqual(self.pidfile.read_text(), f"{pid}\n")
        self.assertEqual(self.pidfile.stat().st_mode & 0o7777, 0o600)
        self.assertEqual(os.getsid(pid), pid)
        proc = pathlib.Path(f"/proc/{pid}")
        self.assertEqual(os.readlink(proc / "cwd"), "/")
        self.assertIn("Umask:\t0022\n", (proc / "status").read_text())
        for descriptor in range(3):
            self.assertEqual(os.readlink(proc / "fd" / str(descriptor)), "/dev/null")
        with Qga(self.socket) as client:
            self.assertEqual(client.command("guest-ping"), {})
        self.end(pid)
        self.assertFalse(self.pidfile.exists())
        self.assertFalse(self.socket.exists())

    def test_frozen_by_an_earlier_agent(self):
        """Nothing is written before the thaw, the pid file neither: it might be on a frozen file system."""
        (self.dir / "qga.state.isfrozen").touch()
        result = run(*self.args, "-t", self.dir)
        self.assertEqual((result.returncode, result.stdout), (0, ""), result.stderr)
        with socket.socket(socket.AF_UNIX) as peer:
            peer.connect(str(self.socket))
            pid, _, _ = struct.unpack("3i", peer.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))
        self.addCleanup(self.end, pid)
        self.assertFalse(self.pidfile.exists())
        with Qga(self.socket) as client:
            self.assertEqual(client.command("guest-fsfreeze-status"), "frozen")
            # Without the right to thaw, or without a file system that can be, that is said.
            with contextlib.suppress(QgaError):
                client.command("guest-fsfreeze-thaw")
            self.assertEqual(client.command("guest-fsfreeze-status"), "thawed")
        self.assertEqual(self.pidfile.read_text(), f"{pid}\n")
        self.end(pid)
        self.assertFalse(self.pidfile.exists())

    def test_second_daemon_fails_and_leaves_the_first_alone(self):
        pid = self.daemonize()
        self.assert_fails(f"failed to lock the pid file '{self.pidfile}': process {pid} has it",
                          *self.args)
        self.assert_fails(f"another process listens on '{self.socket}'", *self.args,
                          "-f", self.dir / "other")
        self.assertFalse((self.dir / "other").exists())
        self.assertEqual(self.pidfile.read_text(), f"{pid}\n")
        with Qga(self.socket) as client:
            self.assertEqual(client.command("guest-ping"), {})

    def test_killed_daemon_is_no_obstacle(self):
        self.end(self.daemonize(), signal.SIGKILL)
        self.assertTrue(self.socket.exists())
        self.assertTrue(self.pidfile.exists())
        self.daemonize()
        with Qga(self.socket) as client:
            self.assertEqual(client.command("guest-ping"), {})

    def test_failure_is_the_parents_status(self):
        self.assert_fails("failed to open the pid file '/nonexistent/pid': No such file or "
                          "directory", *self.args, "-f", "/nonexistent/pid")
        self.assert_fails("failed to listen on '/nonexistent/socket': No such file or directory",
                          *self.args, "-p", "/nonexistent/socket")
        self.assertFalse(self.pidfile.exists())

    def test_paths_are_the_callers(self):
        self.daemonize("-p", "relative", "-f", "pid", "-l", "log", "-t", ".",
                       "--channel", "unix-listen:another", cwd=self.dir)
        for name in ("relative", "another"):
            with Qga(self.dir / name) as client:
                self.assertEqual(client.command("guest-ping"), {})
        self.assertIn(": message: server: ", (self.dir / "log").read_text())
        self.assertEqual((self.dir / "log").stat().st_mode & 0o7777, 0o600)

    def test_configured(self):
        conf = self.write("conf", f"[general]\ndaemon=1\nmethod=unix-listen\npath={self.socket}\n"
                                  f"pidfile={self.pidfile}\n")
        self.args = ["-c", conf]
        self.daemonize()


class Audit(AgentCase):
    """What the log says of scripts, and what it never says."""

    def setUp(self):
        super().setUp()
        directory = tempfile.TemporaryDirectory(prefix=".nego-audit-", dir=safe_directory())
        self.addCleanup(directory.cleanup)
        self.scripts = pathlib.Path(directory.name)
        self.scripts.chmod(0o755)
        self.log = self.dir / "log"
        script = self.scripts / "x"
        script.write_text("#!/bin/sh\necho $2; cat; echo secret-error >&2; exit 3\n")
        script.chmod(0o755)
        config = self.scripts / "x.conf"
        config.write_text("[Command]\nAllowEnvironment=A\nEnvironment=B=secret-set\n")
        config.chmod(0o644)
        conf = self.write("agent.conf", f"[negotiator]\nguest-commands={self.scripts}\n")
        self.pidfile = self.dir / "pid"
        result = run("-v", "-d", "-m", "unix-listen", "-p", self.socket, "-c", conf, "-l", self.log, "-f",
                     self.pidfile, env={**ENVIRONMENT, "G_MESSAGES_DEBUG": "all"})
        self.assertEqual((result.stderr, result.returncode), ("", 0))
        self.pid = int(self.pidfile.read_text())
        self.end = os.pidfd_open(self.pid)
        self.addCleanup(os.close, self.end)
        self.addCleanup(self.stop)

    def stop(self):
        with contextlib.suppress(ProcessLookupError):
            signal.pidfd_send_signal(self.end, signal.SIGTERM)
        select.select([self.end], [], [])

    def test_records(self):
        with Qga(self.socket) as client:
            for argument in "secret-argument", "secret-argument", "another":
                status = client.command("negotiator-exec", command="x", arg=["-", argument], env=["A=secret-env"],
                                        **{"input-data": base64.b64encode(b"secret-input").decode()})
                self.assertEqual(status["exitcode"], 3)
            client.command("negotiator-exec-status", job=status["job"])
        self.stop()
        log = self.log.read_text()
        self.assertNotIn("secret", log)
        self.assertNotIn(base64.b64encode(b"secret-input").decode(), log)
        started = re.findall(rf"(?m)^\d+\.\d+: message: audit: job [0-9a-f]{{32}}: 'x' is started for unix-listen:"
                             rf"{re.escape(str(self.socket))} \(process {os.getpid()}, user {os.getuid()}\) "
                             rf"\(arguments ([0-9a-f]{{32}})\)$", log)
        self.assertEqual(len(started), 3)
        self.assertEqual(started[0], started[1])
        self.assertNotEqual(started[0], started[2])
        self.assertEqual(len(re.findall(r"(?m)^\d+\.\d+: message: audit: job [0-9a-f]{32}: 'x' has ended after "
                                        r"\d+\.\d{3} s: exited 3$", log)), 3)


class Foreground(AgentCase):
    def test_pid_file_is_the_daemons_only(self):
        self.start("-f", self.dir / "pid")
        self.assertFalse((self.dir / "pid").exists())

    def test_each_signal_ends_it(self):
        for signum in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            with self.subTest(signum):
                agent = self.start()
                agent.send_signal(signum)
                self.assertEqual(agent.wait(), 0)
                self.assertFalse(self.socket.exists())

    def test_nohup(self):
        def ignore_hangup():
            signal.signal(signal.SIGHUP, signal.SIG_IGN)
        agent = self.start(preexec_fn=ignore_hangup)
        agent.send_signal(signal.SIGHUP)
        with Qga(self.socket) as client:
            self.assertEqual(client.command("guest-ping"), {})
        agent.terminate()
        self.assertEqual(agent.wait(), 0)

    def test_children_are_reaped(self):
        def ignore_children():
            signal.signal(signal.SIGCHLD, signal.SIG_IGN)
        conf = self.write("conf", "[negotiator]\nguest-commands = /usr/bin\n")
        self.start("-c", conf, preexec_fn=ignore_children)
        with Qga(self.socket) as client:
            job = client.command("negotiator-exec", command="false")
        self.assertEqual((job["state"], job["exitcode"]), ("exited", 1))

    def test_pipe_without_a_reader(self):
        agent = self.start("-v")
        agent.stderr.close()
        for _ in range(3):
            with Qga(self.socket) as client:
                self.assertEqual(client.command("guest-ping"), {})
        agent.terminate()
        self.assertEqual(agent.wait(), 0)

    def test_log_that_nobody_reads(self):
        """More lines than the pipe holds: the agent goes on."""
        agent = self.start("-v")
        for _ in range(1000):
            with Qga(self.socket) as client:
                self.assertEqual(client.command("guest-ping"), {})
        agent.terminate()
        self.assertEqual(agent.wait(), 0)
        self.assertIn(" debug: ", agent.stderr.read())

    def test_standard_descriptors_closed(self):
        """A channel must not become what a script takes for its standard input."""
        pid = os.posix_spawn(
            NEGO_AGENT, [NEGO_AGENT, "-d", "-m", "unix-listen", "-p", self.socket,
                         "-f", self.dir / "pid"], ENVIRONMENT,
            file_actions=[(os.POSIX_SPAWN_CLOSE, fd) for fd in range(3)])
        self.assertEqual(os.waitpid(pid, 0)[1], 0)
        daemon = int((self.dir / "pid").read_text())
        self.addCleanup(os.kill, daemon, signal.SIGTERM)
        for descriptor in range(3):
            self.assertEqual(os.readlink(f"/proc/{daemon}/fd/{descriptor}"), "/dev/null")
        with Qga(self.socket) as client:
            self.assertEqual(client.command("guest-ping"), {})

    def answer(self, client, name):
        client.send({"execute": name})
        return client.receive()

    def test_lists_decide(self):
        conf = self.write("conf", "[general]\nblock-rpcs=guest-info\n[negotiator]\ncommands=none\n")
        self.start("-c", conf, "-a", "guest-ping, guest-info")
        refused = "Command {} has been disabled: the command is not allowed"
        with Qga(self.socket) as client:
            self.assertEqual(self.answer(client, "guest-ping"), {"return": {}})
            for name in ("guest-info", "negotiator-list"):
                self.assertEqual(self.answer(client, name)["error"], {
                    "class": "CommandNotFound", "desc": refused.format(name)})

    def test_live_socket_is_an_error(self):
        self.start()
        self.assert_fails(f"another process listens on '{self.socket}'",
                          "-m", "unix-listen", "-p", self.socket)
        self.write("file", "")
        self.assert_fails(f"failed to listen on '{self.dir / 'file'}': it is no socket",
                          "-m", "unix-listen", "-p", self.dir / "file")

    def test_inherited_connection(self):
        """The agent ends with the last channel that could say anything."""
        ours, theirs = socket.socketpair()
        with ours:
            descriptor = str(theirs.fileno())
            agent = subprocess.Popen([NEGO_AGENT, "-m", "fd", "-p", descriptor], env=ENVIRONMENT,
                                     pass_fds=[theirs.fileno()], stderr=subprocess.DEVNULL)
            theirs.close()
            ours.sendall(b'{"execute":"guest-ping"}')
            self.assertEqual(ours.recv(100), b'{"return": {}}\n')
        self.assertEqual(agent.wait(), 0)

    def test_clients_that_break_off(self):
        agent = self.start()
        for data in (b'{"execute":"guest-ping"}' * 100, b'{"execute":', b"\xff" * 5000):
            client = Qga(self.socket)
            client.send(data)
            client.close()
            with Qga(self.socket) as other:
                self.assertEqual(other.command("guest-ping"), {})
        self.assertIsNone(agent.poll())

    def test_many_descriptors_are_no_need(self):
        """With few descriptors left, clients wait, and are served when others leave."""
        def limit():
            resource.setrlimit(resource.RLIMIT_NOFILE, (16, 16))
        self.start(preexec_fn=limit)
        clients = [Qga(self.socket) for _ in range(12)]
        self.assertEqual(clients[0].command("guest-ping"), {})
        for client in clients[:-1]:
            client.close()
        self.assertEqual(clients[-1].command("guest-ping"), {})
        clients[-1].close()

    def switches(self, pid):
        """How often each thread has been switched to, once all of them sleep."""
        while True:
            texts = [(task / "status").read_text()
                     for task in pathlib.Path(f"/proc/{pid}/task").iterdir()]
            if all("State:\tS" in text for text in texts):
                return [line for text in texts for line in text.splitlines() if "ctxt" in line]

    def test_idle_is_idle(self):
        """No wake-up while nobody says anything, with a client, and devices that are not there."""
        agent = self.start("--channel", "virtio-serial:/dev/virtio-ports/none",
                           "--channel", f"isa-serial:{self.dir}/none")
        with Qga(self.socket) as client:
            self.assertEqual(client.command("guest-ping"), {})
            # A device of the machine's that comes or goes meanwhile is news, if not for long.
            for _ in range(5):
                before = self.switches(agent.pid)
                signal.sigtimedwait([], 2)
                if self.switches(agent.pid) == before:
                    return
            self.fail("the agent was woken up in each of five times two seconds")


class Signals(AgentCase):
    def test_sigterm_at_any_moment(self):
        """The signal is held back in the child until main can know of it; from then on there is no
        moment at which it is lost or kills."""
        seed = random.randrange(1 << 32)
        randomly = random.Random(seed)
        running = {}
        for number in range(STARTS + AT_ONCE):
            if number < STARTS:
                path = self.dir / f"s{number}"
                pid = os.posix_spawn(
                    NEGO_AGENT, [NEGO_AGENT, "-m", "unix-listen", "-p", path, "-l", "/dev/null"],
                    ENVIRONMENT, setsigmask=[signal.SIGTERM])
                running[pid] = path
                # Anything from before main to an idle agent: it takes some 3 ms to start.
                signal.sigtimedwait([], randomly.random() * 0.008)
                os.kill(pid, signal.SIGTERM)
            if number >= AT_ONCE:
                pid, status = os.wait()
                self.assertEqual(os.waitstatus_to_exitcode(status), 0, f"seed {seed}")
                self.assertFalse(running.pop(pid).exists(), f"seed {seed}")
        self.assertEqual(running, {})


if __name__ == "__main__":
    sys.exit(tap.main())
