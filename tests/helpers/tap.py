# SPDX-License-Identifier: MIT
"""tap: runs a unittest module and reports each test in the Test Anything Protocol.

So that Meson, and scripts/check after it, counts test cases, not files.
"""

import signal
import sys
import time
import traceback
import unittest


class TapResult(unittest.TestResult):
    def __init__(self, stream):
        super().__init__()
        self._stream = stream
        self._count = 0
        self._started = 0.0

    def _print(self, text):
        self._stream.write(text + "\n")
        self._stream.flush()

    def plan(self, count):
        self._print(f"1..{count}")

    def _report(self, verdict, test, comment=""):
        self._count += 1
        name = test.id().removeprefix("__main__.").replace("#", "_")
        self._print(f"{verdict} {self._count} - {name}{comment}")

    def _report_failure(self, test, error):
        for line in "".join(traceback.format_exception(*error)).splitlines():
            self._print(f"# {line}")
        # What a test knows beyond its exception: the logs of the programs it ran.
        try:
            text = getattr(test, "diagnostics", str)()
        except Exception as failure:  # pylint: disable=broad-except
            text = f"no diagnostics: {failure!r}"
        for line in text.splitlines():
            self._print(f"#   {line}")
        self._report("not ok", test)

    def startTest(self, test):
        super().startTest(test)
        self._started = time.monotonic()

    def addSuccess(self, test):
        super().addSuccess(test)
        self._report("ok", test)
        self._print(f"# {time.monotonic() - self._started:.2f} s")

    def addFailure(self, test, err):
        super().addFailure(test, err)
        self._report_failure(test, err)

    def addError(self, test, err):
        super().addError(test, err)
        self._report_failure(test, err)

    def addSubTest(self, test, subtest, err):
        super().addSubTest(test, subtest, err)
        if err is not None:
            self._report_failure(subtest, err)

    def addSkip(self, test, reason):
        super().addSkip(test, reason)
        self._report("ok", test, f" # SKIP {reason}")


def main(module="__main__"):
    """To be called at the end of a test module; arguments select tests by name."""
    # Under nohup(1) it is ignored, and programs that are started inherit that.
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
    loader = unittest.defaultTestLoader
    names = sys.argv[1:]
    suite = (loader.loadTestsFromNames(names, sys.modules[module]) if names
             else loader.loadTestsFromModule(sys.modules[module]))
    result = TapResult(sys.stdout)
    suite.run(result)
    # At the end, since a failure outside a test (a fixture) is one more line.
    result.plan(result._count)
    return 0 if result.wasSuccessful() else 1
