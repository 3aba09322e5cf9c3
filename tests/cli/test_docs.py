#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What is said twice is compared: the manual pages with the programs and the tables in the code.

Arguments: the paths of the programs, nego-agent, nego-host and nego-hostd.
"""

import os
import pathlib
import re
import subprocess
import sys
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests"))

from helpers import tap  # noqa: E402

PROGRAMS = {pathlib.Path(path).name: path for path in sys.argv[1:]}
del sys.argv[1:]


def page(name):
    return (ROOT / "docs" / f"{name}.rst").read_text(encoding="utf-8")


def source(path):
    return (ROOT / path).read_text(encoding="utf-8")


def run(program, *arguments):
    """Standard output of a program that must succeed, without the machine's own settings."""
    environment = dict(os.environ, QGA_CONF="/dev/null")
    done = subprocess.run([PROGRAMS[program], *arguments], env=environment, check=True,
                          stdin=subprocess.DEVNULL, capture_output=True, text=True)
    return done.stdout


def options(text, start):
    """The long and short options that the lines of `text` which begin with `start` describe."""
    found = set()
    for line in text.splitlines():
        match = re.match(start + r"((?:-[\w-]+(?:[= \[]*<?[A-Z:]+>?\]?)?(?:, )?)+)", line)
        if match:
            found.update(re.findall(r"(?<![\w-])--?[a-zA-Z][\w-]*", match.group(1)))
    return found


def literals(text):
    """The definition terms of a page: ``x``, or several of them, on a line of their own."""
    found = set()
    for line in text.splitlines():
        if re.fullmatch(r"(?:``[^`]+``(?:, )?)+", line.strip()):
            found.update(re.findall(r"``([^`]+)``", line))
    return found


def section(text, title):
    """The part of a page below `title`, up to the next title of its level."""
    match = re.search(rf"^{title}\n(=+|-+)\n(.*?)(?=^[^\n]+\n\1?[=]{{4,}}\n|\Z)", text,
                      re.MULTILINE | re.DOTALL)
    assert match, title
    return match.group(2)


def limit(name):
    """The value of a limit of common/names.h."""
    text = re.sub(r"\\\n", "", source("common/names.h"))
    value = re.search(rf"^#define {name}\s+(.*?)\s*(?:/\*|$)", text, re.MULTILINE).group(1)
    return eval(re.sub(r"(\d)u(?:ll)?\b", r"\1", value), {})  # digits, shifts and products only


class AgentPage(unittest.TestCase):
    def test_options(self):
        helped = options(run("nego-agent", "--help"), r" {2,6}")
        described = options(section(page("nego-agent"), "OPTIONS"), "") - {"-s"}
        self.assertEqual(described, helped)

    def test_configuration_keys(self):
        dumped = set(re.findall(r"^([a-z-]+)=", run("nego-agent", "-D"), re.MULTILINE))
        text = section(page("nego-agent"), "CONFIGURATION")
        for key in dumped:
            self.assertIn(f"``{key}``", text)

    def test_own_keys_and_defaults(self):
        dump = run("nego-agent", "-D").split("[negotiator]")[1]
        text = section(page("nego-agent"), "CONFIGURATION")
        own = {key: value for key, value in re.findall(r"^([a-z-]+)=(.*)$", dump, re.MULTILINE)}
        self.assertEqual(literals(text), set(own))
        for key in ("jobs", "queued-jobs", "max-output", "kept-jobs", "kept-output",
                    "kept-seconds", "grace-seconds", "hook-seconds",
                    "exec-output"):
            self.assertRegex(text, rf"\b{own[key]}\b", key)

    def test_default_configuration_names_each_key(self):
        text = source("data/agent.conf")
        for key in re.findall(r"^([a-z-]+)=", run("nego-agent", "-D").split("[negotiator]")[1],
                              re.MULTILINE):
            self.assertRegex(text, rf"(?m)^#?{key}\s*=", key)

    def test_script_directories(self):
        dump = run("nego-agent", "-D")
        directories = re.search(r"^guest-commands=(.*)$", dump, re.MULTILINE).group(1).split(";")
        listed = re.findall(r"^\d\. ``(.*?)``", page("negotiator-commands"), re.MULTILINE)
        self.assertEqual(listed, directories)


class GuestPage(unittest.TestCase):
    def test_options(self):
        helped = options(run("nego-guest", "--help"), r" {2,6}")
        described = options(section(page("nego-guest"), "OPTIONS"), "")
        self.assertEqual(described, helped)

    def test_verbs(self):
        helped = run("nego-guest", "--help")
        verbs = re.search(r"^Verbs:\n(.*?)^Options", helped, re.MULTILINE | re.DOTALL).group(1)
        described = re.findall(r"^``([a-z]+)``", section(page("nego-guest"), "VERBS"), re.MULTILINE)
        self.assertEqual(described, re.findall(r"^  ([a-z]+)", verbs, re.MULTILINE))


class HostPage(unittest.TestCase):
    def test_options(self):
        helped = options(run("nego-host", "--help"), r" {2,6}")
        described = options(section(page("nego-host"), "OPTIONS"), "")
        self.assertEqual(described, helped)

    def test_verbs(self):
        helped = run("nego-host", "--help")
        verbs = re.search(r"^Verbs:\n(.*?)^Options", helped, re.MULTILINE | re.DOTALL).group(1)
        described = re.findall(r"^``([a-z]+)``", section(page("nego-host"), "VERBS"), re.MULTILINE)
        self.assertEqual(described, re.findall(r"^  ([a-z]+)", verbs, re.MULTILINE))


class PolicyPage(unittest.TestCase):
    def test_keys(self):
        table = re.search(r"keys\[N_KEYS\]\s*= \{(.*?)\};", source("host-client/hostd/rules-file.c"),
                          re.DOTALL).group(1)
        keys = set(re.findall(r"\"(\w+)\"", table))
        self.assertEqual(literals(section(page("negotiator-policy"), "RULES")), keys)

    def test_limits(self):
        text = re.sub(r"\s+", " ", page("negotiator-policy"))
        for name, said in (
                ("NEGO_RULES_FILES", "At most {} files of 256 KiB"),
                ("NEGO_RULES", "{:,} rules"),
                ("NEGO_RULES_NAME_BYTES", "1 to {} letters"),
                ("NEGO_RULES_PATTERNS", "{} patterns of one key"),
                ("NEGO_RULES_PATTERN_BYTES", "at most {} bytes"),
                ("NEGO_RULES_ARG_BYTES", "more than {:,} bytes")):
            self.assertIn(said.format(limit(name)), text, name)
        self.assertEqual(limit("NEGO_RULES_FILE_BYTES"), 256 << 10)


class HostdPage(unittest.TestCase):
    def test_options(self):
        helped = options(run("nego-hostd", "--help"), r" {2,6}")
        described = options(section(page("nego-hostd"), "OPTIONS"), "")
        self.assertEqual(described, helped)

    def test_configuration_keys(self):
        table = re.search(r"setters\[\] = \{(.*?)\n\};", source("host-client/hostd/settings-file.c"), re.DOTALL).group(1)
        keys = set(re.findall(r"\{ \"([a-z-]+)\"", table))
        self.assertEqual(literals(section(page("nego-hostd"), "CONFIGURATION")), keys)
        for key in keys:
            self.assertRegex(source("data/hostd.conf"), rf"(?m)^#{key}\s*=", key)

    def test_limits(self):
        text = re.sub(r"\s+", " ", page("nego-hostd"))
        for name, said in (
                ("NEGO_HOSTD_MESSAGE_TOKENS", "{:,} tokens"),
                ("NEGO_HOSTD_MESSAGE_DEPTH", "{} open brackets"),
                ("NEGO_SESSION_CONCURRENT", "{} calls are in flight"),
                ("NEGO_HOSTD_CALLS", "{:,} calls a second"),
                ("NEGO_HOSTD_CALLS_BURST", "and {:,} at once;"),
                ("NEGO_HOSTD_SYNCS", "{} synchronisation a second"),
                ("NEGO_HOSTD_SYNCS_BURST", "a second, and {} at once; one whose"),
                ("NEGO_HOSTD_RUNNING", "{} scripts run at a time"),
                ("NEGO_HOSTD_QUEUED", "and {} wait for their turn"),
                ("NEGO_NOTES", "{} notes of up to 4 KiB"),
                ("NEGO_HOSTD_LOG_BURST", "at most {} lines at once"),
                ("NEGO_HOSTD_LOG_S", "one in {} seconds"),
                ("NEGO_SCRIPT_GRACE_S", "SIGKILL {} seconds later")):
            self.assertIn(said.format(limit(name)), text, name)
        self.assertEqual(limit("NEGO_HOSTD_MESSAGE_BYTES"), 1 << 20)
        self.assertEqual(limit("NEGO_HOSTD_OUTPUT_BYTES"), 4 << 20)
        self.assertEqual(limit("NEGO_HOSTD_INPUT_BYTES"), 64 << 20)
        self.assertEqual(limit("NEGO_HOSTD_RETAINED_BYTES"), 16 << 20)
        self.assertEqual(limit("NEGO_NOTE_VALUE_BYTES"), 4 << 10)
        self.assertEqual(limit("NEGO_SYNC_ID_S"), 3600)


class CommandsPage(unittest.TestCase):
    def test_keys(self):
        table = re.search(r"setters\[\] = \{(.*?)\n\};", source("common/script-conf.c"),
                          re.DOTALL).group(1)
        keys = set(re.findall(r"\{ \"(\w+)\"", table))
        self.assertEqual(literals(section(page("negotiator-commands"), "THE KEY FILE")), keys)

    def test_built_in_commands(self):
        shipped = {path.stem for path in (ROOT / "commands").glob("*.conf")}
        self.assertEqual(literals(section(page("negotiator-commands"), "BUILT-IN COMMANDS")), shipped)

    def test_limits(self):
        text = page("negotiator-commands")
        for name, said in (
                ("NEGO_SCRIPT_NAME_BYTES", "at most {} characters"),
                ("NEGO_SCRIPT_ARGS", "At most {:,}, each"),
                ("NEGO_SCRIPT_TIMEOUT_S", "A script has {} seconds"),
                ("NEGO_SCRIPT_GRACE_S", "SIGKILL {} seconds later"),
                ("NEGO_SCRIPT_OUTPUT_MAX", "at most {}."),
                ("NEGO_SCRIPT_OUTPUT_BYTES", "Default: {}."),
                ("NEGO_SCRIPT_DESCRIPTION_BYTES", "at most {} bytes"),
                ("NEGO_JOBS_RUNNING", "1 to {}."),
                ("NEGO_SCRIPT_CONCURRENCY", "Default: {}.")):
            self.assertIn(said.format(limit(name)), re.sub(r"\s+", " ", text), name)
        self.assertEqual(limit("NEGO_SCRIPT_INPUT_BYTES"), 16 << 20)
        self.assertEqual(limit("NEGO_SCRIPT_ARG_BYTES"), 128 << 10)
        self.assertEqual(limit("NEGO_JOB_EXPIRY_S"), 10 * 60)
        self.assertIn("(at most 16 MiB)", text)
        self.assertIn("shorter than 128 KiB", text)
        self.assertIn("for 10 minutes", text)

    def test_never_admitted(self):
        text = source("common/script-env.c")
        names = re.findall(r'"([A-Z][A-Z0-9_]*)"',
                           re.search(r"never_names\[\].*?;.*?never_prefixes\[\].*?;", text,
                                     re.DOTALL).group(0))
        said = section(page("negotiator-commands"), "THE KEY FILE")
        for name in names:
            self.assertIn(f"``{name}``", said)

    def test_environment(self):
        text = source("common/script-env.c")
        path = re.search(r'STANDARD_PATH "(.*?)"', text).group(1)
        said = section(page("negotiator-commands"), "WHAT A SCRIPT GETS")
        self.assertIn(f"``{path}``", said)
        for name in set(re.findall(r'"([A-Z_]+)=', text)):
            self.assertIn(f"``{name}``", said)


class ProtocolPage(unittest.TestCase):
    def test_error_phrases(self):
        """Each phrase that the page promises is in the code."""
        code = "".join(path.read_text(encoding="utf-8")
                       for folder in ("common", "agent", "host-client") for path in (ROOT / folder).glob("**/*.[ch]"))
        code = re.sub(r'"\s*\n\s*"', "", code)
        code = re.sub(r'"\s*G_GUINT64_FORMAT\s*"', "u", code)
        phrases = (literals(section(page("protocol"), "NEGOTIATOR COMMANDS"))
                   | literals(section(page("protocol"), "THE REVERSE CHANNEL")))
        self.assertGreaterEqual(len(phrases), 7)
        for phrase in phrases:
            pattern = re.escape(phrase.rstrip(" …")).replace("'x'", "'%s'")
            pattern = re.sub(r"(limit|before)\\ N", r"\1\\ %u", pattern)
            # Not assertRegex(): it would print all of the code.
            self.assertTrue(re.search(pattern, code), phrase)

    def test_limits(self):
        text = re.sub(r"\s+", " ", page("protocol"))
        self.assertIn(f"{limit('NEGO_MESSAGE_BYTES_QGA') >> 20} MiB on the QGA channel", text)
        self.assertIn(f"{limit('NEGO_MESSAGE_BYTES_PORT') >> 20} MiB on the others", text)
        self.assertIn(f"{limit('NEGO_MESSAGE_TOKENS'):,} tokens", text)
        self.assertIn(f"{limit('NEGO_MESSAGE_DEPTH'):,} open brackets", text)
        self.assertIn(f"at most {limit('NEGO_SESSION_SYNC_WAIT_MS')} ms", text)
        self.assertIn(f"once {limit('NEGO_SESSION_QUEUE_BYTES') >> 10} KiB", text)
        self.assertIn(f"at most {limit('NEGO_ERROR_QUOTE_BYTES')} bytes of the input", text)
        self.assertEqual(limit("NEGO_REPLY_BYTES"), 1 << 20)
        self.assertIn(f"a window of {limit('NEGO_JOB_WINDOW_BYTES') >> 20} MiB a stream", text)
        self.assertIn(f"for {limit('NEGO_JOB_STALL_S')} seconds, the job", text)
        self.assertIn(f"most {limit('NEGO_JOB_INPUT_BYTES') >> 20} MiB waits for the script", text)
        self.assertIn(f"at most {limit('NEGO_FEEDS')} jobs at a time", text)


class Links(unittest.TestCase):
    def test_files_exist(self):
        for name in ("README.md", "CONTRIBUTING.md", "SECURITY.md", "NEWS.md", "docs/architecture.md"):
            text = source(name)
            for target in re.findall(r"\]\(([^)#:]+)\)", text):
                self.assertTrue((ROOT / name).parent.joinpath(target).exists(), f"{name}: {target}")

    def test_architecture_names_what_is_there(self):
        text = source("docs/architecture.md")
        for path in re.findall(r"`((?:agent|common|docs|data|scripts|host-client)/[\w.-]+)`", text):
            if not re.search(r"TOPIC|VERB|NAME", path):
                self.assertTrue((ROOT / path).exists(), path)


if __name__ == "__main__":
    sys.exit(tap.main())
