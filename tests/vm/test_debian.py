# SPDX-License-Identifier: MIT
"""debian: the agent as the unit that is installed, in a full Debian guest with systemd."""

import json
import sys

from helpers import tap
from helpers.debian import THEIRS, DebianCase, DebianGuest, DebianLibvirtCase
from helpers.guest import PORT_OURS, PORT_QGA


class Plain(DebianCase):
    """Under plain QEMU."""

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


class QemuGa(DebianCase):
    """Debian's agent instead of ours."""

    @classmethod
    def make_guest(cls):
        return DebianGuest(agent=THEIRS)

    def test_it_serves_its_port(self):
        self.assertEqual(self.guest.control.run("systemctl is-active nego-agent")[1],
                         "inactive\n")
        info = self.connect(PORT_QGA).command("guest-info")
        self.assertNotIn("negotiator-list",
                         [command["name"] for command in info["supported_commands"]])


class Libvirt(DebianLibvirtCase):
    """In a libvirt, its agent connected."""

    def test_agent_answers_libvirt(self):
        reply = self.libvirt.virsh("qemu-agent-command", self.guest.name,
                                   '{"execute":"guest-info"}')
        self.assertTrue(json.loads(reply)["return"]["version"])

    def test_disks_can_be_snapshotted(self):
        directory = self.guest.directory
        disks = [option for target in ("vda", "sda") for option in
                 ("--diskspec", f"{target},snapshot=external,file={directory}/{target}.snapshot")]
        self.libvirt.virsh("snapshot-create-as", self.guest.name, "one", "--disk-only", "--atomic",
                           "--no-metadata", *disks)
        self.guest.control.check("echo x >/root/x && sync")


if __name__ == "__main__":
    sys.exit(tap.main())
