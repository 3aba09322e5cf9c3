# SPDX-License-Identifier: MIT
"""nego-host under the name negotiator-host, with the Python program's options, over a socket."""

import os
import pathlib
import subprocess
import sys
import tempfile

from helpers import tap
from helpers.agent import AgentCase, safe_directory
from helpers.build import program

SCRIPTS = {
    "arguments": "for argument; do echo \"<$argument>\"; done",
    "copy": "cat; echo end",
    "fail": "echo out; exit 3",
    "refused": "true",
}


class NegotiatorHost(AgentCase):
    def setUp(self):
        super().setUp()
        directory = tempfile.TemporaryDirectory(prefix=".nego-old-host-", dir=safe_directory())
        self.addCleanup(directory.cleanup)
        scripts = pathlib.Path(directory.name)
        scripts.chmod(0o755)
        for name, text in SCRIPTS.items():
            (scripts / name).write_text("#!/bin/sh\n" + text + "\n")
            (scripts / name).chmod(0o777 if name == "refused" else 0o755)
        self.port = self.dir / "port"
        conf = self.write("agent.conf", "[negotiator]\nhost-calls=false\n"
                          f"guest-commands={scripts}\nchannels=unix-listen:{self.port}\n")
        self.start("-c", conf)
        self.program = self.dir / "negotiator-host"
        self.program.symlink_to(program("nego-host"))

    def host(self, *args, **options):
        return subprocess.run([self.program, *map(str, args)], stdin=subprocess.DEVNULL, capture_output=True,
                              text=True, timeout=60, check=False, **options)

    def socket_host(self, *args):
        return self.host(f"--socket={self.port}", *args)

    def test_help(self):
        for args in (("-h",), ("--help",), ()):
            done = self.host(*args)
            self.assertEqual((done.stderr, done.returncode), ("", 0), args)
            for option in ("-g, --list-guests", "-c, --list-commands", "-e, --execute=", "-d, --daemon",
                           "-t, --timeout=", "-v, --verbose", "-q, --quiet", "-h, --help"):
                self.assertIn(option, done.stdout)

    def test_list_commands(self):
        for option in "-c", "--list-commands":
            done = self.socket_host(option)
            self.assertEqual((done.stderr, done.returncode), ("", 0))
            names = done.stdout.splitlines()
            self.assertEqual(names, sorted(names))
            self.assertLessEqual({"arguments", "copy", "fail"}, set(names))
            self.assertNotIn("refused", names)

    def test_execute(self):
        done = self.socket_host("-e", "arguments 'a b' c")
        self.assertEqual((done.stdout, done.stderr, done.returncode), ("<a b>\n<c>\n", "", 0))
        done = self.socket_host("-q", "--timeout=0", "--execute=copy")
        self.assertEqual((done.stdout, done.stderr, done.returncode), ("end\n", "", 0))
        done = self.socket_host("-e", "fail")
        self.assertEqual((done.stdout, done.stderr, done.returncode), ("out\n", "", 3))
        done = self.socket_host("-e", "nothing")
        self.assertEqual((done.stdout, done.returncode), ("", 127))

    def test_several_actions(self):
        done = self.socket_host("-e", "arguments a", "-e", "arguments b")
        self.assertEqual((done.stdout, done.returncode), ("<a>\n<b>\n", 0))
        done = self.socket_host("-e", "fail", "-e", "arguments b")
        self.assertEqual((done.stdout, done.returncode), ("out\n", 3))

    def test_wrong_usage(self):
        for args in (("-c",), ("-e", "arguments"), ("-c", "a", "b"), ("--nothing",), ("-e",)):
            done = self.host(*args)
            self.assertEqual((done.stdout, done.returncode), ("", 1), args)
            self.assertNotEqual(done.stderr, "", args)
        done = self.socket_host("-e", "arguments 'a")
        self.assertEqual((done.stdout, done.returncode), ("", 1))

    def test_daemon(self):
        """It is nego-hostd's; the installed one, or else that of the PATH."""
        programs = self.dir / "programs"
        programs.mkdir()
        (programs / "nego-hostd").write_text("#!/bin/sh\necho \"daemon $*\"\n")
        (programs / "nego-hostd").chmod(0o755)
        if any(pathlib.Path(place, "nego-hostd").exists() for place in ("/usr/sbin", "/usr/local/sbin")):
            self.skipTest("a nego-hostd is installed here")
        done = self.host("-v", "--daemon", env={**os.environ, "PATH": f"{programs}:{os.environ['PATH']}"})
        self.assertEqual((done.stdout, done.stderr, done.returncode), ("daemon -v\n", "", 0))


if __name__ == "__main__":
    sys.exit(tap.main())
