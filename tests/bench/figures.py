# SPDX-License-Identifier: MIT
"""figures: what one round measures, and the rows that compare it.

A figure is a function of the subjects that returns a value for each subject it has. All times are
nanoseconds, memory is bytes.
"""

import dataclasses
import json
import os
import subprocess

from subjects import BARE, OURS, PORT_BARE, THEIRS, InGuest, drive, program
from transfers import Transfers


def request(name, **arguments):
    return json.dumps({"execute": name} | ({"arguments": arguments} if arguments else {}))


PING = request("guest-ping")
# qemu-ga writes each ping to syslog, but not this one.
GET_TIME = request("guest-get-time")
CPUSTATS = request("guest-get-cpustats")
DISKS = request("guest-get-disks")
DISKSTATS = request("guest-get-diskstats")
FSINFO = request("guest-get-fsinfo")
INTERFACES = request("guest-network-get-interfaces")
ROUTE = request("guest-network-get-route")
# Jobs at a time, of many.
PARALLEL = 32
EXEC = request("negotiator-exec", command="trivial")
EXEC_NOWAIT = request("negotiator-exec", command="trivial", wait=0)
# Its key file admits none: refused when all has been looked at.
EXEC_REFUSED = request("negotiator-exec", command="trivial", wait=0, arg=["x"])
EXEC_STATUS = '{"execute": "negotiator-exec-status", "arguments": {"job": "%s"}}'
GUEST_EXEC_STATUS = '{"execute": "guest-exec-status", "arguments": {"pid": %s}}'
# For memory: an answer, an argument, a long answer, an error.
MIXED = (PING, request("guest-sync", id=1), request("guest-info"), request("no-such-command"))


@dataclasses.dataclass
class Size:
    """How much of everything a round does."""

    requests: int = 20000
    guest_requests: int = 2000
    facts: int = 2000
    runs: int = 200
    starts: int = 20
    idle_ms: int = 10000
    mute_ms: int = 2000
    growth: int = 100000
    streamed: int = 256 << 20
    collected: int = 10 << 20
    stamps: int = 5
    file: int = 32 << 20
    guest_piece: int = 1 << 20
    guest_pieces: int = 16
    kept_ms: int = 2000
    piece: int = 16 << 20
    many: int = 1000


TINY = Size(requests=50, guest_requests=20, facts=20, runs=5, starts=1, idle_ms=100, mute_ms=100, growth=100,
            streamed=1 << 20, collected=1 << 20, stamps=1, file=1 << 20, guest_piece=64 << 10, guest_pieces=1,
            kept_ms=100, piece=1 << 20, many=40)


class Round:
    """Measures each figure once; `record` takes (figure, subject, value)."""

    def __init__(self, subjects, size, record):
        self._subjects = subjects
        self._local = subjects.local
        self._guests = subjects.guests
        self._size = size
        self._record = record
        # One processor for both sides: across two, everybody's time is the wake-up's.
        self._cpu = max(os.sched_getaffinity(0))

    def run(self, failed):
        """One that fails leaves its values out and is told to `failed`; the others go on."""
        transfers = Transfers(self._subjects, self._size, self._record, self._cpu)
        for measure in (self.ping, self.guest_ping, self.facts, self.execute, self.many, self.blocked, self.mute,
                        self.idle, self.first, self.start, self.growth, self.host, *transfers.measures):
            try:
                measure()
            except subprocess.CalledProcessError as error:
                failed(f"{measure.__name__}: {error.stderr or error}".strip())

    def _drive(self, subject, *arguments, together=True):
        cpu = self._cpu if together else None
        return drive(*arguments, cpu=cpu, bind=subject.pid)

    def ping(self):
        for name, subject in self._local.items():
            for figure, batch in (("ping", 1), ("ping-16", 16)):
                result = self._drive(subject, "request", subject.socket, subject.pid,
                                     self._size.requests // batch, batch, PING, "return")
                self._record(figure, name, result["cpu"])
        for name in (THEIRS, OURS):
            if name in self._local:
                subject = self._local[name]
                result = self._drive(subject, "request", subject.socket, subject.pid,
                                     self._size.requests, 1, GET_TIME, "return")
                self._record("time", name, result["cpu"])

    def guest_ping(self):
        for name, subject in self._guests.items():
            self._record("guest-ping", name, self._ping_guest(subject))
        if self._guests:
            guest = list(self._guests.values())[-1].guest
            echo = InGuest(BARE, guest, f"bare-echo $(vport {PORT_BARE})", PORT_BARE)
            self._record("guest-ping", BARE, self._ping_guest(echo))
            echo.daemon.wait()

    def _ping_guest(self, subject):
        return drive("request", subject.socket, 0, self._size.guest_requests, 1, PING,
                     "return")["wall"]

    def facts(self):
        for name in (THEIRS, OURS):
            if name in self._local:
                subject = self._local[name]
                for figure, text in (("cpustats", CPUSTATS), ("interfaces", INTERFACES),
                                     ("disks", DISKS), ("diskstats", DISKSTATS),
                                     ("fsinfo", FSINFO)):
                    self._record(figure, name, self._drive(
                        subject, "request", subject.socket, 0, self._size.facts, 1, text,
                        "return")["wall"])
        if OURS in self._local:  # qemu-ga 7.2 has it not
            subject = self._local[OURS]
            self._record("route", OURS, self._drive(subject, "request", subject.socket, 0, self._size.facts, 1, ROUTE,
                                                    "return")["wall"])

    def execute(self):
        runs, trivial = self._size.runs, self._subjects.trivial
        self._record("exec", BARE, drive("spawn", runs, trivial, cpu=self._cpu)["wall"])
        if OURS in self._local:
            subject = self._local[OURS]
            self._record("exec", OURS, self._drive(
                subject, "request", subject.socket, 0, runs, 1, EXEC, '"exitcode": 0')["wall"])
        for name in (THEIRS, OURS):
            if name in self._local:
                subject = self._local[name]
                wall = self._drive(
                    subject, "polled", subject.socket, runs, request("guest-exec", path=str(trivial)),
                    "pid", GUEST_EXEC_STATUS)["wall"]
                self._record("guest-exec", name, wall)
                if name == THEIRS:
                    self._record("exec", THEIRS, wall)

    def blocked(self):
        # Before all other processes, the child included: its own start is not the agent's time.
        trivial = self._subjects.trivial
        self._record("blocked", BARE, drive("spawn", self._size.runs, trivial, cpu=self._cpu,
                                            first=True)["call"])
        start = request("guest-exec", path=str(trivial))
        for name, arguments, refused in (
                (THEIRS, (start, "pid", GUEST_EXEC_STATUS), GUEST_EXEC_STATUS % 1),
                (OURS, (EXEC_NOWAIT, "job", EXEC_STATUS), EXEC_REFUSED)):
            if name in self._local:
                subject = self._local[name]
                result = drive("blocked", subject.socket, self._size.runs, *arguments, PING, refused,
                               cpu=self._cpu, bind=subject.pid, first=True)
                self._record("blocked", name, result["spawn"])
                self._record("blocked-request", name, result["request"])

    def mute(self):
        for name in (THEIRS, OURS):
            if name in self._local:
                subject = self._local[name]
                result = self._drive(subject, "mute", subject.socket, subject.pid,
                                     self._size.mute_ms, PING, together=False)
                self._record("mute", name, result["cpu-percent"])

    def idle(self):
        """All in the same window, which costs the most time of all figures."""
        agents = {name: self._local[name] for name in (THEIRS, OURS) if name in self._local}
        if not agents:
            return
        for guest in self._guests.values():
            guest.settle()
        before = {name: guest.daemon.context_switches() for name, guest in self._guests.items()}
        result = drive("idle", self._size.idle_ms, *[agent.pid for agent in agents.values()])
        seconds = self._size.idle_ms / 1000
        for name, agent in agents.items():
            self._record("idle", name, result[f"wakeups-{agent.pid}"] / seconds)
        for name, guest in self._guests.items():
            wakeups = guest.daemon.context_switches() - before[name]
            self._record("idle-port", name, wakeups / seconds)

    def first(self):
        for name, subject in self._guests.items():
            subject.settle()
            self._record("first", name, drive("first", subject.socket, PING)["wall"])

    def start(self):
        for name in (THEIRS, OURS):
            if name not in self._local:
                continue
            subject = self._local[name]
            directory = subject.directory / "start"
            directory.mkdir(exist_ok=True)
            command = list(subject.command)
            command[command.index("-p") + 1] = directory / "socket"
            command[command.index("-t") + 1] = directory
            if "--channel" in command:
                command[command.index("--channel") + 1] = f"unix-listen:{directory / 'port'}"
            for _ in range(self._size.starts):
                result = drive("start", directory / "socket", PING, *command)
                self._record("start", name, result["wall"])
                self._record("rss", name, result["rss"])

    def growth(self):
        for name in (THEIRS, OURS):
            if name in self._local:
                subject = self._local[name]
                result = self._drive(subject, "growth", subject.socket, subject.pid,
                                     self._size.growth, *MIXED)
                self._record("growth", name, result["growth"])

    def host(self):
        runs = self._size.starts
        bare = sum(drive("spawn", runs, path, cpu=self._cpu)["wall"]
                   for path in (program("bare-glib"), self._subjects.trivial))
        self._record("host", BARE, bare)
        if OURS in self._local and program("nego-host"):
            agent = self._local[OURS]
            self._record("host", OURS, self._drive(
                agent, "spawn", runs, program("nego-host"), "--socket", self._subjects.port, "exec",
                "-n", "trivial")["wall"])

    def many(self):
        """A channel that starts requests as they come."""
        count, trivial = self._size.many, self._subjects.trivial
        self._record("many", BARE, drive("spawn-many", count, PARALLEL, trivial)["wall"])
        if OURS in self._local:
            self._record("many", OURS, drive("many", self._subjects.port, count, PARALLEL, EXEC,
                                             '"exitcode": 0')["wall"])


@dataclasses.dataclass
class Row:
    name: str
    figure: str
    unit: str
    # Ours is divided by this subject's value; None: ours is compared as it is.
    against: str | None
    # At most, as printed; None: shown for information.
    goal: float | None


UNITS = {"us": 1e3, "ms": 1e6, "KiB": 1024, "%": 1, "/s": 1}

ROWS = (
    Row("guest-ping, agent's CPU", "ping", "us", THEIRS, 0.55),
    Row("guest-get-time, agent's CPU", "time", "us", THEIRS, 0.6),
    Row("16 pings at once, agent's CPU, each", "ping-16", "us", THEIRS, 0.5),
    Row("guest-ping, guest over virtio-serial", "guest-ping", "us", THEIRS, 0.45),
    Row("guest-get-cpustats", "cpustats", "us", THEIRS, 1.0),
    Row("guest-network-get-interfaces", "interfaces", "us", THEIRS, 1.0),
    Row("guest-get-disks", "disks", "us", THEIRS, 1.0),
    Row("guest-get-diskstats", "diskstats", "us", THEIRS, 1.0),
    Row("guest-get-fsinfo", "fsinfo", "us", THEIRS, 1.0),
    Row("guest-network-get-route", "route", "us", THEIRS, 1.0),
    Row("guest-file-read, 64 KiB pieces, a MiB", "read-64k", "us", THEIRS, 0.2),
    Row("guest-file-read, 1 MiB pieces", "read-1m", "us", THEIRS, 0.2),
    Row("guest-file-write, 64 KiB pieces, a MiB", "write-64k", "us", THEIRS, 0.17),
    Row("guest-file-write, 1 MiB pieces", "write-1m", "us", THEIRS, 0.17),
    Row("guest-file-read, 1 MiB, over virtio-serial", "guest-read", "ms", THEIRS, 0.33),
    Row("guest-file-write, 1 MiB, over virtio-serial", "guest-write", "ms", THEIRS, 0.2),
    Row("ping in a guest during a freeze hook", "guest-freeze", "ms", None, 5),
    Row("memory kept after a write of 16 MiB", "kept", "KiB", None, 2048),
    Row("ping beside a read of 16 MiB, the longest", "beside", "ms", None, 5),
    Row("exec, to bare posix_spawn and wait", "exec", "us", BARE, 1.4),
    Row("exec, to guest-exec polled each 1 ms", "exec", "us", THEIRS, 0.6),
    Row("a job of 1,000, 32 at a time, to posix_spawn", "many", "us", BARE, 1.4),
    Row("guest-exec, polled each 1 ms", "guest-exec", "us", THEIRS, 0.75),
    Row("guest-exec, a MiB of 10 collected", "collect", "us", THEIRS, 0.35),
    Row("main loop blocked by a spawn", "blocked", "us", THEIRS, 0.3),
    Row("  by all of the exec request", "blocked-request", "us", THEIRS, None),
    Row("client sends, does not read: agent's CPU", "mute", "%", None, 0),
    Row("wake-ups: idle", "idle", "/s", None, 0),
    Row("wake-ups: port without a host", "idle-port", "/s", None, 0),
    Row("host connects to its port: first answer", "first", "ms", None, 5),
    Row("start to first answer", "start", "ms", THEIRS, 1.5),
    Row("resident memory after the first answer", "rss", "KiB", THEIRS, 1.25),
    Row("  its growth over 100,000 requests", "growth", "KiB", None, 64),
    Row("nego-host --socket exec, to GLib start + spawn", "host", "ms", BARE, 2.0),
    Row("a MiB of output streamed, to guest-exec's", "stream", "us", THEIRS, 0.67),
    Row("  of text", "stream-text", "us", THEIRS, 0.67),
    Row("  private memory of the agent meanwhile", "stream-agent", "KiB", None, 4096),
    Row("  of nego-host, to one that waits", "stream-host", "KiB", None, 4096),
    Row("output seen on the host after it was written", "first-byte", "ms", None, 5),
)
