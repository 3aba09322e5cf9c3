#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Each command's result is what the schema promises, and each command has a test.

All that can be asked of this machine without changing it is asked of the real agent. The results of
what changes something are looked at in test_conversations.py and in the commands' own tests.
"""

import json
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest

from helpers import schema, tap
from helpers.agent import AgentCase, safe_directory
from helpers.build import SOURCE_ROOT
from helpers.conversation import DEADLINE_S, Agent, Line
from helpers.qga import Qga

# It ends what the connection has.
NOT_HERE = {"negotiator-session"}

ARGUMENTS = {
    "guest-sync": {"id": 1},
    "guest-sync-delimited": {"id": 2},
}

# Files that name commands without trying them.
LISTS = {"test-core.c", "test_replies.py", "check-compatibility.py"}


def needs_arguments(command):
    return command.arguments is not None and any(
        not member.optional for member in command.arguments.members)


class Replies(unittest.TestCase):
    def test_validator(self):
        """It finds what it is for."""
        good = {"logical-id": 1, "online": True, "can-offline": False}
        faults = schema.find_faults
        self.assertEqual(faults("guest-get-vcpus", [good]), [])
        self.assertEqual(faults("guest-get-vcpus", [{"logical-id": 1}]),
                         ["return[0].online is missing"])
        self.assertEqual(faults("guest-get-vcpus", [good | {"x": 1}]),
                         ["return[0].x is not in GuestLogicalProcessor"])
        self.assertEqual(faults("guest-get-vcpus", [good | {"online": 1}]),
                         ["return[0].online is 1, no bool"])
        self.assertEqual(faults("guest-get-vcpus", [good | {"logical-id": 1 << 63}]),
                         [f"return[0].logical-id is {1 << 63}, no int"])
        self.assertEqual(faults("guest-get-vcpus", {}), ["return is no list"])
        self.assertEqual(faults("guest-ping", {"x": 1}), ["return is not {}"])
        self.assertEqual(faults("guest-sync", True), ["return is True, no int"])

    def test_results(self):
        """Of all commands that only read and need no arguments."""
        with Agent() as agent, Line(agent.socket) as line:
            info = line.ask(b'{"execute":"guest-info"}')["return"]
            enabled = [entry["name"] for entry in info["supported_commands"] if entry["enabled"]]
            asked = 0
            for name in enabled:
                command = schema.commands()[name]
                if name in NOT_HERE or "read-only" not in command.features or (
                        needs_arguments(command) and name not in ARGUMENTS):
                    continue
                with self.subTest(name):
                    reply = self._ask(line, name)
                    asked += 1
                    if "error" in reply:
                        # This machine need not have what it asks for.
                        self.assertEqual(set(reply["error"]), {"class", "desc"})
                        self.assertEqual(reply["error"]["class"], "GenericError")
                    else:
                        self.assertEqual(schema.find_faults(name, reply["return"]), [])
            self.assertGreater(asked, 10)

    @staticmethod
    def _ask(line, name):
        request = {"execute": name}
        if name in ARGUMENTS:
            request["arguments"] = ARGUMENTS[name]
        line.say(json.dumps(request).encode() + b"\n")
        return json.loads(line.hear_line().removeprefix(b"\xff"))


class OnOwnChannel(AgentCase):
    """What only our own programs ask for."""

    def test_session_and_jobs(self):
        commands = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory(
            prefix="nego-replies-", dir=safe_directory())))
        commands.chmod(0o755)
        (commands / "wait").write_text("#!/bin/sh\nexec sleep 600\n", encoding="ascii")
        (commands / "wait").chmod(0o755)
        conf = self.write("conf", f"[negotiator]\nguest-commands={commands}\n")
        self.start("-t", self.dir, "-c", conf, "--channel", f"unix-listen:{self.dir}/own")
        client = self.enterContext(Qga(self.dir / "own", timeout=DEADLINE_S))
        for name, arguments in (
                ("negotiator-session", {"concurrent": True}),
                ("negotiator-cancel", {"request": 1}),
                ("negotiator-session", {"concurrent": False}),
                ("negotiator-exec", {"command": "wait", "wait": 0, "key": "k"}),
                ("negotiator-exec-signal", {"key": "k", "signal": "TERM"}),
                ("negotiator-exec-status", {"key": "k", "wait": DEADLINE_S}),
                ("negotiator-exec-forget", {"key": "k"}),
                ("negotiator-jobs", {})):
            with self.subTest(name):
                self.assertEqual(schema.find_faults(name, client.command(name, **arguments)), [])


class Transcripts(unittest.TestCase):
    """What scripts/check-replies finds in what connections carried."""

    def check(self, *lines):
        with tempfile.TemporaryDirectory(prefix="nego-replies-") as directory:
            pathlib.Path(directory, "test.1").write_text(
                "".join(f"{line}\n" for line in lines), encoding="utf-8", errors="surrogateescape")
            done = subprocess.run([SOURCE_ROOT / "scripts" / "check-replies", directory], check=False,
                                  capture_output=True, text=True)
        self.assertEqual((done.returncode, done.stderr), (1, ""))
        found = [line for line in done.stdout.splitlines() if line.startswith("test.1: ")]
        untried = re.findall(r"no test in which (\S+) succeeds", done.stdout)
        return found, set(schema.commands()) - set(untried)

    def test_good(self):
        found, tried = self.check(
            "connection", "> guest-sync-delimited", "> nonsense", "> guest-ping", "> guest-shutdown",
            "< the rest of anothers reply\"}}", '< \udcff{"return": 1}',
            '< {"error": {"class": "CommandNotFound", "desc": "x"}, "id": 7}', '< {"return": {}}')
        self.assertEqual(found, [])
        self.assertLessEqual({"guest-sync-delimited", "guest-ping", "guest-shutdown"}, tried)
        self.assertNotIn("guest-info", tried)
        # The first request was abandoned.
        found, tried = self.check("connection", "> guest-get-time", "> guest-get-load",
                                  '< {"return": {"load1m": 1, "load5m": 2.5, "load15m": 0}}')
        self.assertEqual(found, [])
        self.assertIn("guest-get-load", tried)
        self.assertNotIn("guest-get-time", tried)

    def test_bad(self):
        for fault, line in (
                ("guest-get-load: return.load5m is missing", '{"return": {"load1m": 1, "load15m": 0}}'),
                ("unexpected members ['greeting', 'return']", '{"return": {}, "greeting": 1}'),
                ("the error's class is neither GenericError nor CommandNotFound",
                 '{"error": {"class": "X", "desc": "y"}}'),
                ("event 'X' is not in the schema", '{"event": "X"}'),
                ("no object", "[]")):
            with self.subTest(fault):
                found, _ = self.check("connection", "> guest-get-load", f"< {line}")
                self.assertEqual(found, [f"test.1: {fault}: {line}"])
        found, _ = self.check("connection", "> guest-ping", '< {"return": {}}', "< half")
        self.assertEqual(found, ["test.1: no JSON: half"])


class Coverage(unittest.TestCase):
    """No command is without a test."""

    def test_each_is_named_in_a_test(self):
        # What our own programs send is tried by the programs' tests.
        texts = {path: path.read_text(encoding="utf-8", errors="replace")
                 for pattern in ("tests/**/*.c", "tests/**/*.py", "host-client/**/*.c",
                                 "common/client/*.c")
                 for path in SOURCE_ROOT.glob(pattern) if path.name not in LISTS}
        for name in schema.commands():
            with self.subTest(name):
                # As a whole: guest-exec is not guest-exec-status.
                pattern = re.compile(rf"(?<![\w-]){name}(?![\w-])")
                self.assertTrue(any(map(pattern.search, texts.values())),
                                f"no test names {name}")


if __name__ == "__main__":
    sys.exit(tap.main())
