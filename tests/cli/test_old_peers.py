# SPDX-License-Identifier: MIT
"""Peers that speak the Python negotiator's framing, answered by nego-agent and nego-hostd."""

import json
import os
import pathlib
import pty
import subprocess
import sys
import tempfile
import threading
import tty
import unittest

from helpers import tap
from helpers.agent import AgentCase, safe_directory
from helpers.build import program
from helpers.hostd import HostdCase
from helpers.old_peer import OldClient, OldConnection, OldServer, frame
from helpers.qga import Qga

MIB = 1 << 20
SCRIPTS = {
    "arguments": "for argument; do echo \"<$argument>\"; done",
    "binary": "printf 'a\\377b'",
    "copy": "cat",
    "fail": "echo out; echo err >&2; exit 3",
    "hang": "exec sleep 1000",
    "hang.conf": "[Command]\nTimeout=0.1\n",
    "kill-self": "kill -TERM $$",
    "large": f"head -c {MIB} /dev/zero | tr '\\0' x",
    "larger": f"head -c {MIB + 1} /dev/zero | tr '\\0' x",
    "refused": "true",
    # Ends only with its peer: it tells so by closing the fifo.
    "wait": "exec 3>\"$1\"; echo \"$$\" >&3; exec sleep 1000",
    "wait.conf": "[Command]\nTimeout=900\n",
}


class HostAsks(unittest.TestCase):
    """negotiator-host, and a guest with the Python negotiator's daemon, which would not survive QMP."""

    def setUp(self):
        directory = self.enterContext(tempfile.TemporaryDirectory(prefix="nego-old-"))
        self.dir = pathlib.Path(directory)
        self.program = self.dir / "negotiator-host"
        self.program.symlink_to(program("nego-host"))
        self.server = OldServer(self.dir / "port", {"list_commands": lambda: ["echo", "x\n", "fail"],
                                                    "execute": self.execute})
        self.addCleanup(self.server.close)

    @staticmethod
    def execute(*arguments, **_):
        if arguments[0] != "echo":
            raise RuntimeError("External command failed with exit code 1!")
        return " ".join(arguments[1:]) + "\n"

    def run_host(self, *arguments):
        done = subprocess.run([self.program, f"--socket={self.dir}/port", "--timeout=0", *arguments], stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, timeout=120, check=False)
        self.assertEqual(self.server.broken, [])
        return done

    def test_list(self):
        done = self.run_host("-c")
        self.assertEqual((done.stdout, done.stderr, done.returncode), ("echo\nx\\n\nfail\n", "", 0))

    def test_execute(self):
        done = self.run_host("-e", "echo 'a  b' α")
        self.assertEqual((done.stdout, done.stderr, done.returncode), ("a  b α\n", "", 0))
        self.assertEqual([request["method"] for request in self.server.requests], ["list_commands", "execute"])
        done = self.run_host("-e", "fail")
        self.assertEqual((done.stdout, done.returncode), ("", 1))
        self.assertIn("External command failed with exit code 1!", done.stderr)

    def test_several_actions(self):
        done = self.run_host("-e", "echo a", "-c", "-e", "echo b")
        self.assertEqual((done.stdout, done.returncode), ("a\necho\nx\\n\nfail\nb\n", 0))


class GuestAsks(unittest.TestCase):
    """negotiator-guest at the port itself, here a terminal, whose host has the Python negotiator's daemon."""

    def setUp(self):
        self.dir = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory(prefix="nego-old-")))
        self.program = self.dir / "negotiator-guest"
        self.program.symlink_to(program("nego-guest"))
        self.host, self.port = pty.openpty()
        self.addCleanup(os.close, self.host)
        self.addCleanup(os.close, self.port)
        # As a port: bytes pass as they are.
        tty.setraw(self.port)
        self.requests = []

    def serve(self, replies):
        for reply in replies:
            count = b""
            while not count.endswith(b"\n"):
                count += os.read(self.host, 1)
            text = b""
            while len(text) < int(count):
                text += os.read(self.host, int(count) - len(text))
            self.requests.append(json.loads(text))
            os.write(self.host, frame(reply))

    def run_guest(self, replies, *arguments):
        thread = threading.Thread(target=self.serve, args=(replies,), daemon=True)
        thread.start()
        done = subprocess.run([self.program, "-c", os.ttyname(self.port), "--timeout=0", *arguments],
                              stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120, check=False)
        thread.join(60)
        self.assertFalse(thread.is_alive())
        return done.stdout, done.returncode, done.stderr

    def test_list(self):
        self.assertEqual(self.run_guest([{"success": True, "result": ["a", "b"]}], "-l"), ("a\nb\n", 0, ""))

    def test_execute(self):
        names = {"success": True, "result": []}
        self.assertEqual(self.run_guest([names, {"success": True, "result": " x\n\n"}], "-e", "echo ' x'"),
                         (" x\n", 0, ""))
        self.assertEqual([request["method"] for request in self.requests], ["list_commands", "execute"])
        self.assertEqual(self.requests[1]["args"], ["echo", " x"])
        out, status, err = self.run_guest([names, {"success": False, "error": "no such command"}], "-e", "x")
        self.assertEqual((out, status), ("", 1))
        self.assertIn("no such command", err)


class OldPeerCase(AgentCase):
    arguments = ()

    def setUp(self):
        super().setUp()
        directory = tempfile.TemporaryDirectory(prefix=".nego-old-", dir=safe_directory())
        self.addCleanup(directory.cleanup)
        scripts = pathlib.Path(directory.name)
        scripts.chmod(0o755)
        for name, text in SCRIPTS.items():
            is_script = not name.endswith(".conf")
            (scripts / name).write_text("#!/bin/sh\n" + text + "\n" if is_script else text)
            (scripts / name).chmod(0o755 if is_script else 0o644)
        (scripts / "refused").chmod(0o777)
        self.port = self.dir / "port"
        conf = self.write("agent.conf", "[negotiator]\n"
                          f"guest-commands={scripts}\nchannels=unix-listen:{self.port}\n")
        self.start("-c", conf, *self.arguments)

    def client(self):
        client = OldClient(self.port)
        self.addCleanup(client.close)
        return client

    def assert_output(self, output, *args, **kw):
        self.assertEqual(self.client().call("execute", *args, **kw),
                         {"success": True, "result": output})

    def assert_error(self, error, method, *args, **kw):
        self.assertEqual(self.client().call(method, *args, **kw),
                         {"success": False, "error": error})


class AgentAnswers(OldPeerCase):
    def test_list_commands(self):
        reply = self.client().call("list_commands")
        self.assertEqual((reply["success"], reply["qmp"]), (True, True))
        own = {name for name in SCRIPTS if not name.endswith(".conf")} - {"refused"}
        self.assertLessEqual(own, set(reply["result"]))
        self.assertNotIn("refused", reply["result"])

    def test_execute(self):
        self.assert_output("<a b>\n<>\n<\N{GREEK SMALL LETTER ALPHA}>\n", "arguments", "a b", "",
                           "\N{GREEK SMALL LETTER ALPHA}")
        self.assert_output("", "arguments", capture=True)
        self.assert_output("some\ninput", "copy", input="some\ninput")
        self.assert_output("", "copy", input=None)
        self.assert_output("a\N{REPLACEMENT CHARACTER}b", "binary")

    def test_failures(self):
        self.assert_error("negotiator command 'fail' failed with exit status 3", "execute", "fail")
        self.assert_error("negotiator command 'kill-self' was ended by signal 15", "execute",
                          "kill-self")
        self.assert_error("negotiator command 'hang' timed out", "execute", "hang")
        self.assert_error("unknown negotiator command 'nothing'", "execute", "nothing")
        self.assert_error("Method read not supported", "read")
        self.assert_error("args must be strings without U+0000, at least one", "execute")
        reply = self.client().call("execute", "refused")
        self.assertRegex(reply["error"], "^negotiator command 'refused' is refused by ")

    def test_output_limit(self):
        self.assert_output("x" * MIB, "large")
        self.assert_error(f"the output of negotiator command 'larger' is longer than {MIB} bytes",
                          "execute", "larger")

    def test_many_messages(self):
        client = self.client()
        for number in range(20):
            self.assertEqual(client.call("execute", "copy", input=str(number))["result"],
                             str(number))
        # At once: answered in order.
        client.send(b"".join(frame({"method": "execute", "args": ["copy"],
                                    "kw": {"input": str(number)}}) for number in range(20)))
        self.assertEqual([client.receive()["result"] for _ in range(20)],
                         [str(number) for number in range(20)])

    def test_byte_by_byte(self):
        client = self.client()
        for byte in frame({"method": "execute", "args": ["arguments", "x"]}):
            client.send(bytes((byte,)))
        self.assertEqual(client.receive()["result"], "<x>\n")

    def test_not_json(self):
        client = self.client()
        client.send(b"1\nx")
        reply = client.receive()
        self.assertFalse(reply["success"])
        self.assertIn("JSON", reply["error"])
        self.assertEqual(client.call("execute", "arguments", "x")["result"], "<x>\n")

    def test_qmp_follows(self):
        """What a new peer does that does not know whom it speaks to."""
        client = self.client()
        self.assertTrue(client.call("list_commands")["qmp"])
        client.send(b'\xff{"execute": "guest-sync-delimited", "arguments": {"id": 7}}\n')
        self.assertEqual(client.receive_line(), b'\xff{"return": 7}\n')
        client.send(b'{"execute": "guest-ping"}\n')
        self.assertEqual(client.receive_line(), b'{"return": {}}\n')
        # Behind 0xFF a digit begins such a message again.
        client.send(b"\xff" + frame({"method": "execute", "args": ["arguments", "x"]}))
        self.assertEqual(client.receive()["result"], "<x>\n")

    def test_digit_in_qmp(self):
        """Elsewhere a digit is what it is in QMP."""
        client = self.client()
        client.send(b'{"execute": "guest-ping"}\n5\n{"execute": "guest-ping"}\n')
        self.assertEqual(client.receive_line(), b'{"return": {}}\n')
        self.assertIn("error", json.loads(client.receive_line()))
        self.assertEqual(client.receive_line(), b'{"return": {}}\n')

    def test_too_long(self):
        """The count is not taken as one."""
        client = self.client()
        client.send(f"{MIB + 1}\n".encode())
        self.assertIn("error", json.loads(client.receive_line()))

    def test_qga_port(self):
        with Qga(self.socket) as client:
            client.send(frame({"method": "list_commands", "args": [], "kw": {}}))
            self.assertIn("error", client.receive())
            client.sync()
            self.assertEqual(client.command("guest-ping"), {})

    def test_peer_goes_away(self):
        fifo = self.dir / "fifo"
        os.mkfifo(fifo)
        client = OldClient(self.port)
        client.send({"method": "execute", "args": ["wait", str(fifo)], "kw": {}})
        with open(fifo, "rb") as pipe:
            self.assertRegex(pipe.readline(), rb"^\d+\n$")
            client.close()
            # The script is killed, and nobody else has the other end.
            self.assertEqual(pipe.read(), b"")
        with Qga(self.port) as other:
            self.assertEqual(other.command("negotiator-jobs"), [])


class Blocked(OldPeerCase):
    arguments = ("-b", "negotiator-exec,negotiator-list")

    def test_blocked(self):
        self.assert_error("Command negotiator-list has been disabled: the command is not allowed",
                          "list_commands")
        self.assert_error("Command negotiator-exec has been disabled: the command is not allowed",
                          "execute", "copy")


class HostAnswers(HostdCase):
    """A guest's program of old speaks to nego-hostd."""

    def setUp(self):
        super().setUp()
        self.add_command("who", "echo \"$NEGOTIATOR_GUEST\"; cat")
        self.add_command("fail", "exit 3")
        self.add_rules("[rule who]\nguest = web\ncommand = who\narguments = [a-z]*\ninput = yes\n")
        guest = self.add_guest("web")
        self.start("web")
        guest.accept()
        self.client = OldConnection(guest.connection)
        self.addCleanup(self.client.close)

    def assert_error(self, error, method, *args, **kw):
        self.assertEqual(self.client.call(method, *args, **kw), {"success": False, "error": error})

    def test_calls(self):
        reply = self.client.call("list_commands")
        self.assertEqual((sorted(reply["result"]), reply["qmp"]), (["fail", "who"], True))
        self.assertEqual(self.client.call("execute", "who", "x", input="in", capture=True),
                         {"success": True, "result": "web\nin"})
        self.assert_error("negotiator command 'fail' failed with exit status 3", "execute", "fail")

    def test_policy(self):
        self.assert_error("negotiator command 'fail' is refused by the host's default policy, which admits no arguments",
                          "execute", "fail", "x")
        reply = self.client.call("execute", "who", "--option")
        self.assertRegex(reply["error"], "^negotiator command 'who' is refused by the rule 'who' ")


if __name__ == "__main__":
    sys.exit(tap.main())
