# SPDX-License-Identifier: BSD-2-Clause
"""The real gdb debugs the hosted machine of machine.h: t, with two processors, and its clones t-0 to t-2."""
import gzip
import os
import pathlib
import signal
import subprocess
import tempfile
import time
import unittest

from relay import find_in_order

BUILD = pathlib.Path(os.environ["STENCIL_BUILD"])
SCRIPTS = pathlib.Path(__file__).resolve().parents[2] / "scripts"
SECONDS = 20

# The template, up to the clones: processes 2 to 4.
TO_CLONES = """
hbreak freezes
continue
delete
continue
attach 2
"""


class Debugger:
    """gdb with a list of commands, and the machine at the other end of a pipe."""

    def __init__(self, commands):
        # pylint: disable=consider-using-with
        self.folder = tempfile.TemporaryDirectory()
        self.log = pathlib.Path(self.folder.name, "log")
        serve = f"{BUILD}/tests/gdb_serve 2>{self.log}.part; echo status $? >>{self.log}.part; mv {self.log}.part {self.log}"
        script = pathlib.Path(self.folder.name, "script")
        script.write_text("set pagination off\nset confirm off\nset remotetimeout 30\n"
                          f"target extended-remote | {serve}\n{commands}")
        self.process = subprocess.Popen(
            ["gdb", "-nx", "-batch", "-x", script, BUILD / "tests/gdb_guest.elf"], stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)

    def end(self):
        """What gdb has said, and the machine's log."""
        try:
            text, _ = self.process.communicate(timeout=SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            text, _ = self.process.communicate()
        until = time.monotonic() + SECONDS
        while not self.log.exists() and time.monotonic() < until:
            time.sleep(0.05)
        log = self.log.read_text()
        self.folder.cleanup()
        return text, log


class Gdb(unittest.TestCase):
    def debug(self, commands, wanted):
        text, log = Debugger(commands).end()
        missing = find_in_order(text, wanted)
        self.assertIsNone(missing, f"gdb has not printed '{missing}' there:\n{text}\n{log}")
        self.assertIn("status 0", log, text)
        return log

    def test_processors_are_threads(self):
        self.debug("""
hbreak freezes
break second
info threads
continue
info threads
set scheduler-locking on
thread 2
continue
delete
stepi
stepi
print *(int *)&turns
print $pc == (long)&second
thread 1
print $pc == (long)&freezes
watch *(int *)&turns
thread 2
continue
""", ["CPU#0 of t", "CPU#1 of t", "hit Breakpoint 1", "Thread 1.2 (CPU#1 of t) ", "hit Breakpoint 2", "second ()",
      "$1 = 1", "$2 = 1", "$3 = 1", "Hardware watchpoint 3", "Old value = 1", "New value = 2"])

    def test_clones_are_inferiors(self):
        log = self.debug(TO_CLONES + """
info os processes
info threads
break waits
watch *(int *)&generation
continue
delete 3
continue
clone-inferior
inferior 2
attach 3
x/1bx &waits
print *(int *)&generation
info threads
inferior 1
x/1bx &waits
kill
inferior 2
delete
set $pc = ends
detach
""", ["(process 1) exited normally", "gdb        t-0 ", "t-1", "t-2", "CPU#0 of t-0", "CPU#1 of t-0",
      "Old value = 0", "New value = 1", "has_run ()", "hit Breakpoint 2", "waits ()",
      "<waits>:\t0x90", "$1 = 0", "CPU#1 of t-1", "<waits>:\t0x90", "(process 2) killed"])
        self.assertRegex(log, "VM t-0: ended: ended by the debugger")
        self.assertRegex(log, "VM t-1: ended: exited with 0")

    def test_a_revert_keeps_breakpoints(self):
        self.debug(TO_CLONES + """
break has_run
continue
set var *(int *)&generation = 7
print *(int *)&generation
set $pc = reverts
continue
print *(int *)&generation
x/1bx &has_run
delete
set var *(int *)&generation = 7
watch *(int *)&generation
set $pc = reverts
continue
""", ["hit Breakpoint 2", "$1 = 7", "hit Breakpoint 2", "has_run ()", "$2 = 1", "<has_run>:\t0x90",
      "Old value = 7", "New value = 1"])

    def test_a_reset_keeps_breakpoints(self):
        self.debug("""
break freezes
continue
hbreak second
set $pc = resets
set var *(int *)&seen = 7
continue
print *(int *)&seen
set scheduler-locking on
thread 2
continue
""", ["hit Breakpoint 1", "hit Breakpoint 1", "$1 = 0", "hit Breakpoint 2", "second ()"])

    def test_the_guests_own_traps(self):
        self.debug(TO_CLONES + """
break waits
print *(int *)(0x500 + 4 * 3)
continue
set $pc = traps
continue
print *(int *)(0x500 + 4 * 3)
print/x *(int *)&seen
delete
hbreak waits
set var *(int *)&seen = 0
set $pc = traps
continue
print *(int *)(0x500 + 4 * 3)
print/x *(int *)&seen
""", ["$1 = 0", "hit Breakpoint 2", "hit Breakpoint 2", "$2 = 1", "$3 = 0x1234", "hit Breakpoint 3",
      "$4 = 2", "$5 = 0x1234"])

    def test_rom_and_shared_memory(self):
        self.debug(TO_CLONES + """
set $rom = 0x100000000 + (long)&waits - (long)&header
set $shared = 0x120000000
break waits
set $pc = wide
continue
break *$rom
set $pc = $rom
stepi
continue
x/1bx $rom
python
try:
    gdb.execute("set var *(char *)$rom = 1")
except gdb.error as error:
    print(error)
end
set var *(char *)$shared = 0x90
set var *(char *)($shared + 1) = 0x90
break *($shared + 1)
set $pc = $shared
continue
x/1bx $pc
""", ["hit Breakpoint 2", "Breakpoint 3 at 0x1000000", "hit Breakpoint 3", ":\t0x90",
      "Cannot access memory at address 0x1000000", "hit Breakpoint 4, 0x0000000120000001", ":\t0x90"])

    def test_what_is_refused(self):
        self.debug(TO_CLONES + """
python
def refused(command):
    try:
        gdb.execute(command)
        print("accepted: " + command)
    except gdb.error as error:
        print("refused: " + str(error))
refused("set var $cr0 = 0")
refused("print *(int *)0x90000000")
refused("print *(int *)0x90000000 = 1")
for i in range(5):
    gdb.execute(f"hbreak *(long)&waits + {i}")
refused("continue")
gdb.execute("add-inferior")
gdb.execute("inferior 2")
refused("attach 99")
end
""", ["refused: Could not write register", "refused: Cannot access memory", "refused: Cannot access memory",
      "too many hardware breakpoints", "refused: ", "refused: Attaching to process 99 failed"])

    def test_ctrl_c(self):
        debugger = Debugger(TO_CLONES + "echo now\\n\ncontinue\nprint $pc\ncontinue\nkill\n")
        said = ""
        while "now" not in said:
            said += debugger.process.stdout.readline()
        for _ in range(2):
            time.sleep(0.4)
            debugger.process.send_signal(signal.SIGINT)
        text, log = debugger.end()
        self.assertIsNone(find_in_order(text, ["SIGINT", "$1 = ", "SIGINT", "(process 2) killed"]), text)
        self.assertIn("status 0", log)


class KernelSymbols(unittest.TestCase):
    """What scripts/kernel-symbols refuses; e2e_linux_revert uses what it makes."""

    def test_refusals(self):
        header = bytearray(1024)
        header[0x1f1] = 1  # the payload begins after so many sectors and one
        header[0x202:0x206] = b"HdrS"
        tables = bytearray(header)
        packed = gzip.compress(b"no tables") + bytes(4)
        tables[0x248:0x250] = (0).to_bytes(4, "little") + len(packed).to_bytes(4, "little")
        tables[1024:] = packed
        for content, message in ((b"text", "not a Linux kernel"), (header, "compressed in another way"),
                                 (tables, "has no names"), (None, "No such file")):
            with self.subTest(message), tempfile.TemporaryDirectory() as folder:
                kernel = pathlib.Path(folder, "vmlinuz")
                if content is not None:
                    kernel.write_bytes(content)
                done = subprocess.run([SCRIPTS / "kernel-symbols", kernel, kernel.with_name("out")], check=False,
                                      stderr=subprocess.PIPE, text=True)
                self.assertEqual(done.returncode, 1)
                self.assertRegex(done.stderr, f"^kernel-symbols: .*{message}.*\n$")


unittest.main()
