# SPDX-License-Identifier: MIT
"""agent: nego-agent as a process of a test, on sockets in a directory of the test's own."""

import os
import pathlib
import subprocess
import tempfile
import unittest

from helpers.build import program

NEGO_AGENT = program("nego-agent")
# What makes a run independent of the machine's own configuration.
ENVIRONMENT = {**os.environ, "QGA_CONF": "/nonexistent"}


def run(*args, env=None, program=NEGO_AGENT, **kwargs):
    """Runs the agent to its end."""
    return subprocess.run([program, *args], env=env or ENVIRONMENT, stdin=subprocess.DEVNULL,
                          capture_output=True, text=True, timeout=30, check=False, **kwargs)


def safe_directory():
    """A place that only its owner can write to, as the agent asks for."""
    for place in (os.getcwd(), os.path.expanduser("~"), "/run"):
        path = pathlib.Path(place)
        if os.access(path, os.W_OK) and all(
                part.stat().st_mode & 0o022 == 0 for part in (path, *path.parents)):
            return path
    raise unittest.SkipTest("no directory here is safe from other users")


class AgentCase(unittest.TestCase):
    def setUp(self):
        directory = tempfile.TemporaryDirectory(prefix="nego-agent-")
        self.addCleanup(directory.cleanup)
        self.dir = pathlib.Path(directory.name)
        self.socket = self.dir / "socket"

    def write(self, name, text):
        path = self.dir / name
        path.write_text(text)
        return path

    def assert_fails(self, message, *args, **kwargs):
        """The agent ends with 1, one line on the standard error, and nothing else."""
        result = run(*args, **kwargs)
        self.assertEqual((result.stderr, result.stdout, result.returncode),
                         (f"nego-agent: {message}\n", "", 1), args)

    def start(self, *args, env=None, **kwargs):
        """Starts the agent on self.socket, and returns when it serves."""
        process = subprocess.Popen(
            [NEGO_AGENT, "-m", "unix-listen", "-p", self.socket, *args], env=env or ENVIRONMENT,
            stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, **kwargs)
        self.addCleanup(process.stderr.close)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        # The line comes once all channels are open, the first one but for those of -v.
        line = process.stderr.readline()
        while "debug: " in line:
            line = process.stderr.readline()
        self.assertIn("negotiator commands", line)
        return process
