# SPDX-License-Identifier: MIT
"""qga: what any QGA-compatible agent does in a real guest: the same tests against ours and theirs."""

import sys
import unittest

from helpers import tap
from helpers.guest import PORT_QGA, Guest


class QemuGa(unittest.TestCase):
    def test_ping(self):
        with Guest() as guest:
            agent = guest.daemon("agent", "qemu-ga -p /dev/vport0p1")
            with guest.connect() as qga:
                qga.sync()
                self.assertEqual(qga.command("guest-ping"), {})
                print("#",agent.context_switches(), agent.cpu_ticks())
            print("#", agent.stop())


if __name__ == "__main__":
    sys.exit(tap.main())
