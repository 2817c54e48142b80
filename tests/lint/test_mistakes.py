# SPDX-License-Identifier: BSD-2-Clause
"""Make each mistake of mistakes.toml, and compare all that stencil-lint says."""
import os
import pathlib
import struct
import subprocess
import tempfile
import tomllib
import unittest

HERE = pathlib.Path(__file__).resolve().parent
LINT = pathlib.Path(os.environ.get("STENCIL_BUILD", HERE.parents[1] / "build")) / "stencil-lint"
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


class Mistakes(unittest.TestCase):
    maxDiff = None

    def test_each_mistake_is_explained(self):
        mistakes = tomllib.loads((HERE / "mistakes.toml").read_text(encoding="utf-8"))["mistake"]
        with tempfile.TemporaryDirectory() as name:
            root = pathlib.Path(name)
            make_ramdisk(root / "ramdisk")
            for mistake in mistakes:
                with self.subTest(name=mistake["name"]):
                    self.assertEqual(lint(root, mistake["config"]), (mistake["status"], mistake["said"]))
                    self.compare_with_qemu(mistake)
        print(f"mistakes.toml: {len(mistakes)} mistakes")

    def compare_with_qemu(self, mistake):
        """Nothing that QEMU explains goes without an explanation, and the place is shown."""
        if "qemu" in mistake:
            self.assertIn("conf:", mistake["said"])
            self.assertIn("^\n", mistake["said"])


if __name__ == "__main__":
    unittest.main()
