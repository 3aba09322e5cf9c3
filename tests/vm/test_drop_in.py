# SPDX-License-Identifier: MIT
"""drop_in: what libvirt itself does with an agent, by virsh, in two full Debian guests: ours in
one, Debian's qemu-ga in the other. What both say is compared: which facts there are, their form,
and those values that must be the same. docs/compatibility.rst lists what differs on purpose.
"""

import base64
import contextlib
import json
import os
import pathlib
import re
import sys
import time
import unittest
from xml.etree import ElementTree

from helpers import build, debian, tap
from helpers.case import boot_together
from helpers.debian import OURS, THEIRS, DebianLibvirtGuest
from helpers.libvirt import Libvirt, VirshError
from helpers.transcript import add_exchange

POLLER = pathlib.Path(__file__).resolve().with_name("poller.py")
USER = "visitor"
KEYS = ("ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGJ2cGZ0ZXN0a2V5b25lMDAwMDAwMDAwMDAwMDAw one",
        "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGJ2cGZ0ZXN0a2V5dHdvMDAwMDAwMDAwMDAwMDAw two")
# As crypt(3) makes it with yescrypt or SHA-512; only its form counts here.
CRYPTED = "$6$saltsalt$" + "a" * 86


def pairs(text):
    """The lines "name: value" of virsh, as a dictionary."""
    found = {}
    for line in text.splitlines():
        name, colon, value = line.partition(":")
        if colon:
            found[name.strip()] = value.strip()
    return found


def shape(value):
    """The JSON types of a reply, members sorted; of a list, those of its elements together."""
    if isinstance(value, dict):
        return {name: shape(member) for name, member in sorted(value.items())}
    if isinstance(value, list):
        shapes = []
        for element in map(shape, value):
            if element not in shapes:
                shapes.append(element)
        return shapes
    return type(value).__name__


class Agents(unittest.TestCase):
    """Both guests run all the time; the tests that end a guest's run start it again."""

    maxDiff = None
    guests = {}
    libvirt = None

    @classmethod
    def setUpClass(cls):
        reason = debian.unavailable() or Libvirt.unavailable()
        if reason:
            raise unittest.SkipTest(reason)
        cls.libvirt = cls.enterClassContext(Libvirt())
        guests = cls.enterClassContext(boot_together(
            [DebianLibvirtGuest(cls.libvirt, agent, agent=agent) for agent in (OURS, THEIRS)]))
        cls.guests = dict(zip((OURS, THEIRS), guests))
        for guest in guests:
            guest.wait_agent("connected", 120)
            guest.control.check(f"useradd --create-home {USER}")

    def diagnostics(self):
        texts = []
        for agent, guest in self.guests.items():
            texts.append(f"console of {agent}:\n{guest.console()[-4000:]}")
            with contextlib.suppress(Exception):
                texts.append(guest.control.check("journalctl -b -n 60 --no-pager"))
        return "\n".join(texts)

    def virsh(self, agent, command, *arguments, timeout=120):
        return self.libvirt.virsh(command, agent, *arguments, timeout=timeout)

    def both(self, command, *arguments):
        return [self.virsh(agent, command, *arguments) for agent in (OURS, THEIRS)]

    def returned(self, agent, execute, *options, **arguments):
        request = {"execute": execute}
        if arguments:
            request["arguments"] = {name.replace("_", "-"): value
                                    for name, value in arguments.items()}
        reply = self.virsh(agent, "qemu-agent-command", json.dumps(request), *options)
        if agent == OURS:
            add_exchange(json.dumps(request), reply)
        return json.loads(reply)["return"]

    def inside(self, agent, script):
        return self.guests[agent].control.check(script)

    def assert_alive(self, agent):
        self.assertEqual(self.returned(agent, "guest-ping"), {})

    def wait_alive(self, agent):
        """Waits until the agent answers libvirt again."""
        deadline = time.monotonic() + 180
        while True:
            try:
                self.assert_alive(agent)
                return
            except VirshError as error:
                if time.monotonic() > deadline:
                    raise
                self.assertIn("agent", str(error).lower())
            time.sleep(0.5)  # virsh has nothing to wait for an answer with

    # What is asked.

    def test_each_agent_is_its_own(self):
        names = {agent: [command["name"] for command in
                         self.returned(agent, "guest-info")["supported_commands"]]
                 for agent in (OURS, THEIRS)}
        self.assertIn("negotiator-list", names[OURS])
        self.assertNotIn("negotiator-list", names[THEIRS])
        self.assertEqual(self.guests[THEIRS].control.run("systemctl is-active nego-agent")[1],
                         "inactive\n")

    def test_domhostname(self):
        ours, theirs = self.both("domhostname", "--source", "agent")
        self.assertEqual(ours, theirs)
        self.assertEqual(ours.strip(), "debian-guest")

    def test_domifaddr(self):
        ours, theirs = ([line.split() for line in text.splitlines()[2:]]
                        for text in self.both("domifaddr", "--source", "agent", "--full"))
        # Addresses that a guest gives itself may come a moment later in one than in the other.
        self.assertEqual({(row[0], row[2]) for row in ours if row},
                         {(row[0], row[2]) for row in theirs if row})
        self.assertIn(["lo", "00:00:00:00:00:00", "ipv4", "127.0.0.1/8"], ours)

    def test_domfsinfo(self):
        ours, theirs = self.both("domfsinfo")
        self.assertEqual(sorted(ours.splitlines()), sorted(theirs.splitlines()))
        self.assertRegex(ours, r"(?m)^ /\s+vda\s+ext4\s+vda")

    def test_guestinfo(self):
        ours, theirs = (pairs(text) for text in self.both("guestinfo"))
        volatile = re.compile(r"\.(used-bytes|total-bytes|login-time)$|^load\.|addr\.\d+\.addr$"
                              r"|^if\.\d+\.hwaddr$|^user\.")
        # qemu-ga 7.2 knows no load; users need a login.
        expected = {name for name in theirs if not name.startswith("user.")}
        self.assertEqual(expected - set(ours), set())
        for name in sorted(expected):
            if volatile.search(name):
                continue
            with self.subTest(name):
                self.assertEqual(ours[name], theirs[name])
        extra = {name.partition(".")[0] for name in set(ours) - expected}
        self.assertLessEqual(extra, {"load", "user"})

    def test_guestinfo_groups(self):
        for group in ("--os", "--timezone", "--hostname", "--filesystem", "--disk", "--interface"):
            with self.subTest(group):
                ours, theirs = (pairs(text) for text in self.both("guestinfo", group))
                self.assertEqual(set(ours), set(theirs))
                self.assertTrue(ours)
        self.assertEqual(pairs(self.virsh(OURS, "guestinfo", "--user"))["user.count"], "0")

    def test_guestvcpus(self):
        ours, theirs = (pairs(text) for text in self.both("guestvcpus"))
        self.assertEqual(ours, theirs)
        self.assertTrue(ours["vcpus"])

    def test_shapes_of_replies(self):
        for command in ("guest-get-osinfo", "guest-get-timezone", "guest-get-vcpus",
                        "guest-network-get-interfaces", "guest-get-fsinfo", "guest-get-disks",
                        "guest-get-diskstats", "guest-get-cpustats", "guest-get-memory-block-info",
                        "guest-get-memory-blocks", "guest-get-host-name", "guest-get-users",
                        "guest-get-time"):
            with self.subTest(command):
                ours, theirs = (shape(self.returned(agent, command)) for agent in (OURS, THEIRS))
                if command == "guest-get-fsinfo":
                    for row in ours:
                        row.pop("total-bytes-privileged", None)  # since QEMU 9.1
                self.assertEqual(ours, theirs)

    def test_guest_info_has_all_of_theirs(self):
        ours, theirs = ({row["name"]: row["success-response"] for row in
                         self.returned(agent, "guest-info")["supported_commands"]}
                        for agent in (OURS, THEIRS))
        # Of Windows only; 7.2 names it all the same.
        del theirs["guest-get-devices"]
        self.assertEqual({name: ours.get(name) for name in theirs}, theirs)

    # What is changed.

    def test_domtime(self):
        for agent in (OURS, THEIRS):
            with self.subTest(agent):
                self.assertRegex(self.virsh(agent, "domtime"), r"^Time: \d{10}\s*$")
                self.virsh(agent, "domtime", "--time", "1700000000")
                now = int(self.inside(agent, "date +%s"))
                self.assertTrue(1700000000 <= now < 1700000300, now)
                self.virsh(agent, "domtime", "--now")
                self.assertLess(abs(int(self.inside(agent, "date +%s")) - time.time()), 120)
                self.assertRegex(self.virsh(agent, "domtime", "--pretty"), r"^Time: 20\d\d-")

    def test_domfstrim(self):
        for agent in (OURS, THEIRS):
            with self.subTest(agent):
                self.virsh(agent, "domfstrim")
                self.assert_alive(agent)

    def test_freeze_and_thaw(self):
        said = {}
        for agent in (OURS, THEIRS):
            said[agent] = [self.virsh(agent, "domfsfreeze")]
            self.assertEqual(self.returned(agent, "guest-fsfreeze-status"), "frozen")
            with self.assertRaises(VirshError) as caught:
                self.returned(agent, "guest-get-fsinfo")
            # The second text is that of QEMU 9.1 and later.
            self.assertRegex(str(caught.exception), "Command guest-get-fsinfo has been disabled: "
                             "(the agent is in frozen state|the command is not allowed)")
            said[agent].append(self.virsh(agent, "domfsthaw"))
            self.assertEqual(self.returned(agent, "guest-fsfreeze-status"), "thawed")
            self.inside(agent, "echo x >/var/tmp/x && sync")
        self.assertEqual(said[OURS], said[THEIRS])

    def test_snapshot(self):
        directory = self.guests[OURS].directory
        disks = [option for target in ("vda", "sda") for option in
                 ("--diskspec", f"{target},snapshot=external,file={directory}/{target}.snapshot")]
        self.virsh(OURS, "snapshot-create-as", "one", "--disk-only", "--atomic", "--no-metadata",
                   *disks)
        self.inside(OURS, "echo x >/root/x && sync")

    def test_snapshot_quiesced(self):
        for agent in (OURS, THEIRS):
            with self.subTest(agent):
                directory = self.guests[agent].directory
                self.virsh(agent, "snapshot-create-as", "quiesced", "--disk-only", "--atomic",
                           "--quiesce", "--no-metadata", "--diskspec",
                           f"vda,snapshot=external,file={directory}/vda.quiesced",
                           "--diskspec", f"sda,snapshot=external,file={directory}/sda.quiesced")
                self.assertEqual(self.returned(agent, "guest-fsfreeze-status"), "thawed")
                self.inside(agent, "echo x >/root/x && sync")

    def test_snapshot_of_nego_host(self):
        snapshot = [build.program("nego-host"), "snapshot", "--quiesce", "--no-metadata", "--name",
                    "both"]
        done = self.libvirt.run([*snapshot, f"{OURS},{THEIRS}"])
        self.assertEqual((done.returncode, done.stderr.decode()),
                         (0, "nego-host: snapshot 'both' of 2 guests: 2 succeeded, 0 failed\n"))
        for agent in (OURS, THEIRS):
            self.assertIn("both", self.virsh(agent, "domblklist"))
            self.assertEqual(self.returned(agent, "guest-fsfreeze-status"), "thawed")
            self.inside(agent, "echo x >/root/x && sync")
        # A second one of the same name finds its files there; nobody stays frozen.
        done = self.libvirt.run([*snapshot, "--json", OURS])
        row = json.loads(done.stdout)
        self.assertEqual((done.returncode, row["guest"]), (1, OURS))
        self.assertIn("cannot make the snapshot: ", row["error"])
        self.assertEqual(self.returned(OURS, "guest-fsfreeze-status"), "thawed")

    def test_password(self):
        for agent in (OURS, THEIRS):
            with self.subTest(agent):
                before = self.inside(agent, f"grep ^{USER}: /etc/shadow")
                self.virsh(agent, "set-user-password", USER, "s3cret-Passw0rd")
                plain = self.inside(agent, f"grep ^{USER}: /etc/shadow")
                self.assertNotEqual(plain, before)
                self.assertRegex(plain, rf"^{USER}:\$")
                self.virsh(agent, "set-user-password", "--encrypted", USER, CRYPTED)
                self.assertEqual(self.inside(agent, f"grep ^{USER}: /etc/shadow").split(":")[1],
                                 CRYPTED)
                with self.assertRaises(VirshError):
                    self.virsh(agent, "set-user-password", "no-such-user", "x")
        self.assertEqual(self.returned(OURS, "guest-set-user-password", username=USER, crypted=False,
                                       password=base64.b64encode(b"s3cret-Passw0rd").decode()), {})
        self.assertEqual(self.guests[OURS].control.run(
            "journalctl --no-pager | grep -e s3cret-Passw0rd -e aaaaaaaaaa")[0], 1)

    def test_ssh_keys(self):
        keys = self.guests[OURS].directory / "keys"
        for agent in (OURS, THEIRS):
            with self.subTest(agent):
                keys.write_text(KEYS[0] + "\n", encoding="ascii")
                self.virsh(agent, "set-user-sshkeys", USER, "--file", str(keys))
                self.assertEqual(self.virsh(agent, "get-user-sshkeys", USER).strip(), KEYS[0])
                keys.write_text(KEYS[1] + "\n", encoding="ascii")
                self.virsh(agent, "set-user-sshkeys", USER, "--file", str(keys))
                # In which order, and how virsh separates them, is theirs.
                both = self.virsh(agent, "get-user-sshkeys", USER)
                self.assertEqual([both.count(key) for key in KEYS], [1, 1])
                self.virsh(agent, "set-user-sshkeys", USER, "--file", str(keys), "--remove")
                self.assertEqual(self.virsh(agent, "get-user-sshkeys", USER).strip(), KEYS[0])
                self.virsh(agent, "set-user-sshkeys", USER, "--file", str(keys), "--reset")
                self.assertEqual(self.virsh(agent, "get-user-sshkeys", USER).strip(), KEYS[1])
                self.assertEqual(self.inside(agent, f"stat -c '%a %U %G' ~{USER}/.ssh "
                                                    f"~{USER}/.ssh/authorized_keys"),
                                 f"700 {USER} {USER}\n600 {USER} {USER}\n")
                with self.assertRaises(VirshError):
                    self.virsh(agent, "get-user-sshkeys", "no-such-user")

    def test_vcpus(self):
        for agent in (OURS, THEIRS):
            if pairs(self.virsh(agent, "guestvcpus"))["offlinable"] == "":
                self.skipTest("the guest has no processor that can be offline")
            with self.subTest(agent):
                self.virsh(agent, "guestvcpus", "--disable", "--cpulist", "1")
                self.assertEqual(self.inside(agent, "nproc"), "1\n")
                self.virsh(agent, "guestvcpus", "--enable", "--cpulist", "1")
                self.assertEqual(self.inside(agent, "nproc"), "2\n")
                self.virsh(agent, "setvcpus", "--guest", "1")
                self.assertEqual(self.inside(agent, "nproc"), "1\n")
                self.virsh(agent, "setvcpus", "--guest", "2")
                self.assertEqual(self.inside(agent, "nproc"), "2\n")

    def exec_status(self, agent, pid):
        deadline = time.monotonic() + 60
        status = {"exited": False}
        while not status["exited"] and time.monotonic() < deadline:
            status = self.returned(agent, "guest-exec-status", pid=pid)
        return status

    def test_guest_exec(self):
        for agent in (OURS, THEIRS):
            with self.subTest(agent):
                pid = self.returned(agent, "guest-exec", path="/bin/echo", arg=["hello"],
                                    capture_output=True)["pid"]
                self.assertEqual(self.exec_status(agent, pid),
                                 {"exited": True, "exitcode": 0, "out-data": "aGVsbG8K",
                                  "out-truncated": False})

    def test_files(self):
        for agent in (OURS, THEIRS):
            with self.subTest(agent):
                handle = self.returned(agent, "guest-file-open", path="/var/tmp/f", mode="w+")
                for command, arguments, expected in (
                        ("guest-file-write", {"buf_b64": "aGVsbG8K"}, {"count": 6, "eof": False}),
                        ("guest-file-flush", {}, {}),
                        ("guest-file-seek", {"offset": 0, "whence": "set"},
                         {"position": 0, "eof": False}),
                        ("guest-file-read", {"count": 100},
                         {"count": 6, "buf-b64": "aGVsbG8K", "eof": True}),
                        ("guest-file-close", {}, {})):
                    self.assertEqual(self.returned(agent, command, handle=handle, **arguments),
                                     expected, command)

    def test_options_of_qemu_agent_command(self):
        for agent in (OURS, THEIRS):
            for options in ([], ["--timeout", "10"], ["--block"], ["--pretty"]):
                with self.subTest(agent=agent, options=options):
                    text = self.virsh(agent, "qemu-agent-command", '{"execute":"guest-ping"}',
                                      *options)
                    self.assertEqual(json.loads(text), {"return": {}})
            # libvirt takes an answer that it does not wait for as none, whoever answers.
            with self.subTest(agent=agent, options="--async"), self.assertRaises(VirshError):
                self.virsh(agent, "qemu-agent-command", '{"execute":"guest-ping"}', "--async")
            self.wait_alive(agent)

    def test_pollers(self):
        """What nova and KubeVirt do, beside freezes and long scripts: nothing fails."""
        if self.libvirt.run(["/usr/bin/python3", "-c", "import libvirt_qemu"]).returncode != 0:
            self.skipTest("python3-libvirt is not installed")
        self.inside(OURS, "mkdir -p /etc/negotiator/guest-commands && "
                          "printf '#!/bin/sh\nsleep 8\n' >/etc/negotiator/guest-commands/long && "
                          "chmod 755 /etc/negotiator/guest-commands/long")
        seconds = 60 if os.environ.get("NEGO_TEST_LONG") else 12
        done = self.libvirt.run(["/usr/bin/python3", POLLER, OURS, str(seconds)],
                                timeout=seconds + 120)
        self.assertEqual(done.stderr, b"")
        seen = json.loads(done.stdout)
        self.assertEqual(seen["errors"], [])
        for call in ("guest-info", "guest-fsfreeze-status", "guest-get-fsinfo", "guestInfo",
                     "users", "interfaceAddresses", "guest-ping", "guest-exec", "setTime",
                     "negotiator-exec", "fsFreeze", "fsThaw"):
            self.assertGreater(seen["calls"].get(call, 0), 0, call)
        self.assert_alive(OURS)
        self.assertEqual(self.returned(OURS, "guest-fsfreeze-status"), "thawed")

    # What ends a run of the guest; last, by name.

    def wait_state(self, agent, state):
        deadline = time.monotonic() + 180
        while self.virsh(agent, "domstate").strip() != state:
            self.assertLess(time.monotonic(), deadline, f"{agent} is not {state}")
            time.sleep(0.5)  # virsh has no wait for a state; events are the agents' business here

    def test_z2_suspended(self):
        for agent in (OURS, THEIRS):
            with self.subTest(agent):
                try:
                    self.virsh(agent, "dompmsuspend", "mem")
                except VirshError as error:
                    if "not supported" not in str(error):
                        raise
                    self.skipTest(f"no suspend to memory here: {error}")
                self.wait_state(agent, "pmsuspended")
                self.virsh(agent, "dompmwakeup")
                self.wait_state(agent, "running")
                self.wait_alive(agent)

    def boot_id(self, agent):
        """By the agent, since the control line may be lost in a reboot; None: it does not answer."""
        try:
            pid = self.returned(agent, "guest-exec", path="/bin/cat",
                                arg=["/proc/sys/kernel/random/boot_id"], capture_output=True)["pid"]
            return base64.b64decode(self.exec_status(agent, pid)["out-data"])
        except VirshError:
            return None

    def test_z1_rebooted(self):
        # Ours only: a boot takes long, and the other agent is not what is tested.
        self.wait_alive(OURS)
        before = self.boot_id(OURS)
        self.virsh(OURS, "reboot", "--mode", "agent")
        deadline = time.monotonic() + 400
        while self.boot_id(OURS) in (before, None):
            self.assertLess(time.monotonic(), deadline, "it did not come back")
            time.sleep(1)  # as in wait_alive()

    def test_z3_shut_down(self):
        # Without logind's client it is systemctl, where a reboot was logind.
        pid = self.returned(OURS, "guest-exec", path="/bin/mount",
                            arg=["--bind", "/dev/null", "/usr/bin/busctl"])["pid"]
        self.assertEqual(self.exec_status(OURS, pid)["exitcode"], 0)
        for agent in (OURS, THEIRS):
            self.virsh(agent, "shutdown", "--mode", "agent")
        for agent in (OURS, THEIRS):
            self.wait_state(agent, "shut off")


if __name__ == "__main__":
    sys.exit(tap.main())
