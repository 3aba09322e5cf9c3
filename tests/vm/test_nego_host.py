# SPDX-License-Identifier: MIT
"""nego-host: the host's command line against a real guest, over libvirt's API and over our port."""

import contextlib
import hashlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import time

from helpers import tap
from helpers.guest import PORT_OURS, PORT_QGA
from helpers.libvirt import LibvirtGuest, VirshError
from helpers.nego_host import HostCase
from helpers.qga import Qga

MIB = 1 << 20
LONG = "NEGO_TEST_LONG" in os.environ


class Contract:
    """What holds whichever way the guest is reached."""

    large_input = 0
    streamed_in = 0   # bytes
    streamed_out = 0

    def test_ping(self):
        self.assert_host(0, "ping", "guest")

    def test_info(self):
        info = json.loads(self.assert_host(0, "info", "guest", "--json"))
        self.assertEqual(info["version"], "10.2.2")

    def test_commands(self):
        text = self.assert_host(0, "commands", "guest").decode()
        for name in ("find-disk-usage", "find-ip-addresses", "arguments", "copy", "refused"):
            self.assertIn(name, text)

    def test_exec_prints_what_the_script_printed(self):
        done = self.host("exec", "guest", "find-ip-addresses")
        self.assertEqual((done.returncode, done.stdout, done.stderr), (0, b"127.0.0.1/8\n", b""))

    def test_exec_arguments(self):
        self.assertEqual(self.assert_host(0, "exec", "guest", "arguments", "a", "b c", "", "-n"),
                         b"a\nb c\n\n-n\n")

    def test_exec_status_and_standard_error(self):
        done = self.host("exec", "guest", "fail", "42")
        self.assertEqual((done.returncode, done.stdout, done.stderr),
                         (42, b"", b"failing with 42\n"))

    def test_exec_signal(self):
        self.assertEqual(self.host("exec", "guest", "kill-self", "TERM").returncode, 128 + 15)

    def test_exec_timed_out(self):
        self.assertIn("hang", self.assert_fails(124, "exec", "guest", "hang"))

    def test_exec_refused(self):
        self.assertIn("'refused'", self.assert_fails(126, "exec", "guest", "refused"))

    def test_exec_unknown(self):
        self.assertIn("'nope'", self.assert_fails(127, "exec", "guest", "nope"))

    def test_exec_copies_binary_data_both_ways(self):
        data = os.urandom(self.large_input)
        done = self.host("exec", "guest", "copy", input=data)
        self.assertEqual((done.returncode, done.stderr), (0, b"copied\n"))
        self.assertEqual(done.stdout, data)

    def test_cp_both_ways(self):
        data = os.urandom(MIB + 1)
        with tempfile.TemporaryDirectory(prefix="nego-cp-") as directory:
            source, back = (os.path.join(directory, name) for name in ("source", "back"))
            with open(source, "wb") as file:
                file.write(data)
            os.utime(source, (1_500_000_000, 1_500_000_000))
            self.assert_host(0, "cp", source, "guest:/run/copied")
            self.assert_host(0, "cp", "guest:/run/copied", back)
            with open(back, "rb") as file:
                self.assertEqual(file.read(), data)
            self.assertEqual(os.stat(back).st_mtime, 1_500_000_000)

    def test_exec_streams_in(self):
        data = os.urandom(self.streamed_in)
        expected = hashlib.md5(data).hexdigest() + "\n"
        self.assertEqual(self.assert_host(0, "exec", "guest", "checksum", input=data).decode(), expected)

    def test_exec_streams_out(self):
        """All of it, and neither side's memory grows with it."""
        agent = self.guest.control.check("pidof nego-agent").split()[0]
        before = self.private_kib(self.guest.control.check(f"cat /proc/{agent}/status"))
        process = self.spawn("exec", "guest", "zeros", str(self.streamed_out))
        total = 0
        most = 0
        while data := process.stdout.read(4 * MIB):
            self.assertEqual(data.count(0), len(data))
            total += len(data)
            if process.poll() is None:
                # It may end at any moment, and has no memory then.
                with contextlib.suppress(OSError, StopIteration, IndexError):
                    with open(self.host_status(process), encoding="ascii") as status:
                        most = max(most, self.private_kib(status.read()))
        self.assertEqual((process.wait(), total), (0, self.streamed_out))
        after = self.private_kib(self.guest.control.check(f"cat /proc/{agent}/status"))
        self.assertLess(after - before, 4096)
        self.assertLess(most, 12 * 1024)

    @staticmethod
    def private_kib(status):
        return int(next(line for line in status.splitlines() if line.startswith("RssAnon:")).split()[1])

    def test_exec_interrupted(self):
        """A command that does not care about signals is killed by the second one."""
        process = self.spawn("exec", "guest", "stubborn")
        self.assertEqual(process.stdout.readline(), b"ready\n")
        pid = self.host_status(process).split("/")[2]
        os.kill(int(pid), signal.SIGTERM)
        # One that is pending is taken before the next: they are two.
        os.kill(int(pid), signal.SIGINT)
        process.stdout.read()
        self.assertIn(process.wait(), (128 + signal.SIGINT, 128 + signal.SIGTERM))
        self.assertEqual([job["signal"] for job in self.jobs() if job["command"] == "stubborn"][-1:],
                         [signal.SIGKILL])

    def test_exec_outlived(self):
        """nego-host is killed; the job lives on, is attached to again, and gives all it has kept."""
        process = self.spawn("exec", "--key", "outlived", "guest", "numbers", "1000", "8")
        self.assertEqual(process.stdout.readline(), b"1\n")
        os.kill(int(self.host_status(process).split("/")[2]), signal.SIGKILL)
        process.stdout.read()
        process.wait()
        expected = b"".join(b"%d\n" % number for number in range(1, 1001))
        done = self.host("attach", "guest", "outlived")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertTrue(expected.endswith(done.stdout) and done.stdout, done.stdout)
        self.assertEqual(sum(job.get("key") == "outlived" for job in self.jobs()), 1)

    def test_exec_libvirtd_restarted(self):
        """In the middle of a stream: nothing is lost or comes twice."""
        size = self.streamed_out // 2
        process = self.spawn("exec", "guest", "zeros", str(size), stderr=subprocess.PIPE)
        self.addCleanup(process.stderr.close)
        total = len(process.stdout.read(MIB))
        self.libvirt.restart()
        while data := process.stdout.read(4 * MIB):
            total += len(data)
        self.assertEqual((process.wait(), total, process.stderr.read()), (0, size, b""))
        self.guest.libvirtd_restarted()

    def test_lost_reply(self):
        """Asked again by its key, the script has run once."""
        self.guest.control.check("cd /etc/negotiator/guest-commands && "
                                 "printf '#!/bin/sh\necho x >>/tmp/ran; sleep 2; echo once\n' >count && chmod 755 count")
        self.addCleanup(self.guest.control.check, "rm /etc/negotiator/guest-commands/count /tmp/ran")
        self.lose_reply({"execute": "negotiator-exec", "arguments": {"command": "count", "key": "lost"}})
        for _ in range(2):
            self.assertEqual(self.assert_host(0, "exec", "--key", "lost", "guest", "count"), b"once\n")
        self.assertEqual(self.guest.control.check("cat /tmp/ran"), "x\n")

    def test_detached(self):
        job = self.assert_host(0, "exec", "-d", "guest", "numbers", "3", "1").decode().strip()
        self.assertEqual(self.assert_host(0, "attach", "guest", job), b"1\n2\n3\n")
        self.assert_host(0, "forget", "guest", job)
        self.assertNotIn(job, [other["job"] for other in self.jobs()])

    def test_killed(self):
        job = self.assert_host(0, "exec", "-d", "guest", "stubborn").decode().strip()
        self.assert_host(0, "kill", "guest", job, "--kill-after", "0.5")
        self.assertEqual(self.host("attach", "guest", job).returncode, 128 + signal.SIGKILL)

    def test_others_are_served(self):
        """A long run does not hold libvirt's agent: virsh beside it is answered within a second."""
        process = self.spawn("exec", "guest", "numbers", "1", "6")
        self.assertEqual(process.stdout.readline(), b"1\n")
        for _ in range(4):
            started = time.monotonic()
            self.libvirt.virsh("qemu-agent-command", "guest", '{"execute":"guest-ping"}')
            # Far less than the run takes, and enough for a busy machine.
            self.assertLess(time.monotonic() - started, 4)
        self.assertEqual(process.wait(), 0)

    def test_agent_stopped_in_the_middle(self):
        """The jobs end, and who waits is told."""
        process = self.spawn("exec", "guest", "numbers", "1", "100", stderr=subprocess.PIPE)
        self.addCleanup(process.stderr.close)
        self.assertEqual(process.stdout.readline(), b"1\n")
        self.stop_agent()
        self.assertEqual(self.guest.control.run("pidof sleep")[0], 1)
        self.assertEqual(process.wait(60), 125)
        said = process.stderr.read().decode()
        self.assertRegex(said, "was cancelled on the other side|was started .*, but: ")
        self.assertEqual(said.count("\n"), 1)
        self.start_agent()

    def test_exec_without_input(self):
        self.assertEqual(self.assert_host(0, "exec", "-n", "guest", "copy", input=b"unread"), b"")

    def test_exec_large_output(self):
        lines = 3 * MIB // 64
        expected = b"".join(b"%063d\n" % number for number in range(lines))
        self.assertEqual(self.assert_host(0, "exec", "guest", "large", str(lines)), expected)

    def test_exec_longer_than_one_wait(self):
        self.guest.control.check(
            "cd /etc/negotiator/guest-commands && "
            "printf '#!/bin/sh\\nsleep 6\\necho slept\\n' >slow && chmod 755 slow")
        self.addCleanup(self.guest.control.check, "rm /etc/negotiator/guest-commands/slow")
        self.assertEqual(self.assert_host(0, "exec", "guest", "slow"), b"slept\n")

    def test_qmp(self):
        reply = json.loads(self.assert_host(0, "qmp", "guest", '{"execute":"guest-ping"}'))
        self.assertEqual(reply, {"return": {}})

    def test_qmp_prompt(self):
        text = self.assert_host(1, "qmp", "guest",
                                input=b'{"execute":"guest-ping"}\n{"execute":"guest-nope"}\n')
        self.assertIn(b'{"return": {}}', text)
        self.assertIn(b"The command guest-nope has not been found", text)

    def test_list(self):
        self.assertRegex(self.assert_host(0, "list").decode(), r"(?m)^guest +running +answers ")
        guest, = json.loads(self.assert_host(0, "list", "--json"))
        self.assertEqual((guest["name"], guest["agent"]), ("guest", "answers"))
        self.assertEqual([channel["name"] for channel in guest["channels"]], list(self.ports))

    def test_paused(self):
        self.libvirt.virsh("suspend", "guest")
        self.addCleanup(self.libvirt.virsh, "resume", "guest")
        self.assertEqual(self.assert_fails(1, "ping", "guest"),
                         "nego-host: guest 'guest': the guest is paused; virsh resume guest\n")

    def test_uuid(self):
        uuid = self.libvirt.virsh("domuuid", "guest").strip()
        self.assert_host(0, "ping", uuid)

    def test_agent_restarted(self):
        self.assert_host(0, "ping", "guest")
        self.stop_agent()
        self.start_agent()
        self.assert_host(0, "ping", "guest")

    def test_agent_stopped(self):
        self.stop_agent()
        self.assertIn("'guest'", self.assert_fails(125, "--timeout", "2", "exec", "guest", "copy"))
        self.start_agent()
        self.assert_host(0, "ping", "guest")


class OverLibvirt(Contract, HostCase):
    """The guest has libvirt's port only."""

    ports = (PORT_QGA,)

    @classmethod
    def make_guest(cls):
        return LibvirtGuest(cls.libvirt, "guest", ports=cls.ports)

    large_input = 512 << 10
    streamed_in = (100 if LONG else 2) * MIB
    streamed_out = (64 if LONG else 8) * MIB

    def lose_reply(self, request):
        with self.assertRaises(VirshError):
            self.libvirt.virsh("qemu-agent-command", "guest", json.dumps(request), "--timeout", "1")


class OverPort(Contract, HostCase):
    """The guest has our port too, which is preferred."""

    own_guest = True  # its name is the other's
    ports = (PORT_QGA, PORT_OURS)
    large_input = 2 * MIB
    streamed_in = (100 if LONG else 16) * MIB
    streamed_out = (1024 if LONG else 64) * MIB

    def lose_reply(self, request):
        with Qga(self.libvirt.path(self.guest.socket_path(PORT_OURS))) as client:
            client.sync()
            client.send(request)
            # It is answered once the call before it has been begun and abandoned.
            client.send({"execute": "guest-sync", "arguments": {"id": 1}})
            client.receive()

    def test_socket_option_needs_no_libvirt(self):
        self.assertEqual(self.assert_host(0, "--socket", self.guest.socket_path(PORT_OURS),
                                          "exec", "arguments", "x"), b"x\n")

    def test_port_that_another_client_holds(self):
        with Qga(self.libvirt.path(self.guest.socket_path(PORT_OURS))) as holder:
            holder.sync()
            done = self.host("--socket", self.guest.socket_path(PORT_OURS), "ping")
            self.assertEqual((done.returncode, done.stdout), (1, b""))
            self.assertIn("another", done.stderr.decode())
        self.assert_host(0, "ping", "guest")

    def test_busy_port_is_passed_by(self):
        with Qga(self.libvirt.path(self.guest.socket_path(PORT_OURS))) as holder:
            holder.sync()
            done = self.host("-v", "ping", "guest")
            self.assertEqual(done.returncode, 0)
            self.assertIn("the port is busy: another program holds", done.stderr.decode())
            self.assertIn("; trying libvirt's agent call\n", done.stderr.decode())
            # A script's own words stay alone.
            done = self.host("exec", "guest", "fail", "3")
            self.assertEqual((done.returncode, done.stderr), (3, b"failing with 3\n"))

    def test_libvirtd_restarted(self):
        self.libvirt.restart()
        self.guest.libvirtd_restarted()
        self.assert_host(0, "ping", "guest")

    def test_saved_and_restored(self):
        """In the middle of a stream, by virsh: nothing is lost or comes twice."""
        size = 32 * MIB
        process = self.spawn("exec", "guest", "zeros", str(size), stderr=subprocess.PIPE)
        self.addCleanup(process.stderr.close)
        total = len(process.stdout.read(MIB))
        state = self.guest.directory / "saved"
        self.guest.save(state)
        self.guest.restore(state)
        while data := process.stdout.read(4 * MIB):
            total += len(data)
        self.assertEqual((process.wait(60), total, process.stderr.read()), (0, size, b""))
        self.assertEqual(sum(job["command"] == "zeros" and job["state"] == "running" for job in self.jobs()), 0)


class Errors(HostCase):
    """What stands between a host and a guest, each with what to do next."""

    agent_command = None

    @classmethod
    def make_guest(cls):
        return LibvirtGuest(cls.libvirt, "off", start=False)

    def setUp(self):
        self.daemons = []

    def tearDown(self):
        pass

    def test_no_such_guest(self):
        self.assertIn("'nope'", self.assert_fails(125, "exec", "nope", "x"))

    def test_guest_is_off(self):
        text = self.assert_fails(125, "exec", "off", "x")
        self.assertIn("'off'", text)
        self.assertIn("virsh start off", text)

    def test_guest_without_a_channel(self):
        bare = LibvirtGuest(self.libvirt, "bare", ports=())
        bare.launch()
        self.addCleanup(bare.__exit__, None, None, None)
        text = self.assert_fails(125, "exec", "bare", "x")
        self.assertIn("<target type='virtio' name='org.qemu.guest_agent.0'/>", text)

    def test_list_shows_guests_that_are_off(self):
        self.assertIn(b"off", self.assert_host(0, "list"))

    def test_wrong_option(self):
        self.assertIn("--nope", self.assert_fails(2, "--nope"))

    def test_no_libvirt(self):
        text = self.assert_fails(1, "-c", "qemu+unix:///system?socket=/nonexistent", "list")
        self.assertIn("/nonexistent", text)


if __name__ == "__main__":
    sys.exit(tap.main())
