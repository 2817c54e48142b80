# SPDX-License-Identifier: BSD-2-Clause
"""gdb on COM2, with the symbols of an unmodified kernel: two processors from the first instruction to the freeze, then a clone
that reverts."""
from relay import debug_linux

# t is process 1; its clones are 2 and 3, once its checksum is there. The kernel tries its INT3 at start, and writes all debug
# registers. A clone calls iopl() once for "stencilctl info", and once for each revert, after which the first one comes again.
COMMANDS = """
set pagination off
set confirm off
set remotetimeout 600
target extended-remote PORT
hbreak start_kernel
continue
hbreak exc_int3
continue
hbreak start_secondary
continue
info threads
x/s linux_banner
delete
break panic
continue
python
import time
for _ in range(600):
    try:
        gdb.execute("attach 2")
        break
    except gdb.error:
        time.sleep(1)
end
info threads
break __x64_sys_iopl
continue
continue
continue
info breakpoints
delete
detach
attach 3
detach
disconnect
"""

WANTED = [
    "in start_kernel ()",
    "in exc_int3 ()",
    "Thread 2 hit Breakpoint 3",
    "in start_secondary ()",
    "(CPU#1 of t)",
    "Linux version 6.1",
    "(process 1) exited normally",
    "(CPU#1 of t-0)",
    "in __x64_sys_iopl ()",
    "in __x64_sys_iopl ()",
    "in __x64_sys_iopl ()",
    "breakpoint already hit 3 times",
]

debug_linux(COMMANDS, WANTED)
