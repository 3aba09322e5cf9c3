# SPDX-License-Identifier: MIT
"""freeze: real file systems are frozen and thawed in a guest, whatever happens to the hook and the agent."""

import sys

from helpers import tap
from helpers.case import GuestCase
from helpers.guest import PORT_OURS, PORT_QGA, Guest
from helpers.qga import QgaError

# Notes its runs, and does what the test left for it.
HOOK = b"""#!/bin/sh
echo "$1" >>/tmp/hook.log
[ ! -e "/tmp/hook.$1" ] || . "/tmp/hook.$1"
"""
AGENT = "nego-agent -t /run -F/bin/freeze-hook"


class Freeze(GuestCase):
    agent_command = None

    @classmethod
    def make_guest(cls):
        return Guest(files=[("bin/freeze-hook", HOOK, 0o755)])

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.guest.control.check("make-disk")

    def setUp(self):
        super().setUp()
        self.guest.control.check("rm -f /tmp/hook.*")

    def take_hook_log(self):
        text = self.guest.control.check("cat /tmp/hook.log 2>/dev/null; rm -f /tmp/hook.log")
        return text.split()

    def start_agent(self, command=AGENT):
        self.start("agent", command)
        return self.connect(PORT_QGA, timeout=60)

    def assert_thawed(self):
        """Somebody can write, so the file system is not frozen."""
        self.guest.control.check("touch /mnt/data/file && sync")

    def test_freeze_and_thaw(self):
        client = self.start_agent()
        self.assertEqual(client.command("guest-fsfreeze-status"), "thawed")
        self.assertEqual(client.command("guest-fsfreeze-freeze"), 1)
        self.assertEqual(client.command("guest-fsfreeze-status"), "frozen")
        self.assertEqual(client.command("guest-ping"), {})
        with self.assertRaises(QgaError) as caught:
            client.command("guest-get-fsinfo")
        self.assertEqual(caught.exception.desc, "Command guest-get-fsinfo has been disabled: "
                         "the command is not allowed")
        self.assertEqual(client.command("negotiator-info")["frozen"], True)
        # Whoever writes waits for the thaw.
        self.guest.control.check("mkfifo /tmp/written; "
                                 "(touch /mnt/data/late; echo x >/tmp/written) >/dev/null 2>&1 &")
        self.assertEqual(client.command("guest-fsfreeze-thaw"), 1)
        self.guest.control.check("read -r _ </tmp/written; rm /tmp/written /mnt/data/late")
        self.assertEqual(client.command("guest-fsfreeze-status"), "thawed")
        self.assertEqual(self.take_hook_log(), ["freeze", "thaw"])
        self.assert_thawed()

    def test_list(self):
        client = self.start_agent()
        self.assertEqual(client.command("guest-fsfreeze-freeze-list", mountpoints=["/nowhere"]), 0)
        self.assertEqual(client.command("guest-fsfreeze-freeze-list", mountpoints=["/mnt/data"]), 1)
        self.assertEqual(client.command("guest-fsfreeze-thaw"), 1)
        self.assertEqual(self.take_hook_log(), ["freeze", "thaw", "freeze", "thaw"])

    def test_killed_while_frozen(self):
        client = self.start_agent()
        self.assertEqual(client.command("guest-fsfreeze-freeze"), 1)
        client.close()
        self.daemons[-1].signal("KILL")
        self.daemons[-1].wait()
        client = self.start_agent()
        self.assertEqual(client.command("guest-fsfreeze-status"), "frozen")
        with self.assertRaises(QgaError):
            client.command("guest-fsfreeze-freeze")
        self.assertEqual(client.command("guest-fsfreeze-thaw"), 1)
        self.assertEqual(client.command("guest-fsfreeze-status"), "thawed")
        self.assert_thawed()

    def test_stopped_while_frozen(self):
        client = self.start_agent()
        self.assertEqual(client.command("guest-fsfreeze-freeze"), 1)
        self.assertEqual(self.daemons[-1].stop(), 0)
        self.assert_thawed()
        self.assertEqual(self.take_hook_log(), ["freeze", "thaw"])

    def test_hook_fails(self):
        client = self.start_agent()
        self.guest.control.check("echo 'echo the reason; exit 3' >/tmp/hook.freeze")
        with self.assertRaises(QgaError) as caught:
            client.command("guest-fsfreeze-freeze")
        self.assertEqual(caught.exception.desc,
                         "child process has failed to execute fsfreeze hook: "
                         "'/bin/freeze-hook freeze': exit status 3: the reason")
        self.assertEqual(client.command("guest-fsfreeze-status"), "thawed")
        self.assertEqual(self.take_hook_log(), ["freeze", "thaw"])
        self.assert_thawed()

    def test_ping_and_thaw_while_the_hook_runs(self):
        client = self.start_agent()
        other = self.connect(PORT_OURS, timeout=60)
        self.guest.control.check("mkfifo /tmp/started; "
                                 "echo 'echo x >/tmp/started; exec sleep 1000' >/tmp/hook.freeze")
        client.send({"execute": "guest-fsfreeze-freeze"})
        self.guest.control.check("read -r _ </tmp/started; rm /tmp/started")
        self.assertEqual(other.command("guest-ping"), {})
        self.assertEqual(other.command("guest-fsfreeze-thaw"), 0)
        self.assertIn("error", client.receive())
        self.assertEqual(self.take_hook_log(), ["freeze", "thaw"])

    def test_thaw_by_itself(self):
        self.guest.control.check("echo '[negotiator]\nthaw-after-seconds = 1' >/tmp/agent.conf")
        client = self.start_agent(f"{AGENT} -c /tmp/agent.conf")
        self.assertEqual(client.command("guest-fsfreeze-freeze"), 1)
        # It ends only when it is thawed.
        self.assert_thawed()

    def test_trim(self):
        client = self.start_agent()
        paths = client.command("guest-fstrim")["paths"]
        self.assertEqual([entry["path"] for entry in paths], ["/mnt/data"])


if __name__ == "__main__":
    sys.exit(tap.main())
