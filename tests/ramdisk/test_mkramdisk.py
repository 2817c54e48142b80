#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""guest-tools/mkramdisk refuses what it cannot do in one line, and leaves no archive then."""
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

TOOLS = pathlib.Path(__file__).resolve().parent.parent.parent / "guest-tools"
MKRAMDISK = TOOLS / "mkramdisk"
sys.path.insert(0, str(TOOLS))
import newc  # pylint: disable=wrong-import-position


class Mkramdisk(unittest.TestCase):
    def setUp(self):
        work = tempfile.TemporaryDirectory()
        self.addCleanup(work.cleanup)
        self.folder, self.archive = pathlib.Path(work.name) / "files", pathlib.Path(work.name) / "out"
        self.folder.mkdir()
        (self.folder / "a").write_bytes(bytes(5000))

    def run_it(self, *arguments):
        done = subprocess.run([MKRAMDISK, *arguments], capture_output=True, text=True, check=False)
        return done.returncode, done.stderr

    def refused(self, status, message, *arguments):
        self.assertEqual(self.run_it(*arguments), (status, f"stencil ramdisk: {message}\n"))
        self.assertFalse(self.archive.exists())

    def test_a_file_has_its_place(self):
        self.assertEqual(self.run_it("--place", "a=4096", self.folder, self.archive), (0, ""))
        data = self.archive.read_bytes()
        self.assertTrue(data.startswith(b"070701"))
        header = data.index(b"a\0", 4000)
        self.assertLess(header, 4096)
        self.assertEqual(data[4096:4096 + 5000], bytes(5000))

    def test_names_to_place_must_exist(self):
        self.refused(1, f"--place typo: no such file in {self.folder}",
                     "--place", "typo=4096", self.folder, self.archive)
        for place in ("a", "a=3", "a=b"):
            self.refused(2, f"argument --place: invalid place value: '{place}' (try --help)",
                         "--place", place, self.folder, self.archive)

    def test_paths_that_are_not_there(self):
        missing = self.folder / "none"
        self.refused(1, f"{missing}: No such file or directory", missing, self.archive)
        self.refused(1, f"{missing}/x: No such file or directory", self.folder, missing / "x")
        self.refused(1, f"{self.folder}/a: Not a directory", self.folder / "a", self.archive)
        self.refused(1, f"{self.folder}: Is a directory", self.folder, self.folder)

    def test_a_link_to_nothing(self):
        (self.folder / "link").symlink_to("nowhere")
        self.refused(1, f"{self.folder}/link: No such file or directory", self.folder, self.archive)

    def test_usage(self):
        for arguments in ([], [self.folder], ["--nonsense", self.folder, self.archive]):
            status, message = self.run_it(*arguments)
            self.assertEqual((status, message.count("\n")), (2, 1))

    def test_holes_stay_holes(self):
        with open(self.folder / "a", "wb") as file:
            file.truncate(8 << 20)
            for at, text in ((0, b"first"), (3 << 20, b"middle"), ((8 << 20) - 4, b"last")):
                file.seek(at)
                file.write(text)
        self.assertEqual(self.run_it(self.folder, self.archive), (0, ""))
        data = self.archive.read_bytes()
        self.assertEqual(data[2 << 20:10 << 20], (self.folder / "a").read_bytes())
        self.assertLess(os.stat(self.archive).st_blocks * 512, 1 << 20)

    def test_a_file_beyond_the_format_is_told(self):
        size = (5 << 30) + 4
        with open(self.folder / "large", "wb") as file:
            file.truncate(size)
            file.seek(size - 4)
            file.write(b"last")
        status, message = self.run_it(self.folder, self.archive)
        self.assertEqual((status, message), (0, "stencil ramdisk: large: 4 GiB or more, which only Stencil reads from a "
                                                "cpio archive\n"))
        self.assertLess(os.stat(self.archive).st_blocks * 512, 1 << 20)
        with open(self.archive, "rb") as archive:
            entries = {entry.name: (entry.size, archive.tell()) for entry in newc.entries(archive)}
            self.assertEqual(entries["large"][0], size)
            self.assertEqual(entries["a"][0], 5000)
            archive.seek(entries["large"][1] + size - 4)
            self.assertEqual(archive.read(4), b"last")
            self.assertEqual(entries["large"][1] % (2 << 20), 0)

    def test_smaller_files_of_any_sum_are_for_all(self):
        names = [f"t.mem.{number}" for number in range(5)]
        for name in names:
            with open(self.folder / name, "wb") as file:
                file.truncate(1 << 30)
        self.assertEqual(self.run_it(self.folder, self.archive), (0, ""))
        self.assertGreater(self.archive.stat().st_size, 5 << 30)
        with open(self.archive, "rb") as archive:
            sizes = {entry.name: entry.size for entry in newc.entries(archive)}
        self.assertEqual([sizes[name] for name in names], [1 << 30] * 5)

    def test_the_name_of_fillers_is_reserved(self):
        (self.folder / ".fill").touch()
        self.refused(1, ".fill: this name is reserved for fillers", self.folder, self.archive)


unittest.main()
