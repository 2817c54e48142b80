#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""scripts/sbom: an SPDX document of the source and of the built programs with what others have put into them."""
import hashlib
import os
import pathlib
import re
import subprocess
import unittest

TOP = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("STENCIL_BUILD", TOP / "build"))


class Sbom(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        done = subprocess.run([TOP / "scripts/sbom"], check=True, capture_output=True, text=True)
        cls.text, cls.messages = done.stdout, done.stderr

    def values(self, tag):
        return re.findall(rf"(?m)^{tag}: (.*)$", self.text)

    def test_an_unknown_option_is_no_file(self):
        done = subprocess.run([TOP / "scripts/sbom", "--nonsense"], check=False, capture_output=True, text=True)
        self.assertEqual((done.returncode, done.stdout, done.stderr),
                         (2, "", "scripts/sbom: unknown option --nonsense (try --help)\n"))
        self.assertFalse(pathlib.Path("--nonsense").exists())

    def test_nothing_is_complained_of(self):
        self.assertEqual(self.messages, "")

    def test_all_that_is_related_is_there(self):
        known = self.values("SPDXID")
        self.assertEqual(len(known), len(set(known)))
        for relation in self.values("Relationship"):
            one, _, other = relation.split()
            self.assertIn(one, known)
            self.assertIn(other, known)

    def test_the_source_is_there(self):
        names = self.values("FileName")
        for name in "./hv/main.c", "./boot/main.c", "./docs/running.md":
            self.assertIn(name, names)
        self.assertEqual(set(self.values("LicenseInfoInFile")), {"BSD-2-Clause"})

    def test_the_programs_and_their_parts_are_there(self):
        self.assertEqual(self.values("PackageName"), ["BOOTX64.EFI", "fonts-spleen", "gnu-efi", "stencilctl", "libc6-dev"])
        self.assertEqual(self.values("PackageChecksum"),
                         [f"SHA256: {hashlib.sha256((BUILD / name).read_bytes()).hexdigest()}" for name in ("BOOTX64.EFI", "stencilctl")])
        self.assertTrue(all(re.match(r"\d", version) for version in self.values("PackageVersion")))


if __name__ == "__main__":
    unittest.main()
