#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""scripts/scale.py: what it makes of the program's lines, and of a program that fails."""
import pathlib
import sys
import tempfile
import unittest

TOP = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(TOP / "scripts"))
import scale  # pylint: disable=wrong-import-position

NUMBERS = {f"locks_{machine}_{lock}": 0 for machine in scale.MACHINES for lock in scale.SHARED} | {
    "locks_64_1_vms": 800, "locks_64_1_node": 25, "locks_64_1_own": 9999, "node_locks_of_64_frames": 2, "records_of_a_tib_kib": 40968, "empty_512g_frames": 2,
    "sparse_64g_frames": 65536, "template_frames_of_100000_pages": 100500, "freeze_page_ps": 4000, "checksum_page_ps": 1000000,
    "free_page_ps": 30000, "life_of_10_ps": 2000000, "life_of_10000_ps": 3000000, "chain_frames_of_1000": 6000, "chain_free_ps": 500000, "copy_at_depth_1_ps": 600000,
    "copy_at_depth_1000_ps": 700000}


class Scale(unittest.TestCase):
    def test_large_machines_follow_from_what_was_measured(self):
        values = {name: (value, how) for name, value, how, _ in scale.rows(NUMBERS)}
        self.assertEqual(values["life_locks_64_1"], ("8.2", "counted"))
        self.assertEqual(values["life_locks_1_1"], ("0.0", "counted"))
        self.assertEqual(values["free_records"], ("40.0 MiB", "counted"))
        self.assertEqual(values["template_sparse"], ("8.0 KiB", "counted"))
        self.assertEqual(values["template_tables"], ("2.6 GiB", "computed"))
        self.assertEqual(values["template_freeze"], ("0.5 s", "computed"))
        self.assertEqual(values["template_checksum"], ("134.2 s", "computed"))
        self.assertEqual(values["life_of_10000"], ("3000 ns", "timed"))
        self.assertEqual(values["chain_memory"], ("24 KiB", "counted"))

    def test_a_lock_of_a_vm_is_not_shared(self):
        line, = (line for line in scale.table(NUMBERS) if line.startswith("life_locks_64_1 "))
        self.assertTrue(line.endswith("64 processors, 1 node: vms 8.0, node 0.2"))

    def program(self, text):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        path = pathlib.Path(folder.name, "program")
        path.write_text(f"#!/bin/sh\n{text}\n")
        path.chmod(0o700)
        return path

    def test_only_whole_lines_are_read(self):
        self.assertEqual(scale.read(self.program("echo 'scale a 12'; echo 'x scale b 1'; echo 'scale c x'")), {"a": 12})

    def test_a_program_that_fails_has_no_numbers(self):
        for text, why in ("echo too much >&2; exit 1", "too much"), ("echo scale a 1; exit 3", "status 3"):
            with self.assertRaisesRegex(scale.Failure, f"^program: {why}$"):
                scale.read(self.program(text))


if __name__ == "__main__":
    unittest.main()
