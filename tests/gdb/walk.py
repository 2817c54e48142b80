# SPDX-License-Identifier: BSD-2-Clause
"""gdb on COM2 as docs/walk-through.md has it: it is offered a clone of a Linux that calls uname() each second."""
from relay import debug_linux

COMMANDS = """
set remotetimeout 600
target extended-remote PORT
hbreak __x64_sys_newuname
continue
set var *(char[6] *)&init_uts_ns = "Debug"
detach
disconnect
"""

debug_linux(COMMANDS, ["in __x64_sys_newuname ()", "(process 5) detached"])
