#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""scripts/bench.py without an emulator: what it makes of consoles, and of runs that fail."""
import contextlib
import io
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest
from unittest import mock

TOP = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("STENCIL_BUILD", TOP / "build"))
sys.path.insert(0, str(TOP / "scripts"))
import bench  # pylint: disable=wrong-import-position

PAYLOADS = "tests/bench/bench.elf", "tests/bench/bench_clone.elf", "tests/guest/hello.elf", "tests/guest/job.elf"
STENCIL = """\
bench entry_to_guest 940000
t-0: bench clone 4000\r
bench reset_base 1000
bench reset_base 1100
bench reset_base 3000
bench reset_pages 2701
"""
KVM = """\
bench clone 546000
bench clone 546001
bench reset_base 120584
bench reset_pages 142463
bench pio_in_kernel 1222
bench clone_pooled 9000
"""


def fake_boot(make, typed=(), mitigations="off", **_):
    """Consoles as a run of 'make' has them, by what its configuration says."""
    with tempfile.TemporaryDirectory() as folder:
        make(pathlib.Path(folder))
        config = pathlib.Path(folder, "stencil.conf").read_text()
    text = STENCIL.replace("bench clone 4000", "bench clone 4007") if mitigations == "all" else STENCIL
    if "-log debug" in config:
        text += "bench hypervisor_bytes 7000\nbench unpack 9000000\n"
    if "name=read" in config:
        n = 2 if "read=256" in config else 1
        text += "".join(f"VM t-{i}: private memory 8 KiB, tables included; {n + 40} exits\n" for i in range(31))
    if "vmlinuz" in config:
        n = 300 if "precopy" in config else 600
        text += "bench linux_boot 300\n"
        text += "".join(f"VM t-{i}: private memory 8 KiB, tables included; {n + i} exits\n" for i in range(3))
    if "life=4000" in config:
        text += "t-2000: clone 2000 lives at 1000\nt-4000: clone 4000 lives at 10001000\n"
    if typed:
        text += "".join(f"frames: {n} of 9999 free, of 4 KiB each\r\n" for n in (9000, 8968, 8776))
    if "map t" in config:
        text += "bench map_job 41000\n" + 'stencil: map: {"job": 0, "private_kib": 28}\n' * 64
    if "vm t -m 1G" in config:
        text += f"bench vm_memory 78000\nbench parse_config {10000 * (2 + config.count('unused'))}\n"
    names = [name for name in bench.FIGURES if f"bench {name} " not in text and name not in
             ("hypervisor_bytes", "unpack", "template_read_exits", "clone_bytes_run", "clone_bytes_parked",
              "map_job", "map_job_bytes", "vm_start_1g", "parse_object", "reset_page", "efi_bytes", "pio_in_kernel",
              "clone_pooled", "linux_exits", "linux_exits_precopy", "linux_boot_ratio", "clone_life_1", "clone_life_2",
              "clone_life_4", "clone_life_8")]
    return text + "".join(f"bench {name} 5\n" for name in names)


class Bench(unittest.TestCase):
    def run_main(self, *arguments, boot=fake_boot, kvm=lambda: KVM):
        """Status, output, messages and JSON of scripts/bench with these consoles."""
        with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as stack:
            build = pathlib.Path(folder)
            for name in PAYLOADS:
                (build / name).parent.mkdir(parents=True, exist_ok=True)
                (build / name).touch()
            (build / "BOOTX64.EFI").write_bytes(bytes(100))
            out, err = io.StringIO(), io.StringIO()
            for name, value in {"build": lambda: None, "boot": boot, "boot_kvm": kvm, "linux_files": lambda _: None,
                                "boot_linux": lambda: "bench linux_boot 400\n"}.items():
                stack.enter_context(mock.patch.object(bench, name, value))
            stack.enter_context(mock.patch.object(bench, "BUILD", build))
            stack.enter_context(mock.patch("sys.argv", ["bench", "--boots", "2", "--json",
                                                        f"{folder}/json", *arguments]))
            stack.enter_context(contextlib.redirect_stdout(out))
            stack.enter_context(contextlib.redirect_stderr(err))
            with self.assertRaises(SystemExit) as ending:
                bench.main()
            results = json.loads(pathlib.Path(folder, "json").read_text())
        return ending.exception.code, out.getvalue(), err.getvalue(), results

    def test_both_are_side_by_side(self):
        status, output, messages, results = self.run_main()
        self.assertEqual((status, messages), (0, ""))
        self.assertRegex(output, r"(?m)^clone +4000 +4007 +546000 +136\.5  <= 1000 ")
        self.assertRegex(output, r"(?m)^pio_in_kernel +- +- +1222 +-  ")
        self.assertRegex(output, r"(?m)^efi_bytes +100 +- +- +-  ")
        self.assertEqual(results["kvm_clone"],
                         {"unit": "instructions", "n": 2, "min": 546000, "median": 546000, "max": 546001})
        self.assertEqual(results["efi_bytes"]["unit"], "bytes")
        self.assertEqual(results["hypervisor_bytes"]["unit"], "bytes")
        self.assertEqual(results["unpack"]["median"], 9000000)

    def test_a_linux_is_beside_the_machine_alone_and_the_first_clone_left_out(self):
        _, output, _, results = self.run_main()
        self.assertRegex(output, r"(?m)^linux_boot_ratio +75 +- +- +-  ")
        self.assertEqual(results["linux_exits"], {"unit": "exits", "n": 2, "min": 601, "median": 601, "max": 602})
        self.assertEqual(results["linux_exits_precopy"]["median"], 301)
        self.assertEqual(results["linux_boot_ratio"]["unit"], "percent")

    def test_plots_of_what_was_measured(self):
        with tempfile.TemporaryDirectory() as folder:
            self.run_main("--no-kvm", "--plot", f"{folder}/plots")
            pictures = {path.name: path.read_text() for path in pathlib.Path(folder, "plots").iterdir()}
        self.assertEqual(sorted(pictures), ["clone.svg", "exits.svg", "memory.svg", "revert.svg"])
        self.assertIn("by the pages written", pictures["revert.svg"])
        for text in pictures.values():
            self.assertIn(">Stencil", text)
            self.assertNotIn("KVM", text)

    def test_lives_are_counted_a_processor(self):
        _, output, _, results = self.run_main()
        self.assertRegex(output, r"(?m)^clone_life_1 +200 +- +- +-  ")
        self.assertRegex(output, r"(?m)^clone_life_8 +25 +- +- +-  ")
        self.assertEqual(results["clone_life_2"], {"unit": "clones", "n": 1, "min": 100, "median": 100, "max": 100})

    def test_a_row_for_each_figure_in_order(self):
        _, output, _, results = self.run_main()
        rows = [line.split()[0] for line in output.splitlines()[1:]]
        self.assertEqual(rows, list(bench.FIGURES))
        ours = [name for name in results if not name.startswith(("kvm_", "guarded_"))]
        self.assertEqual(ours, [name for name in bench.FIGURES if name not in
                                ("pio_in_kernel", "clone_pooled")])

    def test_the_start_is_that_of_the_small_boots(self):
        _, _, _, results = self.run_main()
        self.assertEqual(results["entry_to_guest"]["n"], 2)
        self.assertEqual(results["hypervisor_bytes"]["n"], 1)

    def test_a_page_is_a_share_of_what_is_beyond_the_base(self):
        _, _, _, results = self.run_main()
        self.assertEqual(results["reset_page"]["median"], 101)  # (2701 - 1100) / 16, rounded up
        self.assertEqual(results["kvm_reset_page"]["median"], 1368)

    def test_exits_of_reading_are_compared_by_clone(self):
        _, _, _, results = self.run_main()
        self.assertEqual(results["template_read_exits"],
                         {"unit": "exits", "n": 31, "min": 1, "median": 1, "max": 1})
        self.assertEqual(results["parse_object"]["median"], 10000)

    def test_a_figure_nobody_knows_is_shown_last(self):
        status, output, _, _ = self.run_main(kvm=lambda: KVM + "bench zebra 7\n")
        self.assertEqual(status, 0)
        self.assertRegex(output, r"\nzebra +- +- +7 +-\n$")

    def test_a_failed_peer_costs_its_own_figures_only(self):
        def fail():
            raise bench.Failure("no such kernel")
        status, output, messages, results = self.run_main(kvm=fail)
        self.assertEqual((status, messages), (1, "stencil bench: KVM: no such kernel\n"))
        self.assertRegex(output, r"(?m)^clone +4000 +4007 +- +-  <= 1000 ")
        self.assertIn("clone", results)
        self.assertNotIn("kvm_clone", results)

    def test_no_kvm_leaves_it_out(self):
        def fail():
            raise bench.Failure("was asked for")
        status, _, messages, results = self.run_main("--no-kvm", kvm=fail)
        self.assertEqual((status, messages), (0, ""))
        self.assertNotIn("kvm_clone", results)

    def test_a_failed_run_is_named_and_so_is_what_is_missing(self):
        def boot(make, typed=(), **how):
            text = fake_boot(make, typed, **how)
            if "exits\n" in text:
                raise bench.Failure("status 1, last on the console: x")
            return text.replace("bench msr_exit", "bench_msr_exit")
        status, output, messages, _ = self.run_main(boot=boot)
        self.assertEqual(status, 1)
        self.assertEqual(messages.splitlines()[0],
                         "stencil bench: template_read_exits: status 1, last on the console: x")
        self.assertEqual(messages.splitlines()[-1],
                         "stencil bench: not measured: template_read_exits, msr_exit, linux_exits, linux_exits_precopy, "
                         "linux_boot_ratio")
        self.assertRegex(output, r"(?m)^cpuid_exit +5 ")

    def test_a_start_that_fails_says_what_came_last(self):
        def run(command, **_):
            console = command[command.index("--serial-out") + 1]
            console.write_text("one\n  two\r\n\n")
            return subprocess.Popen(["sh", "-c", "exit 3"], stdin=subprocess.PIPE)
        with tempfile.TemporaryDirectory() as folder, mock.patch.object(bench, "popen", run):
            with self.assertRaisesRegex(bench.Failure, "^status 3, last on the console: two$"):
                bench.start(pathlib.Path(folder), [], 1)

    def test_ratios(self):
        for ours, theirs, text in [(4, 10, "2.5"), (0, 0, "1"), (0, 3, "none"), (None, 3, "-"),
                                   (3, None, "-")]:
            self.assertEqual(bench.ratio(ours, theirs), text)


class KvmBench(unittest.TestCase):
    """The micro-VMM as far as it goes without KVM."""

    def kvm_bench(self, *arguments):
        done = subprocess.run([BUILD / "tests/bench/kvm_bench", *arguments], capture_output=True,
                              text=True, check=False)
        return done.returncode, done.stdout, done.stderr

    def test_is_static(self):
        for program in "kvm_bench", "vsock_echo":
            done = subprocess.run(["readelf", "-l", BUILD / "tests/bench" / program], text=True,
                                  capture_output=True, check=True)
            self.assertNotIn("INTERP", done.stdout)

    def test_says_how_it_is_used(self):
        self.assertEqual(self.kvm_bench(), (2, "", "kvm_bench: usage: kvm_bench TEMPLATE\n"))

    def test_says_what_it_cannot_make(self):
        self.assertEqual(self.kvm_bench("/nowhere/t"),
                         (1, "", "kvm_bench: /nowhere/t: No such file or directory\n"))


if __name__ == "__main__":
    unittest.main()
