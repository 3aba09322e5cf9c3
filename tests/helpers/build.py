# SPDX-License-Identifier: MIT
"""build: where the programs under test are, and the tree that `meson install` makes of them."""

import functools
import os
import pathlib
import subprocess
import tempfile

SOURCE_ROOT = pathlib.Path(__file__).resolve().parents[2]


def build_root():
    """The Meson build directory under test."""
    return pathlib.Path(os.environ.get("NEGO_BUILD_ROOT", SOURCE_ROOT / "build")).resolve()


@functools.cache
def _install_holder():
    # Kept for the life of the test process, then removed with what is in it.
    return tempfile.TemporaryDirectory(prefix="negotest-install-")


@functools.cache
def install_root():
    """A tree with what a user's `meson install` puts on a machine, at the same paths."""
    root = pathlib.Path(_install_holder().name)
    subprocess.run(
        ["meson", "install", "-C", build_root(), "--no-rebuild", "--quiet", "--destdir", root],
        check=True,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
    )
    return root


def installed(name):
    """The path of the installed program `name` below install_root()."""
    for path in sorted(install_root().rglob(name)):
        if path.is_file() and path.parent.name in ("bin", "sbin"):
            return path
    raise FileNotFoundError(f"the build in {build_root()} installs no program '{name}'")


def program(name):
    """The path of `name` in the build directory, where it runs without being installed."""
    for path in sorted(build_root().rglob(name)):
        if path.is_file():
            return path
    raise FileNotFoundError(f"no program '{name}' in {build_root()}")
