#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""nego-hostd under libvirt: two guests call their host, whatever happens to them, to libvirtd and to nego-hostd."""

import contextlib
import json
import random
import re
import sys
import unittest

from helpers import tap
from helpers.build import program
from helpers.case import unavailable
from helpers.hostd import PATIENCE_S, HostdCase
from helpers.libvirt import Libvirt, LibvirtGuest
from helpers.qga import Qga

NEGO_HOST = program("nego-host")
PORT = "negotiator-guest-to-host.0"
CHANNEL = f"<channel type='unix'><target type='virtio' name='{PORT}'/></channel>"
# Asks over the guest's port without an agent: the write waits until the host holds the other end.
ASK = """\
exec 3<>"$(vport {port})"
printf '\\377{{"execute":"guest-sync-delimited","arguments":{{"id":{ident}}}}}\\n' >&3
read -r line <&3
echo '{request}' >&3
read -r line <&3
echo "$line"
"""


class Reverse(HostdCase):
    libvirt = None
    guests = None

    @classmethod
    def setUpClass(cls):
        reason = unavailable() or Libvirt.unavailable()
        if reason:
            raise unittest.SkipTest(reason)
        cls.libvirt = cls.enterClassContext(Libvirt())
        cls.guests = [cls.enterClassContext(LibvirtGuest(cls.libvirt, name, ports=(PORT,))) for name in ("web", "db")]

    def setUp(self):
        super().setUp()
        self.add_command("who", 'echo "$NEGOTIATOR_GUEST $NEGOTIATOR_GUEST_UUID $NEGOTIATOR_CONNECT_URI"')
        self.uri = self.libvirt.environment["LIBVIRT_DEFAULT_URI"]
        self.hostd = None
        self.start_hostd()

    def command(self, arguments):
        return self.libvirt.command(arguments)

    def start_hostd(self):
        self.hostd = self.start(arguments=("--connect", self.uri, "--verbose"), environment=self.libvirt.environment)

    def diagnostics(self):
        return "\n".join([super().diagnostics(), *(f"console of {guest.name}:\n{guest.console()}" for guest in self.guests)])

    def ask(self, guest, name, /, **arguments):
        """What the host answers to a program in the guest."""
        request = json.dumps({"execute": name, "arguments": arguments, "id": 1})
        script = ASK.format(port=PORT, ident=random.getrandbits(53), request=request)
        reply = json.loads(guest.control.check(script, PATIENCE_S))
        self.assertEqual(reply.get("id"), 1, reply)
        return reply["return"]

    def assert_served(self, guest):
        uuid = self.libvirt.virsh("domuuid", guest.name).strip()
        status = self.ask(guest, "negotiator-exec", command="who", wait=PATIENCE_S)
        self.assertEqual(status["out-data"], f"{guest.name} {uuid} {self.uri}\n")

    def wait_for_note(self, guest, name):
        """Returns when nego-hostd knows a note of the guest."""
        with contextlib.closing(Qga(self.control, PATIENCE_S)) as client:
            client.sync()
            client.send({"execute": "negotiator-wait", "arguments": {"guest": guest.name, "name": name}})
            return client.receive()["return"]

    def test_calls(self):
        for guest in self.guests:
            self.assert_served(guest)

    def test_notes(self):
        guest = self.guests[0]
        self.ask(guest, "negotiator-notify", name="ready", value="1")
        self.assertEqual(self.wait_for_note(guest, "ready")["value"], "1")
        done = self.libvirt.run([NEGO_HOST, "--hostd", self.control, "list", "--json"])
        told = {entry["name"]: [note["name"] for note in entry.get("notes", [])] for entry in json.loads(done.stdout)}
        self.assertEqual(told, {"web": ["ready"], "db": []})

    def test_agent(self):
        """The guest's agent holds the port, and synchronises with whoever is on the host."""
        guest = self.guests[0]
        agent = guest.daemon("agent", "nego-agent")
        self.addCleanup(agent.stop)
        self.log.wait(f"guest '{guest.name}' has synchronised")
        self.hostd.kill()
        self.hostd.wait(PATIENCE_S)
        self.start_hostd()
        self.log.wait(f"guest '{guest.name}' has synchronised")

    def test_hostd_restarted(self):
        for _ in range(2):
            self.hostd.kill()
            self.hostd.wait(PATIENCE_S)
            self.start_hostd()
            for guest in self.guests:
                self.assert_served(guest)

    def test_libvirtd_restarted(self):
        """Guests are served all the while; what comes afterwards is seen, too."""
        self.assert_served(self.guests[0])
        self.libvirt.restart()
        self.assert_served(self.guests[0])
        for guest in self.guests:
            guest.libvirtd_restarted()
        self.log.wait(f"connected to '{self.uri}'", 2)
        self.plug(self.guests[1])

    def alias(self, guest):
        """libvirt's name of the channel."""
        xml = self.libvirt.virsh("dumpxml", guest.name)
        channel, = [text for text in re.findall("<channel.*?</channel>", xml, re.DOTALL) if PORT in text]
        return re.search("<alias name='(.*?)'", channel)[1]

    def plug(self, guest):
        """Unplugs the port and plugs it in again."""
        path = guest.directory / "channel.xml"
        path.write_text(CHANNEL, encoding="utf-8")
        served = len([line for line in self.log.lines() if f"guest '{guest.name}' of" in line])
        gone = len([line for line in self.log.lines() if "is not served any more" in line])
        self.libvirt.virsh("detach-device-alias", guest.name, self.alias(guest), "--live")
        self.log.wait("is not served any more", gone + 1)
        self.libvirt.virsh("attach-device", guest.name, str(path), "--live")
        self.log.wait(f"guest '{guest.name}' of", served + 1)
        guest.control.check(f"until vport {PORT} >/dev/null 2>&1; do sleep 0.1; done", PATIENCE_S)
        self.assert_served(guest)

    def test_plugged(self):
        for guest in self.guests:
            self.assert_served(guest)
        for _ in range(2):
            self.plug(self.guests[0])
        self.assert_served(self.guests[1])

    def test_destroyed_and_started(self):
        self.assert_served(self.guests[0])
        gone = len([line for line in self.log.lines() if "is not served any more" in line])
        with LibvirtGuest(self.libvirt, "short", ports=(PORT,)) as guest:
            self.assert_served(guest)
        self.log.wait("is not served any more", gone + 1)
        self.assert_served(self.guests[0])


if __name__ == "__main__":
    sys.exit(tap.main())
