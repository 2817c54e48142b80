#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""scripts/stencil: one command with the programs as its commands."""
import os
import pathlib
import re
import subprocess
import unittest

TOP = pathlib.Path(__file__).resolve().parents[2]
STENCIL = TOP / "scripts/stencil"
COMMANDS = ["run", "lint", "image", "ramdisk", "receive", "map", "metrics", "bench"]


def stencil(*arguments):
    done = subprocess.run([STENCIL, *arguments], capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False)
    return done.returncode, done.stdout, done.stderr


class Stencil(unittest.TestCase):
    def test_help_lists_the_commands(self):
        status, text, messages = stencil("--help")
        self.assertEqual((status, messages), (0, ""))
        self.assertEqual(re.findall(r"^  (\w+) +[a-z]", text, re.MULTILINE), COMMANDS)

    def test_each_command_has_its_name(self):
        for command in COMMANDS:
            with self.subTest(command=command):
                status, text, messages = stencil(command, "--help")
                self.assertEqual((status, messages), (0, ""))
                self.assertRegex(text, rf"^[Uu]sage: stencil {command}[ \n]")

    def test_wrong_usage_is_one_line_and_2(self):
        for command in ([], ["nonsense"], ["--nonsense"], ["run", "--nonsense"], ["run", "--report", "/none/report"], ["run", "--serial-out", "/none/out"],
                        ["image", "--nonsense"],
                        ["ramdisk", "--nonsense"], ["receive", "--nonsense"], ["map", "--nonsense"], ["bench", "--nonsense"], ["bench", "--boots", "0"]):
            with self.subTest(command=command):
                status, text, messages = stencil(*command)
                self.assertEqual((status, text, messages.count("\n")), (2, "", 1))
                self.assertRegex(messages, f"^stencil{' ' + command[0] if len(command) > 1 else ''}: .*--help")

    def test_what_a_command_returns_is_returned(self):
        self.assertEqual(stencil("receive", "/dev/null", "/nowhere"),
                         (3, "", "stencil receive: there is no file in this log\n"))

    def test_a_command_ends_at_a_closed_pipe(self):
        """As any program does, although Python ignores SIGPIPE."""
        reader, writer = os.pipe()
        os.close(reader)
        done = subprocess.run([STENCIL, "image", "--help"], stdout=writer, stderr=subprocess.PIPE, check=False)
        os.close(writer)
        self.assertEqual(done.stderr, b"")

    def test_each_command_has_the_version(self):
        version = (TOP / "VERSION").read_text(encoding="ascii").strip()
        for command in ([], *([command] for command in COMMANDS)):
            with self.subTest(command=command):
                status, text, messages = stencil(*command, "--version")
                self.assertEqual((status, messages), (0, ""))
                self.assertRegex(text, rf"^stencil {re.escape(version)}( \([0-9a-f]+(-dirty)?\))?\n$")


unittest.main()
