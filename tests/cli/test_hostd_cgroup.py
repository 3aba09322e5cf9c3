# SPDX-License-Identifier: MIT
"""nego-hostd where a control group is delegated to it, as its systemd unit has it: one of the machine's own, made for the
test, which a private mount namespace shows where systemd has it."""

import contextlib
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

from helpers import tap
from helpers.hostd import PATIENCE_S, HostdCase

PLACE = "/sys/fs/cgroup"


def find_mount():
    """Where the whole tree of control groups of the second version is mounted."""
    for line in pathlib.Path("/proc/self/mountinfo").read_text(encoding="utf-8").splitlines():
        # proc(5): the root within the file system, the mount point, and behind " - " the type.
        fields, _, rest = line.partition(" - ")
        if rest.split()[0] == "cgroup2" and fields.split()[3] == "/":
            return pathlib.Path(fields.split()[4])
    raise unittest.SkipTest("no control groups of the second version are mounted here")


def enter(group, mount, *command):
    """The command line of `command` in the group, with `mount` at its usual place."""
    script = 'echo $$ >"$1"/cgroup.procs && mount --bind "$2" "$3" && shift 3 && exec "$@"'
    return ["unshare", "--mount", "sh", "-c", script, "sh", group, mount, PLACE, *command]


class Cgroup(HostdCase):
    def setUp(self):
        super().setUp()
        if os.geteuid() != 0:
            self.skipTest("only root makes control groups")
        self.mount = find_mount()
        try:
            self.group = pathlib.Path(tempfile.mkdtemp(prefix="nego-test-", dir=self.mount))
        except OSError as error:
            self.skipTest(f"no control group can be made here: {error}")
        self.addCleanup(self.remove_group)
        try:
            os.setxattr(self.group, "trusted.delegate", b"1")
        except OSError as error:
            self.skipTest(f"no control group can be delegated here: {error}")
        done = subprocess.run(enter(self.group, self.mount, "true"), capture_output=True, text=True, check=False)
        if done.returncode != 0:
            self.skipTest(f"no control group can be entered here: {done.stderr}")

    def remove_group(self):
        """nego-hostd is gone; of a test that failed, scripts may be left."""
        with contextlib.suppress(OSError):
            (self.group / "cgroup.kill").write_text("1", encoding="utf-8")
        for path, _, _ in os.walk(self.group, topdown=False):
            with contextlib.suppress(OSError):
                os.rmdir(path)

    def command(self, arguments):
        return enter(self.group, self.mount, *arguments)

    def name(self, *below):
        return "0::/" + "/".join((self.group.name, *below))

    def test_groups(self):
        self.add_command("group", "grep ^0: /proc/self/cgroup")
        self.add_command("daemon", "grep ^0: /proc/$PPID/cgroup")
        for guest in self.serve("web", "db"):
            self.assertTrue(guest.call("negotiator-info")["return"]["cgroup"])
            status = guest.run("group")
            self.assertEqual(status["out-data"], self.name(f"job-{status['job']}") + "\n")
            self.assertEqual(guest.run("daemon")["out-data"], self.name("daemon") + "\n")

    def test_nothing_escapes(self):
        """Of one that left its session, the last word is that its end of the pipe is closed."""
        fifo = self.dir / "fifo"
        os.mkfifo(fifo)
        self.add_command("escape", f"exec setsid sh -c 'exec 3>{fifo}; trap \"\" TERM; echo up >&3; sleep 1000 & wait; wait' "
                         ">/dev/null 2>&1 & sleep 1000 & wait")
        guest, = self.serve("web")
        job = guest.call("negotiator-exec", command="escape", wait=0)["return"]["job"]
        with fifo.open(encoding="utf-8") as escaped:
            self.assertEqual(escaped.readline(), "up\n")
            guest.call("negotiator-exec-signal", job=job, signal="KILL")
            self.assertEqual(escaped.read(), "")
        status = guest.call("negotiator-exec-status", job=job, wait=PATIENCE_S)["return"]
        self.assertEqual((status["state"], status["signal"]), ("signalled", 9))

    def test_memory(self):
        """A limit is kept or refused, never forgotten."""
        self.add_command("small", "exit 0")
        self.add_command("small.conf", "[Command]\nMemoryMax=64M\n")
        guest, = self.serve("web")
        controllers = (self.group / "cgroup.subtree_control").read_text(encoding="utf-8").split()
        if "memory" in controllers:
            self.assertEqual(guest.run("small")["exitcode"], 0)
        else:
            self.assertIn("refused by MemoryMax", guest.error("negotiator-exec", command="small"))


if __name__ == "__main__":
    sys.exit(tap.main())
