# SPDX-License-Identifier: MIT
"""libvirt: a libvirt of the tests' own, and micro guests in it.

It touches no other domain and no other libvirtd: see libvirt_supervisor.py. Programs that are to
see it are run by Libvirt.run().
"""

import contextlib
import os
import pathlib
import pty
import re
import selectors
import shutil
import subprocess
import sys
import tempfile
import time

from helpers import image
from helpers.control import Control, GuestTimeout
from helpers.guest import BOOT_TIMEOUT, KERNEL_OPTIONS, PORT_QGA, PORT_OURS, Bootable, Daemon

SUPERVISOR = pathlib.Path(__file__).resolve().parent / "libvirt_supervisor.py"
NAMESPACES = ("unshare", "--mount", "--net", "--pid", "--fork", "--mount-proc", "--kill-child")

DOMAIN = """\
<domain type='qemu'>
  <name>{name}</name>
  <memory unit='MiB'>{memory}</memory>
  <vcpu>{vcpus}</vcpu>
  <os>
    <type arch='x86_64' machine='pc'>hvm</type>
    <kernel>{kernel}</kernel>
    <initrd>{directory}/image</initrd>
    <cmdline>{options}</cmdline>
  </os>
  <features><acpi/></features>
  <cpu mode='maximum'/>
  <devices>
    <emulator>/usr/bin/qemu-system-x86_64</emulator>
    <controller type='usb' model='none'/>
    <memballoon model='none'/>
    <serial type='file'>
      <source path='{directory}/console'/>
      <target port='0'/>
    </serial>
    <serial type='unix'>
      <source mode='connect' path='{directory}/control'/>
      <target port='1'/>
    </serial>
{devices}
{channels}
  </devices>
</domain>
"""
# Without a path libvirt chooses the socket's, as for most guests in the world.
CHANNEL = """\
    <channel type='unix'>
      <target type='virtio' name='{name}'/>
    </channel>"""


class Libvirt:
    """Use as a context manager."""

    def __init__(self):
        self._stack = contextlib.ExitStack()
        self._supervisor = None
        self._enter = []
        self.environment = dict(os.environ)
        self.environment.pop("LIBVIRT_DEFAULT_URI", None)

    @staticmethod
    def unavailable():
        """Why there can be none here, or None."""
        for program in ("libvirtd", "virsh", "qemu-system-x86_64"):
            if shutil.which(program, path="/usr/sbin:/usr/bin") is None:
                return f"{program} is not installed"
        if os.geteuid() == 0:
            done = subprocess.run([*NAMESPACES, "true"], capture_output=True, text=True,
                                  check=False)
            if done.returncode != 0:
                return f"no namespaces of our own: {done.stderr.strip()}"
        return None

    def __enter__(self):
        try:
            self._start()
        except BaseException:
            self._stack.close()
            raise
        return self

    def __exit__(self, *_):
        self._stack.close()

    def _start(self):
        if os.geteuid() == 0:
            command = [*NAMESPACES, sys.executable, SUPERVISOR, "system"]
            self.environment["LIBVIRT_DEFAULT_URI"] = "qemu:///system"
        else:
            directory = self._stack.enter_context(
                tempfile.TemporaryDirectory(prefix="negotest-", ignore_cleanup_errors=True))
            for name in ("RUNTIME_DIR", "CONFIG_HOME", "CACHE_HOME", "DATA_HOME", "STATE_HOME"):
                path = pathlib.Path(directory, name.partition("_")[0].lower())
                path.mkdir(mode=0o700, exist_ok=True)
                self.environment[f"XDG_{name}"] = str(path)
            self.environment["HOME"] = directory
            self.environment["LIBVIRT_DEFAULT_URI"] = "qemu:///session"
            command = [sys.executable, SUPERVISOR, "session"]
        self._supervisor = subprocess.Popen(command, stdin=subprocess.PIPE, text=True,
                                            stdout=subprocess.PIPE, env=self.environment)
        self._stack.callback(self._stop)
        self._expect("started")
        if os.geteuid() == 0:
            process = f"/proc/{self._supervisor.pid}"
            self._enter = ["nsenter", f"--mount={process}/ns/mnt", f"--net={process}/ns/net",
                           f"--pid={process}/ns/pid_for_children",
                           # A chroot's root is not that of its mount namespace.
                           f"--root={process}/root", f"--wd={os.getcwd()}",
                           # nsenter waits for its child: the child ends when nsenter is killed.
                           "setpriv", "--pdeathsig", "KILL", "--"]

    def _stop(self):
        self._supervisor.stdin.close()
        self._supervisor.wait()
        self._supervisor.stdout.close()

    def _expect(self, word):
        line = self._supervisor.stdout.readline()
        if line != word + "\n":
            raise RuntimeError(f"the supervisor of libvirtd said '{line.strip()}' "
                               f"instead of '{word}'")

    def restart(self):
        """Restarts libvirtd; guests live on."""
        self._supervisor.stdin.write("restart\n")
        self._supervisor.stdin.flush()
        self._expect("restarted")

    def command(self, arguments):
        """The command line that runs `arguments` where this libvirt is."""
        return [*self._enter, *arguments]

    def run(self, arguments, **options):
        """As subprocess.run(), where this libvirt is; the output is captured, as bytes."""
        options.setdefault("timeout", 120)
        if "input" not in options:
            options.setdefault("stdin", subprocess.DEVNULL)
        return subprocess.run(self.command(arguments), capture_output=True, check=False,
                              env=self.environment, **options)

    def path(self, inner):
        """The path by which this process reaches what is at `inner` for this libvirt."""
        return f"/proc/{self._supervisor.pid}/root{inner}" if self._enter else inner

    def virsh(self, *arguments, timeout=120):
        """Runs virsh; a failure is an exception with its words. Returns its output."""
        done = self.run(["virsh", *arguments], timeout=timeout)
        if done.returncode != 0:
            raise VirshError(done.stderr.decode().strip())
        return done.stdout.decode()


class VirshError(Exception):
    """virsh failed; the text is what it said."""


class LibvirtGuest(Bootable):
    """A micro guest in a Libvirt: defined, and with `start` booted. Subclasses (debian.py) boot
    something else."""

    memory = 256
    boot_timeout = BOOT_TIMEOUT
    vcpus = 1

    def __init__(self, libvirt, name, ports=(PORT_QGA, PORT_OURS), files=(), start=True):
        super().__init__()
        self.libvirt = libvirt
        self.name = name
        self._ports = ports
        self._files = files
        self._boot = start
        self._events = None
        self.control = None
        self.directory = None

    def write_image(self):
        """Makes the first file system, and what else the guest boots from."""
        image.write(self.directory / "image", self._files)

    def kernel_options(self):
        return KERNEL_OPTIONS.format(ports=len(self._ports))

    def device_xml(self):
        """What the machine has beside its serial ports."""
        return ""

    def _define(self):
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="negotest-"))
        self._stack.callback(shutil.rmtree, self.directory, ignore_errors=True)
        self.write_image()
        (self.directory / "domain.xml").write_text(DOMAIN.format(
            name=self.name,
            kernel=image.Kernel().image,
            directory=self.directory,
            memory=self.memory,
            vcpus=self.vcpus,
            options=self.kernel_options(),
            devices=self.device_xml(),
            channels="\n".join(CHANNEL.format(name=port) for port in self._ports),
        ), encoding="utf-8")
        self.libvirt.virsh("define", str(self.directory / "domain.xml"))
        self._stack.callback(self.libvirt.run, ["virsh", "undefine", self.name])
        self.control = Control(self.directory / "control")
        self._stack.callback(self.control.close)

    def _launch(self):
        self._define()
        if self._boot:
            self._start()

    def _start(self):
        self.libvirt.virsh("start", "--paused", self.name)
        self._stack.callback(self.libvirt.run, ["virsh", "destroy", self.name])
        # Before the guest runs, so that it sees every event.
        self._events = self._stack.enter_context(AgentEvents(self.libvirt, self.name))
        self.libvirt.virsh("resume", self.name)

    def _wait_ready(self):
        if not self._boot:
            return
        try:
            self.control.wait_ready(self.boot_timeout)
        except GuestTimeout as error:
            error.add_note(f"console of the guest:\n{self.console()}")
            raise

    def start_again(self):
        """Starts the guest, which was destroyed, and waits until it has booted."""
        self.libvirt.virsh("start", self.name)
        self.control.wait_ready(self.boot_timeout)

    def save(self, path):
        self.libvirt.virsh("save", self.name, str(path))

    def restore(self, path):
        """Goes on where the guest was saved, as often as one wants."""
        self.libvirt.virsh("restore", str(path))
        self.control.wait_restored(self.boot_timeout)

    def console(self):
        with contextlib.suppress(FileNotFoundError):
            return (self.directory / "console").read_text(errors="replace")
        return ""

    def daemon(self, name, command):
        return Daemon(self.control, name, command)

    def libvirtd_restarted(self):
        """To be called after Libvirt.restart(): waits until libvirtd has the guest again."""
        # A query waits for the job in which libvirtd takes up the monitor, then the agent.
        self.libvirt.virsh("dommemstat", self.name)
        self._events.close()
        self._events = self._stack.enter_context(AgentEvents(self.libvirt, self.name))

    def wait_agent(self, state, timeout=30):
        """Waits until libvirt says that the agent is "connected" or "disconnected"."""
        self._events.wait(state, timeout)

    def socket_path(self, port):
        """The path of the port's socket, as libvirt chose it (see Libvirt.path())."""
        xml = self.libvirt.virsh("dumpxml", self.name)
        match = re.search(rf"path='([^']*)'/>\s*<target type='virtio' name='{re.escape(port)}'",
                          xml)
        return match[1]


class AgentEvents:
    """What libvirt says about the agent of a guest, as it says it (virsh event)."""

    def __init__(self, libvirt, name):
        self._command = libvirt.command(
            ["virsh", f"echo watching; event {name} --event agent-lifecycle --loop"])
        self._environment = libvirt.environment
        self._stack = contextlib.ExitStack()
        self._terminal = -1
        self._text = ""

    def __enter__(self):
        # virsh writes events at once to a terminal, but in blocks to a pipe.
        self._terminal, theirs = pty.openpty()
        self._stack.callback(os.close, self._terminal)
        process = subprocess.Popen(self._command, stdin=subprocess.DEVNULL, stdout=theirs,
                                   stderr=theirs, env=self._environment)
        os.close(theirs)
        self._stack.callback(process.wait)
        self._stack.callback(process.kill)
        self._wait_text("watching", time.monotonic() + 120)
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self._stack.close()

    def _wait_text(self, text, deadline):
        """Waits for `text`; forgets what came up to its end."""
        with selectors.DefaultSelector() as selector:
            selector.register(self._terminal, selectors.EVENT_READ)
            while text not in self._text:
                if not selector.select(max(0, deadline - time.monotonic())):
                    raise GuestTimeout(f"libvirt did not say '{text}', but: {self._text}")
                self._text += os.read(self._terminal, 4096).decode(errors="replace")
        self._text = self._text.partition(text)[2]

    def wait(self, state, timeout):
        self._wait_text(f"state: '{state}'", time.monotonic() + timeout)
