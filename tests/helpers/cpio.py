# SPDX-License-Identifier: MIT
"""cpio: writes archives in the form that the kernel unpacks as its first file system ("newc").

In Python, since device nodes then need no root, and equal content gives equal bytes.
"""

import stat

_FIELDS = 13


class Archive:
    """Members in the order they are added; parents must come before children."""

    def __init__(self):
        self._parts = []
        self._names = set()

    def _add(self, name, mode, data=b"", rdev=(0, 0)):
        name = name.strip("/")
        parent = name.rpartition("/")[0]
        if parent and parent not in self._names:
            self.directory(parent)
        self._names.add(name)
        self._append(len(self._names), name, mode, data, rdev)

    def _append(self, inode, name, mode, data, rdev):
        encoded = name.encode() + b"\0"
        # inode, mode, uid, gid, links, mtime, size, device (2), rdev (2), name length, checksum
        values = (inode, mode, 0, 0, 1, 0, len(data), 0, 0, *rdev, len(encoded), 0)
        assert len(values) == _FIELDS
        header = b"070701" + b"".join(b"%08X" % value for value in values)
        for part in (header + encoded, data):
            self._parts.append(part + b"\0" * (-len(part) % 4))

    def directory(self, name, mode=0o755):
        if name.strip("/") not in self._names:
            self._add(name, stat.S_IFDIR | mode)

    def file(self, name, data, mode=0o644):
        if isinstance(data, str):
            data = data.encode()
        self._add(name, stat.S_IFREG | mode, data)

    def symlink(self, name, target):
        self._add(name, stat.S_IFLNK | 0o777, target.encode())

    def character_device(self, name, major, minor):
        self._add(name, stat.S_IFCHR | 0o600, rdev=(major, minor))

    def __contains__(self, name):
        return name.strip("/") in self._names

    def to_bytes(self):
        self._append(0, "TRAILER!!!", 0, b"", (0, 0))
        data = b"".join(self._parts)
        del self._parts[-2:]
        return data + b"\0" * (-len(data) % 512)
