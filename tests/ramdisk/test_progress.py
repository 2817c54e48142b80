#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""guest-tools/progress.py, and the programs that use it, with a terminal and without."""
import io
import os
import pathlib
import pty
import subprocess
import sys
import tempfile
import unittest

TOP = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(TOP / "guest-tools"))
import progress  # pylint: disable=wrong-import-position

# Without the delay: a program, and the filter.
PROGRAM = ("import runpy, sys; sys.path.insert(0, sys.argv[1]); import progress; progress.DELAY = 0; "
           "sys.argv[:] = sys.argv[2:]; runpy.run_path(sys.argv[0], run_name='__main__')")
FILTER = "import sys; sys.path.insert(0, sys.argv.pop(1)); import progress; progress.DELAY = 0; progress.main()"


class Terminal(io.StringIO):
    def isatty(self):
        return True


class ProgressLine(unittest.TestCase):
    def line(self, stream, size, *steps):
        """What is written for steps of (seconds, bytes)."""
        now = 0.0
        with progress.Progress("x", size, stream, lambda: now) as shown:
            for now, done in steps:
                shown.add(done)
        return stream.getvalue()

    def test_only_a_terminal_has_it(self):
        self.assertEqual(self.line(io.StringIO(), 4 << 20, (9, 2 << 20)), "")

    def test_short_work_has_none(self):
        self.assertEqual(self.line(Terminal(), 4 << 20, (0.5, 2 << 20), (0.9, 2 << 20)), "")

    def test_it_is_replaced_and_disappears(self):
        self.assertEqual(self.line(Terminal(), 4 << 20, (1.5, 1 << 20), (1.6, 1 << 20), (2, 1 << 20)),
                         "\rx: 25 % of 4 MiB\x1b[K\rx: 75 % of 4 MiB\x1b[K\r\x1b[K")

    def test_an_unknown_size(self):
        self.assertEqual(self.line(Terminal(), 0, (2, 3 << 20)), "\rx: 3 MiB\x1b[K\r\x1b[K")


class Programs(unittest.TestCase):
    def setUp(self):
        work = tempfile.TemporaryDirectory()
        self.addCleanup(work.cleanup)
        self.work = pathlib.Path(work.name)

    def on_terminal(self, code, *arguments, **options):
        """What a program writes to standard output, and to a terminal that is its standard error."""
        main, terminal = pty.openpty()
        done = subprocess.run([sys.executable, "-B", "-c", code, TOP / "guest-tools", *arguments], stderr=terminal,
                              stdout=subprocess.PIPE, check=False, **options)
        os.close(terminal)
        with open(main, "rb", buffering=0) as file:
            try:
                return done.stdout, file.read(4096)
            except OSError:  # the end, of a terminal without a line
                return done.stdout, b""

    def test_ramdisk(self):
        (self.work / "files").mkdir()
        (self.work / "files/a").write_bytes(bytes(3 << 20))
        shown = self.on_terminal(PROGRAM, TOP / "guest-tools/mkramdisk", self.work / "files", self.work / "archive")[1]
        self.assertTrue(shown.startswith(b"\rstencil ramdisk: 33 % of 3 MiB\x1b[K"), shown)

    def test_receive(self):
        (self.work / "log").write_bytes((2 << 20) // 8 * b"a: line\n")
        shown = self.on_terminal(PROGRAM, TOP / "guest-tools/receive", self.work / "log", self.work / "out")[1]
        self.assertTrue(shown.startswith(b"\rstencil receive: 0 % of 2 MiB\x1b[K"), shown)
        self.assertTrue(shown.endswith(b"\r\x1b[Kstencil receive: there is no file in this log\r\n"), shown)

    def test_the_filter(self):
        data = os.urandom(2 << 20)
        copied, shown = self.on_terminal(FILTER, "name", str(4 << 20), input=data)
        self.assertEqual(copied, data)
        self.assertTrue(shown.startswith(b"\rname: "), shown)


if __name__ == "__main__":
    unittest.main()
