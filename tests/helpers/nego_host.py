# SPDX-License-Identifier: MIT
"""nego_host: a case in which nego-host runs where a libvirt of the tests' own is."""

import json
import subprocess

from helpers import build
from helpers.case import LibvirtCase


class HostCase(LibvirtCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.program = build.program("nego-host")

    def host(self, *arguments, **options):
        return self.libvirt.run([self.program, *arguments], **options)

    def assert_host(self, status, *arguments, **options):
        """Runs nego-host, which has to end with `status`; returns its output."""
        done = self.host(*arguments, **options)
        self.assertEqual(done.returncode, status, done.stderr.decode())
        return done.stdout

    def spawn(self, *arguments, **options):
        """Starts nego-host; its output is to be read."""
        options.setdefault("stdin", subprocess.DEVNULL)
        process = subprocess.Popen(self.libvirt.command([self.program, *arguments]), stdout=subprocess.PIPE,
                                   env=self.libvirt.environment, **options)
        self.addCleanup(process.stdout.close)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        return process

    def jobs(self, guest="guest"):
        return json.loads(self.assert_host(0, "--json", "jobs", guest))

    def assert_fails(self, status, *arguments, **options):
        """Runs nego-host, which has to end with `status` and without output; returns its words."""
        done = self.host(*arguments, **options)
        self.assertEqual((done.returncode, done.stdout), (status, b""), done.stderr.decode())
        return done.stderr.decode()

    @staticmethod
    def host_status(process):
        """Of nego-host, which nsenter may have started."""
        pid = process.pid
        while True:
            with open(f"/proc/{pid}/comm", encoding="ascii") as comm:
                if comm.read() == "nego-host\n":
                    return f"/proc/{pid}/status"
            with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as children:
                pid = children.read().split()[0]
