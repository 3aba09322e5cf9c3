# SPDX-License-Identifier: MIT
"""virsh: a libvirt guest driven by the real virsh, through libvirt's agent lock and its parser."""

import json
import os
import sys
import unittest

from helpers import tap
from helpers.case import NEGO_AGENT, QEMU_GA, LibvirtCase
from helpers.libvirt import VirshError


class Contract:
    """Mixed into a LibvirtCase for each agent."""

    def agent_command_text(self, request, *options):
        text = request if isinstance(request, str) else json.dumps(request)
        return self.libvirt.virsh("qemu-agent-command", self.guest.name, text, *options)

    def returned(self, request, *options):
        return json.loads(self.agent_command_text(request, *options))["return"]

    def test_ping(self):
        self.assertEqual(self.agent_command_text('{"execute":"guest-ping"}').strip(),
                         '{"return":{}}')

    def test_info_pretty(self):
        text = self.agent_command_text('{"execute":"guest-info"}', "--pretty")
        self.assertGreater(text.count("\n"), 5)
        info = json.loads(text)["return"]
        self.assertIn("guest-ping", [command["name"] for command in info["supported_commands"]])

    def test_timeouts(self):
        for option in (["--timeout", "5"], ["--block"]):
            with self.subTest(option):
                self.assertEqual(self.returned({"execute": "guest-ping"}, *option), {})

    def test_error_of_the_agent(self):
        with self.assertRaises(VirshError) as caught:
            self.agent_command_text('{"execute":"guest-nope"}')
        self.assertIn("The command guest-nope has not been found", str(caught.exception))
        self.assertEqual(self.returned({"execute": "guest-ping"}), {})

    def test_agent_restarted(self):
        for _ in range(3):
            self.assertEqual(self.returned({"execute": "guest-ping"}), {})
            self.stop_agent()
            with self.assertRaises(VirshError) as caught:
                self.agent_command_text('{"execute":"guest-ping"}')
            self.assertIn("agent is not connected", str(caught.exception))
            self.start_agent()
        self.assertEqual(self.returned({"execute": "guest-ping"}), {})

    def test_libvirtd_restarted(self):
        self.assertEqual(self.returned({"execute": "guest-ping"}), {})
        for _ in range(2):
            self.libvirt.restart()
            self.guest.libvirtd_restarted()
            self.assertEqual(self.returned({"execute": "guest-ping"}), {})

    def test_guest_paused_and_resumed(self):
        self.libvirt.virsh("suspend", self.guest.name)
        with self.assertRaises(VirshError):
            self.agent_command_text('{"execute":"guest-ping"}')
        self.libvirt.virsh("resume", self.guest.name)
        self.assertEqual(self.returned({"execute": "guest-ping"}), {})


@unittest.skipIf(not os.path.exists("/usr/sbin/qemu-ga"), "qemu-guest-agent is not installed")
class QemuGa(Contract, LibvirtCase):
    agent_command = QEMU_GA


class NegoAgent(Contract, LibvirtCase):
    agent_command = NEGO_AGENT

    def test_negotiator_list(self):
        names = [command["name"] for command in self.returned({"execute": "negotiator-list"})]
        self.assertIn("find-disk-usage", names)
        self.assertIn("arguments", names)

    def test_negotiator_exec(self):
        status = self.returned({"execute": "negotiator-exec",
                                "arguments": {"command": "find-ip-addresses"}})
        self.assertEqual((status["exitcode"], status["out-data"]), (0, "127.0.0.1/8\n"))
        self.assertIs(status["exited"], True)

    def test_find_disk_usage(self):
        status = self.returned({"execute": "negotiator-exec",
                                "arguments": {"command": "find-disk-usage"}})
        self.assertEqual(status["exitcode"], 0)

    def test_long_script_does_not_exceed_the_time_that_libvirt_waits(self):
        # virsh gives up after 5 s and then has lost the reply; the default wait is below that.
        self.guest.control.check("cp /etc/negotiator/guest-commands/hang "
                                 "/etc/negotiator/guest-commands/slow")
        self.addCleanup(self.guest.control.check, "rm /etc/negotiator/guest-commands/slow")
        status = self.returned({"execute": "negotiator-exec", "arguments": {"command": "slow"}})
        self.assertEqual((status["state"], status["exited"]), ("running", False))
        again = self.returned({"execute": "negotiator-exec-status",
                               "arguments": {"job": status["job"]}})
        self.assertEqual(again["command"], "slow")

    def test_script_that_runs_after_virsh_gave_up_harms_nobody(self):
        with self.assertRaises(VirshError):
            self.agent_command_text({"execute": "negotiator-exec",
                                     "arguments": {"command": "hang", "wait": 4}},
                                    "--timeout", "1")
        self.assertEqual(self.returned({"execute": "guest-ping"}), {})


if __name__ == "__main__":
    sys.exit(tap.main())
