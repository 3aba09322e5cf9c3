#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What programs in the field say to a guest agent, byte for byte, and what they need to hear.

Each case is a client's: how it connects, whether it ends requests with a LF, what it makes of the
bytes that come. All are tried with nego-agent, and with qemu-ga where it is installed, so that what
a case expects is what the field has.
"""

import base64
import contextlib
import json
import re
import sys

from helpers import tap
from helpers.conversation import QEMU_GA, Line, TalkCase

TEXT = b"a line\n" * 40000  # 280 kB: more than one piece of anybody's


def mime(data):
    """Base64 with a LF after each 76 characters and at the end, as Perl's MIME::Base64."""
    return base64.encodebytes(data).decode()


class Proxmox:
    """PVE::QMPClient: a connection for each command, a sync and the command in one write."""

    counter = 0

    def __init__(self, case, line=None):
        """On a port, all that a guest sees of its connections is `line`."""
        self.case = case
        self.line = line

    def call(self, name, arguments=None):
        Proxmox.counter += 1
        ident = f"98760{Proxmox.counter}"
        with contextlib.ExitStack() as stack:
            line = self.line or stack.enter_context(Line(self.case.agent.socket))
            line.say(f'{{"execute":"guest-sync-delimited","arguments":{{"id":{ident}}}}}\n'.encode()
                     + json.dumps({"execute": name, "arguments": arguments or {}},
                                  separators=(",", ":")).encode() + b"\n")
            # What counts is behind the last 0xFF, once there are two lines that end in a brace.
            while not re.fullmatch(rb"[^\n]*\}\n[^\n]*\}\n", line.received.rpartition(b"\xff")[2]):
                line.hear()
            self.case.assertEqual(line.received.count(b"\xff"), 1)
            sync, reply, _ = line.received.rpartition(b"\xff")[2].split(b"\n")
            line.received = b""
        # Compared as text.
        self.case.assertEqual(re.fullmatch(rb'\{.*"return": ?(\d+).*\}', sync)[1], ident.encode())
        return json.loads(reply)

    def get(self, name, arguments=None):
        reply = self.call(name, arguments)
        self.case.assertIn("return", reply, name)
        self.case.check(name, reply["return"])
        return reply["return"]


class Utm:
    """QEMUKit: 0xFF and a sync first; objects are cut out by their braces; never a LF."""

    def __init__(self, case):
        self.case = case
        self.line = case.connect()
        self.line.say(b'\xff{"execute":"guest-sync-delimited","arguments":{"id":1234}}')
        while b"\xff" not in self.line.received:
            self.line.hear()
        self.line.received = self.line.received.rpartition(b"\xff")[2]
        case.assertEqual(self._cut(), {"return": 1234})

    def _cut(self):
        depth, inside, escaped, at = 0, False, False, 0
        while True:
            while at == len(self.line.received):
                self.line.hear()
            byte = self.line.received[at:at + 1]
            at += 1
            if inside:
                inside = escaped or byte != b'"'
                escaped = byte == b"\\" and not escaped
                continue
            # Outside a string a backslash is the end for it.
            self.case.assertNotEqual(byte, b"\\")
            inside = byte == b'"'
            depth += {b"{": 1, b"}": -1}.get(byte, 0)
            if byte == b"}" and depth == 0:
                text, self.line.received = self.line.received[:at], self.line.received[at:]
                return json.loads(text)

    def get(self, name, **arguments):
        request = {"execute": name} | ({"arguments": arguments} if arguments else {})
        self.line.say(json.dumps(request, separators=(",", ":")).encode())
        reply = self._cut()
        self.case.assertEqual(list(reply), ["return"], name)
        self.case.check(name, reply["return"])
        return reply["return"]


class Qmp:
    """qemu.qmp: arguments always, an id that must come back, no LF."""

    def __init__(self, case):
        self.case = case
        self.line = case.connect()
        self.count = 0

    def get(self, name, **arguments):
        ident = f"__qmp#{self.count:05}"
        self.count += 1
        self.line.say(json.dumps({"execute": name, "arguments": arguments, "id": ident},
                                 separators=(",", ":")).encode())
        reply = json.loads(self.line.hear_line())
        self.case.assertEqual((set(reply), reply.get("id")), ({"return", "id"}, ident), name)
        self.case.check(name, reply["return"])
        return reply["return"]


class Libvirt:
    """libvirt's passthrough: a sync once, then compact requests with a LF."""

    def __init__(self, case):
        self.case = case
        self.line = case.connect()
        self.line.say(b'{"execute":"guest-sync", "arguments":{"id":1795257748810}}\n')
        case.assertEqual(json.loads(self.line.hear_line()), {"return": 1795257748810})

    def text(self, request):
        """What virDomainQemuAgentCommand gives for the JSON text `request`."""
        self.line.say(request.encode() + b"\n")
        return self.line.hear_line().decode()

    def reply(self, name, **arguments):
        return json.loads(self.text(json.dumps(
            {"execute": name} | ({"arguments": arguments} if arguments else {}),
            separators=(",", ":"), ensure_ascii=False)))

    def get(self, name, **arguments):
        reply = self.reply(name, **arguments)
        self.case.assertEqual(list(reply), ["return"], name)
        self.case.check(name, reply["return"])
        return reply["return"]


def collect(case, ask, pid):
    """guest-exec-status until the program has exited. Each reply is an event to wait for."""
    for _ in range(100000):
        status = ask("guest-exec-status", pid)
        if status["exited"]:
            return status
        case.assertEqual(status, {"exited": False})
    raise AssertionError("the program does not end")


class Conversations:
    """Of any agent."""

    def test_proxmox_reads(self):
        pve = Proxmox(self)
        self.assertEqual(pve.get("guest-ping"), {})
        self.assertIsInstance(pve.get("guest-get-time"), int)
        self.assertIn("supported_commands", pve.get("guest-info"))
        self.assertIn("host-name", pve.get("guest-get-host-name"))
        self.assertIn("kernel-release", pve.get("guest-get-osinfo"))
        self.assertIsInstance(pve.get("guest-get-users"), list)
        self.assertIsInstance(pve.get("guest-get-timezone")["offset"], int)
        self.assertTrue(all(isinstance(cpu["logical-id"], int)
                            for cpu in pve.get("guest-get-vcpus")))

    def test_proxmox_interfaces(self):
        interfaces = Proxmox(self).get("guest-network-get-interfaces")
        for interface in interfaces:
            self.assertLessEqual(set(interface), {"name", "hardware-address", "ip-addresses",
                                                  "statistics"})
            self.assertRegex(interface["hardware-address"], r"^([0-9a-f]{2}:){5}[0-9a-f]{2}$")
            for address in interface.get("ip-addresses", ()):
                self.assertEqual(set(address), {"ip-address", "ip-address-type", "prefix"})
                self.assertIn(address["ip-address-type"], ("ipv4", "ipv6"))
                self.assertIs(type(address["prefix"]), int)
            if "statistics" in interface:
                self.assertEqual(set(interface["statistics"]), {
                    f"{way}-{what}" for way in ("rx", "tx")
                    for what in ("bytes", "packets", "errs", "dropped")})
                for value in interface["statistics"].values():
                    self.assertIs(type(value), int)

    def test_proxmox_freeze_status(self):
        self.need("guest-fsfreeze-status")
        self.assertEqual(Proxmox(self).get("guest-fsfreeze-status"), "thawed")

    def test_proxmox_exec(self):
        self.need("guest-exec", "guest-exec-status")
        pve = Proxmox(self)
        pid = pve.get("guest-exec", {"path": "/bin/cat", "arg": [], "capture-output": True,
                                     "input-data": base64.b64encode(b"typed").decode()})["pid"]
        status = collect(self, lambda name, pid: pve.get(name, {"pid": pid}), pid)
        self.assertEqual(status, {"exited": True, "exitcode": 0,
                                  "out-data": base64.b64encode(b"typed").decode()}
                         | ({"out-truncated": False} if "out-truncated" in status else {}))

    def test_proxmox_files(self):
        self.need("guest-file-open", "guest-file-write")
        pve, path = Proxmox(self, self.connect()), self.agent.dir / "written"
        handle = pve.get("guest-file-open", {"path": str(path), "mode": "wb"})
        self.assertIsInstance(handle, int)
        written = pve.get("guest-file-write", {"handle": handle, "buf-b64": mime(TEXT)})
        self.assertEqual(written["count"], len(TEXT))
        self.assertEqual(pve.get("guest-file-close", {"handle": handle}), {})
        self.assertEqual(path.read_bytes(), TEXT)

        handle = pve.get("guest-file-open", {"path": str(path)})
        self.assertEqual(pve.get("guest-file-seek", {"handle": handle, "offset": 7,
                                                     "whence": "set"})["position"], 7)
        data = b""
        while True:
            piece = pve.get("guest-file-read", {"handle": handle, "count": 1 << 20})
            data += base64.b64decode(piece["buf-b64"])
            if piece["eof"]:
                break
        self.assertEqual(data, TEXT[7:])
        self.assertEqual(pve.get("guest-file-close", {"handle": handle}), {})

    def test_proxmox_error(self):
        error = Proxmox(self).call("guest-file-open", {"path": "/nonexistent/file"})["error"]
        self.assertEqual(set(error), {"class", "desc"})

    def test_qemu_qmp(self):
        qmp = Qmp(self)
        self.assertEqual(qmp.get("guest-ping"), {})
        self.assertEqual(qmp.get("guest-sync", id=4294967295), 4294967295)
        self.assertIn("version", qmp.get("guest-info"))

    def test_qemu_ga_client_ifconfig(self):
        qmp = Qmp(self)
        for interface in qmp.get("guest-network-get-interfaces"):
            self.assertIn("hardware-address", interface)
            for address in interface.get("ip-addresses", ()):
                int(address["prefix"])

    def test_qemu_ga_client_cat(self):
        self.need("guest-file-open")
        path = self.agent.dir / "text"
        path.write_bytes(TEXT[:5000])
        qmp, data = Qmp(self), b""
        handle = qmp.get("guest-file-open", path=str(path), mode="r")
        while True:
            piece = qmp.get("guest-file-read", handle=handle, count=1024)
            data += base64.b64decode(piece["buf-b64"])
            if piece["eof"]:
                break
        self.assertEqual(qmp.get("guest-file-close", handle=handle), {})
        self.assertEqual(data, TEXT[:5000])

    def test_utm(self):
        utm = Utm(self)
        for interface in utm.get("guest-network-get-interfaces"):
            # A member that its schema does not have makes the whole call fail.
            self.assertLessEqual(set(interface), {"name", "hardware-address", "ip-addresses",
                                                  "statistics"})

    def test_utm_files_and_exec(self):
        self.need("guest-file-open", "guest-exec")
        utm, path = Utm(self), self.agent.dir / "written"
        handle = utm.get("guest-file-open", path=str(path), mode="w")
        written = utm.get("guest-file-write", handle=handle,
                          **{"buf-b64": base64.b64encode(TEXT).decode()})
        self.assertEqual(written, {"count": len(TEXT), "eof": False})
        self.assertEqual(utm.get("guest-file-flush", handle=handle), {})
        self.assertEqual(utm.get("guest-file-close", handle=handle), {})
        self.assertEqual(path.read_bytes(), TEXT)
        pid = utm.get("guest-exec", path="/bin/sh", arg=["-c", "echo out; exit 3"],
                      **{"capture-output": True})["pid"]
        status = collect(self, lambda name, pid: utm.get(name, pid=pid), pid)
        self.assertLessEqual(set(status), {"exited", "exitcode", "signal", "out-data", "err-data",
                                           "out-truncated", "err-truncated"})
        self.assertEqual((status["exitcode"], base64.b64decode(status["out-data"])), (3, b"out\n"))

    def test_vmtest(self):
        """qapi-rs: the line behind the sync's must be the reply."""
        self.need("guest-exec")
        line = self.connect()
        self.assertEqual(line.ask(b'{"execute":"guest-sync","arguments":{"id":2147483647}}'),
                         {"return": 2147483647})
        version = line.ask(b'{"execute":"guest-info"}')["return"]["version"]
        self.assertRegex(version, r"^\d+\.\d+\.\d+")
        pid = line.ask(b'{"execute":"guest-exec","arguments":{"path":"/bin/sh","arg":["-c","echo '
                       b'hello; echo oops >&2"],"capture-output":true}}')["return"]["pid"]
        status = collect(self, lambda name, pid: line.ask(
            f'{{"execute":"{name}","arguments":{{"pid":{pid}}}}}'.encode())["return"], pid)
        self.assertEqual((status["exitcode"], base64.b64decode(status["out-data"]),
                          base64.b64decode(status["err-data"])), (0, b"hello\n", b"oops\n"))

    def test_kubevirt_poller(self):
        libvirt = Libvirt(self)
        # Replies are cut with this expression: "return" is the only member.
        match = re.fullmatch(r'\{\s*"return":\s*([{\[][\s\S]*[}\]])\s*\}',
                             libvirt.text('{"execute":"guest-info"}'))
        info = json.loads(match[1])
        enabled = {entry["name"] for entry in info["supported_commands"] if entry["enabled"]}
        self.assertTrue(info["version"])
        self.assertLessEqual({"guest-ping", "guest-info", "guest-network-get-interfaces",
                              "guest-get-host-name", "guest-get-users", "guest-get-timezone",
                              "guest-get-osinfo"}, enabled)

    def test_kubevirt_freeze_status(self):
        self.need("guest-fsfreeze-status")
        self.assertEqual(re.fullmatch(r'\{\s*"return":\s*"(\w+)"\s*\}',
                                      Libvirt(self).text('{"execute":"guest-fsfreeze-status"}'))[1],
                         "thawed")

    def test_kubevirt_probe_and_keys(self):
        self.need("guest-exec", "guest-file-open")
        libvirt = Libvirt(self)
        # Arguments are pasted into text; without count 4,096 bytes are read.
        reply = json.loads(libvirt.text(
            '{"execute":"guest-file-open", "arguments": { "path": "%s/keys", "mode":"r" } }'
            % self.agent.dir))
        self.assertIn("No such file or directory", reply["error"]["desc"])
        handle = json.loads(libvirt.text(
            '{"execute":"guest-file-open", "arguments": { "path": "%s/keys", "mode":"w" } }'
            % self.agent.dir))["return"]
        libvirt.get("guest-file-write", handle=handle,
                    **{"buf-b64": base64.b64encode(b"k" * 5000).decode()})
        libvirt.get("guest-file-close", handle=handle)
        handle = libvirt.get("guest-file-open", path=f"{self.agent.dir}/keys", mode="r")
        read = libvirt.get("guest-file-read", handle=handle)
        self.assertEqual((read["count"], read["eof"]), (4096, False))
        libvirt.get("guest-file-close", handle=handle)

        pid = json.loads(libvirt.text(
            '{"execute": "guest-exec", "arguments": { "path": "true", "arg": [  ], '
            '"capture-output":true } }'))["return"]["pid"]
        self.assertGreater(pid, 0)
        status = collect(self, lambda name, pid: json.loads(libvirt.text(
            '{"execute": "%s", "arguments": { "pid": %d } }' % (name, pid)))["return"], pid)
        self.assertEqual(status, {"exited": True, "exitcode": 0})

    def test_vdsm(self):
        libvirt = Libvirt(self)
        info = libvirt.get("guest-info")
        self.assertTrue(info["version"])
        self.assertIn("guest-get-osinfo", [entry["name"] for entry in info["supported_commands"]
                                           if entry["enabled"]])
        os_info = libvirt.get("guest-get-osinfo")
        if "id" in os_info:
            self.assertIn("kernel-release", os_info)
        self.assertIsInstance(libvirt.get("guest-get-timezone")["offset"], int)
        for user in libvirt.get("guest-get-users"):
            self.assertIsInstance(user["login-time"], (int, float))
        cpus = libvirt.get("guest-get-vcpus")
        self.assertTrue(any(cpu["online"] for cpu in cpus))
        self.assertEqual(len({cpu["logical-id"] for cpu in cpus}), len(cpus))
        # A Windows command: not found, or disabled.
        self.assertEqual(libvirt.reply("guest-get-devices")["error"]["class"], "CommandNotFound")

    def test_cloudpods(self):
        """No sync and no LF; lines of at most 64 KiB; null for what is not set."""
        self.need("guest-exec")
        line = self.connect()
        line.say(b'{"execute":"guest-ping"}')
        self.assertEqual(line.hear_line(), b'{"return": {}}')
        line.say(b'{"execute":"guest-info"}')
        text = line.hear_line()
        self.assertLess(len(text), 65536)
        for entry in json.loads(text)["return"]["supported_commands"]:
            if entry["enabled"] and entry["name"] in ("guest-set-user-password", "guest-exec"):
                self.assertTrue(entry["success-response"])
        line.say(b'{"execute":"guest-exec","arguments":{"path":"/bin/true","arg":null,"env":null,'
                 b'"input-data":"","capture-output":true}}')
        self.assertEqual(json.loads(line.hear_line()), {
            "error": {"class": "GenericError",
                      "desc": "Invalid parameter type for 'arg', expected: array"}})
        line.say(b'{"execute":"guest-exec","arguments":{"path":"/bin/true","arg":[],"env":[],'
                 b'"input-data":"","capture-output":true}}')
        self.assertIn("pid", json.loads(line.hear_line())["return"])

    def test_ansible(self):
        names = ("guest-exec", "guest-exec-status", "guest-file-open", "guest-file-close",
                 "guest-file-read", "guest-file-write")
        self.need(*names)
        libvirt = Libvirt(self)
        commands = libvirt.get("guest-info")["supported_commands"]
        for name in names:
            # Compared as a whole.
            self.assertIn({"enabled": True, "name": name, "success-response": True}, commands)
        path = f"{self.agent.dir}/transferred"
        handle = libvirt.get("guest-file-open", path=path, mode="wb+")
        for at in range(0, len(TEXT), 65536):
            libvirt.get("guest-file-write", handle=handle,
                        **{"buf-b64": base64.b64encode(TEXT[at:at + 65536]).decode()})
        libvirt.get("guest-file-close", handle=handle)
        handle, data, eof = libvirt.get("guest-file-open", path=path, mode="r"), b"", False
        while not eof:
            read = libvirt.get("guest-file-read", handle=handle, count=65536)
            data, eof = data + base64.b64decode(read["buf-b64"]), read["eof"]
        libvirt.get("guest-file-close", handle=handle)
        self.assertEqual(data, TEXT)
        pid = libvirt.get("guest-exec", path="/bin/sh", arg=["-c", "echo done; exit 4"],
                          **{"capture-output": True})["pid"]
        status = collect(self, lambda name, pid: libvirt.get(name, pid=pid), pid)
        self.assertEqual((status["exitcode"], base64.b64decode(status["out-data"])),
                         (4, b"done\n"))


class NegoAgent(Conversations, TalkCase):
    pass


class QemuGa(Conversations, TalkCase):
    path = QEMU_GA


if __name__ == "__main__":
    sys.exit(tap.main())
