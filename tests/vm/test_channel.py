# SPDX-License-Identifier: MIT
"""channel: nego-agent and its virtio-serial ports: hosts that leave and come back, hosts that do not
read, ports that come and go, and what the agent does meanwhile: nothing."""

import sys

from helpers import tap
from helpers.case import NEGO_AGENT, QEMU_GA, GuestCase
from helpers.guest import PORT_OURS, PORT_QGA, Guest

PING = {"execute": "guest-ping"}


class Connections(GuestCase):
    def host_left(self, client):
        """Closes `client` and lets the guest see that."""
        client.close()
        # The line goes the same way as the news, through QEMU and the guest's kernel, after it.
        self.guest.control.check("true")

    def test_both_ports_at_once(self):
        qga, ours = self.connect(PORT_QGA), self.connect(PORT_OURS)
        for number in range(20):
            for client in (qga, ours):
                client.send({"execute": "guest-sync", "arguments": {"id": number}})
            for client in (ours, qga):
                self.assertEqual(client.receive(), {"return": number})

    def test_running_script_does_not_hold_up_the_other_port(self):
        qga, ours = self.connect(PORT_QGA), self.connect(PORT_OURS)
        qga.send({"execute": "negotiator-exec", "arguments": {"command": "hang"}})
        self.assertEqual(ours.command("guest-ping"), {})
        self.assertEqual(qga.receive()["return"]["state"], "timed-out")

    def test_half_a_request_of_a_former_client_is_forgotten(self):
        former = self.connect()
        former.send(b'{"execute": "guest-info", "arguments": {"x": "')
        self.host_left(former)
        # Five times NEGO_PORT_LEAVING_MS: so long they could be the next one's.
        self.guest.control.check("sleep 1")
        client = self.enterContext(self.guest.connect())
        client.send(PING)
        self.assertEqual(client.receive(), {"return": {}})

    def test_first_request_of_a_host_is_answered_however_early_it_comes(self):
        # It can reach the guest before the news that a host is there.
        for number in range(50):
            with self.guest.connect() as client:
                client.send(PING | {"id": number})
                self.assertEqual(client.receive(), {"return": {}, "id": number})
                self.host_left(client)

    def test_hosts_in_quick_succession(self):
        for number in range(200):
            with self.guest.connect() as client:
                client.send(PING | {"id": number})
                self.assertEqual(client.receive(), {"return": {}, "id": number})

    def test_client_that_left_before_it_was_seen_is_forgotten(self):
        for _ in range(2):
            with self.guest.connect() as client:
                client.send(b'{"execute": "guest-ping", "id": "theirs"}{"execute": "')
            # Twice NEGO_PORT_EARLY_MS: so long the words could be those of the next one.
            self.guest.control.check("sleep 4")
            with self.guest.connect() as client:
                client.send(PING | {"id": "ours"})
                self.assertEqual(client.receive(), {"return": {}, "id": "ours"})

    def test_sync_forgets_half_a_request_of_a_client_that_was_not_seen_leaving(self):
        former = self.connect()
        former.send(b'{"execute": "guest-info", "arguments": {"x": "')
        former.close()
        client = self.connect()
        self.assertEqual(client.command("guest-ping"), {})

    def test_no_stale_reply(self):
        former, other = self.connect(PORT_QGA), self.connect(PORT_OURS)
        # Answered after a second, when nobody is there any more.
        former.send(PING)
        former.send({"execute": "negotiator-exec",
                     "arguments": {"command": "hang", "key": "stale"}})
        self.assertEqual(former.receive(), {"return": {}})
        self.host_left(former)
        status = {"exited": False}
        while not status["exited"]:
            status = other.command("negotiator-exec-status", key="stale", wait=5)
        self.assertEqual(status["state"], "timed-out")
        client = self.enterContext(self.guest.connect())
        client.send(PING | {"id": "mine"})
        self.assertEqual(client.receive(), {"return": {}, "id": "mine"})

    def test_twenty_clients_one_after_another(self):
        for number in range(20):
            with self.guest.connect() as client:
                client.send(b'{"execute": "guest-')
            with self.guest.connect() as client:
                # The guest need not have seen that the host changed: one error for what was cut.
                self.assertLessEqual(len(client.sync()), 1)
                self.assertEqual(client.command("guest-sync", id=number), number)


class SlowReader(GuestCase):
    REQUESTS = 3000

    def stuff(self, client):
        """Sends more than the agent and QEMU keep replies for; returns how many requests went."""
        return client.stuff(b'{"execute":"guest-info","id":%d}\n' % number
                            for number in range(self.REQUESTS))

    def test_costs_no_processor_and_stalls_no_other_port(self):
        stuffed, other = self.connect(PORT_QGA), self.connect(PORT_OURS)
        self.assertGreater(self.stuff(stuffed), 100)
        self.assertEqual(other.command("guest-ping"), {})
        # Memory of large messages is given back NEGO_SESSION_IDLE_MS after the last, or twice that.
        self.guest.control.check("sleep 3")
        self.agent.wait_quiet()
        before = self.agent.cpu_ticks(), self.agent.context_switches()
        self.guest.control.check("sleep 5")
        after = self.agent.cpu_ticks(), self.agent.context_switches()
        self.assertEqual(after, before)
        self.assertEqual(other.command("guest-ping"), {})

    def test_replies_come_when_it_reads_again(self):
        client = self.connect(PORT_QGA)
        sent = self.stuff(client)
        for number in range(sent):
            self.assertEqual(client.receive()["id"], number)

    def test_next_client_gets_nothing_of_it(self):
        stuffed = self.connect(PORT_QGA)
        self.stuff(stuffed)
        stuffed.close()
        client = self.connect(PORT_QGA)
        self.assertEqual(client.command("guest-ping"), {})

    def test_term_ends_the_agent_meanwhile(self):
        self.stuff(self.connect(PORT_QGA))
        self.assertEqual(self.agent.stop(), 0)


class Idle(GuestCase):
    """Ten seconds without a wake-up, whether there is a host or not."""

    def assert_sleeps(self):
        # A host that has just left is waited for, NEGO_PORT_LEAVING_MS.
        self.guest.control.check("sleep 1")
        self.agent.wait_quiet()
        before = self.agent.context_switches()
        self.guest.control.check("sleep 10")
        self.assertEqual(self.agent.context_switches() - before, 0)

    def test_ports_without_a_host(self):
        with self.guest.connect() as client:
            client.sync()
        self.assert_sleeps()

    def test_silent_hosts(self):
        for port in (PORT_QGA, PORT_OURS):
            self.assertEqual(self.connect(port).command("guest-ping"), {})
        self.assert_sleeps()

    def test_host_that_comes_late_is_answered(self):
        for port in (PORT_QGA, PORT_OURS):
            self.assertEqual(self.connect(port).command("guest-ping"), {})


class Takeover(GuestCase):
    """qemu-ga has the port, then leaves it: ours serves it from then on, by itself."""

    agent_command = None

    def version(self):
        with self.guest.connect(PORT_QGA) as client:
            client.sync()
            return client.command("guest-info")["version"]

    def test_port_freed_by_qemu_ga(self):
        theirs = self.start("qemu-ga", QEMU_GA)
        self.assertNotEqual(self.version(), "10.2.2")
        self.agent = self.start("agent", NEGO_AGENT)
        self.assertEqual(self.connect(PORT_OURS).command("guest-ping"), {})
        self.assertNotEqual(self.version(), "10.2.2")
        self.agent.wait_quiet()
        before = self.agent.context_switches()
        self.guest.control.check("sleep 5")
        self.assertEqual(self.agent.context_switches(), before, "wake-ups while it waits")
        self.assertEqual(theirs.stop(), 0)
        self.assertEqual(self.version(), "10.2.2")


class Plug(GuestCase):
    """Ports that appear and vanish while the agent runs."""

    @classmethod
    def make_guest(cls):
        return Guest(ports=(PORT_OURS,))

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.guest.add_chardev(PORT_QGA)

    def plug(self):
        self.guest.qmp.command("device_add", **self.guest.port_arguments(PORT_QGA))

    def unplug(self):
        self.guest.qmp.command("device_del", id=PORT_QGA)
        self.guest.qmp.wait_event("DEVICE_DELETED", device=PORT_QGA)

    def test_port_plugged_pulled_and_plugged_again(self):
        ours = self.connect(PORT_OURS)
        for _ in range(3):
            self.plug()
            with self.guest.connect(PORT_QGA) as client:
                client.sync()
                self.assertEqual(client.command("guest-ping"), {})
                self.unplug()
            self.assertEqual(ours.command("guest-ping"), {})

    def test_port_pulled_while_a_request_runs(self):
        ours = self.connect(PORT_OURS)
        self.plug()
        with self.guest.connect(PORT_QGA) as client:
            client.sync()
            client.send({"execute": "negotiator-exec", "arguments": {"command": "hang"}})
            self.unplug()
        self.assertEqual(ours.command("guest-ping"), {})

    def test_no_port_at_the_start(self):
        self.connect(PORT_OURS)
        self.assertEqual(self.agent.stop(), 0)
        self.agent = self.start("agent", f"{NEGO_AGENT} -m virtio-serial "
                                         f"-p /dev/virtio-ports/{PORT_QGA}")
        self.plug()
        client = self.connect(PORT_QGA)
        self.assertEqual(client.command("guest-ping"), {})
        client.close()
        self.unplug()


class Link(GuestCase):
    """With udev there are links in /dev/virtio-ports; it may make them late."""

    agent_command = None

    def setUp(self):
        super().setUp()
        self.addCleanup(self.guest.control.check, "rm -rf /dev/virtio-ports")

    def link(self):
        self.guest.control.check(f"mkdir -p /dev/virtio-ports && "
                                 f"ln -s $(vport {PORT_QGA}) /dev/virtio-ports/{PORT_QGA}")

    def test_link_that_is_there(self):
        self.link()
        self.agent = self.start("agent", f"{NEGO_AGENT} -p /dev/virtio-ports/{PORT_QGA}")
        self.assertEqual(self.connect().command("guest-ping"), {})

    def test_device_named_by_its_own_path(self):
        self.agent = self.start("agent", f"{NEGO_AGENT} -p $(vport {PORT_QGA})")
        self.assertEqual(self.connect().command("guest-ping"), {})


class End(GuestCase):
    """SIGTERM ends the agent at any moment, with status 0."""

    def setUp(self):
        super().setUp()
        # Before it serves, a signal ends it in the kernel's way.
        self.client = self.connect(PORT_OURS)

    def test_with_a_host(self):
        self.assertEqual(self.agent.stop(), 0)

    def test_without_a_host(self):
        self.client.close()
        self.assertEqual(self.agent.stop(), 0)

    def test_while_a_script_runs(self):
        reply = self.client.command("negotiator-exec", command="hang", wait=0)
        self.assertEqual(reply["state"], "running")
        self.assertEqual(self.agent.stop(), 0)
        status, _ = self.guest.control.run("pidof sleep")
        self.assertEqual(status, 1, "the script outlived the agent")

    def test_other_signals(self):
        self.client.close()
        for name in ("INT", "HUP"):
            with self.subTest(name):
                self.agent.signal(name)
                self.assertEqual(self.agent.wait(), 0)
                self.agent = self.start("agent", NEGO_AGENT)
                self.connect(PORT_OURS).close()


if __name__ == "__main__":
    sys.exit(tap.main())
