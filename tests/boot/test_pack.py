#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""boot/pack and boot/check-image without a boot: each thing that would make the image run wrongly is refused."""
import os
import pathlib
import random
import re
import shutil
import struct
import subprocess
import tempfile
import unittest

TOP = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("STENCIL_BUILD", TOP / "build"))
# Microsoft PE format: from the PE signature, and in a section's header.
DLL_CHARACTERISTICS, SECTION_SIZE = 24 + 70, 40
ADDRESS, OFFSET, FLAGS = 12, 20, 36


class Efi(bytearray):
    """An EFI file in which a test changes something."""

    def get(self, form, offset):
        return struct.unpack_from(form, self, offset)[0]

    def put(self, form, offset, value):
        struct.pack_into(form, self, offset, value)

    @property
    def pe(self):
        return self.get("<I", 60)

    def header(self, name):
        """Where the header of a section is."""
        return self.index(name.encode().ljust(8, b"\0"), self.pe)

    def content(self, name):
        return self.get("<I", self.header(name) + OFFSET)


class Packing(unittest.TestCase):
    def setUp(self):
        self.work = pathlib.Path(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, self.work)
        self.efi = Efi((BUILD / "BOOTX64.EFI").read_bytes())
        self.elf = bytearray((BUILD / "stencil.elf").read_bytes())

    def run_tool(self, tool, *arguments):
        return subprocess.run([TOP / "boot" / tool, *arguments], cwd=self.work, check=False, capture_output=True, text=True)

    def check(self):
        (self.work / "efi").write_bytes(self.efi)
        (self.work / "elf").write_bytes(self.elf)
        return self.run_tool("check-image", "nm", "objdump", "objcopy", "elf", "efi")

    def refuses(self, message):
        done = self.check()
        self.assertEqual(done.returncode, 1)
        self.assertIn(message, done.stderr)

    def pack(self, data):
        (self.work / "in").write_bytes(data)
        return self.run_tool("pack", "in", "out")

    def pack_refuses(self, data, message):
        done = self.pack(data)
        self.assertEqual(done.returncode, 1)
        self.assertIn(message, done.stderr)
        self.assertFalse((self.work / "out").exists())

    def symbol(self, name):
        text = subprocess.run(["nm", BUILD / "stencil.elf"], check=True, capture_output=True, text=True).stdout
        return int(re.search(rf"^(\w+) \w {name}$", text, re.MULTILINE)[1], 16)

    def elf_section(self, name):
        """Address and offset."""
        text = subprocess.run(["objdump", "-h", BUILD / "stencil.elf"], check=True, capture_output=True, text=True).stdout
        row = re.search(rf" {name} +\w+ +(\w+) +\w+ +(\w+)", text)
        return int(row[1], 16), int(row[2], 16)

    def test_the_image_is_taken(self):
        done = self.check()
        self.assertEqual((done.returncode, done.stderr), (0, ""))

    def test_the_same_image_gives_the_same_file(self):
        self.assertEqual(self.pack((BUILD / "stencil.pe").read_bytes()).returncode, 0)
        self.assertEqual((self.work / "out").read_bytes(), self.efi)

    def test_code_that_may_be_written(self):
        self.efi.put("<I", self.efi.header(".init") + FLAGS, 0xe0000020)
        self.refuses(".init is writable and executable")

    def test_data_that_may_be_executed(self):
        for name in ".initro", ".hv", ".packed":
            with self.subTest(name):
                offset = self.efi.header(name) + FLAGS
                flags = self.efi.get("<I", offset)
                self.efi.put("<I", offset, flags | 0x20000020)
                self.refuses(f"{name} has wrong flags")
                self.efi.put("<I", offset, flags)

    def test_two_sections_on_a_page(self):
        self.efi.put("<I", self.efi.header(".sbat") + ADDRESS, self.efi.get("<I", self.efi.header(".reloc") + ADDRESS) + 512)
        self.refuses(".sbat is not page-aligned")

    def test_sections_out_of_order(self):
        first, second = self.efi.header(".reloc"), self.efi.header(".sbat")
        one, two = self.efi[first:first + SECTION_SIZE], self.efi[second:second + SECTION_SIZE]
        self.efi[first:first + SECTION_SIZE], self.efi[second:second + SECTION_SIZE] = two, one
        self.refuses(".reloc is out of order")

    def test_no_nx_compat(self):
        self.efi.put("<H", self.efi.pe + DLL_CHARACTERISTICS, 0)
        self.refuses("NX_COMPAT is missing")

    def test_a_section_that_is_missing(self):
        (self.work / "whole").write_bytes(self.efi)
        for name in ".initro", ".sbat", ".packed":
            with self.subTest(name):
                subprocess.run(["objcopy", "--remove-section", name, "whole", "less"], cwd=self.work, check=True)
                self.efi = Efi((self.work / "less").read_bytes())
                self.refuses("the sections are .init")

    def test_bytes_that_were_not_linked(self):
        for name in ".init", ".initro", ".sbat":
            with self.subTest(name):
                self.efi[self.efi.content(name) + 100] ^= 1
                self.refuses("not what was linked")
                self.efi[self.efi.content(name) + 100] ^= 1

    def test_packed_bytes_that_are_damaged(self):
        start = self.efi.content(".packed")
        for offset in 0, 4, 8, len(self.efi) - start - 1000, len(self.efi) - start - 1:
            with self.subTest(offset):
                self.efi[start + offset] ^= 1
                self.refuses("")
                self.efi[start + offset] ^= 1

    def test_code_of_the_firmwares_time_that_calls_packed_code(self):
        for name in "processor_run", "ramdisk_open":  # in .text, and in .start
            with self.subTest(name):
                address, offset = self.elf_section(".init")
                place = self.symbol("efi_main")
                struct.pack_into("<Bi", self.elf, offset + place - address, 0xe8, self.symbol(name) - place - 5)
                self.refuses(f"refers to packed code: {name}")

    def test_a_constant_of_the_firmwares_time_that_points_to_packed_code(self):
        address, offset = self.elf_section(".initro")
        _, entries = self.elf_section(".rela")
        entry = next(at for at in range(entries, len(self.elf), 24)
                     if address <= struct.unpack_from("<Q", self.elf, at)[0] < address + 0x1000)
        struct.pack_into("<Q", self.elf, entry + 16, self.symbol("processor_run"))
        self.refuses("refers to packed code: pointer to")

    def test_an_undefined_symbol(self):
        subprocess.run(["gcc", "-c", "-x", "assembler", "-o", "object", "-"], cwd=self.work, check=True, input=b"call nothing\n")
        self.elf = (self.work / "object").read_bytes()
        self.refuses("undefined symbols: ")

    def test_what_is_not_packed(self):
        self.pack_refuses(b"MZ" + bytes(100), "not a PE file")
        self.pack_refuses(bytes(self.efi[:-1]) + b"x", "")
        done = self.run_tool("pack")
        self.assertEqual(done.returncode, 2)
        self.assertIn("pack IN OUT", done.stderr)
        self.assertEqual(self.run_tool("pack", "--help").returncode, 0)

    def test_a_stream_that_would_be_written_over(self):
        data = Efi((BUILD / "stencil.pe").read_bytes())
        start = data.content(".symbols")
        data[start:] = random.Random(1).randbytes(len(data) - start)
        # Memory ends with the section, not with its page: no byte is spare for a stream that is longer than what it becomes.
        size, address = struct.unpack_from("<II", data, data.header(".symbols") + 8)
        data.put("<I", data.pe + 24 + 56, address + size)
        self.pack_refuses(data, "cannot be unpacked in place")

    def test_a_section_in_front_of_what_is_packed(self):
        data = Efi((BUILD / "stencil.pe").read_bytes())
        data[data.header(".sbat")] = ord("x")
        self.pack_refuses(data, "the sections are not .init .initro .reloc .sbat")


unittest.main()
