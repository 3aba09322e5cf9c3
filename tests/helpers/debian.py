# SPDX-License-Identifier: MIT
"""debian: a full Debian guest: systemd, udev, ext4 on a disk, a network, the agent as its unit.

scripts/debian-guest makes the disks from this machine's packages, once for a build directory; a
guest writes to overlays of its own. Our programs, and what a test adds, are laid over the root by
the first file system, so that the disks need not be made again. A boot takes some 20 s under TCG:
have one for all tests of a file.

    class Jobs(DebianCase):                    # self.guest: a DebianGuest; self.connect(PORT_OURS)

self.guest.control.check("systemctl restart nego-agent") looks and acts inside (control.py).
The second disk (64 MiB, ext4, label "data", serial "negotest-data") is not mounted.
"""

import contextlib
import fcntl
import functools
import os
import pathlib
import shutil
import subprocess

from helpers import build, case, cpio, image
from helpers.control import ControlError, GuestTimeout
from helpers.guest import PORT_OURS, PORT_QGA, PORT_REVERSE, Guest
from helpers.libvirt import Libvirt, LibvirtGuest

MAKER = build.SOURCE_ROOT / "scripts" / "debian-guest"
HERE = pathlib.Path(__file__).resolve().parent / "debian"
PORTS = (PORT_QGA, PORT_OURS, PORT_REVERSE)
MODULES = ("virtio_pci", "virtio_blk", "ext4")
# systemd's warnings go to the console as well, for whoever finds a guest that did not boot.
KERNEL_OPTIONS = ("console=ttyS0 quiet panic=-1 nokaslr no_timer_check audit=0 "
                  "systemd.show_status=error "
                  "systemd.journald.forward_to_console=1 "
                  "systemd.journald.max_level_console=warning")
MEMORY = 512
# A boot takes some 20 s on an idle machine.
BOOT_TIMEOUT = 400
UNIT_DIRECTORY = "etc/systemd/system"
OURS, THEIRS = "nego-agent", "qemu-guest-agent"

DISK_XML = """\
    <disk type='file' device='disk'>
      <driver name='qemu' type='qcow2'/>
      <source file='{directory}/root.qcow2'/>
      <target dev='vda' bus='virtio'/>
    </disk>
    <controller type='scsi' index='0' model='virtio-scsi'/>
    <disk type='file' device='disk'>
      <driver name='qemu' type='qcow2'/>
      <source file='{directory}/data.qcow2'/>
      <target dev='sda' bus='scsi'/>
      <serial>negotest-data</serial>
    </disk>
    <interface type='user'>
      <model type='virtio'/>
    </interface>"""


def unavailable():
    """Why no such guest can be booted here, or None."""
    reason = case.unavailable()
    if reason:
        return reason
    for program in ("qemu-img", "mke2fs", "dpkg-query"):
        if shutil.which(program, path="/usr/sbin:/usr/bin:/sbin:/bin") is None:
            return f"{program} is not installed"
    if os.geteuid() != 0 and shutil.which("fakeroot") is None:
        return "fakeroot is not installed"
    try:
        disks()
    except subprocess.CalledProcessError as error:
        return f"no Debian guest: {error.stderr.strip()}"
    return None


def _run_maker(*arguments):
    command = [] if os.geteuid() == 0 else ["fakeroot", "--"]
    done = subprocess.run([*command, MAKER, *arguments], stdin=subprocess.DEVNULL,
                          capture_output=True, text=True, check=True)
    return done.stdout.strip()


@functools.cache
def disks():
    """The directory with root.img and data.img, which are made if need be."""
    key = _run_maker("--key")
    parent = build.build_root() / "debian-guest"
    parent.mkdir(exist_ok=True)
    # Whoever comes second finds what the first has made.
    with open(parent / "lock", "w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        directory = parent / key
        if not directory.exists():
            half = parent / "half-made"
            shutil.rmtree(half, ignore_errors=True)
            half.mkdir()
            _run_maker(half)
            half.rename(directory)
    return directory


def make_overlays(directory):
    for name in ("root", "data"):
        subprocess.run(["qemu-img", "create", "-q", "-f", "qcow2", "-F", "raw",
                        "-b", disks() / f"{name}.img", directory / f"{name}.qcow2"], check=True)


def _add_over(archive, root, below=""):
    """Adds what is in `root` to what is laid over the guest's root."""
    for path in sorted((root / below).rglob("*")):
        name = "over/" + str(path.relative_to(root))
        if path.is_symlink():
            archive.symlink(name, str(path.readlink()))
        elif path.is_dir():
            archive.directory(name)
        else:
            program = path.stat().st_mode & 0o111 or "bin/" in name
            archive.file(name, path.read_bytes(), 0o755 if program else 0o644)


@functools.cache
def base_archive():
    archive = cpio.Archive()
    for directory in ("dev", "proc", "sys", "root", "over", "lib/modules"):
        archive.directory(directory)
    archive.character_device("dev/console", 5, 1)
    archive.file("bin/busybox", image.BUSYBOX.read_bytes(), 0o755)
    for applet in ("sh", "mount", "umount", "insmod", "cp", "switch_root"):
        archive.symlink(f"bin/{applet}", "busybox")
    order = []
    for module in image.Kernel().module_files(MODULES):
        archive.file(f"lib/modules/{module.name}", module.read_bytes())
        order.append(module.name)
    archive.file("lib/modules/order", "".join(f"{name}\n" for name in order))
    archive.file("init", (HERE / "init").read_bytes(), 0o755)
    archive.file("over/usr/local/sbin/control-line",
                 (image.GUEST_DIR / "bin/control-line").read_bytes(), 0o755)
    _add_over(archive, HERE / "root")
    _add_over(archive, build.install_root())
    archive.symlink(f"over/{UNIT_DIRECTORY}/multi-user.target.wants/control-line.service",
                    f"/{UNIT_DIRECTORY}/control-line.service")
    return archive.to_bytes()


def write_image(directory, files, agent):
    """Makes what a guest boots from. `files`: (name, content, mode) each; `agent`: OURS, THEIRS
    (Debian's qemu-guest-agent) or None; it is enabled, the others are not."""
    make_overlays(directory)
    archive = cpio.Archive()
    if agent == OURS:
        unit = next(build.install_root().rglob("nego-agent.service"))
        archive.symlink(f"over/{UNIT_DIRECTORY}/multi-user.target.wants/nego-agent.service",
                        "/" + str(unit.relative_to(build.install_root())))
    if agent != THEIRS:
        # Its udev rule would start it.
        archive.symlink(f"over/{UNIT_DIRECTORY}/qemu-guest-agent.service", "/dev/null")
    for name, content, mode in files:
        archive.file("over/" + name.lstrip("/"), content, mode)
    (directory / "image").write_bytes(base_archive() + archive.to_bytes())


class DebianGuest(Guest):
    """Under plain QEMU. Parameters as Guest, and `agent`: see write_image()."""

    memory = MEMORY
    boot_timeout = BOOT_TIMEOUT

    def __init__(self, ports=PORTS, files=(), arguments=(), agent=OURS):
        super().__init__(ports, files, arguments)
        self.agent = agent

    def write_image(self):
        write_image(self.directory, self._files, self.agent)

    def connect(self, *arguments, **options):
        return super().connect(*arguments, is_ours=self.agent != THEIRS, **options)

    def kernel_options(self):
        return KERNEL_OPTIONS

    def device_arguments(self):
        arguments = ["-smp", "2", "-device", "virtio-scsi-pci,id=scsi0",
                     "-netdev", "user,id=net0", "-device", "virtio-net-pci,netdev=net0,romfile="]
        for name, device in (("root", "virtio-blk-pci"),
                             ("data", "scsi-hd,bus=scsi0.0,serial=negotest-data")):
            arguments += ["-drive", f"if=none,id={name},format=qcow2,"
                                    f"file={self.directory / name}.qcow2",
                          "-device", f"{device},drive={name}"]
        return arguments


class DebianLibvirtGuest(LibvirtGuest):
    """In a Libvirt. Parameters as LibvirtGuest, and `agent`: see write_image()."""

    memory = MEMORY
    boot_timeout = BOOT_TIMEOUT
    vcpus = 2

    def __init__(self, libvirt, name, ports=PORTS, files=(), start=True, agent=OURS):
        super().__init__(libvirt, name, ports, files, start)
        self.agent = agent

    def write_image(self):
        write_image(self.directory, self._files, self.agent)

    def kernel_options(self):
        return KERNEL_OPTIONS

    def device_xml(self):
        return DISK_XML.format(directory=self.directory)


class DebianCase(case.GuestCase):
    """A guest under plain QEMU, its agent running: of the file's own, or of a class's own that makes
    one."""

    agent_command = None
    unavailable = staticmethod(unavailable)

    @classmethod
    def make_guest(cls):
        return DebianGuest()

    def diagnostics(self):
        """For the test runner, after a failure."""
        text = super().diagnostics()
        # The guest may be what failed.
        with contextlib.suppress(GuestTimeout, ControlError, AttributeError):
            text += self.guest.control.check("journalctl -b -n 200 --no-pager")
        return text
