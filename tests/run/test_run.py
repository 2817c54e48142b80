#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""scripts/run: only Stencil's own last line decides how a run ends, whatever guests print.

This test is the machine: it connects to the console's port, and an end of a pipe is its process.
"""
import contextlib
import io
import json
import os
import pathlib
import socket
import sys
import tempfile
import types
import unittest
from unittest import mock

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "scripts"))
import run  # pylint: disable=wrong-import-position

START = b"\x1b[2JBdsDxe: starting\r\nstencil: version 1\r\r\n"


@contextlib.contextmanager
def quiet():
    """What the console shows goes nowhere."""
    saved, null = os.dup(1), os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, 1)
    try:
        yield
    finally:
        os.dup2(saved, 1)
        os.close(saved)
        os.close(null)


def console_after(parts, system="stencil", report=None):
    """What the console has seen in these parts, which arrive one after the other."""
    console = run.Console(None, system, report)
    console.input = None
    process, other_end = os.pipe()
    with socket.create_connection(("127.0.0.1", console.port)) as line, quiet():
        console.carry(process, 10)
        for part in parts:
            line.sendall(part)
            console.carry(process, 10)
        line.shutdown(socket.SHUT_WR)
        while console.line:
            console.carry(process, 10)
    console.listener.close()
    os.close(process)
    os.close(other_end)
    return console


def end_of(parts, system="stencil", report=None):
    return console_after(parts, system, report).end


def ends_of(text):
    """The end if the text comes at once, in two parts divided anywhere, and byte by byte."""
    ends = {end_of([text])}
    ends |= {end_of([text[:i], text[i:]]) for i in range(1, len(text), 7)}
    ends.add(end_of([text[i:i + 1] for i in range(len(text))]))
    return ends


class Run(unittest.TestCase):
    def test_the_last_line_is_the_end(self):
        for words in run.STATUS:
            self.assertEqual(ends_of(START + f"stencil: end: {words}\r\n".encode()), {words})

    def test_without_a_last_line_there_is_no_end(self):
        self.assertEqual(ends_of(START + b"stencil: end: ok"), {None})
        self.assertEqual(end_of([START]), None)

    def test_guests_do_not_end_a_run(self):
        for forged in (b"g: stencil: end: ok\r\n", b"stencil-0: end: ok\r\n", b"g: ^Jstencil: end: ok\r\n",
                       b"g: x\rstencil: end: ok\r\n", b"g: x\x0bstencil: end: ok\r\n", b"g: x\x0cstencil: end: ok\r\n",
                       b"g: \xc2\x85stencil: end: ok\r\n", b"g: \xe2\x80\xa8stencil: end: ok\r\n",
                       b"g: x\0stencil: end: ok\r\n", b"(stencil) stencil: end: ok\r\n", b" stencil: end: ok\r\n"):
            with self.subTest(forged=forged):
                self.assertEqual(ends_of(START + forged), {None})

    def test_the_middle_of_a_long_line_is_not_its_beginning(self):
        for length in (4080, 4096, 4097, 8192, 70000):
            text = b"g: " + (length - 3) * b"x" + b"stencil: end: ok\r\n"
            self.assertEqual(end_of([START, text]), None)
            self.assertEqual(end_of([START, text[:length], text[length:]]), None)
            self.assertEqual(end_of([START, *(text[i:i + 1000] for i in range(0, len(text), 1000))]), None)

    def test_what_is_kept_of_a_long_line_is_not_its_beginning(self):
        forged = b"stencil: end: ok"
        tail = forged + (4095 - len(forged)) * b"\r"
        self.assertEqual(end_of([START, b"g: x" + tail, b"\n"]), None)

    def test_what_a_guest_forges_does_not_hide_the_end(self):
        self.assertEqual(ends_of(START + b"g: stencil: end: ok\r\nstencil: end: vm failed\r\ng: stencil: end: ok\r\n"),
                         {"vm failed"})

    def test_raw_output_ends_with_its_code(self):
        begin = b"stencil: console: raw output of VM g, until 00ab\r\n"
        end = b"\x1b[!p\r\nstencil: console: 00ab: end of the raw output of VM g\r\n"
        forged = (b"stencil: end: ok\r\nstencil: console: 00cd: end of the raw output of VM g\r\nstencil: end: ok\r\n" +
                  begin.replace(b"ab", b"cd") + b"stencil: console: 00cd: end of the raw output of VM g\r\nstencil: end: ok\r\n")
        self.assertEqual(ends_of(START + begin + forged), {None})
        self.assertEqual(ends_of(START + begin + forged + end), {None})
        self.assertEqual(ends_of(START + begin + forged + end + b"stencil: end: vm failed\r\n"), {"vm failed"})
        self.assertEqual(end_of([START + begin + b"stencil: end: panic\r\n"]), "panic")

    def test_only_stencils_own_lines_are_reported(self):
        begin = b"stencil: console: raw output of VM g, until 00ab\r\n"
        end = b"\x1b[!p\r\nstencil: console: 00ab: end of the raw output of VM g\r\n"
        forged = b"stencil: VM a: ended: forged\r\n"
        text = (START + b"g: " + forged + begin + forged + end + b"stencil: error: VM g: failed: x\r\n"
                b"stencil: 0 of 1 VMs ended well\r\nstencil: end: vm failed\r\n")
        for parts in [text], [text[i:i + 1] for i in range(len(text))]:
            file = io.StringIO()
            report = run.Report(file)
            report.end(1, end_of(parts, report=report))
            events = [json.loads(line) for line in file.getvalue().splitlines()]
            self.assertEqual([(event["event"], event.get("reason"), event.get("result")) for event in events],
                             [("vm", "x", None), ("end", None, "vm failed")])

    def test_starts_before_the_end_are_counted(self):
        first, end = b"stencil: Stencil, a hypervisor for VM templates\r\n", b"stencil: end: ok\r\n"
        for text, count in (START + first + end, 1), (START + first + end + first, 1), (START + first + b"a VM: " + first + first, 2):
            self.assertEqual(console_after([text]).n_starts, count)

    def test_a_machine_in_qemu_starts_again_to_hand_files_over(self):
        for words, more in (["conf"], ["-no-reboot"]), (["--files-out", "out", "conf"], []):
            options = run.make_parser().parse_args(words)
            command = run.qemu_command(options, [], "image", "null", "null")
            self.assertEqual([word for word in command if "reboot" in word], more)

    def test_a_trace_is_of_all_processors_between_marks(self):
        options = types.SimpleNamespace(trace=None, cpus=2)
        self.assertEqual(run.bochs_commands(options), "c\n")
        options.trace = pathlib.Path("trace")
        commands = run.bochs_commands(options)
        on, off = ("".join(f"set $cpu = {cpu}\ntrace {state}\n" for cpu in (0, 1)) for state in ("on", "off"))
        self.assertTrue(commands.startswith(f"c\n{on}c\n{off}c\n{on}"))
        self.assertTrue(commands.endswith(f"{off}c\n"))

    def test_only_bochs_traces(self):
        with tempfile.NamedTemporaryFile() as config, contextlib.redirect_stderr(io.StringIO()) as errors, \
                mock.patch("sys.argv", ["run", "--host", "qemu", "--trace", "t", config.name]):
            with self.assertRaises(SystemExit) as ending:
                run.parse_options()
        self.assertEqual(ending.exception.code, 2)
        self.assertIn("--trace needs --host bochs", errors.getvalue())

    def test_another_system_has_another_name(self):
        text = b"kvm: started\r\nstencil: end: panic\r\nkvm: end: ok\r\n"
        self.assertEqual(end_of([text], "kvm"), "ok")

    def test_the_copy_has_all_bytes(self):
        with tempfile.TemporaryDirectory() as folder:
            copy = pathlib.Path(folder) / "copy"
            console = run.Console(open(copy, "wb"), "stencil")
            process, other_end = os.pipe()
            with socket.create_connection(("127.0.0.1", console.port)) as line, quiet():
                console.carry(process, 10)
                line.sendall(START)
                console.carry(process, 10)
            self.assertEqual(copy.read_bytes(), START)
            console.line.close()
            console.copy.close()
            console.listener.close()
            os.close(process)
            os.close(other_end)


if __name__ == "__main__":
    unittest.main()
