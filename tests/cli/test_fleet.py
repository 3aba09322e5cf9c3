# SPDX-License-Identifier: MIT
"""nego-host exec for several guests, and for one, of libvirt's driver for tests: its guests have names and channels, and
behind each channel is the real agent, or nobody."""

import json
import os
import pathlib
import signal
import subprocess
import sys
import tempfile

from helpers import tap
from helpers.agent import AgentCase, safe_directory
from helpers.build import program

NEGO_HOST = program("nego-host")
PATIENCE_S = 60

SCRIPTS = {
    "hello": "echo hello",
    "begun": "printf begun",
    "log": "echo \"$2\"; echo run >>\"$1\"",
    "traps": "trap 'echo trapped; exit 42' INT; echo ready; while :; do sleep 100 & wait; done",
}
GUEST = """<domain type='test'><name>{name}</name><memory>1024</memory><os><type>hvm</type></os><devices>
<channel type='unix'><source mode='bind' path='{path}'/><target type='virtio' name='negotiator-host-to-guest.0'/></channel>
</devices></domain>
"""


class FleetCase(AgentCase):
    names = ("one", "three", "two")

    def setUp(self):
        super().setUp()
        directory = tempfile.TemporaryDirectory(prefix=".nego-fleet-", dir=safe_directory())
        self.addCleanup(directory.cleanup)
        scripts = pathlib.Path(directory.name)
        scripts.chmod(0o755)
        for name, text in SCRIPTS.items():
            (scripts / name).write_text(f"#!/bin/sh\n{text}\n")
            (scripts / name).chmod(0o755)
        configuration = self.write("agent.conf", f"[negotiator]\nguest-commands={scripts}\n")
        guests = "".join(GUEST.format(name=name, path=self.socket) for name in self.names)
        self.node = self.write("node.xml", f"<node>\n{guests}</node>\n")
        if b"cannot load the libvirt module" in self.host("list").stderr:
            self.skipTest("built without libvirt")
        self.start("-c", configuration)

    def command(self, *args):
        # No nego-hostd of this machine.
        return [NEGO_HOST, "-c", f"test://{self.node}", "--hostd", self.dir / "no-hostd", *args]

    def host(self, *args, **options):
        options.setdefault("stdout", subprocess.PIPE)
        return subprocess.run(self.command(*args), stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, check=False,
                              timeout=PATIENCE_S, **options)

    def spawn(self, *args):
        process = subprocess.Popen(self.command(*args), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE)
        for cleanup in (process.stdout.close, process.stderr.close, process.wait, process.kill):
            self.addCleanup(cleanup)
        return process


class Several(FleetCase):
    def test_all(self):
        done = self.host("exec", "--all", "hello")
        self.assertEqual((sorted(done.stdout.splitlines()), done.stderr, done.returncode),
                         ([b"one: hello", b"three: hello", b"two: hello"],
                          b"nego-host: 3 guests: 3 succeeded, 0 failed\n", 0))

    def test_some(self):
        done = self.host("exec", "two,four", "hello")
        self.assertEqual((done.stdout, done.stderr, done.returncode), (
            b"two: hello\n", b"nego-host: guest 'four': no such guest\n"
            b"nego-host: 2 guests: 1 succeeded, 1 failed: four\n", 1))

    def test_json(self):
        done = self.host("exec", "--json", "--match", "t*", "hello")
        rows = {row["guest"]: row for row in map(json.loads, done.stdout.splitlines())}
        self.assertEqual(sorted(rows), ["three", "two"])
        for row in rows.values():
            self.assertEqual((row["exit-status"], row["result"]["out-data"], len(row["uuid"])), (0, "hello\n", 36))

    def test_output_that_cannot_be_written(self):
        """Not even the last line of it, without its end, is lost in silence."""
        for words in (("exec", "--all", "hello"), ("exec", "--all", "begun"), ("exec", "--all", "--json", "hello")):
            with self.subTest(words=words), open("/dev/full", "wb") as full:
                done = self.host("-P", "1", *words, stdout=full)
                self.assertEqual((done.stderr.decode(), done.returncode), (
                    "nego-host: guest 'one': cannot write to the standard output: No space left on device\n"
                    "nego-host: 3 guests: 0 succeeded, 1 failed: one; 2 were not begun\n", 1))

    def test_reader_that_left(self):
        log = self.dir / "log"
        ours, theirs = os.pipe()
        os.close(ours)
        with open(theirs, "wb") as pipe:
            done = self.host("-P", "1", "exec", "--all", "log", log, "hello", stdout=pipe)
        self.assertEqual((done.stderr, done.returncode), (b"", -signal.SIGPIPE))
        self.assertEqual(log.read_text(), "run\n")

    def test_interrupted(self):
        """The commands are told; nego-host does not die of it."""
        process = self.spawn("exec", "--all", "traps")
        lines = sorted(process.stdout.readline() for _ in self.names)
        self.assertEqual(lines, [b"one: ready\n", b"three: ready\n", b"two: ready\n"])
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=PATIENCE_S)
        self.assertEqual(sorted(out.splitlines()), [b"one: trapped", b"three: trapped", b"two: trapped"], err)
        self.assertEqual(process.returncode, 1)


class One(FleetCase):
    def test_timeout_is_the_commands(self):
        """It is not the time to reach the agent, which takes longer than this."""
        for words, status in ((("one",), 124), (("--all",), 1)):
            done = self.host("exec", "--timeout", "0.001", *words, "traps")
            self.assertRegex(done.stderr.decode(),
                             r"\Anego-host: guest '\w+': negotiator command 'traps' timed out after \d+\.\d s\n")
            self.assertEqual(done.returncode, status)

    def test_interrupted(self):
        process = self.spawn("exec", "two", "traps")
        self.assertEqual(process.stdout.readline(), b"ready\n")
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=PATIENCE_S)
        self.assertEqual((out, err, process.returncode), (b"trapped\n", b"", 42))


if __name__ == "__main__":
    sys.exit(tap.main())
