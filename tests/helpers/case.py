# SPDX-License-Identifier: MIT
"""case: a unittest case with a guest and an agent of its own.

A boot is what takes time: the classes of a file that ask for nothing special share one guest, and all
of them one libvirt.
"""

import contextlib
import pathlib
import shutil
import unittest

from helpers import image
from helpers.control import ControlError, GuestTimeout
from helpers.guest import PORT_QGA, Guest
from helpers.libvirt import Libvirt, LibvirtGuest

# Their command line: the port has to be named, since there is no udev to link it.
QEMU_GA = f"qemu-ga -p $(vport {PORT_QGA})"
# Ours finds its ports itself.
NEGO_AGENT = "nego-agent"


def unavailable():
    """Why no guest can be booted here, or None."""
    if shutil.which("qemu-system-x86_64") is None:
        return "qemu-system-x86_64 is not installed"
    if not pathlib.Path("/bin/busybox").exists():
        return "busybox-static is not installed"
    try:
        image.Kernel()
    except FileNotFoundError as error:
        return str(error)
    return None


_of_module = {}


def _leave_module(key, context):
    del _of_module[key]
    context.__exit__(None, None, None)


def enter_module_context(key, make):
    """What the context that make() makes gives, entered once for all classes of the test's file that
    ask by the same `key`."""
    if key not in _of_module:
        context = make()
        value = context.__enter__()
        unittest.addModuleCleanup(_leave_module, key, context)
        _of_module[key] = value
    return _of_module[key]


@contextlib.contextmanager
def boot_together(guests):
    """All of `guests`, which boot at the same time."""
    with contextlib.ExitStack() as stack:
        for guest in guests:
            guest.launch()
            stack.push(guest)
        for guest in guests:
            guest.wait_ready()
        yield guests


class AgentCase(unittest.TestCase):
    """What the two below share: a guest, in which each test starts `agent`."""

    guest = None
    unavailable = staticmethod(unavailable)
    # Whether the guest is the class's alone; so is one that the class itself makes.
    own_guest = False
    # The agent's command line in the guest; None: the test starts what it needs.
    agent_command = NEGO_AGENT

    @classmethod
    def enter_guest(cls):
        """A guest, which classes share that do not make one of their own."""
        if cls.own_guest or "make_guest" in vars(cls):
            return cls.enterClassContext(cls.make_guest())
        return enter_module_context(cls.make_guest.__func__, cls.make_guest)

    def setUp(self):
        self.daemons = []
        self.agent = None
        if self.agent_command:
            self.agent = self.start("agent", self.agent_command)

    def start(self, name, command):
        """Starts a daemon that ends with the test, and then has to end well."""
        daemon = self.guest.daemon(name, command)
        self.daemons.append(daemon)
        self.addCleanup(self._stop, daemon)
        return daemon

    def _stop(self, daemon):
        if daemon.status is None:
            self.assertEqual(daemon.stop(), 0, f"exit status of {daemon.name}")

    def diagnostics(self):
        """For the test runner, after a failure."""
        if self.guest is None:
            return ""
        texts = [f"console:\n{self.guest.console()}"]
        # The guest may be what failed.
        with contextlib.suppress(GuestTimeout, ControlError):
            texts += [f"log of {daemon.name}:\n{daemon.log()}" for daemon in self.daemons]
        return "\n".join(texts)


class GuestCase(AgentCase):
    """A guest under plain QEMU: of the file's own, or of a class's own that makes one."""

    @classmethod
    def make_guest(cls):
        return Guest()

    @classmethod
    def setUpClass(cls):
        reason = cls.unavailable()
        if reason:
            raise unittest.SkipTest(reason)
        cls.guest = cls.enter_guest()

    def connect(self, *arguments, **options):
        """A synchronised client of a port of the guest, closed at the end of the test."""
        client = self.enterContext(self.guest.connect(*arguments, **options))
        client.sync()
        return client


class LibvirtCase(AgentCase):
    """A guest in a libvirt of the file's own, its agent connected: one agent for the tests of the
    class, since QEMU tells libvirt of an agent that comes or goes only once a second."""

    libvirt = None
    kept_agent = None

    @classmethod
    def make_guest(cls):
        return LibvirtGuest(cls.libvirt, "guest")

    @classmethod
    def setUpClass(cls):
        reason = unavailable() or Libvirt.unavailable()
        if reason:
            raise unittest.SkipTest(reason)
        cls.libvirt = enter_module_context(Libvirt, Libvirt)
        cls.guest = cls.enter_guest()

    @classmethod
    def tearDownClass(cls):
        # The guest may be the next class's, too.
        if cls.kept_agent is not None:
            cls.kept_agent.stop()
            cls.kept_agent = None
            cls.guest.wait_agent("disconnected")

    def setUp(self):
        self.daemons = []
        self.agent = type(self).kept_agent
        if self.agent is None:
            self.start_agent()
        self.daemons.append(self.agent)

    def tearDown(self):
        type(self).kept_agent = None if self.agent.status is not None else self.agent

    def start_agent(self):
        self.agent = self.guest.daemon("agent", self.agent_command)
        self.guest.wait_agent("connected")

    def stop_agent(self):
        """Ends the agent; it has to end well."""
        self.assertEqual(self.agent.stop(), 0)
        self.guest.wait_agent("disconnected")
