# SPDX-License-Identifier: MIT
"""bench: that it runs, and measures every row; never how fast anything is."""

import json
import math
import pathlib
import subprocess
import sys
import tempfile
import unittest

from helpers import case, image, tap

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

from figures import PING, ROWS  # noqa: E402
from subjects import BARE, OURS, THEIRS, Local, drive, make_directory, program  # noqa: E402

NEEDS = {"guest-ping": "guest", "idle-port": "guest", "first": "guest", "host": "nego-host",
         "stream": "nego-host", "stream-text": "nego-host", "first-byte": "nego-host",
         "stream-agent": "nego-host", "stream-host": "nego-host", "guest-read": "guest", "guest-write": "guest",
         "guest-freeze": "guest"}
# qemu-ga has nothing like it, or not in all versions.
OURS_ALONE = ("host", "first-byte", "stream-agent", "stream-host", "many", "route")


def run(*arguments):
    """Runs the bench; returns its output and its rows by figure."""
    with tempfile.NamedTemporaryFile() as file:
        done = subprocess.run(
            [sys.executable, HERE / "run", "--tiny", "--rounds", "1", "--json", file.name, *arguments],
            capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise AssertionError(f"the bench failed:\n{done.stdout}{done.stderr}")
        return done.stdout, {row["figure"]: row for row in json.load(file)["rows"]}


class Rows(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.have = {"guest": case.unavailable() is None,
                    "nego-host": program("nego-host") is not None,
                    OURS: program("nego-agent") is not None,
                    THEIRS: image.QEMU_GA.exists()}
        cls.output, cls.rows = run()

    def test_each_is_printed(self):
        for row in ROWS:
            self.assertIn(f"\n{row.name}", self.output)

    def test_each_is_measured(self):
        for row in ROWS:
            with self.subTest(row.name):
                medians = self.rows[row.figure]["median"]
                if not self.have.get(NEEDS.get(row.figure), True):
                    continue
                if self.have[OURS]:
                    self.assertTrue(math.isfinite(medians[OURS]))
                if self.have[THEIRS] and row.figure not in OURS_ALONE:
                    self.assertTrue(math.isfinite(medians[THEIRS]))

    def test_outcome_is_the_ratio(self):
        for row in ROWS:
            medians, outcome = self.rows[row.figure]["median"], self.rows[row.figure]["outcome"]
            if outcome is not None and row.against is not None and row.figure != "exec":
                self.assertAlmostEqual(outcome, medians[OURS] / medians[row.against])


class Driver(unittest.TestCase):
    def setUp(self):
        self.directory = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()))
        self.echo = Local(BARE, self.directory, [program("bare-echo")])
        self.addCleanup(self.echo.stop)

    def assert_fails(self, text, *arguments):
        with self.assertRaises(subprocess.CalledProcessError) as caught:
            drive(*arguments)
        self.assertEqual(caught.exception.stderr, f"bench-driver: {text}\n")

    def test_reply_that_is_not_the_expected(self):
        self.assert_fails("a reply without 'exitcode': {\"return\": {}}",
                          "request", self.echo.socket, 0, 1, 1, PING, "exitcode")

    def test_command_that_fails(self):
        self.assert_fails("cannot start '/nonexistent': No such file or directory",
                          "spawn", 1, "/nonexistent")

    def test_unknown_measurement(self):
        self.assert_fails("no measurement 'speed'", "speed")

    def test_too_few_arguments(self):
        self.assert_fails("too few arguments for 'idle'", "idle", 1)

    def test_all_replies_are_waited_for(self):
        result = drive("request", self.echo.socket, self.echo.pid, 3, 16, PING, "return")
        self.assertGreater(result["cpu"], 0)
        self.assertGreater(result["wall"], 0)


class Place(unittest.TestCase):
    def test_scripts_directory_is_one_that_the_agent_trusts(self):
        directory = make_directory()
        self.addCleanup(directory.rmdir)
        for path in (directory, *directory.parents):
            self.assertEqual(path.stat().st_mode & 0o022, 0)


if __name__ == "__main__":
    sys.exit(tap.main())
