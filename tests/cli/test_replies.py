#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Each command's result is what the schema promises, and each command has a test.

All that can be asked of this machine without changing it is asked of the real agent. The results of
what changes something are looked at in test_conversations.py and in the commands' own tests.
"""

import json
import re
import sys
import unittest

from helpers import schema, tap
from helpers.build import SOURCE_ROOT
from helpers.conversation import Agent, Line

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
