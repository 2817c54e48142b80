# SPDX-License-Identifier: BSD-2-Clause
"""Events of an operation that cost more on silicon than an instruction: counted in a trace of Bochs, which has a line for each
instruction that it executes between two marks of a payload (tests/bench/events.c).

A line is the hypervisor's if its address is in the image. The address of an atomic instruction is a line of the source, and
that is an acquisition of a lock, or something else.
"""
import collections
import dataclasses
import re
import subprocess

from places import TOP

LINE = re.compile(r"\((\d+)\)\.\[(\d+)\] \[0x[0-9a-f]+\] [0-9a-f]+:([0-9a-f]+) \(.*?\): ([^;]*)")
WINDOW_BEGINS = "Tracing enabled for CPU0"
WINDOW_ENDS = "Tracing disabled for CPU0"

# The locks of hv/lib/lock.h, by what lock_acquire() is called with. The first ones are a VM's or a processor's own.
OWN = "a VM's memory", "a VM's devices", "a processor's queue", "a processor's deadlines", "a processor's new VMs"
LOCKS = {
    "&vm->lock": OWN[0], "&clone->lock": OWN[0], "&vcpu->vm->lock": OWN[0], "&vm->devices_lock": OWN[1],
    "&vms_lock": "the list of VMs", "&search.lock": "the search for merging", "&merged.lock": "merged frames",
    "&output_lock": "guests' output", "&hub->lock": "a hub",
    "&queue->lock": OWN[2], "&here->lock": OWN[2], "&queue->deadlines_lock": OWN[3], "&list->lock": OWN[4], "&from->lock": OWN[4],
    "&stock->lock": "a node's free frames", "&frames.lock": "the list of stacks", "&paging_lock": "the host's page tables",
    "&console_lock": "the console", "&sending": "the sender of output",
}
LOCAL = {"hv/vm/news.c": "news", "hv/net/vsock.c": "sockets"}  # the only lock of its file
SHARED = "shared"


ENDED = "ended"
END_OF_CLONE = "template_vm_gone"  # is called once for each VM that ends


class Failure(Exception):
    """Why a trace cannot be read."""


@dataclasses.dataclass
class Window:
    """What was executed between two marks: address and text of each instruction, and the address of the call before it."""
    first: int = 0  # tick
    last: int = 0
    lines: list = dataclasses.field(default_factory=list)
    calls: dict = dataclasses.field(default_factory=dict)  # the last one of each processor

    def add(self, cpu, tick, address, text):
        self.first = self.first or tick
        self.last = tick
        self.lines.append((address, text, self.calls.get(cpu)))
        if text.startswith("call "):
            self.calls[cpu] = address


def read_windows(text):
    """The windows of a trace's lines."""
    windows, open_one = [], None
    for line in text:
        match = LINE.match(line)
        if match and open_one is not None:
            open_one.add(match[1], int(match[2]), int(match[3], 16), match[4].strip())
        elif line.startswith(WINDOW_BEGINS):
            open_one = Window()
        elif line.startswith(WINDOW_ENDS) and open_one is not None:
            windows.append(open_one)
            open_one = None
    return windows


def output_of(*command, given=None):
    return subprocess.run(command, input=given, check=True, capture_output=True, text=True).stdout


def is_atomic(text):
    return text.startswith("lock ") or text.startswith("xchg ") and " ptr " in text


class Image:
    """stencil.elf: where it was loaded, and what its addresses are."""

    def __init__(self, elf, windows):
        self.elf = elf
        symbols = re.findall(r"^([0-9a-f]+) \S (\S+)$", output_of("nm", elf), re.MULTILINE)
        self.symbols = {name: int(address, 16) for address, name in symbols}
        self.end = max(self.symbols.values())
        self.base = self.find_base(windows)

    def find_base(self, windows):
        """The entry after an exit is a page's multiple away from where the linker put it."""
        resume = self.symbols["vmx_resume"]
        entries = {address for window in windows for address, text, _ in window.lines if text.startswith("vmresume")}
        for address in entries:
            # What comes before is the loading of the guest's registers, of less than a page.
            base = (address - resume) & ~0xfff
            if address - base - resume < 256:
                return base
        raise Failure("no VM entry of the image is in the trace")

    def has(self, address):
        return 0 <= address - self.base <= self.end

    def sources(self, addresses):
        """For each address its functions and lines, innermost first: pairs of function and 'FILE:LINE'."""
        asked = "".join(f"{address - self.base:#x}\n" for address in addresses)
        sources, at = {}, None
        lines = iter(output_of("addr2line", "-a", "-i", "-f", "-e", self.elf, given=asked).splitlines())
        for line in lines:
            if line.startswith("0x"):
                at = sources.setdefault(int(line, 16) + self.base, [])
            else:
                at.append((line, next(lines).split(" ")[0]))
        return sources


def lock_name(chain, caller):
    """The lock that this acquires, None if the instruction acquires none. 'caller': where the function was called, if it
    is not part of another one."""
    functions = [function for function, _ in chain]
    for name in "lock_acquire", "lock_try":
        if name not in functions:
            continue
        place = [*chain, *caller][functions.index(name) + 1][1]
        file, line = re.search(r"\b(hv/[^:]*):(\d+)", place).groups()
        text = (TOP / file).read_text(encoding="utf-8").splitlines()[int(line) - 1]
        argument = re.search(name + r"\((.*?)\)", text)
        argument = argument[1] if argument else text.strip()
        return LOCKS.get(argument) or LOCAL.get(file) or f"{file}: {argument}"
    return None


@dataclasses.dataclass
class Events:
    """How often each thing happened in a window, by its name; acquisitions of locks by theirs."""
    counts: collections.Counter
    locks: collections.Counter = dataclasses.field(default_factory=collections.Counter)


def count_events(window, image, sources):
    counts = collections.Counter(instructions=window.last - window.first)
    events = Events(counts)
    exits = {image.base + image.symbols[name] for name in ("vmx_exit", "vmx_exit_guarded")}
    for address, text, call in window.lines:
        if not image.has(address):
            continue
        counts["exits"] += address in exits
        counts[ENDED] += address == image.base + image.symbols[END_OF_CLONE]
        counts["invept"] += text.startswith("invept")
        counts["invvpid"] += text.startswith("invvpid")
        chain = sources.get(address, [])
        counts["ipis"] += text.startswith("wrmsr") and any(function == "send_command" for function, _ in chain)
        if is_atomic(text):
            counts["atomics"] += 1
            name = lock_name(chain, sources.get(call, []))
            if name:
                events.locks[name] += 1
                counts["locks"] += 1
                counts[SHARED] += name not in OWN
    return events


def read_trace(trace, elf):
    """The events in each window of a trace."""
    with open(trace, encoding="utf-8", errors="replace") as text:
        windows = read_windows(text)
    image = Image(elf, windows)
    events = [line for window in windows for line in window.lines
              if image.has(line[0]) and (is_atomic(line[1]) or line[1].startswith("wrmsr"))]
    calls = {call for _, _, call in events if call is not None and image.has(call)}
    sources = image.sources(sorted(calls | {address for address, _, _ in events}))
    return [count_events(window, image, sources) for window in windows]


COLUMNS = "exits", "invept", "invvpid", "ipis", "locks", SHARED, "atomics", "instructions"


@dataclasses.dataclass
class Row:
    """Events of so many operations."""
    name: str
    events: Events
    n: int
    meaning: str = ""
    n_cpus: int = 1

    def mean(self, name):
        """Of an operation. None: the ticks of several processors say nothing about one of them."""
        return None if name == "instructions" and self.n_cpus > 1 else self.events.counts[name] / self.n


def cell(number):
    if number is None:
        return "-"
    return f"{number:.0f}" if number >= 100 or number == int(number) else f"{number:.1f}"


def table(rows):
    """The table's lines."""
    lines = [f"{'':13}" + "".join(f" {name:>{max(7, len(name))}}" for name in COLUMNS)]
    for row in rows:
        cells = "".join(f" {cell(row.mean(name)):>{max(7, len(name))}}" for name in COLUMNS)
        lines.append(f"{row.name:13}{cells}  {row.meaning}".rstrip())
    return lines


def lock_lines(rows):
    """A line for each row that acquires locks: which, and how often."""
    for row in rows:
        if row.events.locks:
            yield f"{row.name:13} " + ", ".join(f"{name} {cell(n / row.n)}" for name, n in row.events.locks.most_common())
