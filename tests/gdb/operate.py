# SPDX-License-Identifier: BSD-2-Clause
"""gdb on COM2: a VM from before its first instruction to the freeze, then its clones."""
import os
import pathlib

from relay import debug

# Without debug information: the commands name a variable's type.
ELF = pathlib.Path(os.environ["STENCIL_BUILD"]) / "tests/guest/clone.elf64"

# t is process 1, and its clones are 2 to 4.
COMMANDS = """
set pagination off
set confirm off
set remotetimeout 600
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

debug(ELF, COMMANDS, WANTED)
