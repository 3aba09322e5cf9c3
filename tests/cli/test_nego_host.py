# SPDX-License-Identifier: MIT
"""nego-host over a socket: verbs, options, exit statuses, messages. The other end is nego-agent, qemu-ga or
QEMU; guests over libvirt are in tests/vm."""

import base64
import json
import os
import pathlib
import pty
import re
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import unittest

from helpers import tap
from helpers.agent import AgentCase, safe_directory
from helpers.build import program
from helpers.qga import Qga

NEGO_HOST = program("nego-host")
MIB = 1 << 20
BUSY = ("the port is busy: another program holds '{}'; it may be nego-hostd, another nego-host, or any "
        "client of the socket")
SILENT = "the agent does not answer at '{}': is nego-agent installed and running in the guest?"

SCRIPTS = {
    "arguments": "for argument; do echo \"<$argument>\"; done",
    "colours": "printf '\\033[31mred\\n'",
    "copy": "cat; echo copied >&2",
    "fail": "exit \"$1\"",
    "hang": "echo started; exec sleep 100",
    "hang.conf": "[Command]\nTimeout=1\n",
    "kill-self": "kill -\"$1\" $$",
    "large": "exec head -c \"$1\" /dev/zero",
    "large.conf": "[Command]\nMaxOutput=3000000\n",
    "leave": "sleep 100 >&2 2>/dev/null & echo left",
    "once": "echo run; echo \"$1\" >>\"$2\"",
    "open": "exit",
    "stubborn": "trap 'echo no' INT; trap '' TERM; echo ready; while :; do sleep 100 & wait; done",
    "stubborn.conf": "[Command]\nTimeout=0\n",
    "traps": "trap 'echo trapped; exit 42' INT; trap 'echo trapped; exit 43' TERM;"
             "trap 'echo trapped; exit 44' HUP; echo ready; while :; do sleep 100 & wait; done",
    "slow": "echo one; read -r line <\"$1\"; echo \"$line\"",
    "described": "exit",
    "described.conf": "[Command]\nDescription=Does \\\\ nothing\n",
}


def run(*args, **options):
    """Runs nego-host to its end; its output is captured, as bytes."""
    if "input" not in options:
        options.setdefault("stdin", subprocess.DEVNULL)
    return subprocess.run([NEGO_HOST, *map(str, args)], capture_output=True, check=False,
                          timeout=60, **options)


class Relay:
    """Passes connections on to another socket, and cuts them."""

    def __init__(self, path, target):
        self.path = path
        self.connections = 0
        self._target = target
        self._pairs = []
        self._server = socket.socket(socket.AF_UNIX)
        self._server.bind(str(path))
        self._server.listen()
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        while True:
            try:
                client, _ = self._server.accept()
            except OSError:
                return
            agent = socket.socket(socket.AF_UNIX)
            agent.connect(str(self._target))
            self.connections += 1
            self._pairs.append((client, agent))
            for pair in (client, agent), (agent, client):
                threading.Thread(target=self._pass, args=pair, daemon=True).start()

    @staticmethod
    def _pass(source, sink):
        try:
            while data := source.recv(65536):
                sink.sendall(data)
            sink.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass

    def cut(self):
        for pair in self._pairs:
            for end in pair:
                try:
                    end.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass

    def close(self):
        self._server.shutdown(socket.SHUT_RDWR)
        self._server.close()
        self.cut()


class HostCase(AgentCase):
    def host(self, *args, **options):
        return run("--socket", self.socket, *args, **options)

    def assert_good(self, output, *args, **options):
        """nego-host succeeds, prints `output`, and says nothing."""
        done = self.host(*args, **options)
        self.assertEqual((done.stdout, done.stderr, done.returncode), (output, b"", 0), args)

    def assert_bad(self, status, message, *args, output=b"", **options):
        """nego-host ends with `status` and one message."""
        done = self.host(*args, **options)
        self.assertEqual((done.stderr.decode(), done.stdout, done.returncode),
                         (f"nego-host: {message}\n", output, status), args)


class ScriptCase(HostCase):
    """With the real agent, and scripts."""

    configuration = ""

    def setUp(self):
        super().setUp()
        directory = tempfile.TemporaryDirectory(prefix=".nego-host-", dir=safe_directory())
        self.addCleanup(directory.cleanup)
        self.scripts = pathlib.Path(directory.name)
        self.scripts.chmod(0o755)
        for name, text in SCRIPTS.items():
            path = self.scripts / name
            if name.endswith(".conf"):
                path.write_text(text)
                path.chmod(0o644)
            else:
                path.write_text(f"#!/bin/sh\n{text}\n")
                path.chmod(0o755)
        (self.scripts / "open").chmod(0o777)
        self.port = self.dir / "port"
        config = self.write("agent.conf", f"[negotiator]\nguest-commands={self.scripts}\n"
                            f"{self.configuration}")
        self._arguments = "-c", config, "--channel", f"unix-listen:{self.port}"
        self.process = self.start(*self._arguments)

    def restart(self):
        self.process = self.start(*self._arguments)


class Agent(ScriptCase):
    def test_ping(self):
        done = self.host("ping")
        self.assertRegex(done.stdout.decode(), r"^the agent answered in \d+\.\d ms\n$")
        self.assertEqual(done.returncode, 0)
        self.assert_good(b"", "ping", "-q")
        self.assertGreater(json.loads(self.host("ping", "--json").stdout)["elapsed-ns"], 0)

    def test_info(self):
        text = self.host("info").stdout.decode()
        self.assertRegex(text, r"(?m)^agent +nego-agent \d")
        self.assertRegex(text, r"(?m)^QGA version +10\.2\.2$")
        info = json.loads(self.host("info", "--json").stdout)
        self.assertEqual(info["version"], "10.2.2")
        self.assertEqual(info["negotiator"]["limits"]["reply-bytes"], MIB)

    def test_commands(self):
        text = self.host("commands").stdout.decode()
        self.assertRegex(text, r"(?m)^copy +-$")
        self.assertRegex(text, r"(?m)^described +Does \\\\ nothing$")
        self.assertRegex(text, r"(?m)^open +\(may not run: '.*/open' is writable by group or others\)$")
        names = [row["name"] for row in json.loads(self.host("commands", "--json").stdout)]
        self.assertIn("copy", names)
        self.assertEqual(names, sorted(names))

    def test_exec_arguments(self):
        self.assert_good(b"<a>\n<b c>\n<>\n<-n>\n<--json>\n<-->\n",
                         "exec", "arguments", "a", "b c", "", "-n", "--json", "--")

    def test_exec_status(self):
        for status in (0, 1, 42, 124, 127, 255):
            self.assertEqual(self.host("exec", "fail", status).returncode, status)

    def test_exec_signal(self):
        self.assertEqual(self.host("exec", "kill-self", "TERM").returncode, 128 + 15)
        self.assertEqual(self.host("exec", "kill-self", "KILL").returncode, 128 + 9)

    def test_exec_copies_every_byte(self):
        data = bytes(range(256)) * 4096
        done = self.host("exec", "copy", input=data)
        self.assertEqual((done.stdout == data, done.stderr, done.returncode), (True, b"copied\n", 0))

    def test_exec_input_limit(self):
        """There is none: it is streamed, by requests and answers at a QGA channel, by events at ours."""
        data = os.urandom(17 * MIB)
        for path in self.socket, self.port:
            done = run("--socket", path, "exec", "copy", input=data)
            self.assertEqual((done.stdout == data, done.returncode, done.stderr), (True, 0, b"copied\n"))

    def test_exec_channel_limit(self):
        words = ["x" * 100000] * 10
        done = run("--socket", self.port, "exec", "arguments", *words)
        self.assertEqual(done.stdout, b"<" + b">\n<".join(word.encode() for word in words) + b">\n")
        done = run("--socket", self.port, "exec", "arguments", *words, words[0])
        self.assertEqual(done.returncode, 125)
        self.assertRegex(done.stderr.decode(),
                         r"^nego-host: the arguments make a request of \d+ bytes, more than "
                         r"this channel takes \(limit 1048576\)\n$")

    def test_exec_no_input(self):
        done = self.host("exec", "-n", "copy", input=b"not read")
        self.assertEqual((done.stdout, done.returncode), (b"", 0))
        done = subprocess.run(["sh", "-c", '"$@" <&-', "sh", NEGO_HOST, "--socket", self.socket,
                               "exec", "copy"], capture_output=True, check=False, timeout=60)
        self.assertEqual((done.stdout, done.stderr, done.returncode), (b"", b"copied\n", 0))

    def test_exec_terminal(self):
        """Its input is not taken, and its output is not let through."""
        ours, theirs = pty.openpty()
        self.addCleanup(os.close, ours)
        done = subprocess.run([NEGO_HOST, "--socket", self.socket, "exec", "copy"], stdin=theirs,
                              capture_output=True, check=False, timeout=60)
        self.assertEqual((done.stdout, done.returncode), (b"", 0))
        done = subprocess.run([NEGO_HOST, "--socket", self.socket, "exec", "colours"],
                              stdin=subprocess.DEVNULL, stdout=theirs, check=False, timeout=60)
        os.close(theirs)
        self.assertEqual(os.read(ours, 100), b"\\x1b[31mred\r\n")
        self.assert_good(b"\x1b[31mred\n", "exec", "colours")

    def test_exec_pages(self):
        self.assertEqual(self.host("exec", "large", "3000000").stdout, bytes(3000000))
        """MaxOutput is for what is kept; what is streamed is not cut."""
        for path in self.socket, self.port:
            done = run("--socket", path, "exec", "large", "30000000")
            self.assertEqual((done.stdout, done.stderr), (bytes(30000000), b""))
            done = run("--socket", path, "--json", "exec", "large", "3000001")
            status = json.loads(done.stdout)
            self.assertEqual((status["out-next"], status["out-truncated"]), (3000000, True))
            self.assertEqual(base64.b64decode(status["out-data"]), bytes(3000000))
            self.assertEqual(done.stderr,
                             b"nego-host: the output was cut after 3000000 bytes (MaxOutput in the "
                             b"command's settings)\n")
            self.assertEqual(run("--socket", path, "-q", "--json", "exec", "large", "3000001").stderr, b"")

    def test_exec_output_as_it_comes(self):
        fifo = self.scripts / "fifo"
        os.mkfifo(fifo)
        with subprocess.Popen([NEGO_HOST, "--socket", self.socket, "exec", "-n", "slow", fifo],
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE) as process:
            self.addCleanup(process.kill)
            # The reply to negotiator-exec comes after its wait.
            self.assertEqual(select.select([process.stdout], [], [], 30)[0], [process.stdout])
            self.assertEqual(process.stdout.readline(), b"one\n")
            fifo.write_text("two\n")
            self.assertEqual(process.stdout.read(), b"two\n")
            self.assertEqual(process.wait(), 0)

    def spawn(self, *args, path=None, **options):
        process = subprocess.Popen([NEGO_HOST, "--socket", path or self.port, *map(str, args)],
                                   stdout=subprocess.PIPE, **options)
        self.addCleanup(process.stdout.close)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        return process

    def test_exec_input_as_it_comes(self):
        for path in self.socket, self.port:
            process = self.spawn("exec", "copy", path=path, stdin=subprocess.PIPE, stderr=subprocess.DEVNULL)
            for text in b"one\n", b"two\n":
                process.stdin.write(text)
                process.stdin.flush()
                self.assertEqual(process.stdout.readline(), text)
            process.stdin.close()
            self.assertEqual((process.stdout.read(), process.wait(60)), (b"", 0))

    def test_exec_input_unread(self):
        """A command that does not read its input ends all the same, whoever sends however much."""
        for path in self.socket, self.port:
            with subprocess.Popen(["yes"], stdout=subprocess.PIPE) as yes:
                done = run("--socket", path, "exec", "large", "1000", stdin=yes.stdout)
                yes.kill()
            self.assertEqual((done.stdout, done.returncode), (bytes(1000), 0))

    def test_exec_signals(self):
        for path in self.socket, self.port:
            for sent, status in ((signal.SIGINT, 42), (signal.SIGTERM, 43), (signal.SIGHUP, 44)):
                process = self.spawn("exec", "-n", "traps", path=path)
                self.assertEqual(process.stdout.readline(), b"ready\n")
                process.send_signal(sent)
                self.assertEqual((process.wait(60), process.stdout.read()), (status, b"trapped\n"))

    def test_exec_second_signal(self):
        for path in self.socket, self.port:
            process = self.spawn("exec", "-n", "stubborn", path=path)
            self.assertEqual(process.stdout.readline(), b"ready\n")
            process.send_signal(signal.SIGINT)
            self.assertEqual(process.stdout.readline(), b"no\n")
            process.send_signal(signal.SIGTERM)
            self.assertEqual(process.wait(60), 128 + signal.SIGTERM)
            # Killed, and not only left.
            done = run("--socket", path, "--json", "jobs")
            self.assertEqual([job["signal"] for job in json.loads(done.stdout)
                              if job["command"] == "stubborn"][-1:], [signal.SIGKILL])

    def test_exec_reader_leaves(self):
        for path in self.socket, self.port:
            process = self.spawn("exec", "-n", "large", 1 << 40, path=path)
            process.stdout.read(100)
            process.stdout.close()
            self.assertEqual(process.wait(60), -signal.SIGPIPE)
            with self.subTest(path=path):
                job = json.loads(run("--socket", path, "--json", "jobs").stdout)[-1]
                while not job["exited"]:
                    attached = run("--socket", path, "--json", "attach", job["job"])
                    job = json.loads(attached.stdout)
                self.assertEqual(job["signal"], signal.SIGTERM)

    def test_detach_attach(self):
        fifo = self.scripts / "fifo"
        os.mkfifo(fifo)
        for path in self.socket, self.port:
            done = run("--socket", path, "exec", "-d", "--key", f"k{path.name}", "slow", fifo)
            self.assertRegex(done.stdout.decode(), r"\A[0-9a-f]{32}\n\Z")
            job = done.stdout.decode().strip()
            listed = run("--socket", path, "jobs").stdout.decode()
            self.assertRegex(listed, rf"(?m)^{job[:12]} +slow +running ")
            process = self.spawn("attach", job[:8], path=path)
            self.assertEqual(process.stdout.readline(), b"one\n")
            fifo.write_text("two\n")
            self.assertEqual((process.stdout.read(), process.wait(60)), (b"two\n", 0))
            # It is kept: whoever asks later gets all of it, by any of its names.
            for name in job, job[:8], f"k{path.name}":
                done = run("--socket", path, "attach", name)
                self.assertEqual((done.stdout, done.returncode), (b"one\ntwo\n", 0))
            done = run("--socket", path, "forget", job)
            self.assertEqual((done.stdout, done.stderr, done.returncode), (b"", b"", 0))
            done = run("--socket", path, "attach", job)
            self.assertEqual((done.stderr.decode(), done.returncode),
                             (f"nego-host: unknown job '{job}' (nego-host jobs lists them)\n", 127))

    def test_kill(self):
        for path in self.socket, self.port:
            job = run("--socket", path, "exec", "-d", "stubborn").stdout.decode().strip()
            process = self.spawn("attach", job, path=path)
            self.assertEqual(process.stdout.readline(), b"ready\n")
            done = run("--socket", path, "kill", job, "-s", "SIGINT")
            self.assertEqual((done.stdout, done.stderr, done.returncode), (b"", b"", 0))
            self.assertEqual(process.stdout.readline(), b"no\n")
            done = run("--socket", path, "kill", job, "--kill-after", "0.05")
            self.assertEqual((done.stderr, done.returncode), (b"", 0))
            self.assertEqual(process.wait(60), 128 + signal.SIGKILL)
            done = run("--socket", path, "kill", job)
            self.assertEqual((done.stderr.decode(), done.returncode), (f"nego-host: job '{job}' has ended\n", 1))
            done = run("--socket", path, "kill", job, "-s", "SEGV")
            self.assertEqual((done.stderr, done.returncode), (b"nego-host: unknown signal 'SEGV'\n", 1))

    def test_forget_running(self):
        job = run("--socket", self.port, "exec", "-d", "stubborn").stdout.decode().strip()
        process = self.spawn("attach", job)
        self.assertEqual(process.stdout.readline(), b"ready\n")
        self.assertEqual(run("--socket", self.port, "forget", job).returncode, 0)
        self.assertEqual(process.wait(60), 125)

    def test_job_names(self):
        names = [run("--socket", self.port, "exec", "-d", "open").stdout for _ in range(2)]
        self.assertEqual([len(name) for name in names], [0, 0])  # refused: writable by others
        for _ in range(17):
            run("--socket", self.port, "exec", "copy")
        jobs = [job["job"] for job in json.loads(run("--socket", self.port, "--json", "jobs").stdout)]
        self.assertEqual(len(jobs), 17)
        # 17 names begin with 16 letters: one letter has two.
        letter = max("0123456789abcdef", key=lambda letter: sum(job[0] == letter for job in jobs))
        n = sum(job[0] == letter for job in jobs)
        done = run("--socket", self.port, "forget", letter)
        self.assertEqual((done.stderr.decode(), done.returncode),
                         (f"nego-host: '{letter}' is the beginning of {n} jobs' names\n", 1))

    def test_reconnect(self):
        """The connection is cut again and again; nothing is lost, nothing comes twice."""
        relay = Relay(self.dir / "relay", self.port)
        self.addCleanup(relay.close)
        process = self.spawn("exec", "-n", "large", 50 * MIB, path=relay.path)
        total = 0
        while data := process.stdout.read(5 * MIB):
            self.assertEqual(data.count(0), len(data))
            total += len(data)
            relay.cut()
        self.assertEqual((process.wait(60), total), (0, 50 * MIB))
        self.assertGreater(relay.connections, 2)
        runs = [job for job in json.loads(run("--socket", self.port, "--json", "jobs").stdout)
                if job["command"] == "large"]
        self.assertEqual(len(runs), 1)

    def test_agent_restarted(self):
        process = self.spawn("exec", "-n", "stubborn", stderr=subprocess.PIPE)
        self.addCleanup(process.stderr.close)
        self.assertEqual(process.stdout.readline(), b"ready\n")
        self.process.kill()
        self.process.wait()
        self.restart()
        self.assertEqual(process.wait(60), 125)
        self.assertRegex(process.stderr.read().decode(),
                         r"\Anego-host: negotiator command 'stubborn' was started .*, but: the agent was restarted")

    def test_exec_background_child(self):
        self.assert_good(b"left\n", "exec", "leave")

    def test_exec_timed_out(self):
        for options, seconds in (((), 1.0), (("--timeout", "0.3"), 0.3)):
            done = self.host(*options, "exec", "hang")
            self.assertEqual((done.stdout, done.returncode), (b"started\n", 124))
            message = re.fullmatch(r"nego-host: negotiator command 'hang' timed out after (\d+\.\d) s\n",
                                   done.stderr.decode())
            # A busy machine notes the end late.
            self.assertGreaterEqual(float(message[1]), seconds)

    def test_exec_refused(self):
        self.assert_bad(126, "negotiator command 'open' is refused by the checks of its files: "
                        f"'{self.scripts}/open' is writable by group or others", "exec", "open")

    def test_exec_unknown(self):
        self.assert_bad(127, "unknown negotiator command 'nope'", "exec", "nope")
        self.assert_bad(127, "unknown negotiator command 'a\\033b'", "exec", "a\x1bb")

    def test_exec_key(self):
        log = self.dir / "log"
        # With --json what was read is kept; else it may be gone by the second time.
        for _ in range(2):
            done = self.host("exec", "--json", "--key", "k", "once", "x", log)
            self.assertEqual((json.loads(done.stdout)["out-data"], done.stderr, done.returncode),
                             ("run\n", b"", 0))
        self.assertEqual(log.read_text(), "x\n")
        self.assert_bad(125, "key 'k' is in use", "exec", "--key", "k", "once", "y", log)

    def test_exec_json(self):
        status = json.loads(self.host("exec", "--json", "copy", input=b"in").stdout)
        self.assertEqual((status["state"], status["exitcode"], status["out-data"], status["err-data"]),
                         ("exited", 0, "in", "copied\n"))
        status = json.loads(self.host("exec", "--json", "large", "2500000").stdout)
        self.assertEqual((status["out-offset"], status["out-next"], status["out-encoding"]),
                         (0, 2500000, "base64"))
        self.assertEqual(self.host("exec", "--json", "fail", "3").returncode, 3)

    def test_exec_quiet(self):
        done = self.host("-q", "exec", "nope")
        self.assertEqual((done.stdout, done.stderr, done.returncode), (b"", b"", 127))

    def test_exec_full_output(self):
        with open("/dev/full", "wb") as full:
            done = subprocess.run([NEGO_HOST, "--socket", self.socket, "exec", "colours"],
                                  stdin=subprocess.DEVNULL, stdout=full, stderr=subprocess.PIPE,
                                  check=False, timeout=60)
        self.assertEqual((done.stderr, done.returncode),
                         (b"nego-host: cannot write to the standard output: No space left on "
                          b"device\n", 125))

    def test_exec_loads_no_libvirt(self):
        self.assertNotIn(b"libvirt", subprocess.run(["ldd", NEGO_HOST], capture_output=True,
                                                    check=True).stdout)

    def test_qmp(self):
        self.assert_good(b'{"return": {}}\n', "qmp", '{"execute":"guest-ping"}')
        self.assert_good(b'{"return": {}, "id": "\\u00E4"}\n', "qmp",
                         '{"execute":"guest-ping","id":"\u00e4"}')
        done = self.host("qmp", '{"execute":"guest-nope"}')
        self.assertEqual(done.stdout, b'{"error": {"class": "CommandNotFound", "desc": '
                         b'"The command guest-nope has not been found"}}\n')
        self.assertEqual((done.stderr, done.returncode), (b"", 1))

    def test_qmp_wrong_request(self):
        self.assert_bad(1, "the request: it is not complete", "qmp", '{"execute":')
        self.assert_bad(1, "the request: more than one request", "qmp", "{} {}")
        self.assert_bad(1, "the request: QMP input must be a JSON object", "qmp", "[]")

    def test_qmp_lines(self):
        done = self.host("qmp", input=b'{"execute":"guest-ping"}\n\n{"execute":"guest-nope"}\n'
                         b'{"execute":"guest-ping","id":1}')
        self.assertEqual(done.stdout.splitlines()[::2],
                         [b'{"return": {}}', b'{"return": {}, "id": 1}'])
        self.assertEqual((done.stderr, done.returncode), (b"", 1))
        self.assert_good(b'{"return": {}}\n', "qmp", input=b'{"execute":"guest-ping"}\n')
        done = self.host("qmp", input=b'nonsense}\n{"execute":"guest-ping"}\n')
        self.assertEqual((done.stdout, done.returncode), (b'{"return": {}}\n', 1))

    def test_qmp_prompt(self):
        ours, theirs = pty.openpty()
        self.addCleanup(os.close, ours)
        os.write(ours, b'{"execute":"guest-ping"}\n\x04')
        done = subprocess.run([NEGO_HOST, "--socket", self.socket, "qmp"], stdin=theirs,
                              capture_output=True, check=False, timeout=60)
        os.close(theirs)
        self.assertEqual((done.stdout, done.returncode), (b'qmp> {"return": {}}\nqmp> \n', 0))


class Refusing(ScriptCase):
    """Its owner allows no scripts."""

    configuration = "commands=none\n"

    def test_blocked(self):
        self.assert_bad(126, "Command negotiator-exec has been disabled: the command is not allowed "
                        "(block-rpcs or allow-rpcs, or commands in [negotiator], in the configuration "
                        "of the guest's agent)", "exec", "copy")
        self.assertEqual(self.host("commands").returncode, 1)
        # It is known that negotiator-info is refused: the rest is shown.
        self.assertRegex(self.host("info").stdout.decode(), r"(?m)^QGA version +10\.2\.2$")


class QemuGa(HostCase):
    """With an agent that is not ours."""

    def setUp(self):
        super().setUp()
        qemu_ga = shutil.which("qemu-ga", path="/usr/sbin:/usr/bin")
        if qemu_ga is None:
            self.skipTest("qemu-ga is not installed")
        agent = subprocess.Popen([qemu_ga, "-v", "-m", "unix-listen", "-p", self.socket,
                                  "-t", self.dir], stdin=subprocess.DEVNULL,
                                 stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.addCleanup(agent.wait)
        self.addCleanup(agent.kill)
        subprocess.run(["sh", "-c", 'until [ -S "$1" ]; do :; done', "sh", self.socket],
                       check=True, timeout=30)

    def test_verbs(self):
        self.assertEqual(self.host("ping").returncode, 0)
        self.assertRegex(self.host("info").stdout.decode(), r"(?m)^QGA commands +\d+$")
        self.assertNotIn("negotiator", json.loads(self.host("info", "--json").stdout))
        self.assert_good(b'{"return": {}}\n', "qmp", '{"execute":"guest-ping"}')
        for status, verb in ((125, "exec"), (1, "commands")):
            command = "negotiator-exec" if verb == "exec" else "negotiator-list"
            self.assert_bad(status, f"The command {command} has not been found: the guest's agent is "
                            "not nego-agent; install nego-agent in the guest", verb,
                            *(["x"] if verb == "exec" else []))


class Qemu(HostCase):
    """With QEMU's end of a port that no guest has opened."""

    def setUp(self):
        super().setUp()
        qemu = shutil.which("qemu-system-x86_64")
        if qemu is None:
            self.skipTest("qemu-system-x86_64 is not installed")
        process = subprocess.Popen(
            [qemu, "-M", "pc", "-S", "-nodefaults", "-display", "none", "-m", "16",
             "-qmp", "stdio", "-chardev", f"socket,id=c,path={self.socket},server=on,wait=off",
             "-device", "virtio-serial-pci", "-device",
             "virtserialport,chardev=c,name=negotiator-host-to-guest.0"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.addCleanup(process.stdout.close)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        self.addCleanup(process.stdin.close)
        # Its greeting comes when the devices are there.
        self.assertIn(b"QMP", process.stdout.readline())

    def assert_within(self, seconds, *args):
        started = time.monotonic()
        self.assert_bad(*args)
        self.assertLess(time.monotonic() - started, seconds)

    def test_silent(self):
        self.assert_within(1.3, 1, SILENT.format(self.socket), "ping")
        self.assert_within(1.3, 125, SILENT.format(self.socket), "exec", "x")
        self.assert_within(0.5, 1, SILENT.format(self.socket), "--timeout", "0.1", "ping")

    def test_busy(self):
        # Qga's connection is the one that QEMU serves.
        with Qga(self.socket):
            self.assert_within(1.3, 1, BUSY.format(self.socket), "ping")
            # However patient: waiting does not help.
            self.assert_within(1.3, 1, BUSY.format(self.socket), "--timeout", "30", "ping")
            self.assert_within(1.3, 125, BUSY.format(self.socket), "exec", "x")


class Without(HostCase):
    """Without an agent."""

    def test_no_socket(self):
        self.assert_bad(1, f"cannot connect to '{self.socket}': No such file or directory; is the "
                        "guest, or the agent, running?", "ping")

    def test_nobody_listens(self):
        with socket.socket(socket.AF_UNIX) as left:
            left.bind(str(self.socket))
        self.assert_bad(125, f"cannot connect to '{self.socket}': Connection refused; is the guest, or "
                        "the agent, running?", "exec", "x")

    def test_usage(self):
        done = run("--help")
        self.assertEqual((done.stderr, done.returncode), (b"", 0))
        for verb in ("list", "commands GUEST", "exec GUEST COMMAND", "ping GUEST", "info GUEST",
                     "qmp GUEST [JSON]"):
            self.assertIn(f"\n  {verb} ", done.stdout.decode())
        self.assertRegex(run("--version").stdout.decode(), r"^nego-host \d+\.\d+\.\d+\n$")

    def test_wrong_usage(self):
        for args, message in ((["--nope"], "unknown option '--nope'"),
                              (["exec", "--nope", "g", "x"], "unknown option '--nope'"),
                              ([], "a verb is needed (nego-host --help lists them)"),
                              (["ping"], "'ping' needs the name of a guest (or --socket PATH)")):
            done = run(*args)
            self.assertEqual((done.stdout, done.stderr.decode(), done.returncode),
                             (b"", f"nego-host: {message}\n", 2))


class LibvirtTest(HostCase):
    """With libvirt's driver for tests, which has one guest, 'test', without channels."""

    def libvirt(self, *args):
        done = run("-c", "test:///default", *args)
        if b"cannot load the libvirt module" in done.stderr:
            self.skipTest("built without libvirt")
        return done

    def test_list(self):
        self.assertEqual(self.libvirt("list").stdout,
                         b"NAME  STATE    AGENT  TOLD  CHANNELS\ntest  running  -      -     -\n")
        row, = json.loads(self.libvirt("list", "--json").stdout)
        self.assertEqual((row["name"], row["state"], row["agent"], row["channels"]),
                         ("test", "running", "none", []))

    def test_no_such_guest(self):
        done = self.libvirt("exec", "nope", "x")
        self.assertEqual((done.stderr.decode(), done.returncode),
                         ("nego-host: guest 'nope': no such guest; there are 'test'\n", 125))

    def test_no_channel(self):
        done = self.libvirt("ping", "test")
        self.assertEqual((done.stderr.decode(), done.returncode), (
            "nego-host: guest 'test': the guest has no channel to an agent; write this to channel.xml "
            "and run 'virsh attach-device test channel.xml --live --config': <channel type='unix'><target "
            "type='virtio' name='org.qemu.guest_agent.0'/></channel>\n", 1))

    def test_no_libvirt(self):
        done = run("-c", "nothing:///here", "list")
        self.assertEqual((done.stdout, done.returncode), (b"", 1))
        self.assertRegex(done.stderr.decode(), "^nego-host: cannot ")


if __name__ == "__main__":
    sys.exit(tap.main())
