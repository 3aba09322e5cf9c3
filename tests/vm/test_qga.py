# SPDX-License-Identifier: MIT
"""qga: what any QGA-compatible agent does in a real guest: the same tests for theirs and for ours."""

import os
import sys
import unittest

from helpers import tap
from helpers.case import NEGO_AGENT, QEMU_GA, GuestCase
from helpers.qga import QgaError


class Contract:
    """Mixed into a GuestCase for each agent."""

    def test_ping_returns_an_empty_object(self):
        self.assertEqual(self.connect().command("guest-ping"), {})

    def test_sync_returns_its_id(self):
        client = self.connect()
        self.assertEqual(client.command("guest-sync", id=123456), 123456)

    def test_sync_delimited_is_preceded_by_ff(self):
        client = self.connect()
        client.send({"execute": "guest-sync-delimited", "arguments": {"id": 7}})
        self.assertEqual(client.receive_line(), b'\xff{"return": 7}')

    def test_reply_is_one_line_in_qga_spelling(self):
        client = self.connect()
        client.send(b'{"execute":"guest-ping","id":"a\\u00e9"}')
        self.assertEqual(client.receive_line(), b'{"return": {}, "id": "a\\u00E9"}')

    def test_info_lists_commands(self):
        info = self.connect().command("guest-info")
        self.assertEqual(sorted(info), ["supported_commands", "version"])
        for command in info["supported_commands"]:
            self.assertEqual(sorted(command), ["enabled", "name", "success-response"])
        names = [command["name"] for command in info["supported_commands"]]
        self.assertEqual(len(names), len(set(names)))
        for name in ("guest-sync", "guest-sync-delimited", "guest-ping", "guest-info"):
            self.assertIn(name, names)

    def test_unknown_command(self):
        with self.assertRaises(QgaError) as caught:
            self.connect().command("guest-nope")
        self.assertEqual(caught.exception.error_class, "CommandNotFound")
        self.assertEqual(caught.exception.desc, "The command guest-nope has not been found")

    def test_unknown_argument(self):
        with self.assertRaises(QgaError) as caught:
            self.connect().command("guest-ping", nope=1)
        self.assertEqual(caught.exception.error_class, "GenericError")
        self.assertEqual(caught.exception.desc, "Parameter 'nope' is unexpected")

    def test_missing_argument(self):
        with self.assertRaises(QgaError) as caught:
            self.connect().command("guest-sync")
        self.assertEqual(caught.exception.desc, "Parameter 'id' is missing")

    def test_requests_in_one_write_are_answered_in_order(self):
        client = self.connect()
        client.send(b"".join(b'{"execute":"guest-sync","arguments":{"id":%d}}' % number
                             for number in range(50)))
        self.assertEqual([client.receive()["return"] for _ in range(50)], list(range(50)))

    def test_request_in_pieces(self):
        client = self.connect()
        for byte in b'{"execute": "guest-ping"}':
            client.send(bytes([byte]))
        self.assertEqual(client.receive(), {"return": {}})

    def test_ff_ends_half_a_request(self):
        client = self.connect()
        client.send(b'{"execute": "guest-pi\xff')
        self.assertIn("error", client.receive())
        self.assertEqual(client.command("guest-ping"), {})

    def test_next_client_is_served(self):
        for _ in range(5):
            client = self.connect()
            self.assertEqual(client.command("guest-ping"), {})
            client.close()

    def test_term_ends_it(self):
        self.connect()
        self.assertEqual(self.agent.stop(), 0)


@unittest.skipIf(not os.path.exists("/usr/sbin/qemu-ga"), "qemu-guest-agent is not installed")
class QemuGa(Contract, GuestCase):
    agent_command = QEMU_GA


class NegoAgent(Contract, GuestCase):
    agent_command = NEGO_AGENT

    def test_version_is_the_level_of_qga_that_it_implements(self):
        self.assertEqual(self.connect().command("guest-info")["version"], "10.2.2")


if __name__ == "__main__":
    sys.exit(tap.main())
