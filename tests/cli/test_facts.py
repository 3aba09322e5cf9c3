#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What the agent says of this machine is what qemu-ga says of it, and what the machine says itself.

What changes all the time is compared between two equal answers of qemu-ga.
"""

import os
import pathlib
import platform
import subprocess
import sys
import tempfile
import unittest

from helpers import tap
from helpers.conversation import QEMU_GA, Agent, Line

# Tries until the machine holds still for one question.
TRIES = 20


def ask(agent, name):
    with Line(agent.socket) as line:
        return line.ask(f'{{"execute":"{name}"}}'.encode())


class BesideQemuGa(unittest.TestCase):
    """Field by field."""

    def setUp(self):
        if not QEMU_GA.exists():
            self.skipTest(f"no {QEMU_GA}")
        holder = tempfile.TemporaryDirectory(prefix="nego-facts-")
        self.addCleanup(holder.cleanup)
        # One that qemu-ga understands: it has no single quotes, and no line without '='.
        release = pathlib.Path(holder.name, "os-release")
        release.write_text('PRETTY_NAME="Example OS 7 (\\$six)"\nNAME="Example OS"\nVERSION_ID="7"\n'
                           'VERSION="7 (six)"\nID=example\nVARIANT="Server"\nVARIANT_ID=server\n',
                           encoding="utf-8")
        env = {"QGA_OS_RELEASE": os.fspath(release)}
        self.ours = self.enterContext(Agent(env=env))
        self.theirs = self.enterContext(Agent(QEMU_GA, env=env))

    def compare(self, name, simplify=lambda value: value):
        """`simplify` takes what no two questions have in common out of a result, and sorts."""
        for _ in range(TRIES):
            before = ask(self.theirs, name)
            ours = ask(self.ours, name)
            after = ask(self.theirs, name)
            if "error" in before:
                # Its texts are not those of 10.2.2 everywhere.
                self.skipTest(f"qemu-ga: {before['error']['desc']}")
            before, after = simplify(before["return"]), simplify(after["return"])
            if before == after:
                self.assertIn("return", ours)
                self.assertEqual(simplify(ours["return"]), before)
                return
        self.skipTest(f"what {name} tells changes all the time")

    def test_host_name(self):
        self.compare("guest-get-host-name")

    def test_timezone(self):
        self.compare("guest-get-timezone")

    def test_osinfo(self):
        self.compare("guest-get-osinfo")

    def test_users(self):
        if not os.path.exists("/var/run/utmp"):
            self.skipTest("qemu-ga knows no users without /var/run/utmp")
        self.compare("guest-get-users")

    def test_vcpus(self):
        self.compare("guest-get-vcpus",
                     lambda cpus: sorted(cpus, key=lambda cpu: cpu["logical-id"]))

    def test_memory_blocks(self):
        self.compare("guest-get-memory-blocks",
                     lambda blocks: sorted(blocks, key=lambda block: block["phys-index"]))

    def test_memory_block_info(self):
        self.compare("guest-get-memory-block-info")

    def test_interfaces(self):
        def without_counters(interfaces):
            return [interface | ({"statistics": sorted(interface["statistics"])}
                                 if "statistics" in interface else {})
                    for interface in interfaces]
        self.compare("guest-network-get-interfaces", without_counters)

    def test_interface_counters(self):
        """Ours lie between two of theirs."""
        def counters(agent):
            return {interface["name"]: interface.get("statistics", {})
                    for interface in ask(agent, "guest-network-get-interfaces")["return"]}
        before, ours, after = (counters(agent) for agent in (self.theirs, self.ours, self.theirs))
        for name, statistics in ours.items():
            if name not in before or name not in after:
                continue  # it came or went
            for key, value in statistics.items():
                low, high = before[name].get(key), after[name].get(key)
                # One that was made anew begins at 0.
                if low is not None and high is not None and low <= high:
                    self.assertLessEqual(low, value, (name, key))
                    self.assertLessEqual(value, high, (name, key))

    def test_cpustats(self):
        def shape(rows):
            return [(row["type"], row["cpu"], sorted(row)) for row in rows]
        self.compare("guest-get-cpustats", shape)


class ByItself(unittest.TestCase):
    """What the machine says itself."""

    def setUp(self):
        self.agent = self.enterContext(Agent())

    def get(self, name):
        reply = ask(self.agent, name)
        self.assertIn("return", reply)
        return reply["return"]

    def test_kernel(self):
        info, uname = self.get("guest-get-osinfo"), platform.uname()
        self.assertEqual((info["kernel-release"], info["kernel-version"], info["machine"]),
                         (uname.release, uname.version, uname.machine))

    def test_load(self):
        load = self.get("guest-get-load")
        self.assertEqual(set(load), {"load1m", "load5m", "load15m"})
        for value in load.values():
            self.assertGreaterEqual(value, 0)

    def test_routes(self):
        tables = {4: "/proc/net/route", 6: "/proc/net/ipv6_route"}
        if not any(os.path.exists(table) for table in tables.values()):
            self.skipTest("no table of routes")
        interfaces = set(os.listdir("/sys/class/net")) | {"*"}
        for route in self.get("guest-network-get-route"):
            self.assertTrue(os.path.exists(tables[route["version"]]))
            self.assertIn(route["iface"], interfaces)
            common = {"iface", "destination", "metric", "flags", "refcnt", "use", "version"}
            own = {4: {"gateway", "mask", "irtt", "window", "mtu"},
                   6: {"desprefixlen", "source", "srcprefixlen", "nexthop"}}
            self.assertEqual(set(route), common | own[route["version"]])

    def test_cpustats_are_of_the_processors_online(self):
        online = [cpu["logical-id"] for cpu in self.get("guest-get-vcpus") if cpu["online"]]
        cpus = [row["cpu"] for row in self.get("guest-get-cpustats")]
        # A processor may be switched between the two.
        if sorted(cpus) != online:
            online = [cpu["logical-id"] for cpu in self.get("guest-get-vcpus") if cpu["online"]]
            cpus = [row["cpu"] for row in self.get("guest-get-cpustats")]
        self.assertEqual(sorted(cpus), online)


class OfAnEnvironment(unittest.TestCase):
    """In surroundings that the test makes."""

    def test_timezone(self):
        if not pathlib.Path("/usr/share/zoneinfo/Asia/Kolkata").exists():
            self.skipTest("no time zones here")
        with Agent(env={"TZ": "Asia/Kolkata"}) as agent:
            self.assertEqual(ask(agent, "guest-get-timezone"),
                             {"return": {"zone": "IST", "offset": 19800}})
        with Agent(env={"TZ": "UTC"}) as agent:
            self.assertEqual(ask(agent, "guest-get-timezone"),
                             {"return": {"zone": "UTC", "offset": 0}})

    def test_os_release_of_the_environment(self):
        with Agent(env={"QGA_OS_RELEASE": "/dev/null"}) as agent:
            self.assertEqual(set(ask(agent, "guest-get-osinfo")["return"]),
                             {"kernel-release", "kernel-version", "machine"})

    def test_long_host_name(self):
        """64 characters, of which qemu-ga says 'File name too long'."""
        name = "h" * 64
        unshare = ["unshare", "--uts", "sh", "-c", f'echo {name} >/proc/sys/kernel/hostname && '
                   'exec "$@"', "sh"]
        try:
            subprocess.run([*unshare, "true"], check=True, capture_output=True,
                           stdin=subprocess.DEVNULL)
        except (OSError, subprocess.CalledProcessError) as error:
            self.skipTest(f"no namespace of its own for the host name: {error}")
        with Agent(launcher=unshare) as agent:
            self.assertEqual(ask(agent, "guest-get-host-name"), {"return": {"host-name": name}})


if __name__ == "__main__":
    sys.exit(tap.main())
