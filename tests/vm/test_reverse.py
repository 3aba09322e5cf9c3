#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""nego-hostd under libvirt: two guests call their host, whatever happens to them, to libvirtd and to nego-hostd."""

import contextlib
import json
import os
import subprocess
import sys
import unittest

from helpers import debian, tap
from helpers.debian import DebianLibvirtGuest
from helpers.guest import PORT_REVERSE
from helpers.hostd import PATIENCE_S
from helpers.libvirt import LibvirtGuest
from helpers.reverse import NEGO_HOST, Gate, ReverseCase

MIB = 1 << 20
PROGRAMS = 50
COMMANDS = "/etc/negotiator/guest-commands"


class Reverse(ReverseCase):
    def test_calls(self):
        for guest in self.guests:
            self.assert_served(guest)

    def test_identity(self):
        """It is what libvirt says, whatever the guest says."""
        self.add_rules("[rule all]\nguest=*\ncommand=*\nenvironment=yes\n")
        self.hostd.kill()
        self.hostd.wait(PATIENCE_S)
        self.start_hostd()
        guest = self.guests[0]
        guest.control.check("hostname db")
        self.addCleanup(guest.control.check, "hostname micro-guest")
        for arguments, message in (({"guest": "db"}, "Parameter 'guest' is unexpected"),
                                   ({"env": ["NEGOTIATOR_GUEST=db"]}, "NEGOTIATOR_GUEST")):
            error = self.reply(guest, "negotiator-exec", command="who", **arguments)["error"]
            self.assertIn(message, error["desc"])
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
        self.assert_served(self.guests[1])

    def test_plugged(self):
        for guest in self.guests:
            self.assert_served(guest)
        for _ in range(2):
            self.plug(self.guests[0])
            self.assert_served(self.guests[0])
        self.assert_served(self.guests[1])

    def test_destroyed_and_started(self):
        self.assert_served(self.guests[0])
        gone = len([line for line in self.log.lines() if "is not served any more" in line])
        with LibvirtGuest(self.libvirt, "short", ports=(PORT_REVERSE,)) as guest:
            self.assert_served(guest)
        self.log.wait("is not served any more", gone + 1)
        self.assert_served(self.guests[0])


class Calls(ReverseCase):
    """nego-guest, through the guests' agents."""

    agents = None

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        for guest in cls.guests:
            guest.control.check(f"printf '#!/bin/sh\\nexec nego-guest exec -n who\\n' >{COMMANDS}/back && "
                                f"chmod 755 {COMMANDS}/back")

    def setUp(self):
        super().setUp()
        self.agents = {}
        self.web, self.db = self.guests
        for guest in self.guests:
            self.addCleanup(self.stop_agent, guest)
            self.start_agent(guest)

    def diagnostics(self):
        texts = [super().diagnostics()]
        for guest, agent in (self.agents or {}).items():
            with contextlib.suppress(Exception):
                texts.append(f"log of the agent in {guest.name}:\n{agent.log()}")
        return "\n".join(texts)

    def start_agent(self, guest):
        self.agents[guest] = guest.daemon("agent", "nego-agent")
        guest.control.check("until [ -S /run/negotiator/host.sock ]; do sleep 0.1; done", PATIENCE_S)

    def stop_agent(self, guest):
        if guest in self.agents:
            self.assertEqual(self.agents.pop(guest).stop(PATIENCE_S), 0)

    def assert_called(self, guest):
        """A program in the guest calls its host; before that it waits for it."""
        status, text = guest.control.run(f"nego-guest -t {PATIENCE_S} wait && nego-guest exec -n who", 2 * PATIENCE_S)
        self.assertEqual((status, text), (0, self.identity(guest)))

    def call(self, guest, command):
        """A program in the guest that calls `command`, and waits for it."""
        guest.control.check(f"nego-guest -t {PATIENCE_S} wait", 2 * PATIENCE_S)
        return guest.daemon("call", f"nego-guest exec -n {command}")

    def assert_ends(self, call, status, text):
        """A program that called ends so; what it says is in its log."""
        self.assertEqual((call.wait(PATIENCE_S), call.log()), (status, text))

    def assert_ends_once(self, call, gate):
        """The run is found again by its key, if the host came back within 10 s: on a busy machine it may not."""
        status = call.wait(PATIENCE_S)
        if status == 0:
            self.assertEqual(call.log(), "done\n")
        else:
            self.assertEqual((status, call.log().count("\n")), (125, 1), call.log())
        self.assertEqual(gate.runs(), 1)

    def start_hostd_again(self):
        self.hostd.wait(PATIENCE_S)
        self.start_hostd()

    def host(self, *arguments, **options):
        options = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **options}
        process = subprocess.Popen(self.command([NEGO_HOST, "--hostd", self.control, *arguments]),
                                   env=self.libvirt.environment, **options)
        self.addCleanup(process.__exit__, None, None, None)
        self.addCleanup(process.kill)
        return process

    def assert_host(self, expected, *arguments, data=None, **options):
        process = self.host(*arguments, **({"stdin": subprocess.PIPE} if data is not None else {}), **options)
        out, err = process.communicate(data, PATIENCE_S)
        self.assertEqual((process.returncode, out, err), expected)

    def test_calls(self):
        for guest in self.guests:
            self.assert_called(guest)
            self.assertRegex(guest.control.check("nego-guest list"), r"(?m)^who\b")
            self.assertRegex(guest.control.check("nego-guest ping"), r"^the host answered in ")
            guest.control.check("nego-guest notify release=1")
            self.assertEqual(self.wait_for_note(guest, "release")["value"], "1")

    def test_fifty_programs(self):
        """Nothing is refused, nothing is mixed up."""
        self.add_rules("[rule say]\nguest=*\ncommand=say\narguments=*\n[rule who]\nguest=*\ncommand=who\n")
        self.add_command("say", 'echo "$1"')
        self.add_command("say.conf", "[Command]\nArguments=true\n")
        self.hostd.terminate()
        self.start_hostd_again()
        self.assert_called(self.web)
        text = self.web.control.check(
            f"for i in $(seq {PROGRAMS}); do (nego-guest exec -n say $i >/tmp/said.$i 2>&1; echo $? >>/tmp/said.$i) & done; "
            f"wait; for i in $(seq {PROGRAMS}); do echo $(cat /tmp/said.$i); done; rm /tmp/said.*", 300)
        self.assertEqual(text.splitlines(), [f"{i} 0" for i in range(1, PROGRAMS + 1)])

    def test_both_ways_at_once(self):
        """A host's call of a script that calls the host; and streams, one each way."""
        self.add_rules("[rule all]\nguest=*\ncommand=*\ninput=yes\n")
        self.add_command("count", "wc -c")
        self.hostd.terminate()
        self.start_hostd_again()
        for guest in self.guests:
            self.assert_called(guest)
            self.assert_host((0, self.identity(guest).encode(), b""), "exec", guest.name, "back")
        up = self.web.daemon("up", f"sh -c 'head -c {2 * MIB} /dev/zero | nego-guest exec count'")
        data = os.urandom(2 * MIB)
        self.assert_host((0, data, b"copied\n"), "exec", "web", "copy", data=data)
        self.assert_ends(up, 0, f"{2 * MIB}\n")

    def test_two_nego_hosts(self):
        """On one port, which nego-hostd holds: a stream, and another's job, which a third one ends."""
        self.assert_called(self.web)
        data = os.urandom(2 * MIB)
        stubborn = self.host("exec", "web", "stubborn")
        self.assertEqual(stubborn.stdout.readline(), b"ready\n")
        self.assert_host((0, data, b"copied\n"), "exec", "web", "copy", data=data)
        jobs = self.host("--json", "jobs", "web").communicate(timeout=PATIENCE_S)[0]
        job, = [job["job"] for job in json.loads(jobs) if job["command"] == "stubborn" and job["state"] == "running"]
        self.assert_host((0, b"", b""), "kill", "--signal", "KILL", "web", job)
        self.assertEqual(stubborn.communicate(timeout=PATIENCE_S)[0], b"")
        self.assertEqual(stubborn.returncode, 128 + 9)

    def test_libvirtd_restarted(self):
        """A call does not notice."""
        gate = Gate(self, "slow")
        call = self.call(self.web, "slow")
        gate.wait_begun()
        self.libvirt.restart()
        for guest in self.guests:
            guest.libvirtd_restarted()
        gate.let()
        self.assert_ends(call, 0, "done\n")
        self.assertEqual(gate.runs(), 1)
        self.assert_called(self.db)

    def test_hostd_killed(self):
        """The call fails, once, and is not made again; then the guests are served again."""
        gate = Gate(self, "slow")
        call = self.call(self.web, "slow")
        gate.wait_begun()
        self.hostd.kill()
        self.start_hostd_again()
        self.assertEqual(call.wait(PATIENCE_S), 125)
        self.assertEqual(call.log().count("\n"), 1, call.log())
        for guest in self.guests:
            self.assert_called(guest)
        self.assertEqual(gate.runs(), 1)
        gate.let()

    def test_destroyed_and_started(self):
        gate = Gate(self, "slow")
        self.call(self.db, "slow")
        gate.wait_begun()
        del self.agents[self.db]
        self.libvirt.virsh("destroy", "db")
        self.log.wait("is not served any more")
        self.db.start_again()
        self.start_agent(self.db)
        self.assert_called(self.db)
        gate.let()
        self.assertEqual(gate.runs(), 1)
        self.assert_called(self.web)

    def test_unplugged(self):
        """The call ends, once; the port that comes back is served."""
        gate = Gate(self, "slow")
        call = self.call(self.web, "slow")
        gate.wait_begun()
        self.plug(self.web)
        gate.let()
        self.assert_ends_once(call, gate)
        for guest in self.guests:
            self.assert_called(guest)

    def test_saved_and_restored(self):
        """The call finds its run again."""
        gate = Gate(self, "slow")
        call = self.call(self.web, "slow")
        gate.wait_begun()
        state = self.web.directory / "saved"
        self.web.save(state)
        self.web.restore(state)
        gate.let()
        self.assert_ends_once(call, gate)
        for guest in self.guests:
            self.assert_called(guest)


class Full(ReverseCase):
    """A full guest, with the unit that is installed, beside a micro one."""

    full = None

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        reason = debian.unavailable()
        if reason:
            raise unittest.SkipTest(reason)
        cls.full = cls.enterClassContext(DebianLibvirtGuest(cls.libvirt, "full"))

    def assert_called(self, *arguments):
        done = self.full.control.run(f"nego-guest -t {PATIENCE_S} wait && nego-guest exec -n who", 2 * PATIENCE_S)
        self.assertEqual(done, (0, self.identity(self.full)))

    def test_calls_over_restarts(self):
        self.assert_called()
        self.assert_served(self.guests[0])
        self.full.control.check("nego-guest notify ready")
        self.wait_for_note(self.full, "ready")
        for restart in (self.restart_hostd, self.restart_agent):
            restart()
            self.assert_called()
            self.assert_served(self.guests[0])

    def restart_hostd(self):
        self.hostd.terminate()
        self.hostd.wait(PATIENCE_S)
        self.start_hostd()

    def restart_agent(self):
        self.full.control.check("systemctl restart nego-agent", PATIENCE_S)


if __name__ == "__main__":
    sys.exit(tap.main())
