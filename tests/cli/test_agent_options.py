# SPDX-License-Identifier: MIT
"""agent-options: the agent's command line and configuration files, and each of their errors."""

import os
import re
import shutil
import socket
import subprocess
import sys
import unittest

from helpers import tap
from helpers.agent import ENVIRONMENT, NEGO_AGENT, AgentCase, run
from helpers.build import SOURCE_ROOT

QEMU_GA = shutil.which("qemu-ga", path="/usr/sbin:/usr/bin:/sbin:/bin")

METHODS = "(virtio-serial, isa-serial, unix-listen, vsock-listen, fd)"


class Options(AgentCase):
    def test_help(self):
        for option in ("-h", "--help"):
            result = run(option)
            self.assertEqual((result.returncode, result.stderr), (0, ""))
            self.assertTrue(result.stdout.startswith("Usage: nego-agent [-m METHOD -p PATH]"))

    def test_version_is_what_callers_of_qemu_ga_look_for(self):
        for option in ("-V", "--version"):
            result = run(option)
            self.assertEqual((result.returncode, result.stderr), (0, ""))
            self.assertRegex(result.stdout,
                             r"\AQEMU Guest Agent 10\.2\.2 \(nego-agent \d+\.\d+\.\d+\)\n\Z")

    def test_list_of_commands(self):
        for args in (["-b", "help"], ["-b", "?"], ["-a", "help"], ["--allow-rpcs=?"],
                     ["--blacklist", "help"]):
            result = run(*args)
            self.assertEqual((result.returncode, result.stderr), (0, ""))
            names = result.stdout.splitlines()
            self.assertIn("guest-ping", names)
            self.assertIn("negotiator-exec", names)
            self.assertEqual(len(names), len(set(names)))

    def test_wrong_options(self):
        for message, *args in (
                ("unknown option '-x', see --help", "-x"),
                ("unknown option '--nonsense', see --help", "--nonsense"),
                ("option '-p, --path' needs an argument", "-p"),
                ("option '-v, --verbose' takes no argument", "--verbose=1"),
                (f"option '-m, --method': unknown method 'tcp' {METHODS}", "-m", "tcp"),
                ("option '--channel': wrong channel 'x' (must be METHOD:PATH)", "--channel", "x"),
                (f"option '--channel': unknown method '' {METHODS}", "--channel", ":x"),
                ("option '-l, --logfile': the value is empty", "-l", ""),
                ("wrong 'path' (option -p): must specify a path for this channel (method "
                 "'unix-listen')", "-m", "unix-listen"),
                ("wrong 'path' (option -p): wrong vsock address '-1:1' (must be CID:PORT, two "
                 "numbers)", "-m", "vsock-listen", "-p", "-1:1"),
                ("wrong 'statedir' (option -t) '/nonexistent': No such file or directory",
                 "-t", "/nonexistent"),
                ("wrong 'statedir' (option -t) '/dev/null': Not a directory", "-t", "/dev/null"),
                ("failed to open the log file '/nonexistent/log': No such file or directory",
                 "-l", "/nonexistent/log"),
                ("failed to look at the descriptor 77: Bad file descriptor", "--channel", "fd:77"),
        ):
            with self.subTest(args):
                self.assert_fails(message, *args)

    def test_wrong_file(self):
        path = self.write("conf", "[general]\n\ndaemon=perhaps\n")
        message = f"{path}:3: 'daemon': wrong value 'perhaps' (must be true or false)"
        self.assert_fails(message, "-c", path)
        self.assert_fails(message, env={**ENVIRONMENT, "QGA_CONF": str(path)})
        path.write_text("[negotiator]\nguest_commands=/x\n")
        self.assert_fails(f"{path}:2: 'guest_commands': unknown key", "-c", path)
        self.assert_fails("failed to open the configuration file '/nonexistent': No such file or "
                          "directory", "-c", "/nonexistent")

    def test_nothing_to_serve(self):
        path = self.write("conf", "[negotiator]\nserve-qga=false\n")
        self.assert_fails("'serve-qga' is false, and no other channel is named",
                          "-c", path, "-m", "isa-serial")

    def test_output_that_cannot_be_written(self):
        for option in ("-h", "-V", "-D", "-bhelp"):
            with open("/dev/full", "w") as full:
                result = subprocess.run([NEGO_AGENT, option], env=ENVIRONMENT, stdout=full,
                                        stderr=subprocess.PIPE, text=True, check=False)
            self.assertEqual((result.returncode, result.stderr), (
                1, "nego-agent: failed to write to the standard output: No space left on device\n"))

    def test_warnings_are_logged(self):
        path = self.write("conf", "[general]\nnonsense=1\nblacklist=guest-exec\n[other]\nx=1\n")
        agent = self.start("-c", path, "-s", "x", "word", "-b", "guest-exec,guest-typo",
                           "-a", "guest-ping,negotiator-typo")
        agent.terminate()
        log = agent.stderr.read()
        self.assertEqual(agent.wait(), 0)
        for text in (f"{path}:2: the unknown key 'nonsense' is ignored",
                     f"{path}: the unknown group 'other' is ignored",
                     "the name 'blacklist' is old: use 'block-rpcs'",
                     "the argument 'word' is ignored",
                     "'block-rpcs' names 'guest-typo', which is no command",
                     "'allow-rpcs' names 'negotiator-typo', which is no command"):
            self.assertRegex(log, rf"(?m)^\d+\.\d{{6}}: warning: main: {re.escape(text)}$")
        self.assertNotIn("'guest-exec'", log)


class DumpConf(AgentCase):
    def dump(self, *args, env=None):
        result = run("-D", *args, env=env)
        self.assertEqual((result.returncode, result.stderr), (0, ""), args)
        return result.stdout

    def test_dump_is_a_configuration_file(self):
        path = self.write("conf", "[general]\nmethod=unix-listen\npath=/run/x y\nblock-rpcs=b,a\n"
                                  "[negotiator]\ncommands=read\nchannels=fd:3;unix-listen:/z\n"
                                  "vsock-peers=2;3\njobs=3\n")
        first = self.dump("-c", path, "-v", "-F", "-l", "/tmp/log")
        path.write_text(first)
        # Each reading of a list reverses it, here as in qemu-ga.
        self.assertEqual(self.dump("-c", path),
                         first.replace("block-rpcs=a,b", "block-rpcs=b,a"))

    def test_path_is_needed_for_a_dump_too(self):
        self.assert_fails("wrong 'path' (option -p): must specify a path for this channel (method "
                          "'vsock-listen')", "-D", "-m", "vsock-listen")

    def test_socket_activation_shows_no_path(self):
        result = run("-D", "-p", "/x", env={**ENVIRONMENT, "LISTEN_FDS": "1", "LISTEN_PID": "1"})
        self.assertIn("\npath=/x\n", result.stdout)  # not for this process

    def test_shipped_file_has_each_key_with_its_default(self):
        text = (SOURCE_ROOT / "data" / "agent.conf").read_text()
        self.assertEqual(self.dump("-c", self.write("shipped", text)), self.dump())
        # With each key given, but for those whose default is to be absent.
        given = re.sub(r"(?m)^#(?!(?:logfile|fsfreeze-hook)=)([a-z-]+=)", r"\1", text)
        self.assertEqual(self.dump("-c", self.write("given", given)), self.dump())
        keys = set(re.findall(r"(?m)^#?([a-z-]+)=", text))
        dumped = set(re.findall(r"(?m)^([a-z-]+)=", self.dump("-l", "/l", "-F")))
        self.assertEqual(keys, dumped)

    @unittest.skipIf(QEMU_GA is None, "there is no qemu-ga")
    def test_same_as_qemu_ga(self):
        """[general], but for allow-rpcs, which qemu-ga has since 8.1."""
        conf = self.write("conf", "[general]\nverbose=1\nblock-rpcs=x,y\nlogfile=/l\n")
        for args, environment in (
                ([], {}),
                (["-v", "-d", "-r"], {}),
                (["--verbose", "--daemonize", "--retry-path"], {}),
                (["-m", "isa-serial"], {}),
                (["--method=unix-listen", "--path", "/run/a b"], {}),
                (["-m", "vsock-listen", "-p", "4294967295:1234"], {}),
                (["-l", "/l", "-f/f", "-t", "/t"], {}),
                (["--logfile=/l", "--pidfile", "/f", "--statedir=/t"], {}),
                (["-F"], {}), (["-F/h"], {}), (["-F", "/h"], {}), (["--fsfreeze-hook=/h"], {}),
                (["-b", "a,b", "-b", "c"], {}), (["--blacklist", "a,b,"], {}),
                (["--block-rpcs=a,,b"], {}), (["-b", ""], {}), (["-b", ","], {}),
                (["-s", "x", "word", "-v"], {}), (["--", "-v"], {}),
                (["--verb", "--meth", "isa-serial"], {}), (["-vdr"], {}),
                (["-l", "a\\b\tc"], {}), (["-l", " /leading"], {}), (["-l", "ü"], {}),
                (["-b", "z"], {"QGA_CONF": str(conf)}),
                (["-l", "/m"], {"QGA_CONF": str(conf)}),
        ):
            with self.subTest(args):
                env = {**ENVIRONMENT, **environment}
                theirs = subprocess.run([QEMU_GA, "-D", *args], env=env, capture_output=True,
                                        text=True, check=True).stdout
                ours = self.dump(*args, env=env).partition("\n\n[negotiator]")[0]
                self.assertEqual(ours.replace("\nallow-rpcs=", "").rstrip(), theirs.rstrip())

    @unittest.skipIf(QEMU_GA is None, "there is no qemu-ga")
    def test_same_file_as_qemu_ga(self):
        """What it takes, is taken as it takes it; what it refuses, is refused."""
        for text in ("daemon=1\nverbose=true\n", "daemon = 1 \n verbose=0\n", "daemonize=1\n",
                     "logfile=/a\\sb\n", "logfile=\\tx\n", "logfile=\\x\n", "logfile[de]=/x\n",
                     "logfile=/a\nlogfile=/b\n", "path=/x;y\nblock-rpcs=a;b,c\n", "method=\n",
                     "block-rpcs=\n", "#comment\ndaemon=true\n\n;x\n", "verbose=TRUE\n",
                     "verbose=yes\n", "verbose=\n", "verbose=true # x\n", "daemon=1\r\n",
                     "retry-path=1\nfsfreeze-hook=/h x\n", "garbage\n", "blacklist=a,b\n",
                     "statedir=/t\n[general]\npidfile=/q\n", "[other]\ndaemon=1\n",
                     "method=isa-serial\npath=/dev/ttyS1\n"):
            with self.subTest(text):
                path = self.write("conf", "[general]\n" + text)
                env = {**ENVIRONMENT, "QGA_CONF": str(path)}
                theirs = subprocess.run([QEMU_GA, "-D"], env=env, capture_output=True, text=True,
                                        check=False)
                ours = run("-D", env=env)
                self.assertEqual(ours.returncode, theirs.returncode)
                self.assertEqual(ours.stdout.partition("\n\n[negotiator]")[0].replace(
                    "\nallow-rpcs=", "").rstrip(), theirs.stdout.rstrip())

    @unittest.skipIf(QEMU_GA is None, "there is no qemu-ga")
    def test_all_commands_of_qemu_ga(self):
        for option in ("-bhelp", "--block-rpcs=?"):
            theirs = subprocess.run([QEMU_GA, option], env=ENVIRONMENT, capture_output=True,
                                    text=True, check=True).stdout.split()
            ours = run(option).stdout.split()
            # That of Windows alone, which 7.2 names and refuses.
            self.assertEqual(set(theirs) - set(ours) - {"guest-get-devices"}, set())

    @unittest.skipIf(QEMU_GA is None, "there is no qemu-ga")
    def test_qemu_ga_reads_our_dump(self):
        path = self.write("conf", self.dump("-m", "isa-serial", "-v"))
        result = subprocess.run([QEMU_GA, "-D"], env={**ENVIRONMENT, "QGA_CONF": str(path)},
                                capture_output=True, text=True, check=True)
        self.assertIn("method=isa-serial\n", result.stdout)


class Activation(AgentCase):
    """LISTEN_FDS, with the variables set in the child, whose process id they name."""

    def command(self, count, *args):
        # The shell becomes the agent: $$ is the agent's process id.
        return ["sh", "-c", f'export LISTEN_PID=$$ LISTEN_FDS={count}; exec "$0" "$@"',
                NEGO_AGENT, *args]

    def listen(self, name, family=socket.AF_UNIX):
        listener = socket.socket(family, socket.SOCK_STREAM)
        self.addCleanup(listener.close)
        if family == socket.AF_UNIX:
            listener.bind(os.fspath(self.dir / name))
        listener.listen(4)
        return listener

    def spawn(self, count, listeners, *args):
        """Starts the agent with `listeners` as descriptors 3, 4, …"""
        # Duplicates beyond all targets first: a target may be another one's source.
        sources = [os.dup(listener.fileno()) for listener in listeners]
        actions = [(os.POSIX_SPAWN_DUP2, source, 100 + i) for i, source in enumerate(sources)]
        actions += [(os.POSIX_SPAWN_DUP2, 100 + i, 3 + i) for i in range(len(sources))]
        actions += [(os.POSIX_SPAWN_CLOSE, 100 + i) for i in range(len(sources))]
        reader, writer = os.pipe()
        actions += [(os.POSIX_SPAWN_DUP2, writer, 1), (os.POSIX_SPAWN_DUP2, writer, 2)]
        command = self.command(count, *args)
        pid = os.posix_spawn("/bin/sh", [os.fspath(word) for word in command], ENVIRONMENT,
                             file_actions=actions)
        os.close(writer)
        for source in sources:
            os.close(source)
        return pid, os.fdopen(reader)

    def ping(self, name):
        client = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        client.settimeout(30)
        with client:
            client.connect(os.fspath(self.dir / name))
            client.sendall(b'{"execute":"guest-ping"}')
            return client.recv(100)

    def test_one_and_several(self):
        for count in (1, 3):
            with self.subTest(count):
                names = [f"{count}-{i}" for i in range(count)]
                listeners = [self.listen(name) for name in names]
                pid, log = self.spawn(count, listeners, "-m", "isa-serial", "-p", "/nonexistent")
                for name in names:
                    self.assertEqual(self.ping(name), b'{"return": {}}\n')
                os.kill(pid, 15)
                with log:
                    self.assertNotIn("/nonexistent", log.read())
                self.assertEqual(os.waitpid(pid, 0)[1], 0)
                for name in names:
                    self.assertTrue((self.dir / name).exists())  # its maker's

    def assert_ends(self, message, count, listeners, *args):
        pid, log = self.spawn(count, listeners, *args)
        with log:
            self.assertEqual(log.read(), f"nego-agent: {message}\n")
        self.assertEqual(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), 1)

    def test_wrong_descriptor(self):
        # More are announced than there are.
        self.assert_ends("Socket activation failed: invalid file descriptor fd = 4: "
                         "Bad file descriptor", 2, [self.listen("a")])

    def test_wrong_family(self):
        self.assert_ends("unsupported listen fd type (descriptor 3): must be a unix or vsock "
                         "socket", 1, [self.listen("", socket.AF_INET)])

    def test_dump_shows_the_method_and_no_path(self):
        listener = self.listen("a")
        pid, log = self.spawn(1, [listener], "-D", "-m", "isa-serial", "-p", "/x")
        with log:
            self.assertIn("\nmethod=unix-listen\npidfile=", log.read())
        self.assertEqual(os.waitpid(pid, 0)[1], 0)


if __name__ == "__main__":
    sys.exit(tap.main())
