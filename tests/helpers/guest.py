# SPDX-License-Identifier: MIT
"""guest: a micro guest under plain QEMU, with virtio-serial ports on sockets.

TCG always: the tests have to run where there is no /dev/kvm, or one that crashes guests.
"""

import contextlib
import os
import pathlib
import shutil
import subprocess
import tempfile

from helpers import image
from helpers.control import Control, GuestTimeout
from helpers.qga import Qga
from helpers.qmp import Qmp

PORT_QGA = "org.qemu.guest_agent.0"
PORT_OURS = "negotiator-host-to-guest.0"
PORT_REVERSE = "negotiator-guest-to-host.0"
# init finds ports=N in its environment.
# no_timer_check: a machine that is too busy for the emulated timer's first ticks is no broken one.
KERNEL_OPTIONS = "console=ttyS0 quiet panic=-1 nokaslr no_timer_check ports={ports}"
# A boot takes some 3 s on an idle machine; a busy one is slow, not broken.
BOOT_TIMEOUT = 300


class Daemon:
    """A program that runs in a guest until it is stopped."""

    def __init__(self, control, name, command):
        self._control = control
        self.name = name
        self.status = None
        control.check(f"daemon-start {name} {command}")
        self.pid = int(control.check(f"cat /run/{name}.child"))

    def signal(self, name="TERM"):
        self._control.check(f"kill -{name} {self.pid}")

    def wait(self, timeout=30):
        """Waits for its end; returns its exit status."""
        status, text = self._control.run(f"daemon-wait {self.name} {timeout}", timeout + 30)
        self.status = int(text.split()[-1])
        if status != 0:
            raise GuestTimeout(f"{self.name} did not end within {timeout} s")
        return self.status

    def stop(self, timeout=30):
        self.signal()
        return self.wait(timeout)

    def log(self):
        return self._control.check(f"cat /var/log/{self.name}.log")

    def context_switches(self):
        """How often all its threads went to sleep so far: how often they were woken."""
        return int(self._control.check(
            f"awk '/^voluntary_ctxt/ {{ n += $2 }} END {{ print n }}' /proc/{self.pid}/task/*/status"
        ))

    def wait_quiet(self):
        """Waits until it has worked off what it had: two looks in a row see no wake-up between."""
        last = self.context_switches()
        for _ in range(200):
            now = self.context_switches()
            if now == last:
                return
            last = now
        raise GuestTimeout(f"{self.name} does not come to rest")

    def cpu_ticks(self):
        """The CPU time it has used so far, in ticks of 10 ms."""
        return int(self._control.check(
            f"awk '{{ sub(/.*[)] /, \"\"); print $12 + $13 }}' /proc/{self.pid}/stat"))


class Bootable:
    """What boots: use as a context manager, or several at once by case.boot_together(). Subclasses
    have _launch() and _wait_ready()."""

    def __init__(self):
        self._stack = contextlib.ExitStack()

    def __enter__(self):
        self.launch()
        self.wait_ready()
        return self

    def __exit__(self, *_):
        self._stack.close()

    def launch(self):
        """Starts it, and does not wait until it has booted."""
        self._or_close(self._launch)

    def wait_ready(self):
        self._or_close(self._wait_ready)

    def _or_close(self, step):
        with contextlib.ExitStack() as undo:
            undo.push(self)
            step()
            undo.pop_all()


class Guest(Bootable):
    """`ports` are the names of the virtio-serial ports; `files` go to image.write(). Subclasses
    (debian.py) boot something else."""

    memory = 256
    boot_timeout = BOOT_TIMEOUT

    def __init__(self, ports=(PORT_QGA, PORT_OURS), files=(), arguments=()):
        super().__init__()
        # Short, since the address of a socket has at most 107 bytes.
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="negotest-"))
        self._stack.callback(shutil.rmtree, self.directory, ignore_errors=True)
        self._ports = ports
        self._files = files
        self._arguments = arguments
        self._monitor = None
        self._watch = -1
        self.control = None
        self.qmp = None

    def socket_path(self, port):
        return self.directory / port

    def port_arguments(self, port):
        """The device_add arguments of a port (its chardev has the same name)."""
        return {"driver": "virtserialport", "bus": "serial0.0", "chardev": port, "name": port,
                "id": port}

    def add_chardev(self, port):
        """Makes the host's end of a port that is plugged in later."""
        address = {"type": "unix", "data": {"path": str(self.socket_path(port))}}
        self.qmp.command("chardev-add", id=port, backend={
            "type": "socket", "data": {"addr": address, "server": True, "wait": False}})

    def write_image(self):
        """Makes the first file system, and what else the guest boots from."""
        image.write(self.directory / "image", self._files)

    def kernel_options(self):
        return KERNEL_OPTIONS.format(ports=len(self._ports))

    def device_arguments(self):
        """What the machine has beside its serial ports."""
        return []

    def _launch(self):
        self.write_image()
        command = [
            "qemu-system-x86_64", "-M", "pc", "-accel", "tcg", "-cpu", "max",
            "-m", str(self.memory),
            "-nodefaults", "-no-user-config", "-display", "none", "-no-reboot",
            "-sandbox", "on",
            "-kernel", image.Kernel().image, "-initrd", self.directory / "image",
            "-append", self.kernel_options(),
            "-chardev", f"file,id=console,path={self.directory / 'console'}",
            "-serial", "chardev:console",
            "-chardev", f"socket,id=control,path={self.directory / 'control'}",
            "-serial", "chardev:control",
            "-chardev", f"socket,id=monitor,path={self.directory / 'monitor'}",
            "-mon", "chardev=monitor,mode=control",
            "-device", "virtio-serial-pci,id=serial0",
        ]
        for port in self._ports:
            device = ",".join(f"{key}={value}" for key, value in self.port_arguments(port).items())
            command += ["-chardev",
                        f"socket,id={port},path={self.socket_path(port)},server=on,wait=off",
                        "-device", device]
        self.control = Control(self.directory / "control")
        self._stack.callback(self.control.close)
        self._monitor = Qmp.listen(self.directory / "monitor")
        self._stack.callback(self._monitor.close)
        command += [*self.device_arguments(), *self._arguments]
        # It ends with this process, however that ends.
        process = subprocess.Popen(["setpriv", "--pdeathsig", "KILL", "--", *command],
                                   stdin=subprocess.DEVNULL)
        self._stack.callback(process.wait)
        self._stack.callback(process.kill)
        self._watch = os.pidfd_open(process.pid)
        self._stack.callback(os.close, self._watch)

    def _wait_ready(self):
        try:
            self.control.wait_ready(self.boot_timeout, self._watch)
        except Exception as error:
            error.add_note(f"console of the guest:\n{self.console()}")
            raise
        self.qmp = Qmp(self._monitor.accept()[0])
        self._stack.callback(self.qmp.close)

    def console(self):
        with contextlib.suppress(FileNotFoundError):
            return (self.directory / "console").read_text(errors="replace")
        return ""

    def connect(self, port=PORT_QGA, **arguments):
        return Qga(self.socket_path(port), **arguments)

    def daemon(self, name, command):
        return Daemon(self.control, name, command)
