#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""cpack -G DEB: a Debian package that lintian accepts, with the files of cmake --install."""
import fcntl
import os
import pathlib
import subprocess
import tempfile
import unittest

TOP = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("STENCIL_BUILD", TOP / "build"))


def output(*command, **options):
    return subprocess.run(command, check=True, capture_output=True, text=True, **options).stdout


class Package(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        cls.work = pathlib.Path(folder.name)
        build = os.open(BUILD, os.O_RDONLY)
        fcntl.flock(build, fcntl.LOCK_EX)  # cpack calls ninja
        output("cpack", "-G", "DEB", "--config", BUILD / "CPackConfig.cmake", "-B", cls.work, cwd=cls.work)
        os.close(build)
        cls.package, = cls.work.glob("*.deb")

    def test_name(self):
        version = (TOP / "VERSION").read_text().strip()
        self.assertEqual(self.package.name, f"stencil_{version}_amd64.deb")

    def test_lintian(self):
        done = subprocess.run(["lintian", "--allow-root", "--fail-on", "error,warning", "--tag-display-limit", "0",
                               self.package], capture_output=True, text=True, check=False)
        self.assertEqual((done.returncode, done.stdout), (0, ""))

    def test_files(self):
        output("cmake", "--install", BUILD, "--prefix", self.work / "usr")
        installed = {path.relative_to(self.work).as_posix() for path in (self.work / "usr").rglob("*")
                     if not path.is_dir()}
        output("dpkg-deb", "-x", self.package, self.work / "root")
        packed = {path.relative_to(self.work / "root").as_posix() for path in (self.work / "root").rglob("*")
                  if not path.is_dir()}
        self.assertEqual(packed - installed, {"usr/share/doc/stencil/changelog.gz", "usr/share/lintian/overrides/stencil"})
        self.assertLess(installed, packed)
        self.assertLess({"usr/bin/stencil", "usr/share/man/man1/stencil-run.1.gz"}, packed)

    def test_it_depends_on_what_a_plain_command_needs(self):
        depends = output("dpkg-deb", "-f", self.package, "Depends")
        for name in "libc6", "libcjson1", "python3", "python3-lz4", "mtools", "fdisk":
            self.assertRegex(depends, rf"(^|, ){name}\b")


if __name__ == "__main__":
    unittest.main()
