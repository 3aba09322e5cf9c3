# SPDX-License-Identifier: MIT
"""What nego-hostd holds is not for the scripts that guests call: with the users and groups that are installed with it, and a
libvirtd of the test's own, all of them in a private mount namespace."""

import os
import pathlib
import sys

from helpers import tap
from helpers.hostd import FakeGuest, HostdCase, reachable_directory
from helpers.libvirt import Libvirt

LIBVIRT = "/run/libvirt/libvirt-sock"
USER = "negotiator-run"
GROUP = "negotiator"
# Where the machine has no such accounts.
IDS = {GROUP: 64990, USER: 64991}
# Its parent is the daemon.
REACH = """
echo "$(id -un) $(id -Gn)"
for socket in {sockets}; do
    if [ ! -S "$socket" ]; then echo "no $socket"; elif [ -w "$socket" ]; then echo "open $socket"; else echo locked; fi
done
virsh -c qemu:///system list >/dev/null 2>&1 || echo libvirt
for file in mem environ maps fd/0; do
    head -c 1 "/proc/$PPID/$file" >/dev/null 2>&1 || echo "$file"
done
ls "/proc/$PPID/fd" >/dev/null 2>&1 || echo descriptors
kill -0 "$PPID" 2>/dev/null || echo signals
grep -E 'NoNewPrivs|CapEff' /proc/self/status
ls -l /proc/$$/fd | grep -E 'socket:|anon_inode:' && echo leaked
exit 0
"""


class OutOfReach(HostdCase):
    @staticmethod
    def place():
        # Not below /run, of which libvirt's namespace has its own.
        return reachable_directory(os.getcwd(), os.path.expanduser("~"), "/usr/local", "/var/lib")

    def setUp(self):
        super().setUp()
        if os.geteuid() != 0:
            self.skipTest("only root becomes somebody else")
        reason = Libvirt.unavailable()
        if reason is not None:
            self.skipTest(reason)
        self.libvirt = self.enterContext(Libvirt())
        # The sockets' own modes are what counts.
        self.dir.chmod(0o755)
        for database, text in (("passwd", f"{USER}:x:{IDS[USER]}:{IDS[USER]}::/:/usr/sbin/nologin\n"),
                               ("group", "".join(f"{name}:x:{number}:\n" for name, number in IDS.items()))):
            self.add_accounts(database, text)

    def add_accounts(self, database, text):
        """As data/sysusers.conf makes them, where they are missing."""
        path = pathlib.Path(self.libvirt.path("/etc"), database)
        present = path.read_text(encoding="utf-8")
        known = {line.split(":")[0] for line in present.splitlines()}
        lines = [line for line in text.splitlines() if line.split(":")[0] not in known]
        if not lines:
            return
        ours = self.dir / database
        ours.write_text(present.rstrip("\n") + "\n" + "\n".join(lines) + "\n", encoding="utf-8")
        ours.chmod(0o644)
        done = self.libvirt.run(["mount", "--bind", ours, f"/etc/{database}"])
        self.assertEqual(done.returncode, 0, done.stderr)

        # As Debian's libvirt has it (/etc/libvirt/libvirtd.conf there); elsewhere polkit decides.
        os.chmod(self.libvirt.path(LIBVIRT), 0o770)

    def command(self, arguments):
        return self.libvirt.command(arguments)

    def test_scripts(self):
        agent = FakeGuest(self.dir / "agent.port")
        self.addCleanup(agent.close)
        guest = self.add_guest("web")
        self.start("web", run_as=USER,
                   arguments=("--connect", "qemu:///system", "--agent-socket", f"web={agent.path}"))
        self.log.wait("connected to 'qemu:///system'")
        guest.start()
        # It holds that one, too.
        agent.accept()
        sockets = (self.control, self.dir / "guests" / "web.sock", guest.path, agent.path, LIBVIRT)
        self.assertNotEqual(self.control.stat().st_gid, 0)
        self.add_command("reach", REACH.format(sockets=" ".join(map(str, sockets))))
        self.assertEqual(guest.run("reach")["out-data"].splitlines(), [
            f"{USER} {USER}", *["locked"] * len(sockets), "libvirt", "mem", "environ", "maps", "fd/0", "descriptors",
            "signals", "CapEff:\t0000000000000000", "NoNewPrivs:\t1"])
        # The daemon's user can: what the script met is a matter of rights.
        self.libvirt.virsh("list")


if __name__ == "__main__":
    sys.exit(tap.main())
