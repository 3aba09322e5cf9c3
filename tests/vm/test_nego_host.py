# SPDX-License-Identifier: MIT
"""nego-host: the host's command line against a real guest, over libvirt's API and over our port."""

import json
import os
import sys
import time

from helpers import build, tap
from helpers.case import LibvirtCase
from helpers.guest import PORT_OURS, PORT_QGA
from helpers.libvirt import LibvirtGuest
from helpers.qga import Qga

MIB = 1 << 20


class HostCase(LibvirtCase):
    ports = (PORT_QGA, PORT_OURS)

    @classmethod
    def make_guest(cls):
        return LibvirtGuest(cls.libvirt, "guest", ports=cls.ports)

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

    def assert_fails(self, status, *arguments, **options):
        """Runs nego-host, which has to end with `status` and without output; returns its words."""
        done = self.host(*arguments, **options)
        self.assertEqual((done.returncode, done.stdout), (status, b""), done.stderr.decode())
        return done.stderr.decode()


class Contract:
    """What holds whichever way the guest is reached."""

    large_input = 0
    request_limit = 0

    def test_ping(self):
        self.assert_host(0, "ping", "guest")

    def test_info(self):
        info = json.loads(self.assert_host(0, "info", "guest", "--json"))
        self.assertEqual(info["version"], "10.2.2")

    def test_commands(self):
        text = self.assert_host(0, "commands", "guest").decode()
        for name in ("find-disk-usage", "find-ip-addresses", "arguments", "copy", "refused"):
            self.assertIn(name, text)

    def test_exec_prints_what_the_script_printed(self):
        done = self.host("exec", "guest", "find-ip-addresses")
        self.assertEqual((done.returncode, done.stdout, done.stderr), (0, b"127.0.0.1/8\n", b""))

    def test_exec_arguments(self):
        self.assertEqual(self.assert_host(0, "exec", "guest", "arguments", "a", "b c", "", "-n"),
                         b"a\nb c\n\n-n\n")

    def test_exec_status_and_standard_error(self):
        done = self.host("exec", "guest", "fail", "42")
        self.assertEqual((done.returncode, done.stdout, done.stderr),
                         (42, b"", b"failing with 42\n"))

    def test_exec_signal(self):
        self.assertEqual(self.host("exec", "guest", "kill-self", "TERM").returncode, 128 + 15)

    def test_exec_timed_out(self):
        self.assertIn("hang", self.assert_fails(124, "exec", "guest", "hang"))

    def test_exec_refused(self):
        self.assertIn("'refused'", self.assert_fails(126, "exec", "guest", "refused"))

    def test_exec_unknown(self):
        self.assertIn("'nope'", self.assert_fails(127, "exec", "guest", "nope"))

    def test_exec_copies_binary_data_both_ways(self):
        data = os.urandom(self.large_input)
        done = self.host("exec", "guest", "copy", input=data)
        self.assertEqual((done.returncode, done.stderr), (0, b"copied\n"))
        self.assertEqual(done.stdout, data)

    def test_exec_more_input_than_the_channel_takes(self):
        text = self.assert_fails(125, "exec", "guest", "copy", input=bytes(MIB))
        self.assertIn("make a request of", text)
        self.assertIn(f"(limit {self.request_limit})", text)

    def test_exec_without_input(self):
        self.assertEqual(self.assert_host(0, "exec", "-n", "guest", "copy", input=b"unread"), b"")

    def test_exec_large_output(self):
        lines = 3 * MIB // 64
        expected = b"".join(b"%063d\n" % number for number in range(lines))
        self.assertEqual(self.assert_host(0, "exec", "guest", "large", str(lines)), expected)

    def test_exec_longer_than_one_wait(self):
        self.guest.control.check(
            "cd /etc/negotiator/guest-commands && "
            "printf '#!/bin/sh\\nsleep 6\\necho slept\\n' >slow && chmod 755 slow")
        self.addCleanup(self.guest.control.check, "rm /etc/negotiator/guest-commands/slow")
        self.assertEqual(self.assert_host(0, "exec", "guest", "slow"), b"slept\n")

    def test_qmp(self):
        reply = json.loads(self.assert_host(0, "qmp", "guest", '{"execute":"guest-ping"}'))
        self.assertEqual(reply, {"return": {}})

    def test_qmp_prompt(self):
        text = self.assert_host(0, "qmp", "guest",
                                input=b'{"execute":"guest-ping"}\n{"execute":"guest-nope"}\n')
        self.assertIn(b'{"return": {}}', text)
        self.assertIn(b"The command guest-nope has not been found", text)

    def test_list(self):
        self.assertRegex(self.assert_host(0, "list").decode(), r"(?m)^guest +running +answers ")
        guest, = json.loads(self.assert_host(0, "list", "--json"))
        self.assertEqual((guest["name"], guest["agent"]), ("guest", "answers"))
        self.assertEqual([channel["name"] for channel in guest["channels"]], list(self.ports))

    def test_paused(self):
        self.libvirt.virsh("suspend", "guest")
        self.addCleanup(self.libvirt.virsh, "resume", "guest")
        self.assertEqual(self.assert_fails(1, "ping", "guest"),
                         "nego-host: guest 'guest': the guest is paused; virsh resume guest\n")

    def test_uuid(self):
        uuid = self.libvirt.virsh("domuuid", "guest").strip()
        self.assert_host(0, "ping", uuid)

    def test_agent_restarted(self):
        self.assert_host(0, "ping", "guest")
        self.stop_agent()
        self.start_agent()
        self.assert_host(0, "ping", "guest")

    def test_agent_stopped(self):
        self.stop_agent()
        self.assertIn("'guest'", self.assert_fails(125, "--timeout", "2", "exec", "guest", "copy"))
        self.start_agent()
        self.assert_host(0, "ping", "guest")


class OverLibvirt(Contract, HostCase):
    """The guest has libvirt's port only."""

    ports = (PORT_QGA,)
    large_input = 128 << 10
    request_limit = 192 << 10


class OverPort(Contract, HostCase):
    """The guest has our port too, which is preferred."""

    large_input = 640 << 10
    request_limit = MIB

    def test_socket_option_needs_no_libvirt(self):
        self.assertEqual(self.assert_host(0, "--socket", self.guest.socket_path(PORT_OURS),
                                          "exec", "arguments", "x"), b"x\n")

    def test_port_that_another_client_holds(self):
        with Qga(self.libvirt.path(self.guest.socket_path(PORT_OURS))) as holder:
            holder.sync()
            started = time.monotonic()
            done = self.host("--socket", self.guest.socket_path(PORT_OURS), "ping")
            self.assertLess(time.monotonic() - started, 1.5)
            self.assertEqual((done.returncode, done.stdout), (1, b""))
            self.assertIn("another", done.stderr.decode())
        self.assert_host(0, "ping", "guest")

    def test_busy_port_is_passed_by(self):
        with Qga(self.libvirt.path(self.guest.socket_path(PORT_OURS))) as holder:
            holder.sync()
            done = self.host("-v", "ping", "guest")
            self.assertEqual(done.returncode, 0)
            self.assertIn("the port is busy: another program holds", done.stderr.decode())
            self.assertIn("; trying libvirt's agent call\n", done.stderr.decode())
            # A script's own words stay alone.
            done = self.host("exec", "guest", "fail", "3")
            self.assertEqual((done.returncode, done.stderr), (3, b"failing with 3\n"))

    def test_libvirtd_restarted(self):
        self.libvirt.restart()
        self.guest.libvirtd_restarted()
        self.assert_host(0, "ping", "guest")


class Errors(HostCase):
    """What stands between a host and a guest, each with what to do next."""

    agent_command = None

    @classmethod
    def make_guest(cls):
        return LibvirtGuest(cls.libvirt, "off", start=False)

    def setUp(self):
        self.daemons = []

    def tearDown(self):
        pass

    def test_no_such_guest(self):
        self.assertIn("'nope'", self.assert_fails(125, "exec", "nope", "x"))

    def test_guest_is_off(self):
        text = self.assert_fails(125, "exec", "off", "x")
        self.assertIn("'off'", text)
        self.assertIn("virsh start off", text)

    def test_guest_without_a_channel(self):
        with LibvirtGuest(self.libvirt, "bare", ports=()):
            text = self.assert_fails(125, "exec", "bare", "x")
            self.assertIn("<target type='virtio' name='org.qemu.guest_agent.0'/>", text)

    def test_list_shows_guests_that_are_off(self):
        self.assertIn(b"off", self.assert_host(0, "list"))

    def test_wrong_option(self):
        self.assertIn("--nope", self.assert_fails(2, "--nope"))

    def test_no_libvirt(self):
        text = self.assert_fails(1, "-c", "qemu+unix:///system?socket=/nonexistent", "list")
        self.assertIn("/nonexistent", text)


if __name__ == "__main__":
    sys.exit(tap.main())
