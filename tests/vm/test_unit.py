# SPDX-License-Identifier: MIT
"""unit: the agent as the unit that is installed, in a full Debian guest with systemd: its ports, and runs
of scripts in control groups of their own, below the unit's."""

import sys
import time

from helpers import tap
from helpers.debian import DebianCase, DebianGuest
from helpers.guest import PORT_OURS, PORT_QGA
from helpers.qga import QgaError

COMMANDS = "/etc/negotiator/guest-commands"
GROUP = "/sys/fs/cgroup/system.slice/nego-agent.service"
# Longer than any wait here: what is left of a script by then was not killed.
FOREVER = "sleep 3600"
# Leaves the process group, and hears no TERM; its standard streams are not the script's, which so
# can end.
ESCAPE = f"setsid sh -c 'trap \"\" TERM; {FOREVER} & wait' >/dev/null 2>&1 &\n"
# Is there only once the grandchild has left.
ESCAPED = "until [ \"$(ps -o sid= -p $!)\" -eq $! ]; do :; done\necho escaped\n"

SCRIPTS = {
    "group": "cat /proc/self/cgroup\n",
    "escape": ESCAPE + ESCAPED + f"{FOREVER} & wait\n",
    "escape-in-time": ESCAPE + ESCAPED + f"{FOREVER} & wait\n",
    "leave": f"{FOREVER} >/dev/null 2>&1 &\n",
    "clean": ESCAPE,
    "stubborn": "trap 'echo bye; exit 7' TERM\necho ready\n" + f"{FOREVER} & wait; wait\n",
    # tail keeps all of a line that does not end.
    "large": "head -c $1 /dev/zero | tail | wc -c\n",
    "kind": "cut -d' ' -f19 /proc/self/stat\ngrep NoNewPrivs /proc/self/status\n",
}
CONFIGURATIONS = {
    "escape": "Timeout=0\n",
    "escape-in-time": "Timeout=2\n",
    "clean": "KillMode=all\n",
    "stubborn": "Timeout=0\n",
    "large": "MemoryMax=24M\nTimeout=120\n",
    "kind": "Nice=-3\nNoNewPrivileges=true\nUser=nobody\n",
}


def files():
    for name, script in SCRIPTS.items():
        yield f"{COMMANDS}/{name}", f"#!/bin/sh\n{script}", 0o755
    for name, text in CONFIGURATIONS.items():
        yield f"{COMMANDS}/{name}.conf", f"[Command]\n{text}", 0o644


class UnitCase(DebianCase):
    @classmethod
    def make_guest(cls):
        return DebianGuest(files=tuple(files()))


class JobCgroup(UnitCase):
    def setUp(self):
        super().setUp()
        self.client = self.connect(PORT_OURS, timeout=120)

    def execute(self, command, *arg, **options):
        if arg:
            options["arg"] = arg
        return self.client.command("negotiator-exec", command=command, **options)

    def run_script(self, command, *arg):
        """Runs a script to its end."""
        status = self.execute(command, *arg, wait=60)
        return status if status["exited"] else self.wait_ended(status["job"])

    def wait_until(self, job, done, client=None):
        """Reads what a job prints until done(its status, with all of that) is true."""
        deadline = time.monotonic() + 120
        text = ""
        offset = 0
        while time.monotonic() < deadline:
            status = (client or self.client).command("negotiator-exec-status", job=job, wait=4,
                                                     out_offset=offset)
            text += status["out-data"]
            offset = status["out-next"]
            status["out-data"] = text
            if done(status):
                return status
            self.assertFalse(status["exited"], status)
        self.fail(f"job {job} printed '{text}' only")

    def wait_ended(self, job):
        return self.wait_until(job, lambda status: status["exited"])

    def start(self, command, word):
        """Starts a job, and waits until it has said `word`."""
        job = self.execute(command, wait=0)["job"]
        self.wait_until(job, lambda status: word in status["out-data"])
        return job

    def find_job(self, client, command):
        """The running job of `command`, which was asked for on another channel."""
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            for job in client.command("negotiator-jobs"):
                if job["command"] == command and job["state"] == "running":
                    return job["job"]
        self.fail(f"no job of '{command}' runs")

    def members(self, job):
        """The processes in the group of a job, or None when there is none."""
        status, text = self.guest.control.run(f"cat {GROUP}/job-{job}/cgroup.procs")
        return text.split() if status == 0 else None

    def assert_removed(self, job):
        """The group goes with its last process, some moments after that was killed."""
        deadline = time.monotonic() + 60
        while self.members(job) is not None:
            self.assertLess(time.monotonic(), deadline, self.members(job))
        self.assertEqual(self.guest.control.run("pgrep -x sleep")[0], 1)

    def test_agent_is_in_a_leaf(self):
        self.assertIs(self.client.command("negotiator-info")["cgroup"], True)
        pid = self.guest.control.check("systemctl show -p MainPID --value nego-agent").strip()
        self.assertEqual(self.guest.control.check(f"cat /proc/{pid}/cgroup"),
                         "0::/system.slice/nego-agent.service/daemon\n")

    def test_each_run_has_a_group(self):
        status = self.run_script("group")
        job = status["job"]
        self.assertEqual(status["out-data"], f"0::/system.slice/nego-agent.service/job-{job}\n")
        self.assert_removed(job)

    def test_kill_reaches_who_called_setsid(self):
        job = self.start("escape", "escaped")
        self.assertGreaterEqual(len(self.members(job)), 2)
        self.client.command("negotiator-exec-signal", job=job, signal="KILL")
        self.assertEqual(self.wait_ended(job)["signal"], 9)
        self.assert_removed(job)

    def test_time_limit_reaches_who_called_setsid(self):
        job = self.execute("escape-in-time", wait=0)["job"]
        self.assertEqual(self.wait_ended(job)["state"], "timed-out")
        self.assert_removed(job)

    def test_forget_kills_all(self):
        job = self.start("escape", "escaped")
        self.client.command("negotiator-exec-forget", job=job)
        self.assert_removed(job)

    def test_kill_mode_all(self):
        status = self.run_script("clean")
        self.assertEqual((status["state"], status["exitcode"]), ("exited", 0))
        self.assert_removed(status["job"])

    def test_what_a_good_end_leaves_lives_on(self):
        job = self.run_script("leave")["job"]
        left = self.members(job)
        self.assertEqual(len(left), 1)
        self.guest.control.check(f"kill {left[0]}")
        self.assert_removed(job)

    def test_memory_limit(self):
        status = self.run_script("large", "1000000")
        self.assertEqual((status["state"], status["out-data"]), ("exited", "1000000\n"))
        status = self.run_script("large", "200000000")
        self.assertEqual((status["state"], status["signal"]), ("signalled", 9))
        self.assert_removed(status["job"])

    def test_nice_and_privileges(self):
        status = self.run_script("kind")
        self.assertEqual(status["out-data"], "-3\nNoNewPrivs:\t1\n")

    def test_restart_in_the_middle_of_jobs(self):
        before = self.client.command("negotiator-info")["instance"]
        self.start("escape", "escaped")
        # The call that waits for this one is answered before the agent goes.
        self.client.send({"execute": "negotiator-exec",
                          "arguments": {"command": "stubborn", "key": "restart", "wait": 60}})
        other = self.connect(PORT_QGA, timeout=120)
        job = self.find_job(other, "stubborn")
        self.wait_until(job, lambda status: "ready" in status["out-data"], other)
        self.guest.control.check("systemctl restart nego-agent", 120)
        status = self.client.receive(timeout=120)["return"]
        self.assertEqual((status["state"], status["exitcode"]), ("cancelled", 7))
        self.assertEqual(status["out-data"], "ready\nbye\n")
        self.client.sync(timeout=120)
        self.assertNotEqual(self.client.command("negotiator-info")["instance"], before)
        with self.assertRaises(QgaError) as caught:
            self.client.command("negotiator-exec-status", job=job)
        self.assertEqual(caught.exception.desc, f"unknown job '{job}'")
        self.assertIs(self.client.command("negotiator-info")["cgroup"], True)
        self.assertEqual(self.guest.control.run("pgrep -x sleep")[0], 1)

    def test_memory_limit_without_delegation(self):
        self.guest.control.check("mkdir -p /run/systemd/system/nego-agent.service.d && "
                                 "printf '[Service]\\nDelegate=no\\n' "
                                 ">/run/systemd/system/nego-agent.service.d/no.conf && "
                                 "systemctl daemon-reload && systemctl restart nego-agent", 120)
        self.addCleanup(self.guest.control.check,
                        "rm -r /run/systemd/system/nego-agent.service.d && "
                        "systemctl daemon-reload && systemctl restart nego-agent", 120)
        self.client.sync(timeout=120)
        self.assertIs(self.client.command("negotiator-info")["cgroup"], False)
        with self.assertRaises(QgaError) as caught:
            self.execute("large", "1000")
        self.assertIn("refused by MemoryMax in '/etc/negotiator/guest-commands/large.conf'",
                      caught.exception.desc)
        commands = {command["name"]: command
                    for command in self.client.command("negotiator-list")}
        self.assertIs(commands["large"]["enabled"], False)
        self.assertIn("MemoryMax", commands["large"]["reason"])


class Unit(UnitCase):
    def test_unit_serves_both_ports(self):
        self.assertEqual(self.guest.control.run("systemctl is-active nego-agent"),
                         (0, "active\n"))
        for port in (PORT_QGA, PORT_OURS):
            with self.subTest(port):
                self.assertEqual(self.connect(port).command("guest-ping"), {})

    def test_no_unit_has_failed(self):
        self.assertEqual(
            self.guest.control.check("systemctl --failed --no-legend --plain; "
                                     "systemctl is-system-running --wait"), "running\n")

    def test_disks_and_network(self):
        self.assertEqual(self.guest.control.check("findmnt -n -o SOURCE,FSTYPE /").split(),
                         ["/dev/vda", "ext4"])
        self.guest.control.check("udevadm settle && mount LABEL=data /mnt/data && "
                                 "echo x >/mnt/data/x && umount /mnt/data")
        self.guest.control.check("test -e /dev/disk/by-label/data")
        self.guest.control.check("networkctl status --no-pager | grep -q 10.0.2", 60)


if __name__ == "__main__":
    sys.exit(tap.main())
