# SPDX-License-Identifier: MIT
"""image: the micro guest's first and only file system, made for each test process in some 100 ms.

Debian's cloud kernel, BusyBox, the kernel modules for virtio-serial, the programs under test with
the shared libraries that the dynamic linker names, and an init that offers a control line
(control.py) on the second serial port. No udev, no systemd: what an agent needs beyond that, it
has to do without, or a test puts it there.
"""

import functools
import pathlib
import re
import subprocess

from helpers import build, cpio

BUSYBOX = pathlib.Path("/bin/busybox")
QEMU_GA = pathlib.Path("/usr/sbin/qemu-ga")
GUEST_DIR = pathlib.Path(__file__).resolve().parent / "guest"
# loop: so that a block device of a known size can be mounted.
MODULES = ("virtio_pci", "virtio_console", "loop")


class Kernel:
    """The newest installed Debian cloud kernel that has its modules."""

    def __init__(self):
        def version_key(path):
            return [int(number) for number in re.findall(r"\d+", path.name)]

        for image in sorted(pathlib.Path("/boot").glob("vmlinuz-*-cloud-*"), key=version_key)[::-1]:
            self.image = image
            self.modules = pathlib.Path("/lib/modules") / image.name.removeprefix("vmlinuz-")
            if (self.modules / "modules.dep").exists():
                return
        raise FileNotFoundError("no /boot/vmlinuz-*-cloud-* with modules: package "
                                "linux-image-cloud-amd64")

    def module_files(self, names):
        """The files of modules `names` and of what they need, each after what it needs; none of
        those that are built in."""
        needs = {}
        for line in (self.modules / "modules.dep").read_text().splitlines():
            file, _, others = line.partition(":")
            needs[file] = others.split()
        def by_name(files):
            return {pathlib.Path(file).name.partition(".")[0].replace("-", "_"): file
                    for file in files}

        loadable = by_name(needs)
        built_in = by_name((self.modules / "modules.builtin").read_text().split())
        ordered = []

        def visit(file):
            for other in needs[file]:
                visit(other)
            if file not in ordered:
                ordered.append(file)

        for name in names:
            if name not in built_in:
                visit(loadable[name])
        return [self.modules / file for file in ordered]


def shared_libraries(program):
    """The absolute paths of the shared objects that `program` loads, the loader included."""
    done = subprocess.run(["ldd", program], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        if "not a dynamic executable" in done.stderr + done.stdout:
            return []
        raise RuntimeError(f"ldd {program} failed: {done.stderr.strip()}")
    return [pathlib.Path(path)
            for path in re.findall(r"(/\S+) \(0x[0-9a-f]+\)", done.stdout)]


def _mode(name):
    """The mode in the guest: that of the source tree may be any checkout's."""
    if name.endswith("/refused"):
        return 0o777
    if name == "init" or name.startswith("bin/"):
        return 0o755
    if "/guest-commands/" in name and not name.endswith(".conf"):
        return 0o755
    return 0o644


def _add_program(archive, source, target):
    archive.file(str(target), pathlib.Path(source).read_bytes(), 0o755)
    for library in shared_libraries(source):
        if str(library) not in archive:
            archive.file(str(library), library.read_bytes(), 0o755)


def _add_tree(archive, root, below):
    """Adds `below` (a path below `root`) and what is in it at its path, with its modes."""
    for path in sorted((root / below).rglob("*")):
        name = str(path.relative_to(root))
        if path.is_symlink():
            archive.symlink(name, str(path.readlink()))
        elif path.is_dir():
            archive.directory(name, path.stat().st_mode & 0o7777)
        else:
            archive.file(name, path.read_bytes(), path.stat().st_mode & 0o7777)


@functools.cache
def base_archive():
    """The part that all guests share, as bytes. The kernel unpacks archives one after another."""
    archive = cpio.Archive()
    # The root itself: the kernel makes it writable by all, and no script below such is trusted.
    for directory in (".", "dev", "proc", "sys", "tmp", "run", "root", "var/log", "lib/modules",
                      "etc/negotiator", "mnt/data"):
        archive.directory(directory)
    archive.symlink("var/run", "../run")
    archive.character_device("dev/console", 5, 1)
    archive.file("bin/busybox", BUSYBOX.read_bytes(), 0o755)
    applets = subprocess.run([BUSYBOX, "--list-full"], capture_output=True, text=True, check=True)
    for applet in applets.stdout.split():
        # BusyBox lists its own path too, which is the file above.
        if applet not in archive and applet != "linuxrc":
            archive.symlink(applet, "/bin/busybox")
    order = []
    for module in Kernel().module_files(MODULES):
        archive.file(f"lib/modules/{module.name}", module.read_bytes())
        order.append(module.name)
    archive.file("lib/modules/order", "".join(f"{name}\n" for name in order))
    for path in sorted(GUEST_DIR.rglob("*")):
        if path.is_file():
            name = str(path.relative_to(GUEST_DIR))
            archive.file(name, path.read_bytes(), _mode(name))
    if QEMU_GA.exists():
        _add_program(archive, QEMU_GA, "usr/sbin/qemu-ga")
    root = build.install_root()
    for program in ("nego-agent", "nego-guest"):
        path = build.installed(program)
        _add_program(archive, path, str(path.relative_to(root)))
        archive.symlink(f"bin/{program}", "/" + str(path.relative_to(root)))
    for directory in sorted(root.rglob("lib/negotiator")):
        _add_tree(archive, root, directory.relative_to(root))
    return archive.to_bytes()


def write(path, files=()):
    """Writes an image to `path`: the base, and `files`: (name, content, mode) each."""
    overlay = cpio.Archive()
    for name, content, mode in files:
        overlay.file(name, content, mode)
    pathlib.Path(path).write_bytes(base_archive() + overlay.to_bytes())
