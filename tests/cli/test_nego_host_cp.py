# SPDX-License-Identifier: MIT
"""nego-host cp over a socket: into a guest, out of it, and what stays when it fails."""

import os
import socket
import stat
import subprocess
import sys
import threading

from helpers import tap
from helpers.agent import AgentCase
from helpers.build import program

NEGO_HOST = program("nego-host")
MIB = 1 << 20


class CpCase(AgentCase):
    def setUp(self):
        super().setUp()
        self.guest = self.dir / "guest"
        self.host = self.dir / "host"
        self.guest.mkdir()
        self.host.mkdir()

    def cp(self, source, target, *options):
        done = subprocess.run([NEGO_HOST, "--socket", self.socket, "cp", *options, source, target],
                              stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120,
                              check=False)
        return done.returncode, done.stderr

    def make(self, path, size, mode):
        path.write_bytes(os.urandom(size))
        path.chmod(mode)
        os.utime(path, ns=(1_500_000_000_123_456_789, 1_500_000_000_123_456_789))

    def assert_copied(self, source, target, mode):
        self.assertEqual(source.read_bytes(), target.read_bytes())
        self.assertEqual(target.stat().st_mode & 0o7777, mode)
        self.assertEqual(target.stat().st_mtime_ns, 1_500_000_000_123_456_789)

    def assert_only(self, directory, *names):
        self.assertEqual(sorted(path.name for path in directory.iterdir()), sorted(names))


class Cp(CpCase):
    def test_sizes_both_ways(self):
        self.start()
        for size in (0, 1, 384 * 1024, 384 * 1024 + 1, 16 * MIB + 1):
            with self.subTest(size=size):
                source, there, back = self.host / "a", self.guest / "b", self.host / "c"
                self.make(source, size, 0o640)
                self.assertEqual(self.cp(source, f":{there}"), (0, ""))
                self.assert_copied(source, there, 0o640)
                self.assertEqual(self.cp(f":{there}", back), (0, ""))
                self.assert_copied(there, back, 0o640)
        self.assert_only(self.guest, "b")
        self.assert_only(self.host, "a", "c")

    def test_replaces(self):
        self.start()
        source, there = self.host / "a", self.guest / "b"
        self.make(source, 1000, 0o600)
        there.write_text("old")
        self.assertEqual(self.cp(source, f":{there}"), (0, ""))
        self.assert_copied(source, there, 0o600)

    def test_into_directories(self):
        self.start()
        source = self.host / "a"
        self.make(source, 10, 0o600)
        self.assertEqual(self.cp(source, f":{self.guest}/"), (0, ""))
        self.assertEqual(self.cp(f"any:{self.guest}/a", self.dir), (0, ""))
        self.assert_copied(source, self.guest / "a", 0o600)
        self.assert_copied(source, self.dir / "a", 0o600)

    def test_special_bits_stay_behind(self):
        self.start()
        source = self.guest / "a"
        self.make(source, 10, 0o4755)
        self.assertEqual(self.cp(f":{source}", self.host / "b"), (0, ""))
        self.assert_copied(source, self.host / "b", 0o755)

    def test_what_cannot_be_copied(self):
        self.start()
        missing = self.guest / "missing"
        os.mkfifo(self.guest / "fifo")
        for source, target, message in (
                (f":{missing}", self.host / "b",
                 f"failed to open file '{missing}' (mode: 'r'): No such file or directory"),
                (f":{self.guest}", self.host / "b", "it is not a regular file"),
                (f":{self.guest}/fifo", self.host / "b", "it is not a regular file"),
                (f":{missing}", self.host / "no" / "b",
                 f"cannot create a file beside '{self.host}/no/b': No such file or directory"),
                (self.host / "no", f":{missing}", f"cannot open '{self.host}/no': No such file or directory"),
                (self.host, f":{missing}", f"'{self.host}' is not a regular file")):
            with self.subTest(source=source):
                self.assertEqual(self.cp(source, target), (1, f"nego-host: {message}\n"))
        self.assert_only(self.host)
        self.assert_only(self.guest, "fifo")

    def test_failed_writes_leave_nothing(self):
        self.start()
        source = self.host / "a"
        self.make(source, MIB, 0o600)
        there = self.guest / "no" / "b"
        self.assertEqual(self.cp(source, f":{there}"), (
            1, f"nego-host: failed to create a file beside '{there}': No such file or directory\n"))
        (self.guest / "directory").mkdir()
        status, message = self.cp(source, f":{self.guest}/directory")
        self.assertEqual(status, 1)
        self.assertIn(f"'{self.guest}/directory' is there, and is not a regular file", message)
        self.assert_only(self.guest, "directory")

    def make_special(self, directory):
        """Returns what a file must not take the place of, and what is said of it."""
        (directory / "file").write_text("file")
        os.mkfifo(directory / "fifo")
        (directory / "link").symlink_to("file")
        (directory / "dangling").symlink_to("nowhere")
        link = "is a symbolic link; name the file that it points to"
        special = {"fifo": "is there, and is not a regular file", "link": link, "dangling": link}
        try:
            os.mknod(directory / "null", stat.S_IFCHR | 0o666, os.makedev(1, 3))
            special["null"] = special["fifo"]
        except PermissionError:
            pass  # only root makes devices, and not in each container
        return special

    def test_special_files_stay(self):
        self.start()
        source = self.dir / "source"
        self.make(source, 10, 0o600)
        for directory, prefix, other in ((self.host, "", f":{source}"), (self.guest, ":", source)):
            special = self.make_special(directory)
            before = {name: (directory / name).lstat() for name in special}
            for name, message in special.items():
                with self.subTest(directory=directory.name, name=name):
                    self.assertEqual(self.cp(other, f"{prefix}{directory / name}"),
                                     (1, f"nego-host: '{directory / name}' {message}\n"))
                    self.assertEqual((directory / name).lstat().st_ino, before[name].st_ino)
            self.assertEqual((directory / "file").read_text(), "file")
            self.assert_only(directory, "file", *special)

    def test_blocked(self):
        self.start("-b", "guest-file-read,guest-file-write")
        source = self.host / "a"
        self.make(source, 10, 0o600)
        (self.guest / "b").write_text("b")
        for command, words in (("guest-file-write", (source, f":{self.guest}/c")),
                               ("guest-file-read", (f":{self.guest}/b", self.host / "c"))):
            with self.subTest(command=command):
                self.assertEqual(self.cp(*words), (
                    1, f"nego-host: Command {command} has been disabled: the command is not allowed "
                       "(block-rpcs or allow-rpcs, or commands in [negotiator], in the configuration of "
                       "the guest's agent)\n"))
        self.assert_only(self.host, "a")
        self.assert_only(self.guest, "b")

    def test_usage(self):
        for words in (("a", "b"), (":a", ":b"), ("./a:b", "c"), (":", "b")):
            with self.subTest(words=words):
                status, message = self.cp(*words)
                self.assertEqual(status, 2)
                self.assertIn("must be GUEST:PATH", message)


class Damaged(CpCase):
    """A guest whose file is not what was sent."""

    def relay(self, path):
        """Passes one connection on, and changes a byte of each reply's data."""
        server = socket.socket(socket.AF_UNIX)
        server.bind(str(path))
        server.listen()
        self.addCleanup(server.close)
        threading.Thread(target=self.serve, args=(server,), daemon=True).start()

    def serve(self, server):
        client, _ = server.accept()
        agent = socket.socket(socket.AF_UNIX)
        agent.connect(str(self.socket))
        threading.Thread(target=self.forward, args=(client, agent, False), daemon=True).start()
        self.forward(agent, client, True)
        client.close()
        agent.close()

    @staticmethod
    def forward(source, target, change):
        try:
            while data := source.recv(1 << 20):
                if change:
                    data = data.replace(b'"buf-b64": "AAAA', b'"buf-b64": "AAAB')
                target.sendall(data)
            target.shutdown(socket.SHUT_WR)
        except OSError:
            pass

    def test_damaged(self):
        self.start()
        (self.guest / "b").write_bytes(bytes(1000))
        self.relay(self.dir / "relay")
        done = subprocess.run(
            [NEGO_HOST, "--socket", self.dir / "relay", "cp", f":{self.guest}/b", self.host / "c"],
            stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120, check=False)
        self.assertEqual((done.returncode, done.stderr), (
            1, "nego-host: the SHA-256 of the copy differs from byte 0 on: the file was changed "
               "meanwhile, or damaged\n"))
        self.assert_only(self.host)


if __name__ == "__main__":
    sys.exit(tap.main())
