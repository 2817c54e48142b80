#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""scripts/events.py: what it makes of a trace. The image's symbols and lines are those of this test."""
import pathlib
import sys
import tempfile
import unittest
from unittest import mock

TOP = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(TOP / "scripts"))
import events  # pylint: disable=wrong-import-position
import bench  # pylint: disable=wrong-import-position

BASE = 0x1e000000
SYMBOLS = {"vmx_resume": 0x1000, "vmx_exit": 0x1100, "vmx_exit_guarded": 0x1180, "template_vm_gone": 0x1200, "end_of_image": 0x9000}


def line_of(file, text):
    """The first line of a source that has this text."""
    lines = (TOP / file).read_text(encoding="utf-8").splitlines()
    return f"build/../{file}:{1 + next(i for i, line in enumerate(lines) if text in line)}"


INLINE = ["lock_acquire", "hv/lib/lock.h:41"]
SOURCES = {
    0x2000: [*INLINE, "lock_home", line_of("hv/vcpu/sched.c", "lock_acquire(&queue->lock)")],
    0x2010: [*INLINE, "memory_lock", line_of("hv/vm/vm.h", "lock_acquire(&vm->lock)")],
    0x2020: [*INLINE, "news_tell", line_of("hv/vm/news.c", "lock_acquire(&lock)")],
    0x2030: INLINE,  # a function of its own
    0x2040: ["vms_acquire", line_of("hv/vm/vm.h", "lock_acquire(&vms_lock)")],
    0x2050: ["lock_try", "hv/lib/lock.h:51", "send", line_of("hv/vm/output.c", "lock_try(&sending)") + " (discriminator 2)"],
    0x2060: ["vm_next_index", "hv/vm/vm.c:64"],
    0x2070: ["wrmsr", "hv/host/io.h:9", "send_command", "hv/host/apic.c:220"],
    0x2080: ["wrmsr", "hv/host/io.h:9", "host_apic_timer_set", "hv/host/apic.c:290"],
}


def output_of(*command, given=None):
    """nm, or addr2line."""
    if command[0] == "nm":
        return "".join(f"{address:016x} T {name}\n" for name, address in SYMBOLS.items())
    asked = [int(line, 16) for line in given.split()]
    return "".join(f"{address:#018x}\n" + "".join(f"{text}\n" for text in SOURCES.get(address, ["??", "??:0"])) for address in asked)


class Trace:
    """A trace in the making."""

    def __init__(self):
        self.text, self.tick = "Next at t=0\nc\n", 1000

    def begin(self):
        self.text += "(0) Magic breakpoint\nset $cpu = 0\ntrace on\nTracing enabled for CPU0\nc\n"
        return self

    def end(self):
        self.text += "(0) Magic breakpoint\nset $cpu = 0\ntrace off\nTracing disabled for CPU0\nc\n"
        return self

    def run(self, address, text, cpu=0):
        self.tick += 1
        self.text += f"({cpu}).[{self.tick}] [0x0000{address:08x}] 0008:{address:016x} (unk. ctxt): {text:25} ; f0\n"
        return self

    def host(self, address, text, cpu=0):
        return self.run(BASE + address, text, cpu)

    def exit(self):
        return self.host(0x1100, "push rdi").host(0x1040, "vmresume")

    def read(self):
        with tempfile.NamedTemporaryFile("w+") as file, mock.patch.object(events, "output_of", output_of):
            file.write(self.text)
            file.flush()
            return events.read_trace(file.name, "stencil.elf")


class Events(unittest.TestCase):
    def test_a_window_is_what_is_between_two_marks(self):
        trace = Trace().exit().begin().exit().exit().end().exit().begin().exit().end()
        self.assertEqual([window.counts["exits"] for window in trace.read()], [2, 1])

    def test_instructions_are_ticks(self):
        window, = Trace().begin().exit().run(0x400000, "nop").end().read()
        self.assertEqual(window.counts["instructions"], 2)

    def test_a_window_without_an_end_is_none(self):
        self.assertEqual(len(Trace().begin().exit().end().begin().exit().read()), 1)

    def test_a_trace_without_an_entry_is_refused(self):
        with self.assertRaisesRegex(events.Failure, "no VM entry"):
            Trace().begin().run(0x400000, "nop").end().read()

    def test_guests_instructions_do_not_count(self):
        window, = Trace().begin().exit().run(0x402000, "invept eax, xmmword ptr ss:[rbp-16]").end().read()
        self.assertEqual(window.counts["invept"], 0)

    def test_flushes_are_counted(self):
        trace = Trace().begin().exit().host(0x3000, "invept eax, xmmword ptr ss:[rbp-16]").host(0x3008, "invvpid eax, xmmword ptr ss:[rbp-16]")
        window, = trace.host(0x3000, "invept eax, xmmword ptr ss:[rbp-16]").end().read()
        self.assertEqual((window.counts["invept"], window.counts["invvpid"]), (2, 1))

    def test_an_interrupt_to_another_processor_is_a_command_of_the_apic(self):
        window, = Trace().begin().exit().host(0x2070, "wrmsr").host(0x2080, "wrmsr").end().read()
        self.assertEqual(window.counts["ipis"], 1)

    def test_locks_have_the_names_of_their_places(self):
        trace = Trace().begin().exit()
        for address in 0x2000, 0x2000, 0x2010, 0x2020:
            trace.host(address, "lock xadd dword ptr ds:[rdi], eax")
        trace.host(0x2050, "lock cmpxchg dword ptr ds:[rdi], edx").host(0x2060, "lock xadd dword ptr ds:[rdi], eax")
        window, = trace.host(0x2060, "xchg rax, rax").end().read()
        self.assertEqual(window.locks, {"a processor's queue": 2, "a VM's memory": 1, "news": 1, "the sender of output": 1})
        self.assertEqual((window.counts["locks"], window.counts["shared"], window.counts["atomics"]), (5, 2, 6))

    def test_a_function_of_its_own_is_named_by_the_processors_last_call(self):
        trace = Trace().begin().exit().host(0x2040, "call .+100").host(0x3000, "call .+8", cpu=1)
        window, = trace.host(0x2030, "lock xadd dword ptr ds:[rdi], eax").end().read()
        self.assertEqual(window.locks, {"the list of VMs": 1})

    def test_a_row_is_of_one_operation(self):
        trace = Trace().begin()
        for _ in range(4):
            trace.exit().host(0x2000, "lock xadd dword ptr ds:[rdi], eax")
        trace.host(0x1200, "push rbp").host(0x1200, "push rbp").host(0x2000, "lock xadd dword ptr ds:[rdi], eax")
        rows = bench.event_rows(["clone_life_4"], trace.end().read())
        header, row = events.table(rows)
        self.assertEqual(header.split(), list(events.COLUMNS))
        self.assertEqual(row.split()[:9], ["clone_life_4", "2", "0", "0", "0", "2.5", "0", "2.5", "-"])
        self.assertEqual(list(events.lock_lines(rows)), ["clone_life_4  a processor's queue 2.5"])


class Runs(unittest.TestCase):
    """scripts/bench --events without an emulator."""

    def rows(self, n_windows):
        def boot(make, trace, **_):  # by several threads
            with tempfile.TemporaryDirectory() as folder:
                work = pathlib.Path(folder)
                make(work)
                config = (work / "stencil.conf").read_text()
            made = Trace()
            for _ in range(n_windows if "append \"\"" in config else 1):
                made.begin().exit().host(0x1200, "push rbp").end()
            trace.write_text(made.text)
        with tempfile.TemporaryDirectory() as folder, mock.patch.object(bench, "BUILD", pathlib.Path(folder)), \
                mock.patch.object(bench, "boot", boot), mock.patch.object(events, "output_of", output_of):
            payload = pathlib.Path(folder, "tests/bench/bench_events.elf")
            payload.parent.mkdir(parents=True)
            payload.touch()
            return bench.measure_events()

    def test_each_row_is_measured(self):
        rows, failures = self.rows(5)
        self.assertEqual([row.name for row in rows], list(bench.EVENTS))
        self.assertEqual(failures, [])
        self.assertEqual([row.mean("exits") for row in rows], [0.5, 1, 1, 1 / 16, 1, 1, 1, 1 / 16])

    def test_a_run_without_its_windows_is_a_failure(self):
        rows, failures = self.rows(4)
        self.assertEqual([row.name for row in rows], list(bench.EVENTS)[5:])
        self.assertEqual(failures, ["pio_in: 4 windows in the trace instead of 5"])


if __name__ == "__main__":
    unittest.main()
