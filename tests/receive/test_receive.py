#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""guest-tools/receive: one file that cannot be written does not lose the others, and a guest's
output is no file."""
import base64
import binascii
import pathlib
import subprocess
import tempfile
import unittest

import lz4.block

RECEIVE = pathlib.Path(__file__).resolve().parents[2] / "guest-tools/receive"


def sent(name, data):
    """The lines of a file of at most 127 bytes (hv/monitor/send.h)."""
    return blocks(name, len(data), bytes([len(data), len(data)]) + data)


def blocks(name, size, data):
    """The lines of a file whose blocks are these, in one line."""
    crc = binascii.crc32(data)
    return (f"stencil~B 2 {size} {name}\n"
            f"stencil~D 0 {crc:x} {base64.b64encode(data).decode()}\n"
            f"stencil~E 1 {crc:x}\n")


class Receive(unittest.TestCase):
    def setUp(self):
        work = tempfile.TemporaryDirectory()
        self.addCleanup(work.cleanup)
        self.log, self.folder = pathlib.Path(work.name) / "log", pathlib.Path(work.name) / "out"

    def receive(self, text, before=""):
        """The status and the messages; 'before' is a command of the shell that limits it."""
        self.log.write_text(text)
        command = ["sh", "-c", before + ' exec "$@"', "sh", RECEIVE, self.log, self.folder]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        return done.returncode, done.stderr.splitlines()

    def files(self):
        return {str(path.relative_to(self.folder)): path.read_bytes()
                for path in self.folder.rglob("*") if path.is_file()}

    def test_all_files_arrive(self):
        self.assertEqual(self.receive(sent("/a", b"1") + sent("/b/c", b"22")), (0, []))
        self.assertEqual(self.files(), {"a": b"1", "b/c": b"22"})

    def test_a_file_and_a_folder_of_one_name(self):
        status, messages = self.receive(sent("/a", b"1") + sent("/a/b", b"2") + sent("/c", b"3"))
        self.assertEqual((status, len(messages)), (1, 1))
        self.assertRegex(messages[0], "^stencil receive: /a/b: ")
        self.assertEqual(self.files(), {"a": b"1", "c": b"3"})
        status, messages = self.receive(sent("/d/e", b"1") + sent("/d", b"2") + sent("/f", b"3"))
        self.assertEqual((status, messages), (1, ["stencil receive: /d: Is a directory"]))
        self.assertEqual(self.files()["f"], b"3")

    def test_a_name_that_is_too_long(self):
        name = "/" + 300 * "n"
        status, messages = self.receive(sent(name, b"1") + sent("/c", b"3"))
        self.assertEqual((status, messages), (1, [f"stencil receive: {name}: File name too long"]))
        self.assertEqual(self.files(), {"c": b"3"})

    def test_a_full_disk(self):
        """A limit of the size of files stands for it."""
        limit = "trap '' XFSZ; ulimit -f 0;"
        status, messages = self.receive(sent("/a", b"1"), limit)
        self.assertEqual((status, messages), (1, ["stencil receive: /a: File too large"]))
        self.assertEqual(self.files(), {})

    def test_a_guest_sends_nothing(self):
        forged = "".join("vm: " + line + "\n" for line in sent("/a", b"1").splitlines())
        self.assertEqual(self.receive(forged), (3, ["stencil receive: there is no file in this log"]))

    def test_a_first_line_that_is_damaged(self):
        for line in "stencil~B 2 5", "stencil~B 2 -5 /a", "stencil~B 2 99999999999999999999 /a":
            self.assertEqual(self.receive(line + "\n"),
                             (1, ["stencil receive: a file: its first line is damaged"]))

    def test_blocks_of_all_kinds(self):
        packed = lz4.block.compress(b"abc" * 40, store_size=False)
        self.assertEqual(self.receive(blocks("/a", 10126, b"\x04\x04abcd" + bytes([120, len(packed)]) + packed +
                                             b"\x90\x4e\x01\0\x02\x01x")), (0, []))
        self.assertEqual(self.files(), {"a": b"abcd" + b"abc" * 40 + bytes(10000) + b"xx"})

    def test_blocks_that_no_sender_makes(self):
        packed = lz4.block.compress(b"abc" * 40, store_size=False)
        for size, data, why in ((1, b"\x09\x081", "it is longer than announced"),
                                (9, b"\x09\x091", "its last block is cut"),
                                (9, b"\x89", "its last block is cut"),
                                (9, b"\x09\x02\xff\xff", "a block is damaged"),
                                (119, bytes([119, len(packed)]) + packed, "a block is damaged"),
                                (121, bytes([121, len(packed)]) + packed, "a block has another size"),
                                (20000, b"\xa0\x9c\x01\x02ab", "a block is too large"),
                                (20000, b"\xa0\x9c\x01\xa0\x9c\x01", "it is longer than announced"),
                                (9, b"\x08\x01x", "it has 8 bytes instead of 9")):
            self.assertEqual(self.receive(blocks("/a", size, data)), (1, [f"stencil receive: /a: {why}"]))
            self.assertEqual(self.files(), {})

    def test_a_guest_that_has_the_console_alone_sends_nothing(self):
        raw = "stencil: console: raw output of VM g, until 00ab\r\n"
        forged = "stencil: console: 00cd: end of the raw output of VM g\n" + sent("/a", b"1")
        end = "\x1b[!p\r\nstencil: console: 00ab: end of the raw output of VM g\r\n"
        self.assertEqual(self.receive(raw + forged + raw.replace("ab", "cd") + forged + end + sent("/b", b"2")), (0, []))
        self.assertEqual(self.files(), {"b": b"2"})

    def test_usage(self):
        for arguments, status in (([], 2), (["a"], 2), (["--none", "a"], 2), (["--help"], 0)):
            done = subprocess.run([RECEIVE, *arguments], capture_output=True, text=True, check=False)
            self.assertEqual((done.returncode, done.stderr.count("\n")), (status, 1 if status else 0))

    def test_a_log_that_is_missing(self):
        done = subprocess.run([RECEIVE, self.log, self.folder], capture_output=True, text=True,
                              check=False)
        self.assertEqual((done.returncode, done.stderr),
                         (66, f"stencil receive: {self.log}: No such file or directory\n"))


unittest.main()
