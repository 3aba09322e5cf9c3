# SPDX-License-Identifier: MIT
"""start: command lines and configuration written for qemu-ga start nego-agent."""

import sys

from helpers import tap
from helpers.case import NEGO_AGENT, GuestCase
from helpers.guest import PORT_OURS, PORT_QGA

CONF = """\
[general]
daemon=false
method=virtio-serial
path={path}
logfile=/var/log/conf.log
pidfile=/run/conf.pid
statedir=/run
verbose=true
block-rpcs=guest-get-time
"""


class Start(GuestCase):
    agent_command = None

    def setUp(self):
        super().setUp()
        self.device = self.guest.control.check(f"vport {PORT_QGA}").strip()

    def assert_served(self, port=PORT_QGA):
        self.assertEqual(self.connect(port).command("guest-ping"), {})

    def test_short_options(self):
        self.agent = self.start("agent", f"{NEGO_AGENT} -m virtio-serial -p {self.device} "
                                         "-l /var/log/options.log -f /run/options.pid -t /run -v")
        self.assert_served()
        self.assertNotEqual(self.guest.control.check("cat /var/log/options.log"), "")

    def test_long_options(self):
        self.agent = self.start("agent", f"{NEGO_AGENT} --method=virtio-serial "
                                         f"--path={self.device} --pidfile=/run/long.pid "
                                         "--block-rpcs=guest-ping --verbose")
        info = self.connect().command("guest-info")
        enabled = {entry["name"]: entry["enabled"] for entry in info["supported_commands"]}
        self.assertIs(enabled["guest-ping"], False)
        self.assertIs(enabled["guest-info"], True)

    def test_older_names(self):
        self.agent = self.start("agent", f"{NEGO_AGENT} -p {self.device} --blacklist=guest-ping")
        info = self.connect().command("guest-info")
        enabled = {entry["name"]: entry["enabled"] for entry in info["supported_commands"]}
        self.assertIs(enabled["guest-ping"], False)

    def test_configuration_file(self):
        conf = CONF.format(path=self.device)
        self.guest.control.check(f"mkdir -p /etc/qemu && cat >/etc/qemu/ga.conf <<'END'\n{conf}END")
        self.agent = self.start("agent", f"{NEGO_AGENT} -c /etc/qemu/ga.conf")
        self.assert_served()
        self.assertNotEqual(self.guest.control.check("cat /var/log/conf.log"), "")

    def test_configuration_file_by_the_environment(self):
        conf = CONF.format(path=self.device)
        self.guest.control.check(f"mkdir -p /etc/qemu && cat >/etc/qemu/ga.conf <<'END'\n{conf}END")
        self.agent = self.start("agent", f"env QGA_CONF=/etc/qemu/ga.conf {NEGO_AGENT}")
        self.assert_served()

    def test_daemon(self):
        self.guest.control.check(f"{NEGO_AGENT} -d -p {self.device} -f /run/daemon.pid "
                                 "-l /var/log/daemon.log")
        self.addCleanup(self.guest.control.check, "rm -f /run/daemon.pid")
        self.assert_served()
        self.guest.control.check("kill $(cat /run/daemon.pid)")

    def test_no_arguments_serve_both_ports_without_udev(self):
        self.guest.control.check("test ! -e /dev/virtio-ports")
        self.agent = self.start("agent", NEGO_AGENT)
        self.assert_served(PORT_QGA)
        self.assert_served(PORT_OURS)

    def test_wrong_option_is_one_line(self):
        status, output = self.guest.control.run(f"{NEGO_AGENT} --nope")
        self.assertEqual(status, 1)
        self.assertIn("--nope", output)
        self.assertEqual(output.count("\n"), 1)


if __name__ == "__main__":
    sys.exit(tap.main())
