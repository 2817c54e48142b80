#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""cmake --install: the command stencil and its documents work from anywhere, without the source tree."""
import filecmp
import gzip
import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import unittest

TOP = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("STENCIL_BUILD", TOP / "build"))
COMMANDS = ["run", "lint", "image", "ramdisk", "receive", "map", "metrics", "bench"]
CONFIG = "vm hello -m 16M -kernel /hello.elf -device isa-debug-exit,iobase=0xf4,iosize=4\n"


class Install(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        cls.prefix, cls.work = pathlib.Path(folder.name) / "usr", pathlib.Path(folder.name) / "work"
        subprocess.run(["cmake", "--install", BUILD, "--prefix", cls.prefix], check=True, stdout=subprocess.DEVNULL)
        (cls.work / "files").mkdir(parents=True)
        shutil.copy(cls.prefix / "lib/stencil/tests/guest/hello.elf", cls.work / "files")
        (cls.work / "conf").write_text(CONFIG)

    def execute(self, command, messages=subprocess.PIPE):
        environment = {"PATH": f"{self.prefix}/bin:/usr/sbin:/usr/bin:/sbin:/bin"}
        done = subprocess.run(command, cwd=self.work, env=environment, stdout=subprocess.PIPE, stderr=messages, text=True,
                              stdin=subprocess.DEVNULL, check=False)
        return done.returncode, done.stdout, done.stderr

    def stencil(self, *arguments):
        return self.execute(["stencil", *arguments])

    def succeed(self, *arguments):
        status, text, messages = self.stencil(*arguments)
        self.assertEqual((status, messages), (0, ""))
        return text

    def test_help_and_version(self):
        self.assertEqual(re.findall(r"^  (\w+) +[a-z]", self.succeed("--help"), re.MULTILINE), COMMANDS)
        self.assertEqual(self.succeed("--version"),
                         f"stencil {(self.prefix / 'lib/stencil/version').read_text()}")
        for command in COMMANDS:
            self.assertEqual(self.succeed(command, "--version"), self.succeed("--version"))
        version = (TOP / "VERSION").read_text().strip()
        self.assertTrue(self.succeed("--version").startswith(f"stencil {version}"))

    def test_lint(self):
        self.assertEqual(self.succeed("lint", "--ramdisk", "files", "conf"), "")
        status, _, messages = self.stencil("lint", "conf")
        self.assertEqual(status, 1)
        self.assertIn("could not open kernel file '/hello.elf'", messages)

    def test_image_and_ramdisk(self):
        self.succeed("ramdisk", "files", "archive")
        self.succeed("image", "--config", "conf", "--ramdisk", "archive", "--output", "disk")
        subprocess.run([TOP / "scripts/mkimage", "--efi", BUILD / "BOOTX64.EFI", "--config", "conf", "--ramdisk",
                        "archive", "--output", "expected"], cwd=self.work, check=True)
        main, terminal = os.openpty()  # where progress is shown
        status = self.execute(["stencil", "image", "--config", "conf", "--ramdisk", "archive", "--output", "shown"], terminal)[0]
        os.close(terminal)
        os.close(main)
        self.assertEqual(status, 0)
        for name in "disk", "shown":
            self.assertTrue(filecmp.cmp(self.work / name, self.work / "expected", shallow=False), name)
        status, _, messages = self.stencil("image", "--config", "conf", "--output", "none")
        self.assertEqual(status, 1)
        self.assertIn("conf: no image of a configuration that would be refused", messages)

    def test_run(self):
        """QEMU without VMX shows that the boot comes as far as Stencil."""
        status, text, messages = self.stencil("run", "--host", "qemu", "--ramdisk", "files", "conf")
        self.assertIn(status, (0, 4), messages)
        self.assertRegex(text, r"(?m)^stencil: end: (ok|no vmx)\r?$")

    def test_run_refuses_what_needs_the_source(self):
        for arguments in ([], ["--no-build", "conf"], ["--host", "nested", "conf"]):
            with self.subTest(arguments=arguments):
                status, _, messages = self.stencil("run", *arguments)
                self.assertEqual((status, messages.count("\n")), (2, 1))
        self.assertNotIn("--no-kvm", self.succeed("bench", "--help"))

    def test_the_bench_has_its_guests(self):
        for name in "bench/bench", "bench/bench_clone", "guest/hello":
            self.assertTrue((self.prefix / f"lib/stencil/tests/{name}.elf").is_file())

    def test_receive(self):
        (self.work / "log").write_text("nothing\n")
        self.assertEqual(self.stencil("receive", "log", "out"),
                         (3, "", "stencil receive: there is no file in this log\n"))

    def test_map(self):
        """All that a map needs comes with the installation, without a compiler; QEMU without VMX shows that its run starts."""
        (self.work / "root/bin").mkdir(parents=True)
        shutil.copy("/bin/busybox", self.work / "root/bin/sh")
        (self.work / "jobs").write_text("echo out\n")
        kernel = subprocess.run([TOP / "scripts/fetch-kernel"], check=True, stdout=subprocess.PIPE, text=True).stdout.strip()
        status, text, messages = self.stencil("map", "--host", "qemu", "--kernel", kernel, "root", "jobs", "results")
        if status == 0:
            self.assertEqual((self.work / "results/t-0/stdout").read_text(), "out\n")
        else:
            self.assertEqual((status, text), (3, "stencil map: 1 jobs: 0 exited with 0, 0 ended otherwise, 1 are lost\n"))
            self.assertIn("the jobs 0 to 0 are lost: stencil: error: no VT-x", messages)

    def test_metrics(self):
        self.assertEqual(self.stencil("metrics", "none"), (1, "", "stencil metrics: none: [Errno 2] No such file or directory\n"))

    def complete(self, *words):
        script = ('. "$1/share/bash-completion/completions/stencil"; shift\n'
                  'COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))\n'
                  '_stencil "$1"; printf "%s\\n" "${COMPREPLY[@]}"')
        status, text, messages = self.execute(["bash", "-c", script, "bash", self.prefix, *words])
        self.assertEqual((status, messages), (0, ""))
        return text.split()

    def test_completion(self):
        self.assertEqual(self.complete("stencil", "r"), ["run", "ramdisk", "receive"])
        self.assertEqual(self.complete("stencil", "--v"), ["--version"])
        self.assertEqual(self.complete("stencil", "run", "--ra"), ["--ramdisk"])
        self.assertEqual(self.complete("stencil", "lint", "--p"), ["--phys-bits"])
        self.assertEqual(self.complete("stencil", "image", "--em"), ["--embed"])
        self.assertEqual(self.complete("stencil", "run", "--host", "q"), ["qemu"])
        self.assertIn("corei7_haswell_4770", self.complete("stencil", "run", "--cpu-model", "corei7"))
        self.assertEqual(self.complete("stencil", "lint", "co"), ["conf"])
        self.assertEqual(self.complete("stencil", "run", "--ramdisk", "fi"), ["files"])

    def test_manual(self):
        pages = {"stencil": self.succeed("--help")}
        pages |= {f"stencil-{command}": self.succeed(command, "--help") for command in COMMANDS}
        for page, text in pages.items():
            with self.subTest(page=page):
                path = self.prefix / f"share/man/man1/{page}.1.gz"
                self.assertIn(b".SH SYNOPSIS", gzip.decompress(path.read_bytes()))
                environment = dict(os.environ, MANROFFSEQ="", MANWIDTH="80", LC_ALL="C.UTF-8")
                done = subprocess.run(["man", "--warnings", "--local-file", path], env=environment, check=True,
                                      capture_output=True, text=True)
                self.assertEqual(done.stderr, "")
                self.assertRegex(done.stdout, rf"NAME\n +{page} +- +[a-z]")
                for option in re.findall(r"^ +(?:-\S, )?(--[a-z-]+)", text, re.MULTILINE):
                    self.assertIn(option, done.stdout.replace("\u2010\n", ""))

    def test_nothing_refers_to_the_source_tree(self):
        for path in self.prefix.rglob("*"):
            if path.is_file():
                for folder in TOP, BUILD:
                    self.assertFalse(str(folder).encode() + b"/" in path.read_bytes(), path)

    def test_links_of_documents(self):
        """A link in an installed document leads to another one."""
        folder = self.prefix / "share/doc/stencil"
        for path in [folder / "README.md", *folder.glob("docs/*.md")]:
            for link in re.findall(r"\]\(([^)#:]+)[^):]*\)", path.read_text()):
                if link not in ("LICENSE", "CONTRIBUTING.md", "../CONTRIBUTING.md"):
                    self.assertTrue((path.parent / link).exists(), f"{path.name}: {link}")


if __name__ == "__main__":
    unittest.main()
