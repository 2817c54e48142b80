#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Run tests/bench in Bochs and print the costs in instructions, then those of Linux's KVM.

With clock sync=none, the TSC of Bochs counts instructions: the numbers are nearly free of noise,
which Linux's timer adds. They do not show the time of a VM transition: in silicon a transition
costs as much as hundreds of instructions, in Bochs it costs one.
docs/bench.md explains each figure.
"""
import concurrent.futures
import dataclasses
import json
import os
import pathlib
import re
import statistics
import subprocess
import sys
import tempfile

from places import BUILD, INSTALLED, STENCIL, TOP
from command_line import Parser, positive
from type_in import type_in
if not INSTALLED:
    # In the tree, where the image has its symbols, and tests are built.
    import events
    import scale

COW_SIZE = 32 << 21  # the payload touches 31 pieces of 2 MiB and needs one more
ROM_SIZE = 2 << 20
EXIT = "-device isa-debug-exit,iobase=0xf4,iosize=4"
DISK = "-drive file=/disk.img,if=none,id=d,readonly=on -device virtio-blk-device,drive=d"
NETWORK = " ".join(f"-netdev hubport,id={i},hubid=0 -device virtio-net-device,netdev={i}" for i in ("a", "b"))
SOCKETS = "-device vhost-vsock-device,guest-cid=3"
# Pages of reset_pages beyond reset_base, as in tests/bench/clone.c and tests/bench/kvm/kvm_bench.c.
N_DIRTY = 16
N_PARKED = 32  # clones of clone_bytes_*
N_JOBS = 64  # of map_job
N_LIVES = 4000  # of clone_life_*, of which the second half is measured
N_READ = 256  # pages of template_read_exits, as in tests/bench/clone.c
STENCIL_IPS = 10000000  # with more, the firmware loads a ramdisk slowly
RESET_IPS = 100000000  # enough for many resets in a time slice of 5 ms, and for elements of a string in 25 us
KVM_IPS = 400000000  # Linux's timer interrupts every 1.6 million instructions
AVX512_MODEL = "corei7_skylake_x"  # of Bochs's processors
PEER = "kvm_"  # prefix of KVM's names
GUARDED = "guarded_"  # of Stencil's with every mitigation that Bochs can execute

LIFE_CPUS = 1, 2, 4, 8

# In the table's order: the target and the meaning. A figure without a target is only reported.
FIGURES = {
    "clone": ("<= 1000", "a clone, from the request to its first instruction"),
    "clone_64m": ("", "the same, of a template of 64 MiB"),
    "clone_256m": ("as clone_64m", "the same, of a template of 256 MiB"),
    "clone_1g": ("as clone_64m", "the same, of a template of 1 GiB"),
    "clone_vmgenid": ("<= 1500", "the same, with a generation counter"),
    "clone_avx512": ("<= 1500", "the same, on a processor with AVX-512"),
    "clone_smp4": ("<= 1500", "the same, with four virtual processors"),
    "clone_pooled": ("", "registers alone, into a KVM machine that is there already"),
    "cow_steady": ("<= 780", "first write to a page beside one already copied"),
    "cow_first": ("<= 1500", "first write to 2 MiB of a template"),
    "cow_again": ("", "second write to a page"),
    "anon_first_write": ("", "first write to a page of anonymous memory beside none already written"),
    "template_read_exits": ("0", f"exits for reading {N_READ} pages of a template"),
    "template_read": ("", "first read of a template's page beside one already read"),
    "template_read_first": ("", "first read in 2 MiB of a template"),
    "cpuid_exit": ("<= 80", "CPUID, to the hypervisor and back"),
    "pio_exit": ("<= 200", "write to an emulated device's port"),
    "pio_in": ("", "read of an emulated device's port"),
    "outsb_kib": ("", "REP OUTSB of 1 KiB to an emulated device's port"),
    "blk_kib": ("", "1 KiB read from a virtio disk, of 64 in a request"),
    "net_packet": ("", "a frame of 60 bytes from one virtio network device of a VM to another"),
    "vsock_message": ("", "60 bytes in a stream, through the sockets between VMs"),
    "pio_in_kernel": ("", "read of a port that KVM itself emulates"),
    "msr_exit": ("", "read of an emulated MSR"),
    "eoi": ("", "end of an interrupt at an x2APIC, which exits or not"),
    "cr8_write": ("", "write of CR8 where software uses priorities, which exits or not"),
    "apic_read": ("", "read of an x2APIC's ID then, which exits or not"),
    "mmio_exit": ("<= 900", "read of the local APIC by a load"),
    "rom_drop": ("<= 900", "write to ROM, dropped"),
    "reset_base": ("<= 600", "revert of a clone that has written only its stack"),
    "reset_page": ("<= 40", "the same, for each further page written"),
    "reset_pages": ("", f"revert of a clone that has written {N_DIRTY} pages more"),
    "clone_bytes_run": ("<= 20480", "memory of a clone that has run"),
    "clone_bytes_parked": ("<= 4096", "memory of a clone that has not run yet"),
    **{f"clone_life_{n}": ("", f"clones made, run and ended per million instructions of each of {n} processors") for n in LIFE_CPUS},
    "map_job": ("<= 60000", "an empty job of a map, from one clone to the next"),
    "map_job_bytes": ("<= 1048576", "private memory of such a job"),
    "vm_start_1g": ("<= 100000", "memory of a VM over a private template of 1 GiB"),
    "parse_object": ("<= 20000", "one more -object line in the configuration"),
    "entry_to_guest": ("<= 2000000", "EFI entry to first guest instruction, without waiting for devices"),
    "unpack": ("", "unpacking BOOTX64.EFI, before that"),
    "linux_exits": ("", "exits of a clone of Debian's Linux, from the freeze to the end of a little work"),
    "linux_exits_precopy": ("<= 500", "the same with precopy=on"),
    "linux_boot_ratio": ("<= 130", "Debian's Linux to its user space, in percent of that on the machine alone"),
    "hypervisor_bytes": ("<= 1572864", "memory the hypervisor keeps of 1 GiB before the first VM, without the ramdisk"),
    "efi_bytes": ("<= 400000", "size of BOOTX64.EFI"),
}
NOT_OURS = {"clone_pooled", "pio_in_kernel"}  # Stencil does not have these
NOT_INSTALLED = {"linux_exits", "linux_exits_precopy", "linux_boot_ratio"}  # need the tree, to make a Linux


# Rows of --events: how many operations are between the two marks (tests/bench/events.c; 0: as many as clones have ended),
# on how many processors, and what they are.
N_EVENT_PAGES = 16
N_EVENT_LIVES = 64
EVENTS = {
    "pio_in": (2, 1, "read of an emulated device's port"),
    "cow_first": (1, 1, "first write to 2 MiB of a template"),
    "reset_base": (1, 1, "revert of a clone that has written its stack and one page"),
    "cow_steady": (N_EVENT_PAGES, 1, "first write to a page beside one already copied"),
    "reset_pages": (1, 1, f"revert of a clone that has written its stack and {N_EVENT_PAGES} pages"),
    "clone_life_1": (0, 1, "a clone made, run and ended"),
    "clone_life_4": (0, 4, "the same, of four processors that do so at once"),
    "cow_smp2": (N_EVENT_PAGES, 2, "cow_steady, while the VM's second virtual processor runs"),
}


def build():
    if not (BUILD / "build.ninja").exists():
        subprocess.run(["cmake", "-G", "Ninja", "-B", BUILD, "-S", TOP], check=True,
                       stdout=subprocess.DEVNULL)
    subprocess.run(["ninja", "--quiet", "-C", BUILD, "stencil.efi", "guest_bench", "guest_bench_clone", "guest_bench_events",
                    "guest_hello", "guest_job", "kvm_bench", "vsock_echo"],
                   check=True, stdout=subprocess.DEVNULL)


def make_bench(work):
    """Configuration and ramdisk of the run that measures exits and faults."""
    ramdisk = work / "ramdisk"
    ramdisk.mkdir()
    (ramdisk / "bench.elf").write_bytes((BUILD / "tests/bench/bench.elf").read_bytes())
    for name, size in ("cow.bin", COW_SIZE), ("rom.bin", ROM_SIZE):
        with open(ramdisk / name, "wb") as file:
            file.truncate(size)
    base = 4 << 30
    (work / "stencil.conf").write_text(f"""
vm bench -m 64M,slots=2,maxmem=4G {EXIT} -kernel /bench.elf \\
    -object memory-backend-file,id=c,size={COW_SIZE},mem-path=/cow.bin,readonly=on,rom=off \\
    -device pc-dimm,memdev=c \\
    -object memory-backend-file,id=r,size={ROM_SIZE},mem-path=/rom.bin,readonly=on,rom=on \\
    -device pc-dimm,memdev=r \\
    -append "cow={base:#x} cowsize={COW_SIZE:#x} rom={base + COW_SIZE:#x} anon=0x3000000"
""", encoding="utf-8")


def make_device(append, options=""):
    """A maker of configuration and ramdisk, which has an empty disk: one device is measured, as 'append' says."""
    def make(work):
        ramdisk = work / "ramdisk"
        ramdisk.mkdir()
        (ramdisk / "bench.elf").write_bytes((BUILD / "tests/bench/bench.elf").read_bytes())
        with open(ramdisk / "disk.img", "wb") as file:
            file.truncate(1 << 20)
        (work / "stencil.conf").write_text(f'vm bench -m 64M {EXIT} -kernel /bench.elf -append "{append}" {options}\n',
                                           encoding="utf-8")
    return make


def make_hello(work, options=""):
    """Configuration and ramdisk of the run that measures the time to the first guest."""
    ramdisk = work / "ramdisk"
    ramdisk.mkdir()
    (ramdisk / "hello.elf").write_bytes((BUILD / "tests/guest/hello.elf").read_bytes())
    (work / "stencil.conf").write_text(f"{options}vm hello -m 16M -kernel /hello.elf {EXIT}\n",
                                       encoding="utf-8")


def make_hello_debug(work):
    make_hello(work, "host -log debug\n")


def make_clones(name, pages, count=31, extra="", options=""):
    """A maker of configuration and ramdisk: clones of a template that has written so much, and more options of its VM."""
    def make(work):
        ramdisk = work / "ramdisk"
        ramdisk.mkdir()
        (ramdisk / "clone.elf").write_bytes((BUILD / "tests/bench/bench_clone.elf").read_bytes())
        (work / "stencil.conf").write_text(f"""
vm t -m {32 + pages // 256}M {options} {EXIT} -kernel /clone.elf -append "name={name} dirty={pages} {extra}"
clone t count={count} parallel=1
""", encoding="utf-8")
    return make


def with_log(level, make):
    """The same maker, with messages of this level."""
    def make_with_log(work):
        make(work)
        config = work / "stencil.conf"
        config.write_text(f"host -log {level}\n{config.read_text(encoding='utf-8')}", encoding="utf-8")
    return make_with_log


def make_lives(n_cpus):
    """A maker of configuration and ramdisk: clones that end at once, on so many processors."""
    def make(work):
        make_clones("life", 0, N_LIVES + 1, f"life={N_LIVES}")(work)
        config = work / "stencil.conf"
        config.write_text(config.read_text(encoding="utf-8").replace("parallel=1", f"parallel={2 * n_cpus}"), encoding="utf-8")
    return with_log("warning", make)


def make_reads(n_pages):
    """A maker of configuration and ramdisk: clones that read so many pages of their template."""
    return with_log("debug", make_clones("read", N_READ, 31, f"read={n_pages}"))


def make_events(append="", options="", clones="count=1"):
    """A maker of configuration and ramdisk: operations between marks, as tests/bench/events.c knows them."""
    def make(work):
        ramdisk = work / "ramdisk"
        ramdisk.mkdir()
        (ramdisk / "events.elf").write_bytes((BUILD / "tests/bench/bench_events.elf").read_bytes())
        (work / "stencil.conf").write_text(f"""
host -log warning
vm t -m 32M {options} {EXIT} -kernel /events.elf -append "{append}"
clone t {clones}
""", encoding="utf-8")
    return make


def make_event_lives(n_cpus):
    n = 2 * N_EVENT_LIVES
    return make_events(f"lives={n}", clones=f"count={n + 1} parallel={2 * n_cpus}")


def make_parked(work):
    """Configuration and ramdisk of a template; the operator makes all its clones except the first."""
    ramdisk = work / "ramdisk"
    ramdisk.mkdir()
    (ramdisk / "clone.elf").write_bytes((BUILD / "tests/bench/bench_clone.elf").read_bytes())
    (work / "stencil.conf").write_text(f'vm t -m 32M -machine pc,mem-merge=off {EXIT} -kernel /clone.elf -append "park"\nclone t\n',
                                       encoding="utf-8")


# What the operator types: the number of free frames, before and after clones that wait and clones
# that have run.
PARKED_TYPED = [
    ("^t-0: ran$", "\1c"),
    (r"^\(stencil\) ", "info frames\r"),
    (r"^frames: [^~]*?\(stencil\) ", f"clone -S t {N_PARKED}\r"),
    (r"^\(stencil\) ", "info frames\r"),
    (r"^frames: [^~]*?\(stencil\) ", f"clone t {N_PARKED}\r"),
    (rf"^t-{2 * N_PARKED}: ran$[^~]*?\(stencil\) ", "info frames\r"),
    (r"^frames: [^~]*?\(stencil\) ", "quit\r"),
]


# Without what Linux would wait for; a serial port takes a line's time on the machine, too.
LINUX = ("console=ttyS0 quiet loglevel=1 cryptomgr.notests "
         "initcall_blacklist=trace_eval_init,init_kprobe_trace,cubictcp_register panic=-1")


def linux_files(work):
    """The kernel and the initial file system, in work/ramdisk."""
    subprocess.run([TOP / "scripts/demo/clones/make", work, TOP / "tests/bench/linux/init"], check=True)


def make_linux(line):
    """A maker of configuration and ramdisk of Debian's Linux, which becomes a template, and of its clones."""
    def make(work):
        linux_files(work)
        (work / "stencil.conf").write_text(
            f"vm t -m 128M -no-reboot {EXIT} -kernel /vmlinuz -initrd /initrd -append '{LINUX}'\nclone t {line}\n",
            encoding="utf-8")
    return make


def make_linux_clones(more):
    """The same with clones one after the other, whose exits the console shows."""
    return with_log("debug", make_linux(f"count=5 parallel=1{more}"))


def boot_linux():
    """The console of the same Linux on the machine alone."""
    with tempfile.TemporaryDirectory(prefix="stencil-bench.") as folder:
        work = pathlib.Path(folder)
        linux_files(work)
        (work / "files").mkdir()
        with open(work / "ramdisk/initrd", "rb") as initrd:
            subprocess.run(["cpio", "--quiet", "-id"], cwd=work / "files", stdin=initrd, check=True)
        subprocess.run([TOP / "scripts/mklinux", work / "files", LINUX, work / "linux.img"], check=True)
        return start(work, ["--memory=2048", "--image", work / "linux.img", "--system", "linux", "--ips", str(RESET_IPS)], 900)


def make_map(work):
    """Configuration and ramdisk of a map whose jobs do nothing, one after the other."""
    ramdisk = work / "ramdisk"
    ramdisk.mkdir()
    (ramdisk / "job.elf").write_bytes((BUILD / "tests/guest/job.elf").read_bytes())
    (ramdisk / "jobs").write_text("exit 0\n" * N_JOBS, encoding="utf-8")
    (work / "stencil.conf").write_text(
        f"vm t -m 16M {EXIT} -kernel /job.elf\nmap t jobs=/jobs out=/results parallel=1\n",
        encoding="utf-8")


def make_template(n_objects):
    """A maker of configuration and ramdisk: a VM whose memory is a file of 1 GiB, and more objects."""
    def make(work):
        make_hello(work)
        objects = "".join(
            f"-object memory-backend-file,id=unused{i:02},size=1G,mem-path=/t.bin,share=off,merge=off "
            for i in range(n_objects))
        (work / "stencil.conf").write_text(f"""
host -log debug
vm t -m 1G -machine memory-backend=m -kernel /hello.elf {EXIT} {objects} \\
    -object memory-backend-file,id=t,size=1G,mem-path=/t.bin,share=on \\
    -object memory-backend-file,id=m,size=1G,mem-path=/t.bin,share=off
""", encoding="utf-8")
    return make


class Failure(Exception):
    """The reason, in one line, why a run failed."""


def popen(command):
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)


def start(work, arguments, timeout, typed=()):
    """The console of a successful run; typed: pairs for type_in()."""
    console = work / "console"
    with popen([STENCIL, "run", *([] if INSTALLED else ["--no-build"]), "--host", "bochs", "--timeout", str(timeout), "--serial-out", console, *arguments]) as process:
        type_in(typed, process, console)
        process.stdin.close()
        status = process.wait()
    text = console.read_text(errors="replace") if console.exists() else ""
    if status != 0:
        last = [line.strip() for line in text.splitlines() if line.strip()][-1:]
        raise Failure(f"status {status}, last on the console: {''.join(last) or 'nothing'}")
    return text


def boot(make, typed=(), ips=STENCIL_IPS, mitigations="off", **machine):
    """The console of Stencil with the configuration and ramdisk that 'make' writes."""
    with tempfile.TemporaryDirectory(prefix="stencil-bench.") as folder:
        work = pathlib.Path(folder)
        make(work)
        config = work / "stencil.conf"
        config.write_text(f"host -mitigations {mitigations}\n{config.read_text(encoding='utf-8')}", encoding="utf-8")
        machine = [f"--{name.replace('_', '-')}={value}" for name, value in ({"memory": 2048} | machine | {"ips": ips}).items()]
        return start(work, [*machine, "--ramdisk", work / "ramdisk", work / "stencil.conf"], 900, typed)


def boot_events(make, n_windows, **machine):
    """What happened in each window of such a run."""
    with tempfile.TemporaryDirectory(prefix="stencil-bench.") as folder:
        trace = pathlib.Path(folder, "trace")
        boot(make, ips=RESET_IPS, trace=trace, **machine)
        try:
            windows = events.read_trace(trace, BUILD / "stencil.elf")
        except events.Failure as error:
            raise Failure(error) from error
    if len(windows) != n_windows:
        raise Failure(f"{len(windows)} windows in the trace instead of {n_windows}")
    return windows


def boot_kvm():
    """The console of Debian's Linux that measures KVM."""
    with tempfile.TemporaryDirectory(prefix="stencil-bench.") as folder:
        work = pathlib.Path(folder)
        made = subprocess.run([TOP / "tests/bench/kvm/make", work], capture_output=True, text=True,
                              stdin=subprocess.DEVNULL, check=False)
        if made.returncode != 0:
            raise Failure(f"tests/bench/kvm/make: {''.join(made.stderr.splitlines()[-1:])}")
        return start(work, ["--memory=2048", "--image", work / "kvm.img", "--system", "kvm", "--ips", str(KVM_IPS)],
                     3600)


def bench_lines(text):
    """The lines "bench NAME SAMPLE", as pairs."""
    return [(name, int(sample)) for name, sample in re.findall(r"\bbench (\w+) (\d+)\s*$", text,
                                                               re.MULTILINE)]


def clone_exits(text):
    """The number of exits of each clone of the VM "t", by the name of the clone."""
    return {name: int(n) for name, n in re.findall(r"\bVM (t-\d+): .*; (\d+) exits", text)}


@dataclasses.dataclass
class Run:
    """One boot: its title, its console, and the samples taken from it (none: all others)."""
    title: str
    console: concurrent.futures.Future
    only: frozenset = frozenset()
    prefix: str = ""


class Bench:
    """All runs, one per processor at a time, and their samples."""

    def __init__(self, pool):
        self.pool = pool
        self.samples = {}
        self.failures = []
        self.runs = []

    def add(self, title, make, *only, **how):
        self.runs.append(Run(title, self.pool.submit(boot, make, **how), frozenset(only)))

    def add_guarded(self, title, make, *only, **how):
        console = self.pool.submit(boot, make, mitigations="all", **how)
        self.runs.append(Run(f"{title}, guarded", console, frozenset(only), GUARDED))

    def add_kvm(self):
        self.runs.append(Run("KVM", self.pool.submit(boot_kvm), prefix=PEER))

    def console(self, title, future):
        """The console; None, and a line in 'failures', if the run failed."""
        try:
            return future.result()
        except (Failure, OSError, subprocess.CalledProcessError) as error:
            self.failures.append(f"{title}: {error}")
            return None

    def take(self, name, samples):
        self.samples.setdefault(name, []).extend(samples)

    def collect(self):
        for run in self.runs:
            text = self.console(run.title, run.console)
            for name, sample in bench_lines(text or ""):
                # The time to a guest depends on the size of the ramdisk.
                if name in run.only or not run.only and name != "entry_to_guest":
                    self.take(run.prefix + name, [sample])

    def template_costs(self, consoles):
        """The cost of parsing one more object, and the memory of the VM over the template."""
        texts = [self.console("vm_start_1g", console) for console in consoles]
        if None in texts:
            return
        runs = [dict(bench_lines(text)) for text in texts]
        self.take("vm_start_1g", [run["vm_memory"] for run in runs])
        self.take("parse_object", [runs[1]["parse_config"] - runs[0]["parse_config"]])

    def clone_bytes(self, future):
        """The memory of a clone that waits and of one that has run, from the free frames."""
        text = self.console("clone_bytes", future)
        if text is None:
            return
        free = [int(n) << 12 for n in re.findall(r"^frames: (\d+) of ", text, re.MULTILINE)]
        for name, before, after in zip(("parked", "run"), free, free[1:]):
            self.take(f"clone_bytes_{name}", [-(-(before - after) // N_PARKED)])

    def clone_lives(self, consoles):
        """How many clones a processor makes, runs and ends per million instructions, beside the others."""
        for n_cpus, console in consoles.items():
            text = self.console(f"clone_life_{n_cpus}", console)
            at = dict(re.findall(r"\bclone (\d+) lives at (\d+)", text or ""))
            if str(N_LIVES) in at:
                ticks = int(at[str(N_LIVES)]) - int(at[str(N_LIVES // 2)])
                self.take(f"clone_life_{n_cpus}", [10**6 * (N_LIVES // 2) // (ticks * n_cpus)])

    def map_job(self, future):
        """What a job of a map costs, on average, and the private memory of each."""
        text = self.console("map_job", future)
        if text is None:
            return
        self.take("map_job", [sample for name, sample in bench_lines(text) if name == "map_job"])
        self.take("map_job_bytes", [int(kib) << 10 for kib in re.findall(r'"private_kib": (\d+)', text)])

    def linux(self, consoles, bare):
        """The exits of clones of a Linux, and how long it takes to user space, here and on the machine alone."""
        figures = "linux_exits", "linux_exits_precopy", "linux_boot_ratio"
        texts = [self.console(name, console) for name, console in zip(figures, (*consoles, bare))]
        if None in texts:
            return
        for name, text in zip(figures, texts[:2]):
            # The first clone of all has nothing copied in advance.
            self.take(name, [n for clone, n in clone_exits(text).items() if clone != "t-0"])
        boots = [dict(bench_lines(text))["linux_boot"] for text in (texts[0], texts[2])]
        self.take("linux_boot_ratio", [100 * boots[0] // boots[1]])

    def read_exits(self, consoles):
        """How many more exits a clone has that reads pages than one that reads none."""
        texts = [self.console("template_read_exits", console) for console in consoles]
        if None in texts:
            return
        none, some = map(clone_exits, texts)
        self.take("template_read_exits", [some[name] - none[name] for name in sorted(none)])


def event_rows(names, windows):
    """A row for each window, by the names."""
    return [events.Row(name, window, EVENTS[name][0] or window.counts[events.ENDED], EVENTS[name][2], EVENTS[name][1])
            for name, window in zip(names, windows)]


def measure_events():
    """The rows of --events, and the failures."""
    names = list(EVENTS)
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        bench = Bench(pool)
        runs = [(names[:5], pool.submit(boot_events, make_events(), 5)),
                (names[5:6], pool.submit(boot_events, make_event_lives(1), 1)),
                (names[6:7], pool.submit(boot_events, make_event_lives(4), 1, cpus=4)),
                (names[7:], pool.submit(boot_events, make_events("smp", "-smp 2"), 1, cpus=2))]
        rows = [row for named, run in runs for row in event_rows(named, bench.console(named[0], run) or [])]
    return rows, bench.failures


def write_json(path, results):
    if path:
        path.write_text(json.dumps(results, indent=2) + "\n", encoding="utf-8")


def end_with(failures):
    for failure in failures:
        print(f"stencil bench: {failure}", file=sys.stderr)
    sys.exit(1 if failures else 0)


def print_events(options):
    """--events: print its tables, and end."""
    rows, failures = measure_events()
    print("\n".join([*events.table(rows), "", *events.lock_lines(rows)]))
    write_json(options.json, {row.name: {name: row.mean(name) for name in events.COLUMNS} | {"n": row.n} for row in rows})
    end_with(failures)


def print_scale(options):
    """--scale: print its table, and end."""
    subprocess.run(["ninja", "--quiet", "-C", BUILD, "test_scale"], check=True, stdout=subprocess.DEVNULL)
    try:
        numbers = scale.read(BUILD / "tests/threads/test_scale")
    except scale.Failure as error:
        end_with([error])
    print("\n".join(scale.table(numbers)))
    write_json(options.json, numbers)
    end_with([])


def derive(samples):
    """Derive figures from others: a page's share of a reset."""
    for prefix in "", PEER, GUARDED:
        base, pages = (samples.get(f"{prefix}reset_{name}") for name in ("base", "pages"))
        if base and pages:
            least = statistics.median_low(base)
            samples[f"{prefix}reset_page"] = [-(-(n - least) // N_DIRTY) for n in pages]


def measure(options):
    """All samples by name, and the failures."""
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        bench = Bench(pool)
        bench.add("exits and copies", make_bench)
        bench.add("clone", make_clones("clone", 0))
        for name, mib in ("clone_64m", 64), ("clone_256m", 256), ("clone_1g", 1024):
            bench.add(name, make_clones(name, mib << 8))
        bench.add("clone_vmgenid", make_clones("clone_vmgenid", 0, options="-device vmgenid"))
        bench.add("clone_avx512", make_clones("clone_avx512", 0), cpu_model=AVX512_MODEL)
        bench.add("clone_smp4", make_clones("clone_smp4", 0, options="-smp 4"))
        bench.add("reset", make_clones("revert", 0, 1, "revert"), ips=RESET_IPS)
        bench.add("strings", make_device("string=1"), "outsb_kib", ips=RESET_IPS)
        bench.add("disk", make_device("disk=1", DISK), "blk_kib", ips=RESET_IPS)
        bench.add("network", make_device("net=1", NETWORK), "net_packet", ips=RESET_IPS)
        bench.add("sockets", make_device("vsock=1", SOCKETS), "vsock_message", ips=RESET_IPS)
        bench.add_guarded("exits and copies", make_bench)
        bench.add_guarded("clone", make_clones("clone", 0))
        bench.add_guarded("reset", make_clones("revert", 0, 1, "revert"), ips=RESET_IPS)
        reads = [pool.submit(boot, make_reads(n)) for n in (0, N_READ)]
        templates = [pool.submit(boot, make_template(n)) for n in (0, 1)]
        bench.add("hypervisor_bytes", make_hello_debug, "hypervisor_bytes", "unpack", memory=1024)
        parked = pool.submit(boot, make_parked, PARKED_TYPED)
        jobs = pool.submit(boot, make_map)
        lives = {n: pool.submit(boot, make_lives(n), ips=RESET_IPS, cpus=n) for n in LIFE_CPUS}
        if not INSTALLED:
            clones = [pool.submit(boot, make_linux_clones(more), ips=RESET_IPS) for more in ("", " precopy=on")]
            bare = pool.submit(boot_linux)
        if options.kvm:
            bench.add_kvm()
        for _ in range(options.boots):
            bench.add("entry_to_guest", make_hello, "entry_to_guest")
        bench.collect()
        bench.read_exits(reads)
        bench.clone_bytes(parked)
        bench.map_job(jobs)
        bench.clone_lives(lives)
        bench.template_costs(templates)
        if not INSTALLED:
            bench.linux(clones, bare)
    bench.take("efi_bytes", [(BUILD / "BOOTX64.EFI").stat().st_size])
    derive(bench.samples)
    return bench.samples, bench.failures


def unit(name):
    if "_bytes" in name:
        return "bytes"
    if name.endswith("_ratio"):
        return "percent"
    if name.startswith("clone_life_"):
        return "clones"
    return "exits" if "_exits" in name else "instructions"


def summarize(name, samples):
    return {"unit": unit(name), "n": len(samples),
            "min": min(samples), "median": statistics.median_low(samples), "max": max(samples)}


def plain(name):
    """A figure's name, without the prefix that says of what."""
    return name.removeprefix(PEER).removeprefix(GUARDED)


def place(name):
    """Sort names into the table's order, unknown ones last."""
    names = list(FIGURES)
    return (names.index(name), "") if name in FIGURES else (len(names), name)


def ratio(ours, theirs):
    """Their figure divided by ours."""
    if ours is None or theirs is None:
        return "-"
    if ours == 0:
        return "1" if theirs == 0 else "none"
    return f"{theirs / ours:.1f}"


def table(results):
    """The table's lines: the medians, side by side."""
    names = sorted(map(plain, results), key=place)
    lines = [f"{'':19} {'Stencil':>9} {'guarded':>9} {'KVM':>9} {'ratio':>7}  target"]
    for name in dict.fromkeys(names):
        ours, guarded, theirs = (results[key]["median"] if key in results else None
                                 for key in (name, GUARDED + name, PEER + name))
        asked, meaning = FIGURES.get(name, ("", ""))
        cells = ["-" if number is None else str(number) for number in (ours, guarded, theirs)]
        lines.append(f"{name:19} {cells[0]:>9} {cells[1]:>9} {cells[2]:>9} {ratio(ours, theirs):>7}  {asked:12}"
                     f"  {meaning}".rstrip())
    return lines


def plot(folder, results):
    import plots  # pylint: disable=import-outside-toplevel
    figures = {name: [results.get(prefix + name, {}).get("median") for prefix in ("", GUARDED, PEER)] for name in FIGURES}
    folder.mkdir(parents=True, exist_ok=True)
    for name, draw in plots.ALL.items():
        (folder / f"{name}.svg").write_text(plots.chart([draw], figures), encoding="utf-8")


def main():
    parser = Parser(
        prog="stencil bench", description=__doc__.splitlines()[0],
        epilog="Prints medians: Stencil's without mitigations, with all that Bochs can execute, KVM's, how many times Stencil's that is, and what is asked of "
               "Stencil. Status 1 if something could not be measured; the rest is printed all the same.")
    parser.add_argument("--json", metavar="FILE", type=pathlib.Path,
                        help=f"write the numbers to FILE; KVM's names start with {PEER}, those with mitigations with {GUARDED}")
    parser.add_argument("--boots", metavar="N", type=positive, default=31,
                        help="boots for entry_to_guest (31; they are all alike, so 1 tells as much)")
    if INSTALLED:
        parser.set_defaults(kvm=False, plot=None, events=False, scale=False)
    else:
        parser.add_argument("--events", action="store_true",
                            help="count exits, flushes, interrupts and locks of an operation instead, in a trace of its instructions")
        parser.add_argument("--scale", action="store_true",
                            help="count locks of many processors, and what large templates and long chains cost, instead")
        parser.add_argument("--plot", metavar="DIR", type=pathlib.Path,
                            help="draw the figures, as docs/bench.md shows them: DIR/clone.svg, revert.svg, exits.svg, memory.svg")
        parser.add_argument("--no-kvm", dest="kvm", action="store_false",
                            help="leave Linux' KVM out, which takes some minutes")
    options = parser.parse_args()
    if not INSTALLED:
        build()
    if options.events:
        print_events(options)
    if options.scale:
        print_scale(options)
    samples, failures = measure(options)
    results = {name: summarize(name, samples[name])
               for name in sorted(samples, key=lambda name: (name.startswith((PEER, GUARDED)), place(plain(name))))}
    print("\n".join(table(results)))
    write_json(options.json, results)
    not_here = NOT_OURS | NOT_INSTALLED if INSTALLED else NOT_OURS
    missing = [name for name in FIGURES if name not in results and name not in not_here]
    if missing:
        failures.append(f"not measured: {', '.join(missing)}")
    if options.plot:
        plot(options.plot, results)
    end_with(failures)


if __name__ == "__main__":
    main()
