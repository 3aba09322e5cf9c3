# SPDX-License-Identifier: MIT
"""What systemd makes of the units, the users and the directories that are shipped; nothing of it is installed."""

import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

from helpers import tap
from helpers.build import SOURCE_ROOT

DATA = SOURCE_ROOT / "data"
# Far above what any of these tools needs.
PATIENCE_S = 60


def run(*command):
    """The exit status and all that is said."""
    done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, timeout=PATIENCE_S,
                          env={"PATH": os.environ["PATH"], "LC_ALL": "C"})
    return done.returncode, done.stdout


def needs(tool):
    return unittest.skipIf(shutil.which(tool) is None, f"{tool} is not installed")


class Units(unittest.TestCase):
    def setUp(self):
        self.dir = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()))

    def need_verify(self):
        """It works here at all, and sees a mistake."""
        unit = self.dir / "nego-wrong.service"
        unit.write_text("[Service]\nExecStart=/bin/true\nNoNewPrivilege=yes\n")
        _, said = run("systemd-analyze", "verify", "--man=no", unit)
        if "NoNewPrivilege" not in said:
            self.skipTest(f"systemd-analyze does not verify units here: {said.strip()[:200]}")

    @needs("systemd-analyze")
    def test_services(self):
        """Each directive is known, and has a value that systemd takes."""
        self.need_verify()
        for source in sorted(DATA.glob("*.service.in")):
            program = self.dir / source.name.removesuffix(".service.in")
            program.write_text("#!/bin/sh\n")
            program.chmod(0o755)
            unit = self.dir / source.name.removesuffix(".in")
            unit.write_text(source.read_text().replace("@sbindir@", str(self.dir)))
            _, said = run("systemd-analyze", "verify", "--man=no", unit)
            # Other units of this machine, which it loads along, are not ours.
            ours = [line for line in said.splitlines() if unit.name in line]
            self.assertEqual(ours, [], source.name)

    def need_root(self):
        if os.geteuid() != 0:
            self.skipTest("only root can make other users' files")

    @needs("systemd-sysusers")
    def test_users(self):
        self.need_root()
        (self.dir / "etc").mkdir()
        status, said = run("systemd-sysusers", f"--root={self.dir}", DATA / "sysusers.conf")
        self.assertEqual(status, 0, said)
        users = [line.split(":") for line in (self.dir / "etc/passwd").read_text().splitlines()]
        groups = [line.split(":")[0] for line in (self.dir / "etc/group").read_text().splitlines()]
        self.assertEqual([user[0] for user in users], ["negotiator-run"])
        self.assertNotEqual(users[0][2], "0")
        self.assertIn("nologin", users[0][6])
        self.assertEqual(sorted(groups), ["negotiator", "negotiator-run"])

    @needs("systemd-tmpfiles")
    def test_directories(self):
        self.need_root()
        status, said = run("systemd-tmpfiles", f"--root={self.dir}", "--create",
                           DATA / "tmpfiles.conf")
        self.assertEqual(status, 0, said)
        for name in ("negotiator", "negotiator/guests"):
            stat = (self.dir / "run" / name).stat()
            self.assertEqual((stat.st_mode & 0o7777, stat.st_uid, stat.st_gid), (0o755, 0, 0), name)


if __name__ == "__main__":
    sys.exit(tap.main())
