# SPDX-License-Identifier: MIT
"""libvirt_supervisor: the process below which a libvirt of the tests' own lives (libvirt.py).

It starts, stops and restarts libvirtd as its standard input says, one word a line, and answers each
with a line. At the end of its input it ends, and with it everything that it started.

system:  called as root in fresh mount, process and network namespaces. What libvirt keeps on disk,
         /run and /dev are hidden by empty file systems, so that it cannot meet another libvirt,
         systemd or udev, and does not try KVM.
session: called as any user, with private XDG directories in the environment.
"""

import contextlib
import ctypes
import os
import pathlib
import select
import signal
import subprocess
import sys

HIDDEN = ("/run", "/etc/libvirt", "/var/lib/libvirt", "/var/log/libvirt",
          "/var/cache/libvirt")
DEVICES = ("null", "zero", "full", "random", "urandom", "tty")
QEMU_CONF = """\
user = "root"
group = "root"
dynamic_ownership = 0
remember_owner = 0
security_driver = "none"
namespaces = []
cgroup_controllers = []
stdio_handler = "file"
"""
LIBVIRTD_CONF = """\
auth_unix_ro = "none"
auth_unix_rw = "none"
"""
PR_SET_CHILD_SUBREAPER = 36


def mount(*arguments):
    subprocess.run(["mount", *arguments], check=True)


def hide_system():
    for directory in HIDDEN:
        os.makedirs(directory, exist_ok=True)
        mount("-t", "tmpfs", "-o", "mode=755", "negotest", directory)
    # A /dev of its own, made aside since the nodes are bound from the old one.
    new_dev = pathlib.Path("/run/dev")
    new_dev.mkdir()
    mount("-t", "tmpfs", "-o", "mode=755", "negotest", str(new_dev))
    for name in DEVICES:
        (new_dev / name).touch()
        mount("--bind", f"/dev/{name}", str(new_dev / name))
    (new_dev / "pts").mkdir()
    mount("-t", "devpts", "-o", "newinstance,ptmxmode=0666", "devpts", str(new_dev / "pts"))
    (new_dev / "ptmx").symlink_to("pts/ptmx")
    (new_dev / "shm").mkdir()
    mount("--move", str(new_dev), "/dev")
    pathlib.Path("/etc/libvirt/qemu.conf").write_text(QEMU_CONF, encoding="ascii")
    pathlib.Path("/etc/libvirt/libvirtd.conf").write_text(LIBVIRTD_CONF, encoding="ascii")


def add_qemu_user():
    """Debian's libvirt does not start without the user that libvirt-daemon-system would make, even
    where the configuration names another: here it is one of these namespaces only."""
    for database, line in (("passwd", "libvirt-qemu:x:64055:64055::/nonexistent:/bin/false\n"),
                           ("group", "libvirt-qemu:x:64055:\n")):
        original = pathlib.Path("/etc", database)
        text = original.read_text(encoding="utf-8")
        if "\nlibvirt-qemu:" not in text:
            ours = pathlib.Path("/run", database)
            ours.write_text(text + line, encoding="utf-8")
            mount("--bind", str(ours), str(original))


class Libvirtd:
    def __init__(self, session):
        state = os.environ["XDG_RUNTIME_DIR"] if session else "/run"
        self._pid_file = pathlib.Path(state, "negotest-libvirtd.pid")
        self._pid = 0

    def start(self):
        # The foreground process ends when the daemon listens.
        subprocess.run(["/usr/sbin/libvirtd", "--daemon", "--pid-file", self._pid_file], check=True)
        self._pid = int(self._pid_file.read_text(encoding="ascii"))

    def stop(self):
        process = os.pidfd_open(self._pid)
        os.kill(self._pid, signal.SIGTERM)
        select.select([process], [], [])
        os.close(process)


def supervise(session):
    if not session:
        hide_system()
        add_qemu_user()
    libvirtd = Libvirtd(session)
    libvirtd.start()
    print("started", flush=True)
    for line in sys.stdin:
        if line == "restart\n":
            libvirtd.stop()
            libvirtd.start()
        print("restarted", flush=True)


def reap(until):
    """Buries orphans (libvirt's probes of QEMU, which it believes alive before that) until child
    `until` ends."""
    while os.wait()[0] != until:
        pass


def kill_children():
    """Ends all children, and the orphans that they leave, until there are none."""
    with contextlib.suppress(ChildProcessError):
        while True:
            children = pathlib.Path(f"/proc/self/task/{os.getpid()}/children").read_text()
            for child in children.split():
                os.kill(int(child), signal.SIGKILL)
            os.wait()


def main():
    session = sys.argv[1] == "session"
    if session:
        ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    child = os.fork()
    if child == 0:
        supervise(session)
        return
    reap(child)
    # The kernel does it for the first process of a namespace.
    if session:
        kill_children()


if __name__ == "__main__":
    main()
