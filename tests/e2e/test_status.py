#!/usr/bin/python3 -B
# SPDX-License-Identifier: BSD-2-Clause
"""The status page in Bochs, read from a frame buffer that is memory: test_status.py [--host nested] [FOLDER].

The operator makes a template and clones at the prompt, looks at the page, at one clone, and at the console again.
With FOLDER, the pictures are left there as PPM files. With --host nested the frame buffer is memory of a guest of
KVM, which is memory of Linux in Bochs: each of its lines is a page, wherever it lies."""
import argparse
import os
import pathlib
import re
import shutil
import struct
import subprocess
import sys
import tempfile
import time

TOP = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(TOP / "scripts"), str(TOP / "tests/boot")]
# pylint: disable=wrong-import-position
import screen_text
from type_in import type_in
from unattended import unattended

BUILD = pathlib.Path(os.environ.get("STENCIL_BUILD", TOP / "build"))
WIDTH = 800
MARK = struct.pack("<QQ", 0x6e656572637320aa, 0x72656d6720a5c35a)  # tests/boot/gremlin/screen.c
MARK_SIZE = 32
PAGE = 4096
MEMORY_MIN = 1 << 29  # the emulator's other regions are smaller
SECONDS = {"bochs": 120, "nested": 1800}  # until something is on the screen
CONFIG = b"host -screen status -check on\nvm one -m 16M -kernel /operated.elf -append every=64\n"


def child_of(process):
    """The emulator: the youngest descendant."""
    while True:
        children = [int(line.split()[0]) for line in
                    pathlib.Path(f"/proc/{process}/task/{process}/children").read_text(encoding="ascii").splitlines() if line]
        if not children:
            return process
        process = children[-1]


def find_lines(process):
    """Where in the emulator's memory each line of pixels is, and the screen's width and height."""
    lines, size = {}, None
    with open(f"/proc/{process}/maps", encoding="ascii") as maps, open(f"/proc/{process}/mem", "rb", 0) as memory:
        for region in maps:
            start, end = (int(number, 16) for number in region.split()[0].split("-"))
            for page in range(start, end, PAGE) if end - start >= MEMORY_MIN else ():
                memory.seek(page + PAGE - MARK_SIZE)
                mark = memory.read(MARK_SIZE)
                if mark.startswith(MARK):
                    width, height, y, _ = struct.unpack("<4L", mark[len(MARK):])
                    pitch = PAGE
                    while pitch < width * 4 + MARK_SIZE:
                        pitch *= 2
                    lines[y], size = page + PAGE - pitch, (width, height)
    return lines, size


class Screen:
    def __init__(self, process, folder, seconds):
        self.process, self.folder, self.seconds = process, folder, seconds
        self.lines, (self.width, self.height) = find_lines(process)
        self.glyphs = screen_text.load_font()

    def picture(self):
        pixels = bytearray()
        with open(f"/proc/{self.process}/mem", "rb", 0) as memory:
            for y in range(self.height):
                memory.seek(self.lines[y])
                pixels += memory.read(self.width * 4)
        rgb = bytearray(self.width * self.height * 3)
        for color in range(3):
            rgb[color::3] = pixels[2 - color::4]
        return screen_text.Picture(self.width, self.height, bytes(rgb))

    def wait_for(self, name, *expected):
        """Until each expression is found in the text."""
        deadline, missing = time.monotonic() + self.seconds, expected
        while missing:
            if time.monotonic() > deadline:
                raise AssertionError(f"{name}: not on the screen: {missing}\n{text}")
            time.sleep(0.2)
            picture = self.picture()
            text = "\n".join(row.rstrip() for row in screen_text.read_text(picture, self.glyphs).rows)
            missing = [regex for regex in expected if not re.search(regex, text, re.MULTILINE)]
        print(f"{name}:\n{text}")
        if self.folder:
            (self.folder / f"{name}.ppm").write_bytes(b"P6\n%d %d\n255\n" % (self.width, self.height) + picture.pixels)


def make_image(work):
    (work / "files").mkdir()
    shutil.copy(BUILD / "tests/guest/operated.elf", work / "files")
    (work / "conf").write_bytes(unattended(CONFIG))
    (work / "gremlin").write_text(f"ram-screen={WIDTH}", encoding="ascii")
    image, volume = work / "image", f"{work / 'image'}@@1M"
    for command in ([TOP / "guest-tools/mkramdisk", work / "files", work / "cpio"],
                    [TOP / "scripts/mkimage", "--unchecked", "--efi", BUILD / "BOOTX64.EFI", "--config", work / "conf",
                     "--ramdisk", work / "cpio", "--output", image],
                    ["mmove", "-i", volume, "::/EFI/BOOT/BOOTX64.EFI", "::/EFI/BOOT/STENCIL.EFI"],
                    ["mcopy", "-i", volume, BUILD / "tests/boot/gremlin/gremlin.efi", "::/EFI/BOOT/BOOTX64.EFI"],
                    ["mcopy", "-i", volume, work / "gremlin", "::/gremlin"]):
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return image


def operate(process, serial, folder, seconds):
    type_in([["^one: operated: tick", "\x01cfreeze one\n"], ["is now a template", "clone one 3\n"],
             ["^one-2: operated: tick", "vm one-1\nstop\n"]], process, serial)
    screen = Screen(child_of(process.pid), folder, seconds)
    screen.wait_for("page", r"^ Stencil \d.* up 0 d ", r"^ VMs: 2 running, 1 paused, 1 templates; 4 made",
                    r"^ Memory \[.*#.* free \d+ MiB$", r"^> one +template +\d+\.\d % +0 KiB +\d+ KiB +\d+$",
                    r"^    one-0 +running +\d+\.\d % +\d+ KiB +\d+ KiB +\d+$", r"^    one-1 +paused +0\.0 % ",
                    r"^- Console -+$", r"^\(stencil\) $|^one-.: operated: tick")
    process.stdin.write(b"\x01s\x1b[B\x1b[B\r")
    process.stdin.flush()
    screen.wait_for("one", r"^ one-1: paused$", r"^  template   one$", r"^    HLT +\d+$", r"^ Esc: back")
    process.stdin.write(b"qq")
    process.stdin.flush()
    screen.wait_for("console", r"(?s)\A(?!.*- Console -)(?!.*\) stop.*\) stop).*^\(stencil\)")
    process.stdin.write(b"\nscreen status\n")
    process.stdin.flush()
    screen.wait_for("end", r"^> +one-1 +paused ")
    process.stdin.write(b"quit\n")
    process.stdin.flush()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--host", choices=list(SECONDS), default="bochs", help="as of scripts/run")
    parser.add_argument("folder", nargs="?", type=pathlib.Path, help="where the pictures are left")
    options = parser.parse_args()
    seconds = SECONDS[options.host]
    with tempfile.TemporaryDirectory() as name:
        work = pathlib.Path(name)
        command = [TOP / "scripts/run", "--no-build", "--host", options.host, "--image", make_image(work),
                   "--serial-out", work / "serial", "--timeout", str(2 * seconds)]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL) as process:
            try:
                operate(process, work / "serial", options.folder, seconds)
            finally:
                process.stdin.close()
        text = (work / "serial").read_text(encoding="latin-1")
        print(text)
        if not re.search(r"memory: (\d+) frames free before the first VM, \1 after the last", text):
            raise AssertionError("the page has kept memory")
    return process.returncode


if __name__ == "__main__":
    sys.exit(main())
