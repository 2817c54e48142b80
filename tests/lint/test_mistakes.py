# SPDX-License-Identifier: BSD-2-Clause
"""Make each mistake of mistakes.toml, and compare all that stencil-lint says with the file, and with what QEMU says."""
import os
import pathlib
import shlex
import shutil
import struct
import subprocess
import tempfile
import tomllib
import unittest

HERE = pathlib.Path(__file__).resolve().parent
LINT = pathlib.Path(os.environ.get("STENCIL_BUILD", HERE.parents[1] / "build")) / "stencil-lint"
QEMU = "qemu-system-x86_64"
# Fields of a bzImage that takes 64 MiB from 16 MiB on: offset, format, value.
KERNEL = ((0x1f1, "B", 1), (0x1f4, "I", 256), (0x1fe, "H", 0xaa55), (0x200, "H", 0x6aeb), (0x202, "4s", b"HdrS"),
          (0x206, "H", 0x20f), (0x211, "B", 0x81), (0x22c, "I", 0x7fffffff), (0x230, "I", 2 << 20), (0x234, "B", 1),
          (0x236, "H", 0x7f), (0x238, "I", 2047), (0x258, "Q", 16 << 20), (0x260, "I", 64 << 20))


def make_ramdisk(folder):
    folder.mkdir()
    kernel = bytearray(0x1600)
    for at, form, value in KERNEL:
        struct.pack_into("<" + form, kernel, at, value)
    (folder / "vmlinux").write_bytes(kernel)
    (folder / "text").write_text("no kernel")
    (folder / "program").write_bytes(struct.pack("<4sBBB9xHHIQQQIHHHHHH", b"\x7fELF", 2, 1, 1, 2, 62, 1, 0x401000, 64,
                                                 0, 0, 64, 56, 1, 0, 0, 0).ljust(4096, b"\0"))
    with open(folder / "t.mem", "wb") as file:
        file.truncate(128 << 20)


def lint(root, config):
    """The status, and everything on standard error."""
    (root / "conf").write_text(config)
    done = subprocess.run([LINT, "--ramdisk", "ramdisk", "conf"], cwd=root, capture_output=True, text=True, check=False)
    return done.returncode, done.stderr


def qemu(root, config):
    """What QEMU says to the options of the configuration's only VM, without its own name."""
    line, = (line for line in config.splitlines() if line.startswith("vm "))
    words = [word.replace("mem-path=/", "mem-path=ramdisk/") for word in shlex.split(line)[2:]]
    words = ["ramdisk" + word if word.startswith("/") else word for word in words]
    done = subprocess.run([QEMU, "-display", "none", *words], cwd=root, capture_output=True, text=True, check=False, timeout=60)
    return done.stderr.replace("'ramdisk/", "'/").replace("pc-i440fx-7.2", "pc-i440fx-10.2")


def verdict(mistake):
    """How our words compare with QEMU's: the same ones, with or without more that helps; or as the file says, and why."""
    for judged in ("better", "equal"):
        if judged in mistake:
            return judged
    if not all(line in mistake["said"] for line in mistake["qemu"].strip().splitlines()):
        return "worse"
    return "better" if "      = " in mistake["said"] else "equal"


class Mistakes(unittest.TestCase):
    maxDiff = None

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = pathlib.Path(folder.name)
        make_ramdisk(self.root / "ramdisk")
        self.mistakes = tomllib.loads((HERE / "mistakes.toml").read_text(encoding="utf-8"))["mistake"]
        self.compared = [mistake for mistake in self.mistakes if "qemu" in mistake]

    def test_each_mistake_is_explained(self):
        for mistake in self.mistakes:
            with self.subTest(name=mistake["name"]):
                self.assertEqual(lint(self.root, mistake["config"]), (mistake["status"], mistake["said"]))

    def test_qemu_says_what_the_file_says(self):
        """What is in parentheses QEMU does not say. QEMU 7.2 does not know rom=: the words are 10.2's."""
        if not shutil.which(QEMU):
            self.skipTest(f"no {QEMU}")
        for mistake in self.compared:
            if mistake["qemu"].startswith("("):
                continue
            with self.subTest(name=mistake["name"]):
                said = qemu(self.root, mistake["config"])
                if "Invalid parameter 'rom'" not in said:
                    self.assertIn(mistake["qemu"].strip(), said)

    def test_none_is_worse_than_qemu_and_the_place_is_shown(self):
        counts = {"better": 0, "equal": 0}
        for mistake in self.compared:
            with self.subTest(name=mistake["name"]):
                self.assertIn("conf:", mistake["said"])
                self.assertIn("^\n", mistake["said"])
                counts[verdict(mistake)] += 1
        self.assertGreaterEqual(counts["better"], 25)
        print(f"{len(self.mistakes)} mistakes; of those that QEMU knows, {counts}")


if __name__ == "__main__":
    unittest.main()
