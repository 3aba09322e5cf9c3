# SPDX-License-Identifier: MIT
"""power: what no test may do to its own machine: the clocks, and the end of a guest."""

import contextlib
import sys

from helpers import tap
from helpers.case import NEGO_AGENT, GuestCase
from helpers.guest import Guest
from helpers.qga import QgaClosed, QgaError

# 2033-05-18 03:33:20 UTC
LATER = 2_000_000_000
# A guest under emulation, on a busy machine, in seconds of its own time.
SLACK = 300


class Clock(GuestCase):
    def hardware(self):
        return int(self.guest.control.check("cat /sys/class/rtc/rtc0/since_epoch"))

    def system(self):
        return int(self.guest.control.check("date +%s"))

    def assert_close(self, seconds, expected):
        self.assertGreaterEqual(seconds, expected - 1)
        self.assertLess(seconds, expected + SLACK)

    def test_both_clocks_are_set(self):
        client = self.connect()
        self.assertEqual(client.command("guest-set-time", time=LATER * 10 ** 9), {})
        self.assert_close(self.system(), LATER)
        self.assert_close(self.hardware(), LATER)
        self.assert_close(client.command("guest-get-time") // 10 ** 9, LATER)
        self.guest.control.check("date -s @1000000000")
        self.assertEqual(client.command("guest-set-time"), {})
        self.assert_close(self.system(), LATER)


class Keys(GuestCase):
    def test_keys_of_a_user(self):
        client = self.connect()
        with self.assertRaises(QgaError) as caught:
            client.command("guest-ssh-get-authorized-keys", username="nobody")
        self.assertIn("failed to read '/nonexistent/.ssh/authorized_keys'", caught.exception.desc)
        key = "ssh-ed25519 AAAA root@host"
        self.assertEqual(client.command("guest-ssh-add-authorized-keys", username="root",
                                        keys=[key]), {})
        self.assertEqual(client.command("guest-ssh-get-authorized-keys", username="root"),
                         {"keys": [key]})
        listing = self.guest.control.check("cd /root; ls -ld .ssh .ssh/authorized_keys")
        self.assertEqual([line.split()[0] for line in listing.splitlines()],
                         ["drwx------", "-rw-------"])


class End(GuestCase):
    """Each test ends its guest, so each has its own."""

    agent_command = None

    @classmethod
    def make_guest(cls):
        return contextlib.nullcontext()

    def end(self, mode, reason):
        guest = self.enterContext(Guest())
        # BusyBox's tell an init that is none here; without them the kernel itself is asked.
        guest.control.check("for name in poweroff halt reboot shutdown; do"
                            " rm -f /bin/$name /sbin/$name /usr/bin/$name /usr/sbin/$name; done")
        guest.daemon("agent", NEGO_AGENT)
        client = self.enterContext(guest.connect())
        client.sync()
        client.send({"execute": "guest-shutdown", "arguments": {"mode": mode}})
        event = guest.qmp.wait_event("SHUTDOWN", timeout=120)
        self.assertEqual(event["data"], {"guest": True, "reason": reason})
        # QEMU ends, and there was no reply.
        with self.assertRaises((QgaClosed, ConnectionError)):
            client.receive_line(120)

    def test_powerdown(self):
        self.end("powerdown", "guest-shutdown")

    def test_reboot(self):
        self.end("reboot", "guest-reset")


if __name__ == "__main__":
    sys.exit(tap.main())
