# SPDX-License-Identifier: MIT
"""reverse: a case with nego-hostd where a libvirt of the tests' own is, and guests that call it."""

import contextlib
import json
import os
import random
import re
import select
import unittest

from helpers.build import program
from helpers.case import boot_together, enter_module_context, unavailable
from helpers.guest import PORT_OURS, PORT_QGA, PORT_REVERSE
from helpers.hostd import PATIENCE_S, HostdCase
from helpers.libvirt import Libvirt, LibvirtGuest
from helpers.qga import Qga

NEGO_HOST = program("nego-host")
CHANNEL = f"<channel type='unix'><target type='virtio' name='{PORT_REVERSE}'/></channel>"
# Asks over the guest's port without an agent: the write waits until the host holds the other end.
ASK = """\
exec 3<>"$(vport {port})"
printf '\\377{{"execute":"guest-sync-delimited","arguments":{{"id":{ident}}}}}\\n' >&3
read -r line <&3
echo '{request}' >&3
read -r line <&3
echo "$line"
"""


class Gate:
    """A command of the host that tells when it runs, and ends when it is let."""

    def __init__(self, case, name):
        self._runs, begun, go = (case.dir / f"{name}.{what}" for what in ("runs", "begun", "go"))
        case.add_command(name, f"echo x >>{self._runs}; echo x >{begun}; read -r line <{go}; echo \"$line\"")
        case.add_command(f"{name}.conf", "[Command]\nTimeout=0\n")
        for path in (begun, go):
            os.mkfifo(path)
        # Open for both, neither end waits for the other, and nothing is lost.
        self._begun, self._go = (os.open(path, os.O_RDWR | os.O_NONBLOCK) for path in (begun, go))
        for descriptor in (self._begun, self._go):
            case.addCleanup(os.close, descriptor)

    def wait_begun(self):
        if not select.select([self._begun], [], [], PATIENCE_S)[0]:
            raise AssertionError("the command was not run")
        os.read(self._begun, 2)

    def let(self, word="done"):
        os.write(self._go, word.encode() + b"\n")

    def runs(self):
        """How often it was run."""
        return self._runs.read_text(encoding="ascii").count("x")


class ReverseCase(HostdCase):
    """Two micro guests, of the file's own, and nego-hostd, of the test's own."""

    libvirt = None
    guests = None

    @classmethod
    def make_guests(cls):
        return [LibvirtGuest(cls.libvirt, name, ports=(PORT_QGA, PORT_OURS, PORT_REVERSE)) for name in ("web", "db")]

    @classmethod
    def setUpClass(cls):
        reason = unavailable() or Libvirt.unavailable()
        if reason:
            raise unittest.SkipTest(reason)
        cls.libvirt = enter_module_context(Libvirt, Libvirt)
        cls.guests = enter_module_context(ReverseCase, lambda: boot_together(cls.make_guests()))

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

    def reply(self, guest, name, /, **arguments):
        """What the host answers to a program that holds the port of the guest."""
        request = json.dumps({"execute": name, "arguments": arguments, "id": 1})
        script = ASK.format(port=PORT_REVERSE, ident=random.getrandbits(53), request=request)
        reply = json.loads(guest.control.check(script, PATIENCE_S))
        self.assertEqual(reply.pop("id"), 1, reply)
        return reply

    def ask(self, guest, name, /, **arguments):
        reply = self.reply(guest, name, **arguments)
        self.assertIn("return", reply)
        return reply["return"]

    def identity(self, guest):
        """What the command "who" prints for a guest."""
        uuid = self.libvirt.virsh("domuuid", guest.name).strip()
        return f"{guest.name} {uuid} {self.uri}\n"

    def assert_served(self, guest):
        status = self.ask(guest, "negotiator-exec", command="who", wait=PATIENCE_S)
        self.assertEqual(status["out-data"], self.identity(guest))

    def wait_for_note(self, guest, name):
        """Returns when nego-hostd knows a note of the guest."""
        with contextlib.closing(Qga(self.control, PATIENCE_S)) as client:
            client.sync()
            client.send({"execute": "negotiator-wait", "arguments": {"guest": guest.name, "name": name}})
            return client.receive()["return"]

    def alias(self, guest):
        """libvirt's name of the channel."""
        xml = self.libvirt.virsh("dumpxml", guest.name)
        channel, = [text for text in re.findall("<channel.*?</channel>", xml, re.DOTALL) if PORT_REVERSE in text]
        return re.search("<alias name='(.*?)'", channel)[1]

    def plug(self, guest):
        """Unplugs the port and plugs it in again."""
        path = guest.directory / "channel.xml"
        path.write_text(CHANNEL, encoding="utf-8")
        connected = f"guest '{guest.name}': connected to"
        before = len([line for line in self.log.lines() if connected in line])
        self.libvirt.virsh("detach-device-alias", guest.name, self.alias(guest), "--live")
        guest.control.check(f"while vport {PORT_REVERSE} >/dev/null 2>&1; do sleep 0.1; done", PATIENCE_S)
        self.libvirt.virsh("attach-device", guest.name, str(path), "--live")
        self.log.wait(connected, before + 1)
        guest.control.check(f"until vport {PORT_REVERSE} >/dev/null 2>&1; do sleep 0.1; done", PATIENCE_S)
