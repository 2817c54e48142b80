# SPDX-License-Identifier: BSD-2-Clause
"""Boot BOOTX64-inject.EFI in Bochs."""
import os
import pathlib
import re
import subprocess
import sys
import tempfile

TOP = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("STENCIL_BUILD", TOP / "build"))
sys.path.insert(0, str(TOP / "scripts"))
from type_in import type_in  # pylint: disable=wrong-import-position
from unattended import unattended  # pylint: disable=wrong-import-position

VICTIM = 'vm victim -m 16M -kernel /victim.elf -device isa-debug-exit,iobase=0xf4,iosize=4 -append "windows=1"\n'


def boot(config, payloads, *options, typed=()):
    """The exit status and the console's lines; 'options' are those of scripts/run, 'typed' is for type_in()."""
    with tempfile.TemporaryDirectory(prefix="stencil-inject.") as folder:
        work = pathlib.Path(folder)
        ramdisk = work / "ramdisk"
        ramdisk.mkdir()
        for name in payloads:
            os.link(BUILD / f"tests/guest/{name}.elf", ramdisk / f"{name}.elf")
        with open(ramdisk / "pattern.bin", "wb") as output:
            subprocess.run([BUILD / "tests/guest/make_pattern", "0x10000"], stdout=output, check=True)
        (work / "stencil.conf").write_bytes(unattended((config + "\nhost -check on\n").encode()))
        subprocess.run([TOP / "guest-tools/mkramdisk", ramdisk, work / "ramdisk.cpio"], check=True)
        subprocess.run([TOP / "scripts/mkimage", "--unchecked", "--efi", BUILD / "tests/inject/BOOTX64-inject.EFI",
                        "--config", work / "stencil.conf", "--ramdisk", work / "ramdisk.cpio",
                        "--output", work / "disk.img"], check=True)
        with subprocess.Popen([TOP / "scripts/run", "--no-build", "--serial-out", work / "serial",
                               "--image", work / "disk.img", "--timeout", "400", *options],
                              stdin=subprocess.PIPE, stdout=subprocess.DEVNULL) as process:
            type_in(typed, process, work / "serial")
            process.stdin.close()
        status = process.returncode
        text = (work / "serial").read_bytes().decode("utf-8", "replace")
    return status, re.split(r"\r*\n", text)


def missing(patterns, lines):
    """Those that no line matches, in words."""
    return [f"missing: {pattern}" for pattern in patterns if not any(re.search(pattern, line) for line in lines)]


def judge(lines, wrong):
    """End the test."""
    if wrong:
        print(*lines, "", *wrong, sep="\n")
    sys.exit(1 if wrong else 0)
