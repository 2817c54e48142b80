# SPDX-License-Identifier: BSD-2-Clause
"""gdb on COM2: a VM from before its first instruction to the freeze, then its clones."""
import contextlib
import os
import pathlib
import socket
import sys

from relay import find_in_order, run_gdb

# Without debug information: the commands name a variable's type.
ELF = pathlib.Path(os.environ["STENCIL_BUILD"]) / "tests/guest/clone.elf64"

# t is process 1, and its clones are 2 to 4.
COMMANDS = """
set pagination off
set confirm off
set remotetimeout 60
target extended-remote PORT
info threads
hbreak payload
continue
delete
continue
info os processes
attach 2
break report
watch *(int *)&generation
continue
delete 3
continue
x/2bx report
stepi
stepi
x/i $rip
info registers rip k_gs_base
p $rdi = $rdi
print *(int *)&generation
clone-inferior
inferior 2
attach 3
x/2bx report
info threads
inferior 1
delete
detach
inferior 2
detach
attach 4
kill
disconnect
"""

WANTED = [
    "(CPU#0 of t)",
    "Breakpoint 1, 0x",
    "in payload ()",
    "(process 1) exited normally",
    "t-0",
    "t-1",
    "t-2",
    "Hardware watchpoint",
    "Old value = 0",
    "New value = 1",
    "in report ()",
    "<report>:\t0x55\t0x89",
    "=> 0x",
    "<report+3>:",
    "k_gs_base      0x0",
    "= 1",
    "<report>:\t0x55\t0x89",
    "of t-0",
    "of t-1",
    "(process 4) killed",
]


def packet(text):
    return f"${text}#{sum(text.encode()) % 256:02x}".encode()


def connect():
    """The line, once Stencil has it: what the firmware sends before is thrown away."""
    with socket.socket(fileno=0) as listener:
        line, _ = listener.accept()
    line.settimeout(0.5)
    text = b""
    while b"$W00" not in text:
        line.sendall(packet("?"))
        with contextlib.suppress(TimeoutError):
            text = text[-4:] + line.recv(65536)
    # The answers to all questions come before this one's, which is empty.
    line.settimeout(2900)
    line.sendall(packet("qNone"))
    while b"$#00" not in text:
        line.sendall(b"+")
        text = text[-4:] + line.recv(65536)
    line.sendall(b"+")
    return line


def main():
    text = run_gdb(connect(), ELF, COMMANDS, 2000)
    missing = find_in_order(text, WANTED)
    if missing is not None:
        sys.exit(f"gdb has not printed '{missing}' there:\n{text}")


main()
