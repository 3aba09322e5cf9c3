# SPDX-License-Identifier: MIT
"""script: negotiator-list and negotiator-exec in a real guest, with its BusyBox."""

import base64
import json
import os
import sys

from helpers import tap
from helpers.case import GuestCase
from helpers.guest import PORT_OURS
from helpers.qga import QgaError

MIB = 1 << 20


def output(status, stream="out"):
    """The bytes of a NegotiatorJobStatus."""
    data = status[f"{stream}-data"]
    if status[f"{stream}-encoding"] == "base64":
        return base64.b64decode(data)
    return data.encode()


class ScriptCase(GuestCase):
    def setUp(self):
        super().setUp()
        self.client = self.connect(PORT_OURS)

    def execute(self, command, *arg, **options):
        if arg:
            options["arg"] = arg
        return self.client.command("negotiator-exec", command=command, **options)


class List(ScriptCase):
    def setUp(self):
        super().setUp()
        self.commands = self.client.command("negotiator-list")
        self.by_name = {command["name"]: command for command in self.commands}

    def test_is_sorted_by_name(self):
        names = [command["name"] for command in self.commands]
        self.assertEqual(names, sorted(names))

    def test_builtins_and_user_scripts(self):
        for name in ("find-disk-usage", "find-ip-addresses", "find-distribution-codename",
                     "find-distribution-release", "find-distributor-id"):
            self.assertEqual(self.by_name[name]["source"], "builtin")
            self.assertIs(self.by_name[name]["enabled"], True)
        for name in ("arguments", "copy", "fail", "hang"):
            self.assertEqual(self.by_name[name]["source"], "user")
        self.assertEqual(self.by_name["hang"]["timeout"], 1)

    def test_script_that_others_can_write_is_refused(self):
        self.assertIs(self.by_name["refused"]["enabled"], False)
        self.assertIn("writable by", self.by_name["refused"]["reason"])
        with self.assertRaises(QgaError) as caught:
            self.execute("refused")
        self.assertIn("negotiator command 'refused' is refused by", caught.exception.desc)

    def test_script_that_appears_is_seen_at_once(self):
        self.guest.control.check(
            "cd /etc/negotiator/guest-commands && cp arguments new && chmod 755 new")
        self.assertEqual(output(self.execute("new", "x")), b"x\n")
        self.guest.control.check("rm /etc/negotiator/guest-commands/new")
        with self.assertRaises(QgaError) as caught:
            self.execute("new")
        self.assertEqual(caught.exception.desc, "unknown negotiator command 'new'")


class Builtins(ScriptCase):
    def test_find_disk_usage(self):
        self.guest.control.check(
            "make-disk && echo content >/mnt/data/file")
        self.addCleanup(self.guest.control.check, "umount /mnt/data")
        status = self.execute("find-disk-usage")
        self.assertEqual(status["exitcode"], 0)
        expected = self.guest.control.check(
            "stat -f -c '%S %b %f' /mnt/data").split()
        size, blocks, free = map(int, expected)
        device, mount_point, total, used = output(status).decode().rstrip("\n").split(" ")
        self.assertRegex(device, r"^/dev/loop\d+$")
        self.assertEqual(mount_point, "/mnt/data")
        self.assertEqual((int(total), int(used)), (blocks * size, (blocks - free) * size))

    def test_find_disk_usage_without_a_disk(self):
        status = self.execute("find-disk-usage")
        self.assertEqual((status["exitcode"], output(status)), (0, b""))

    def test_find_ip_addresses(self):
        self.guest.control.check("ip addr add 192.0.2.7/24 dev lo")
        self.addCleanup(self.guest.control.check, "ip addr del 192.0.2.7/24 dev lo")
        status = self.execute("find-ip-addresses")
        self.assertEqual((status["exitcode"], output(status)), (0, b"127.0.0.1/8\n192.0.2.7/24\n"))

    def test_distribution(self):
        for name, text in (("find-distribution-codename", b"bookworm\n"),
                           ("find-distribution-release", b"12\n"),
                           ("find-distributor-id", b"Debian\n")):
            with self.subTest(name):
                status = self.execute(name)
                self.assertEqual((status["exitcode"], output(status)), (0, text))

    def test_distribution_that_is_unknown(self):
        self.guest.control.check("mv /etc/os-release /etc/os-release.away")
        self.addCleanup(self.guest.control.check, "mv /etc/os-release.away /etc/os-release")
        self.assertEqual(self.execute("find-distributor-id")["exitcode"], 1)


class Exec(ScriptCase):
    def test_arguments_arrive_as_they_are(self):
        arguments = ["a", "b c", "", "*", "$HOME", "a\nb", "é", "-n", "'\"\\"]
        status = self.execute("arguments", *arguments)
        self.assertEqual(output(status).decode(), "".join(f"{a}\n" for a in arguments))

    def test_exit_status_and_standard_error(self):
        status = self.execute("fail", "3")
        self.assertEqual((status["state"], status["exited"], status["exitcode"]),
                         ("exited", True, 3))
        self.assertEqual(output(status, "err"), b"failing with 3\n")

    def test_signal(self):
        status = self.execute("kill-self", "USR1")
        self.assertEqual((status["state"], status["signal"]), ("signalled", 10))

    def test_time_limit(self):
        status = self.execute("hang")
        self.assertEqual((status["state"], status["exited"]), ("timed-out", True))
        self.assertGreaterEqual(status["elapsed-ns"], 10**9)

    def test_unknown(self):
        with self.assertRaises(QgaError) as caught:
            self.execute("nope")
        self.assertEqual(caught.exception.error_class, "GenericError")
        self.assertEqual(caught.exception.desc, "unknown negotiator command 'nope'")

    def test_binary_input_and_output(self):
        data = os.urandom(300_000)
        status = self.execute("copy", input_data=base64.b64encode(data).decode())
        self.assertEqual(output(status, "err"), b"copied\n")
        self.assertEqual(self.pages(status), data)

    def test_large_output_in_pages(self):
        lines = 3 * MIB // 64
        status = self.execute("large", str(lines), timeout=10)
        expected = b"".join(b"%063d\n" % number for number in range(lines))
        self.assertEqual(self.pages(status), expected)
        # Reading does not consume.
        again = self.client.command("negotiator-exec-status", job=status["job"], out_offset=64)
        self.assertEqual(output(again)[:64], b"%063d\n" % 1)

    def test_channel_cut_while_a_job_is_busy(self):
        lines = 3 * MIB // 64
        job = self.execute("large", str(lines), wait=0, timeout=120)["job"]
        # As fast as it can be: nothing of one connection may get into the next.
        for _ in range(5):
            self.client.send({"execute": "negotiator-exec-status",
                              "arguments": {"job": job, "wait": 1}})
            self.client.close()
            self.client = self.connect(PORT_OURS)
            status = self.client.command("negotiator-exec-status", job=job)
            self.assertEqual(status["command"], "large")
        self.assertEqual(self.pages(status),
                         b"".join(b"%063d\n" % number for number in range(lines)))

    def pages(self, status):
        """All output of a job, page by page from the first reply on."""
        received = b""
        while True:
            self.assertEqual(status["out-offset"], len(received))
            received += output(status)
            self.assertEqual(status["out-next"], len(received))
            if status["out-eof"]:
                self.assertNotIn("out-truncated", status)
                return received
            self.client.send({"execute": "negotiator-exec-status",
                              "arguments": {"job": status["job"], "wait": 1,
                                            "out-offset": len(received)}})
            line = self.client.receive_line()
            self.assertLessEqual(len(line) + 1, MIB)
            status = json.loads(line)["return"]


if __name__ == "__main__":
    sys.exit(tap.main())
