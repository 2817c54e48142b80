#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""scripts/run --report: the events of a run, from the hypervisor's own lines."""
import io
import json
import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "scripts"))
from console_lines import Report  # pylint: disable=wrong-import-position

COST = "VM {}: private memory {} KiB, tables included; {} exits"


def events(*lines, status=0, words="ok"):
    """The events of these lines, without their times, and the times."""
    file = io.StringIO()
    report = Report(file)
    for line in lines:
        report.take(line)
    report.end(status, words)
    found = [json.loads(line) for line in file.getvalue().splitlines()]
    return found, [event.pop("seconds") for event in found]


class ReportOfARun(unittest.TestCase):
    def test_vms_and_the_end(self):
        found, times = events("VM a: ended: exited with 0", COST.format("a", 172, 99),
                              "error: VM b: failed: halted for good: HLT with interrupts disabled",
                              "error: VM b: rax 0", COST.format("b", 64, 3), "1 of 2 VMs ended well",
                              status=1, words="vm failed")
        self.assertEqual(found, [
            {"event": "vm", "name": "a", "outcome": "ended", "reason": "exited with 0", "private_kib": 172, "exits": 99},
            {"event": "vm", "name": "b", "outcome": "failed",
             "reason": "halted for good: HLT with interrupts disabled", "private_kib": 64, "exits": 3},
            {"event": "end", "status": 1, "result": "vm failed", "vms": 2, "ended_well": 1}])
        self.assertEqual(times, sorted(times))

    def test_a_vm_without_a_cost(self):
        """With host -log warning the console has no figures."""
        self.assertEqual(events("error: VM b: failed: x")[0],
                         [{"event": "vm", "name": "b", "outcome": "failed", "reason": "x"},
                          {"event": "end", "status": 0, "result": "ok"}])

    def test_a_cost_of_a_vm_that_runs_is_no_end(self):
        self.assertEqual(len(events(COST.format("a", 1, 1))[0]), 1)

    def test_clones_that_are_only_counted(self):
        self.assertEqual(events("VM t: 20 of its clones have ended, 2 of them failed")[0][0],
                         {"event": "clones", "template": "t", "ended": 20, "failed": 2})
        self.assertEqual(events("VM t: 1 of its clones has ended, 0 of them failed")[0][0],
                         {"event": "clones", "template": "t", "ended": 1, "failed": 0})

    def test_jobs_of_a_map(self):
        self.assertEqual(events('map: {"job": 7, "name": "t-7", "end": "exit", "status": 0, "ms": 12}', 'map: {"job": 7',
                                "map: t: 50 jobs: 45 exit 0, 5 others")[0][:-1],
                         [{"event": "job", "job": 7, "name": "t-7", "end": "exit", "status": 0, "ms": 12}])

    def test_a_run_without_a_result(self):
        self.assertEqual(events(status=124, words=None)[0], [{"event": "end", "status": 124, "result": None}])

    def test_other_lines_are_none(self):
        self.assertEqual(len(events("VM a: is now a template with 1 KiB of private memory, tables included", "",
                                    "VM a b: ended: x", "xVM a: ended: x", "version: 1")[0]), 1)


if __name__ == "__main__":
    unittest.main()
