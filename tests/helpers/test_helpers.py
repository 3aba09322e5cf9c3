# SPDX-License-Identifier: MIT
"""The parts of the harness that would hide a failure if they were wrong."""

import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

from helpers import build, cpio, image, tap

SCRIPTS = build.SOURCE_ROOT / "scripts"

MESON_LOG = """\
{"name": "good", "stdout": "ok 1 - a\\nok 2 - b\\n1..2\\n", "result": "OK", "returncode": 0}
{"name": "plain", "stdout": "words\\n", "result": "OK", "returncode": 0}
{"name": "skips", "stdout": "1..0 # SKIP no machine\\n", "result": "SKIP", "returncode": 0}
{"name": "one", "stdout": "ok 1 - c # SKIP no disk\\nnot ok 2 - d\\n", "result": "FAIL"}
{"name": "crash", "stdout": "ok 1 - e\\n", "result": "ERROR", "returncode": -11}
{"name": "hang", "stdout": "", "result": "TIMEOUT", "returncode": -15}
"""


class TestSummary(unittest.TestCase):
    def summary(self, name, text):
        with tempfile.TemporaryDirectory() as directory:
            path = pathlib.Path(directory, name)
            path.write_text(text, encoding="utf-8")
            done = subprocess.run([SCRIPTS / "test-summary", path], capture_output=True, text=True,
                                  check=False)
        return done.returncode, done.stdout.splitlines()

    def test_counts_cases_of_meson_logs(self):
        status, lines = self.summary("testlog.json", MESON_LOG)
        self.assertEqual(status, 1)
        self.assertEqual(lines, [
            "skipped: skips: no machine",
            "skipped: one: c: no disk",
            "failed: one: d",
            "failed: crash: ERROR, exit status -11",
            "failed: hang: TIMEOUT, exit status -15",
            "4 passed, 3 failed, 2 skipped",
        ])

    def test_second_run_counts_and_is_told_of(self):
        with tempfile.TemporaryDirectory() as directory:
            path = pathlib.Path(directory, "testlog.json")
            path.write_text(MESON_LOG, encoding="utf-8")
            pathlib.Path(directory, "testlog-again.json").write_text(
                '{"name": "one", "stdout": "ok 1 - c\\nok 2 - d\\n", "result": "OK"}\n'
                '{"name": "hang", "stdout": "", "result": "TIMEOUT", "returncode": -15}\n',
                encoding="utf-8")
            done = subprocess.run([SCRIPTS / "test-summary", path], capture_output=True, text=True,
                                  check=False)
            names = subprocess.run([SCRIPTS / "test-summary", "--failed", path],
                                   capture_output=True, text=True, check=True)
        self.assertEqual(done.returncode, 1)
        self.assertEqual(done.stdout.splitlines(), [
            "skipped: skips: no machine",
            "failed in its first run, and was run again: one: d",
            "failed in its first run, and was run again: hang: TIMEOUT, exit status -15",
            "failed: crash: ERROR, exit status -11",
            "failed: hang: TIMEOUT, exit status -15",
            "6 passed, 2 failed, 1 skipped",
        ])
        self.assertEqual(names.stdout.split(), ["one", "crash", "hang"])

    def test_succeeds_when_all_passed(self):
        self.assertEqual(self.summary("steps", "ok - build\nok 2 - case # SKIP why\n"),
                         (0, ["skipped: check: case: why", "1 passed, 0 failed, 1 skipped"]))

    def test_nothing_that_passed_is_a_failure(self):
        self.assertEqual(self.summary("steps", ""), (1, ["0 passed, 0 failed, 0 skipped"]))


class TestInstallPackages(unittest.TestCase):
    def test_asks_nobody_without_a_terminal(self):
        with tempfile.TemporaryDirectory() as directory:
            # A dpkg-query that knows no package: everything is missing.
            query = pathlib.Path(directory, "dpkg-query")
            query.write_text("#!/bin/sh\nexit 1\n", encoding="ascii")
            query.chmod(0o755)
            environment = dict(os.environ, PATH=f"{directory}:{os.environ['PATH']}")
            environment.pop("CI", None)
            done = subprocess.run([SCRIPTS / "install-packages", "build"], capture_output=True,
                                  text=True, check=False, stdin=subprocess.DEVNULL,
                                  env=environment)
        self.assertEqual(done.returncode, 1)
        self.assertIn("will be installed: gcc libc6-dev", done.stdout)
        self.assertEqual(done.stderr, "nobody to ask: run again with -y\n")


class TestCpio(unittest.TestCase):
    def test_the_tool_of_the_system_reads_it(self):
        tool = shutil.which("cpio") or shutil.which("busybox")
        if tool is None:
            self.skipTest("neither cpio nor busybox is installed")
        archive = cpio.Archive()
        archive.file("a/b/file", "content\n", 0o640)
        archive.symlink("a/link", "b/file")
        with tempfile.TemporaryDirectory() as directory:
            command = [tool] + (["cpio"] if tool.endswith("busybox") else [])
            subprocess.run([*command, "-i", "-d"], input=archive.to_bytes(), check=True,
                           cwd=directory, stderr=subprocess.DEVNULL)
            link = pathlib.Path(directory, "a/link")
            self.assertEqual(link.readlink(), pathlib.Path("b/file"))
            self.assertEqual(link.read_text(), "content\n")
            self.assertEqual(link.stat().st_mode & 0o777, 0o640)

    def test_equal_content_gives_equal_bytes(self):
        def make():
            archive = cpio.Archive()
            archive.file("x", "y")
            return archive.to_bytes()

        self.assertEqual(make(), make())


class TestImage(unittest.TestCase):
    def test_libraries_of_a_program(self):
        names = [path.name for path in image.shared_libraries(sys.executable)]
        self.assertIn("libc.so.6", names)

    def test_modules_come_after_what_they_need(self):
        try:
            files = image.Kernel().module_files(["virtio_console"])
        except FileNotFoundError as error:
            self.skipTest(str(error))
        names = [path.name for path in files]
        self.assertLess(names.index("virtio_ring.ko"), names.index("virtio.ko"))
        self.assertEqual(names[-1], "virtio_console.ko")


if __name__ == "__main__":
    sys.exit(tap.main())
