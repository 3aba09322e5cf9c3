# SPDX-License-Identifier: MIT
"""nego-host exec in many guests at once."""

import json
import os
import signal
import subprocess
import sys

from helpers import tap
from helpers.case import boot_together
from helpers.guest import PORT_QGA
from helpers.libvirt import LibvirtGuest
from helpers.nego_host import HostCase


class Many(HostCase):
    """Eight guests, of which two have an agent that lives."""

    agent_command = None

    @classmethod
    def make_guest(cls):
        return boot_together([LibvirtGuest(cls.libvirt, name, ports=(PORT_QGA,)) for name in
                              ("web1", "web2", "web3", "db1", "db2", "db3", "db4", "db5")])

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.guests = cls.guest
        cls.guest = cls.guests[0]

    def setUp(self):
        self.daemons = []
        for guest in self.guests[:2]:
            daemon = guest.daemon("agent", "nego-agent")
            guest.wait_agent("connected")
            self.addCleanup(daemon.stop)

    def tearDown(self):
        pass

    def test_all(self):
        """The dead delay nobody."""
        # One that holds its port and does not answer is the worst.
        hung = self.guests[2].daemon("agent", "nego-agent")
        self.guests[2].wait_agent("connected")
        self.guests[2].control.check("kill -STOP $(pidof nego-agent)")
        self.addCleanup(hung.stop)
        self.addCleanup(self.guests[2].control.check, "kill -CONT $(pidof nego-agent)")
        process = self.spawn("exec", "--all", "arguments", "a b", "c", stderr=subprocess.PIPE)
        self.addCleanup(process.stderr.close)
        lines = sorted(process.stdout.readline() for _ in range(4))
        self.assertIsNone(process.poll(), "the dead are still waited for")
        self.assertEqual(lines, [b"web1: a b\n", b"web1: c\n", b"web2: a b\n", b"web2: c\n"])
        self.assertEqual((process.stdout.read(), process.wait(60)), (b"", 1))
        words = process.stderr.read().decode().splitlines()
        self.assertEqual(words[-1], "nego-host: 8 guests: 2 succeeded, 6 failed: db1, db2, db3, db4, db5, web3")
        self.assertEqual(sorted(word.split("'")[1] for word in words[:-1]),
                         ["db1", "db2", "db3", "db4", "db5", "web3"])

    def test_match(self):
        done = self.host("exec", "--match", "web[12]", "find-ip-addresses")
        self.assertEqual(done.returncode, 125)  # * and ? only
        done = self.host("exec", "--match", "web?", "-P", "1", "fail", "3")
        self.assertEqual(done.returncode, 1)
        self.assertIn(b"nego-host: guest 'web1': exit status 3\n", done.stderr)
        self.assertIn(b"web1: failing with 3\n", done.stderr)
        self.assertIn(b"nego-host: 3 guests: 0 succeeded, 3 failed: web1, web2, web3\n", done.stderr)

    def test_names(self):
        done = self.host("exec", "web2,web1", "numbers", "1")
        self.assertEqual((done.returncode, sorted(done.stdout.splitlines()), done.stderr),
                         (0, [b"web1: 1", b"web2: 1"], b"nego-host: 2 guests: 2 succeeded, 0 failed\n"))
        done = self.host("-q", "exec", "web2,nope", "numbers", "1")
        self.assertEqual((done.returncode, done.stdout, done.stderr), (1, b"web2: 1\n", b""))

    def test_json(self):
        done = self.host("--json", "exec", "web1,web2,db1,nope", "numbers", "2")
        rows = {row["guest"]: row for row in map(json.loads, done.stdout.splitlines())}
        self.assertEqual(sorted(rows), ["db1", "nope", "web1", "web2"])
        self.assertEqual((rows["web1"]["exit-status"], rows["web1"]["result"]["out-data"]), (0, "1\n2\n"))
        self.assertEqual((rows["nope"]["exit-status"], rows["nope"]["error"]), (125, "no such guest"))
        self.assertEqual(rows["db1"]["exit-status"], 125)
        self.assertEqual(done.returncode, 1)

    def test_several_connections(self):
        """Guests of one name are told apart, and a host that is not there delays nobody."""
        done = self.host("-c", "qemu:///system" if os.geteuid() == 0 else "qemu:///session",
                         "-c", "qemu+unix:///system?socket=/nonexistent", "exec", "web1,web2", "numbers", "1")
        self.assertEqual((done.returncode, sorted(done.stdout.splitlines())), (1, [b"web1: 1", b"web2: 1"]))
        self.assertIn(b"/nonexistent", done.stderr)
        uri = self.libvirt.environment["LIBVIRT_DEFAULT_URI"]
        done = self.host("-q", "-c", uri, "-c", uri, "exec", "web1", "numbers", "1")
        self.assertEqual(done.returncode, 2)
        done = self.host("-c", uri, "-c", uri, "exec", "web1,", "numbers", "1")
        self.assertEqual((done.returncode, sorted(done.stdout.splitlines())),
                         (0, [b"web1@localhost: 1", b"web1@localhost: 1"]))

    def test_interrupted(self):
        process = self.spawn("exec", "web1,web2", "numbers", "1", "100", stderr=subprocess.PIPE)
        self.addCleanup(process.stderr.close)
        self.assertEqual(sorted(process.stdout.readline() for _ in range(2)), [b"web1: 1\n", b"web2: 1\n"])
        os.kill(int(self.host_status(process).split("/")[2]), signal.SIGTERM)
        self.assertEqual(process.wait(60), 1)
        self.assertIn("ended by signal 15", process.stderr.read().decode())

    def test_none(self):
        self.assertIn("no guest that runs matches the pattern", self.assert_fails(125, "exec", "--match", "x*", "y"))


if __name__ == "__main__":
    sys.exit(tap.main())
