# SPDX-License-Identifier: MIT
"""power: what no test may do to its own machine: the clocks, keys, sleep and the end of a guest."""

import contextlib
import os
import pathlib
import sys
import tempfile

from helpers import tap
from helpers.case import NEGO_AGENT, GuestCase
from helpers.guest import Guest
from helpers.image import Kernel
from helpers.qga import QgaClosed, QgaError

# 2033-05-18 03:33:20 UTC
LATER = 2_000_000_000
PATIENCE_S = 120
# A guest under emulation, on a busy machine, in seconds of its own time.
SLACK = 300


class Changed(GuestCase):
    """What a guest lives on with; one guest for all."""

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
        self.assertEqual(client.command("guest-ssh-remove-authorized-keys", username="root",
                                        keys=[key]), {})
        self.assertEqual(client.command("guest-ssh-get-authorized-keys", username="root"),
                         {"keys": []})

    def test_suspend_to_memory(self):
        """By the kernel itself, since there is no systemd. The agent lives on, and says nothing."""
        client = self.connect()
        client.send({"execute": "guest-suspend-ram"})
        self.guest.qmp.wait_event("SUSPEND", timeout=PATIENCE_S)
        self.guest.qmp.command("system_wakeup")
        self.guest.qmp.wait_event("WAKEUP", timeout=PATIENCE_S)
        self.assertEqual(client.sync(PATIENCE_S), [])
        self.assertEqual(client.command("guest-ping"), {})
        self.assertEqual(self.agent.status, None)

    def test_suspend_to_disk_without_swap(self):
        """The kernel refuses, and the guest goes on."""
        client = self.connect(timeout=PATIENCE_S)
        with self.assertRaises(QgaError) as caught:
            client.command("guest-suspend-disk")
        self.assertIn("suspend: cannot write to '/sys/power/state': ", caught.exception.desc)
        with self.assertRaises(QgaError) as caught:
            client.command("guest-suspend-hybrid")
        self.assertEqual(caught.exception.desc,
                         "the requested suspend mode is not supported by the guest")
        self.assertEqual(client.command("guest-ping"), {})


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

    def test_suspend_to_disk(self):
        """By the kernel itself, to a disk for swapping; the agent says nothing."""
        disk = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory(prefix="negotest-")), "swap")
        disk.touch()
        os.truncate(disk, 512 << 20)
        module = Kernel().module_files(["virtio_blk"])[-1]
        guest = self.enterContext(Guest(
            files=[("virtio_blk.ko", module.read_bytes(), 0o644)],
            arguments=["-drive", f"if=virtio,format=raw,file={disk}"]))
        guest.control.check("insmod /virtio_blk.ko && mkswap /dev/vda && swapon /dev/vda && "
                            "cat /sys/block/vda/dev >/sys/power/resume")
        guest.daemon("agent", NEGO_AGENT)
        client = self.enterContext(guest.connect())
        client.sync()
        client.send({"execute": "guest-suspend-disk"})
        guest.qmp.wait_event("SUSPEND_DISK", timeout=2 * PATIENCE_S)
        guest.qmp.wait_event("SHUTDOWN", timeout=PATIENCE_S)
        with self.assertRaises((QgaClosed, ConnectionError)):
            client.receive_line(PATIENCE_S)
        # What the kernel writes last, where a swap's own mark was: it would be resumed from there.
        with open(disk, "rb") as file:
            self.assertEqual(file.read(4096)[-10:], b"S1SUSPEND\0")


if __name__ == "__main__":
    sys.exit(tap.main())
