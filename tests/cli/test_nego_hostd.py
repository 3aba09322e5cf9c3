#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""nego-hostd with guests that are sockets: the daemon's life, calls, the policy's effect, notes, the control socket."""

import json
import os
import pwd
import signal
import socket
import subprocess
import sys
import unittest

from helpers import tap
from helpers.build import program
from helpers.hostd import NEGO_HOSTD, PATIENCE_S, HostdCase, reachable_directory
from helpers.qga import Qga

NEGO_HOST = program("nego-host")


def run(*arguments):
    return subprocess.run([NEGO_HOSTD, *map(str, arguments)], stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          timeout=PATIENCE_S, check=False)


class Options(HostdCase):
    def test_help_and_version(self):
        self.assertIn("--socket=NAME=PATH", run("--help").stdout)
        self.assertRegex(run("--version").stdout, r"^nego-hostd \d")

    def assert_fails(self, message, *arguments):
        done = run("--config", "/dev/null", "--control", self.control, *arguments)
        self.assertEqual((done.stdout, done.stderr.splitlines()[-1], done.returncode), ("", f"nego-hostd: {message}", 1))

    def test_errors(self):
        self.assert_fails("wrong --socket 'x': it is not NAME=PATH, with an absolute path", "--socket", "x")
        self.assert_fails("wrong --socket '=/x': it is not NAME=PATH, with an absolute path", "--socket", "=/x")
        self.assert_fails("wrong --socket: guest 'a' is named twice", "--socket", "a=/x", "--socket", "a=/y")
        self.assert_fails("unexpected 'word'; nego-hostd --help lists the options", "word")
        self.assert_fails("Unknown option --nothing; nego-hostd --help lists the options", "--nothing")

    def test_check_policy(self):
        self.add_command("hello", "exit")
        arguments = ("--config", "/dev/null", "--policy", self.trusted / "policy", "--host-commands",
                     self.trusted / "commands", "--check-policy")
        self.assertEqual(run(*arguments, "web", "hello").returncode, 0)
        self.assertEqual(run(*arguments, "web", "hello", "argument").returncode, 1)
        self.assertEqual(run(*arguments).returncode, 2)

    def test_file_errors(self):
        path = self.dir / "conf"
        for text, message in (
                ("[hostd]\nnothing=1\n", f"wrong 'nothing' in '{path}': there is no such key"),
                ("[other]\n", f"wrong '{path}': there is no group '[other]'"),
                ("[hostd]\nsockets=x\n",
                 f"wrong 'sockets' in '{path}': wrong 'sockets' 'x': it is not NAME=PATH, with an absolute path")):
            path.write_text(text, encoding="utf-8")
            done = run("--config", path)
            self.assertEqual((done.stderr, done.returncode), (f"nego-hostd: {message}\n", 1))
        done = run("--config", self.dir / "missing")
        self.assertEqual(done.returncode, 1)
        self.assertIn("failed to read", done.stderr)

    def test_broken_policy(self):
        self.add_rules("nonsense\n")
        done = run("--config", "/dev/null", "--control", "", "--socket", f"a={self.dir}/a", "--policy",
                   self.trusted / "policy")
        self.assertEqual(done.returncode, 1)
        self.assertIn("rules.conf", done.stderr)


class Life(HostdCase):
    def test_stop(self):
        process = self.start("web")
        process.send_signal(signal.SIGTERM)
        self.assertEqual(process.wait(PATIENCE_S), 0)
        self.log.wait("the end")
        self.assertFalse(self.control.exists())

    def test_stop_ends_jobs(self):
        self.add_command("hang", "echo $$; exec sleep 1000")
        guest = self.add_guest("web")
        process = self.start("web")
        guest.start()
        guest.call("negotiator-exec", command="hang", wait=0)
        status = {"out-data": ""}
        while not status["out-data"]:
            status = guest.call("negotiator-exec-status", wait=PATIENCE_S,
                                job=guest.call("negotiator-jobs")["return"][0]["job"])["return"]
        process.send_signal(signal.SIGTERM)
        self.assertEqual(process.wait(PATIENCE_S), 0)
        with self.assertRaises(ProcessLookupError):
            os.kill(int(status["out-data"]), 0)

    def test_systemd(self):
        path = self.dir / "notify"
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
            listener.bind(str(path))
            listener.settimeout(PATIENCE_S)
            process = self.start("web", environment={"NOTIFY_SOCKET": str(path), "WATCHDOG_USEC": "100000"})
            self.assertEqual(listener.recv(100), b"READY=1")
            self.assertEqual(listener.recv(100), b"WATCHDOG=1")
            self.assertEqual(listener.recv(100), b"WATCHDOG=1")
            process.send_signal(signal.SIGTERM)
            while listener.recv(100) != b"STOPPING=1":
                pass
            self.assertEqual(process.wait(PATIENCE_S), 0)

    def test_second_daemon(self):
        self.start("web")
        done = run("--config", "/dev/null", "--control", self.control, "--socket", f"a={self.dir}/a", "--policy",
                   self.trusted / "policy")
        self.assertEqual(done.returncode, 1)
        self.assertIn(f"another process listens on '{self.control}'", done.stderr)

    def test_guest_comes_and_goes(self):
        self.start("web")
        for _ in range(3):
            guest = self.add_guest("web")
            guest.start()
            self.assertEqual(guest.call("guest-ping")["return"], {})
            guest.close()

    def test_connection_closed(self):
        guest, = self.serve("web")
        for _ in range(3):
            guest.hang_up()
            guest.start()
            self.assertEqual(guest.call("guest-ping")["return"], {})


class Calls(HostdCase):
    def setUp(self):
        super().setUp()
        self.add_command("hello", "echo hello")

    def test_not_synchronised(self):
        guest = self.add_guest("web")
        self.start("web")
        guest.accept()
        guest.send(b'garbage {"a"')
        guest.sync()
        guest.hang_up()
        guest.accept()
        self.assertEqual(guest.error("guest-ping"), "not synchronised")
        guest.sync()
        self.assertEqual(guest.call("guest-ping")["return"], {})

    def test_used_sync_id(self):
        """A restored snapshot's sync, and what is behind it, is refused."""
        self.add_command("mark", f"echo run >>{self.dir}/mark")
        guest, = self.serve("web")
        guest.sync(1234567)
        self.assertEqual(guest.run("mark")["exitcode"], 0)
        guest.hang_up()
        guest.accept()
        guest.send_sync(1234567)
        guest.post("negotiator-exec", command="mark")
        self.assertEqual(guest.receive()["error"]["desc"], "the id of the synchronisation was used before")
        self.assertEqual(guest.receive()["error"]["desc"], "not synchronised")
        guest.sync()
        self.assertEqual((self.dir / "mark").read_text(encoding="utf-8"), "run\n")

    def test_commands(self):
        guest, = self.serve("web")
        self.assertEqual(guest.run("hello")["out-data"], "hello\n")
        names = {entry["name"]: entry["enabled"] for entry in guest.call("negotiator-list")["return"]}
        self.assertTrue(names["hello"])
        served = {entry["name"] for entry in guest.call("guest-info")["return"]["supported_commands"]}
        self.assertIn("negotiator-notify", served)
        self.assertNotIn("negotiator-guests", served)
        self.assertEqual(guest.call("negotiator-info")["return"]["limits"]["jobs-running"], 4)
        self.assertIn("has not been found", guest.error("negotiator-guests"))

    def test_environment(self):
        self.add_command("environment", "exec env")
        self.add_command("environment.conf", "[Command]\nEnvironment=OWN=1\n")
        for guest in self.serve("web", "db"):
            lines = guest.run("environment")["out-data"].splitlines()
            name = guest.path.name.removesuffix(".port")
            self.assertIn(f"NEGOTIATOR_GUEST={name}", lines)
            self.assertIn("NEGOTIATOR_SIDE=host", lines)
            self.assertIn("OWN=1", lines)
            self.assertEqual([line for line in lines if line.startswith(("NOTIFY", "WATCHDOG"))], [])

    def test_concurrent(self):
        """A slow script holds up nobody; replies come as they are ready."""
        fifo = self.dir / "fifo"
        os.mkfifo(fifo)
        self.add_command("slow", f"read -r line <{fifo}; echo $line")
        guest, other = self.serve("web", "db")
        slow = guest.post("negotiator-exec", command="slow", wait=PATIENCE_S)
        self.assertEqual(guest.call("guest-ping")["return"], {})
        self.assertEqual(other.run("hello")["out-data"], "hello\n")
        self.assertEqual(guest.run("hello")["out-data"], "hello\n")
        fifo.write_text("done\n", encoding="utf-8")
        reply = guest.receive()
        self.assertEqual((reply["id"], reply["return"]["out-data"]), (slow, "done\n"))

    def test_many_at_once(self):
        """More than may run wait for each other, and nothing is mixed up."""
        self.add_rules("[rule any]\nguest = *\ncommand = say\narguments = *\n")
        self.add_command("say", "echo \"$1\"")
        self.add_command("say.conf", "[Command]\nArguments=true\n")
        guest, = self.serve("web")
        wanted = {guest.post("negotiator-exec", command="say", arg=[str(n)], wait=PATIENCE_S): f"{n}\n" for n in range(50)}
        replies = [guest.receive() for _ in wanted]
        self.assertEqual({reply["id"]: reply["return"]["out-data"] for reply in replies}, wanted)

    def test_jobs_are_the_guests_own(self):
        guest, other = self.serve("web", "db")
        job = guest.run("hello")["job"]
        self.assertEqual(len(guest.call("negotiator-jobs")["return"]), 1)
        self.assertEqual(other.call("negotiator-jobs")["return"], [])
        self.assertEqual(other.error("negotiator-exec-status", job=job), f"unknown job '{job}'")

    def test_job_outlives_connection(self):
        guest, = self.serve("web")
        job = guest.run("hello")["job"]
        guest.hang_up()
        guest.start()
        self.assertEqual(guest.call("negotiator-exec-status", job=job)["return"]["out-data"], "hello\n")

    def test_message_limits(self):
        guest, = self.serve("web")
        for request in (b'{"execute":"guest-ping","x":"' + b"x" * (1 << 20) + b'"}\n',
                        b'{"execute":"guest-ping","arguments":' + b"[" * 40 + b"]" * 40 + b"}\n",
                        b'{"execute":"guest-ping","arguments":{"x":[' + b"1," * 1000 + b"1]}}\n"):
            guest.send(request)
            self.assertIn("limit", guest.receive()["error"]["desc"])
            self.assertEqual(guest.call("guest-ping")["return"], {})

    def test_output_limit(self):
        """4 MiB of each stream are kept, whatever the script's settings say."""
        self.add_command("large", "head -c 6000000 /dev/zero")
        self.add_command("large.conf", "[Command]\nMaxOutput=8000000\n")
        guest, = self.serve("web")
        status = guest.run("large")
        self.assertTrue(status["out-truncated"])
        summary, = guest.call("negotiator-jobs")["return"]
        self.assertEqual(summary["out-next"], 4 << 20)


class Policy(HostdCase):
    def setUp(self):
        super().setUp()
        self.add_command("hello", "echo hello")
        self.add_command("hello.conf", "[Command]\nArguments=true\nAllowEnvironment=X\n")

    def test_default(self):
        guest, = self.serve("web")
        for arguments, reason in (({"arg": ["x"]}, "arguments"), ({"env": ["X=1"]}, "environment"),
                                  ({"input_data": ""}, "input"), ({"input": True}, "input")):
            error = guest.error("negotiator-exec", command="hello", **arguments)
            self.assertIn("negotiator command 'hello' is refused by", error)
            self.assertIn(reason, error)
        self.assertEqual(guest.run("hello")["exitcode"], 0)

    def test_rules_and_reload(self):
        self.add_rules("[rule no]\nguest = web\ncommand = hello\naction = refuse\n")
        guests = [self.add_guest(name) for name in ("web", "db")]
        process = self.start("web", "db")
        for guest in guests:
            guest.start()
        guest, other = guests
        self.assertIn("rule 'no'", guest.error("negotiator-exec", command="hello"))
        entry, = [entry for entry in guest.call("negotiator-list")["return"] if entry["name"] == "hello"]
        self.assertFalse(entry["enabled"])
        self.assertIn("rule 'no'", entry["reason"])
        self.assertEqual(other.run("hello")["exitcode"], 0)
        self.add_rules("nonsense\n")
        process.send_signal(signal.SIGHUP)
        self.log.wait("the policy stays as it was")
        self.assertIn("rule 'no'", guest.error("negotiator-exec", command="hello"))
        self.add_rules("")
        process.send_signal(signal.SIGHUP)
        self.log.wait("is in force")
        self.assertEqual(guest.run("hello")["exitcode"], 0)


class Users(HostdCase):
    """As whom scripts run."""

    place = staticmethod(reachable_directory)

    def setUp(self):
        super().setUp()
        self.add_command("who", "id -u")

    def test_no_such_user(self):
        if os.geteuid() != 0:
            self.skipTest("only root becomes somebody else")
        guest, = self.serve("web", run_as="no-such-user-here")
        self.assertEqual(guest.error("negotiator-exec", command="who"), "negotiator command 'who' is refused by 'run-as': "
                         "there is no user 'no-such-user-here'")

    def test_own_user(self):
        if os.geteuid() != 0:
            self.skipTest("only root becomes somebody else")
        guest, = self.serve("web", run_as="root")
        self.assertEqual(guest.error("negotiator-exec", command="who"), "negotiator command 'who' is refused by 'run-as': "
                         "'root' is nego-hostd's own user")

    def test_run_as(self):
        if os.geteuid() != 0:
            self.skipTest("only root becomes somebody else")
        try:
            nobody = pwd.getpwnam("nobody")
        except KeyError:
            self.skipTest("there is no user 'nobody'")
        self.add_command("root", "id -u")
        self.add_command("privileges", "grep -E 'NoNewPrivs|^Groups' /proc/self/status")
        self.add_command("root.conf", "[Command]\nUser=root\n")
        guest, = self.serve("web", run_as="nobody")
        self.assertEqual(guest.run("who")["out-data"], f"{nobody.pw_uid}\n")
        self.assertIn("NoNewPrivs:\t1\n", guest.run("privileges")["out-data"])
        self.assertEqual(guest.error("negotiator-exec", command="root"),
                         f"negotiator command 'root' is refused by 'User' in '{self.trusted}/commands/root.conf': scripts "
                         "do not run as nego-hostd's own user")


    def test_out_of_reach(self):
        """What the daemon holds is not for its scripts."""
        if os.geteuid() != 0:
            self.skipTest("only root becomes somebody else")
        # The sockets' own modes are what counts.
        self.dir.chmod(0o755)
        guest = self.add_guest("web")
        hostd = self.start("web", run_as="nobody")
        guest.start()
        self.add_command("reach", f"""
            for socket in {self.control} {guest.path}; do
                [ -e $socket ] && [ ! -w $socket ] && echo locked
            done
            head -c 1 /proc/{hostd.pid}/mem 2>/dev/null || echo memory
            cat /proc/{hostd.pid}/environ 2>/dev/null || echo environment
            ls /proc/{hostd.pid}/fd/ 2>/dev/null || echo descriptors
            ls -l /proc/$$/fd/ | grep -E 'socket:|anon_inode:' && echo leaked
            kill -0 {hostd.pid} 2>/dev/null || echo signals
            """)
        self.assertEqual(guest.run("reach")["out-data"].split(),
                         ["locked", "locked", "memory", "environment", "descriptors", "signals"])


class Notes(HostdCase):
    def ask(self):
        client = Qga(self.control, PATIENCE_S)
        self.addCleanup(client.close)
        client.sync()
        return client

    def test_list(self):
        guest, _ = self.serve("web", "db")
        control = self.ask()
        guest.call("negotiator-notify", name="ready")
        guest.call("negotiator-notify", name="address", value="192.0.2.1")
        both = control.command("negotiator-guests")
        self.assertEqual([entry["name"] for entry in both], ["db", "web"])
        self.assertEqual([note["name"] for note in both[1]["notes"]], ["address", "ready"])
        self.assertNotIn("value", both[1]["notes"][0])
        self.assertEqual([entry["state"] for entry in both], ["synchronised"] * 2)
        one, = control.command("negotiator-guests", guest="web")
        self.assertEqual(one["notes"][0]["value"], "192.0.2.1")
        self.assertEqual([entry["name"] for entry in control.command("negotiator-guests", after="db")], ["web"])
        self.assertEqual(control.command("negotiator-guests", guest="none"), [])

    def test_notify_errors(self):
        guest, = self.serve("web")
        self.assertEqual(guest.error("negotiator-notify", name="No"), "name 'No' is not 1 to 64 of a-z 0-9 -")
        self.assertEqual(guest.error("negotiator-notify", name="a", value="x" * 4097),
                         "the value is too long (limit 4096 bytes)")
        for n in range(64):
            self.assertIn("return", guest.call("negotiator-notify", name=f"n{n}", value="x" * 4096))
        self.assertEqual(guest.error("negotiator-notify", name="more"), "too many names (limit 64)")
        # All of it fits a reply.
        self.assertEqual(len(self.ask().command("negotiator-guests", guest="web")[0]["notes"]), 64)

    def test_wait(self):
        self.start("web")
        control = self.ask()
        control.send({"execute": "negotiator-wait", "arguments": {"guest": "web", "name": "ready", "value": "2"}})
        guest = self.add_guest("web")
        guest.start()
        guest.call("negotiator-notify", name="ready", value="1")
        guest.call("negotiator-notify", name="ready", value="2")
        self.assertEqual(control.receive()["return"]["value"], "2")
        self.assertEqual(control.command("negotiator-wait", guest="web", name="ready")["value"], "2")

    def test_wait_errors(self):
        self.start("web")
        control = self.ask()
        for timeout, text in ((0.01, "guest 'web' has not told 'ready' in time"), (-1, "timeout must not be below 0")):
            control.send({"execute": "negotiator-wait",
                          "arguments": {"guest": "web", "name": "ready", "timeout": timeout}})
            self.assertEqual(control.receive()["error"]["desc"], text)

    def host(self, *arguments):
        return subprocess.run([NEGO_HOST, "--hostd", self.control, *arguments], stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, timeout=PATIENCE_S, check=False)

    def test_nego_host_wait(self):
        guest, = self.serve("web")
        waiting = subprocess.Popen([NEGO_HOST, "--hostd", self.control, "wait", "web", "--for", "ready=2"],
                                   stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
        self.addCleanup(waiting.stdout.close)
        self.addCleanup(waiting.wait)
        self.addCleanup(waiting.kill)
        guest.call("negotiator-notify", name="ready", value="1")
        self.assertIsNone(waiting.poll())
        guest.call("negotiator-notify", name="ready", value="2")
        self.assertEqual((waiting.wait(PATIENCE_S), waiting.stdout.read()), (0, "2\n"))
        guest.call("negotiator-notify", name="ready", value="\x1b[2J")
        self.assertEqual(self.host("wait", "web").stdout, "\\x1b[2J\n")
        self.assertEqual(json.loads(self.host("wait", "web", "--json").stdout)["name"], "ready")
        guest.call("negotiator-notify", name="up")
        done = self.host("wait", "web", "--for", "up")
        self.assertEqual((done.returncode, done.stdout, done.stderr), (0, "", ""))

    def test_nego_host_wait_errors(self):
        self.start("web")
        done = self.host("wait", "web", "--timeout", "0.01")
        self.assertEqual((done.returncode, done.stdout), (1, ""))
        self.assertIn("guest 'web' has not told 'ready' in time", done.stderr)
        done = self.host("--hostd", self.dir / "nothing", "wait", "web")
        self.assertEqual(done.returncode, 1)
        self.assertIn("nego-hostd is not there", done.stderr)
        self.assertEqual(self.host("ping", "web", "--for", "x").returncode, 2)
        self.assertEqual(self.host("wait", "--socket", "/x", "web").returncode, 2)

    def test_over_with_the_connection(self):
        guest, = self.serve("web")
        control = self.ask()
        guest.call("negotiator-notify", name="ready")
        guest.hang_up()
        guest.start()
        guest.call("guest-ping")
        self.assertEqual(control.command("negotiator-guests")[0]["notes"], [])


if __name__ == "__main__":
    sys.exit(tap.main())
