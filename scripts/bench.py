# SPDX-License-Identifier: BSD-2-Clause
"""Run tests/bench in Bochs and say what things cost, in instructions.

With clock sync=none the TSC of Bochs counts instructions, so the numbers are free
of noise. What it does not tell: the time a VM transition takes in silicon, where it
costs as much as hundreds of instructions; here it is one.
"""
import argparse
import concurrent.futures
import json
import os
import pathlib
import re
import statistics
import subprocess
import sys
import tempfile

TOP = pathlib.Path(__file__).resolve().parent.parent
BUILD = pathlib.Path(os.environ.get("STENCIL_BUILD", TOP / "build"))
COW_SIZE = 32 << 21  # the payload touches 31 pieces of 2 MiB, and wants one more
ROM_SIZE = 2 << 20
EXIT = "-device isa-debug-exit,iobase=0xf4,iosize=4"
MEANING = {
    "cpuid_exit": "CPUID, to the hypervisor and back",
    "pio_exit": "read of a device model's port",
    "pio_out": "write of a device model's port",
    "msr_exit": "read of an emulated MSR",
    "mmio_exit": "read of the local APIC by a load",
    "cow_first": "first write to 2 MiB of a template: path and page copied",
    "cow_steady": "first write to a page beside it: page copied",
    "cow_again": "second write to a page",
    "rom_drop": "write to ROM, dropped",
    "clone": "a clone, from the request to its first instruction",
    "clone_64m": "the same, of a template of 64 MiB",
    "clone_256m": "the same, of a template of 256 MiB",
    "clone_1g": "the same, of a template of 1 GiB",
    "reset_base": "a clone goes back, having written its stack alone",
    "reset_pages": "the same, and 16 pages more",
    "vm_start_1g": "memory of a VM over a private template of 1 GiB",
    "parse_object": "one more -object line in the configuration",
    "entry_to_guest": "EFI entry to first guest instruction, without firmware I/O",
    "efi_bytes": "size of BOOTX64.EFI",
}


def build():
    if not (BUILD / "build.ninja").exists():
        subprocess.run(["cmake", "-G", "Ninja", "-B", BUILD, "-S", TOP], check=True,
                       stdout=subprocess.DEVNULL)
    subprocess.run(["ninja", "--quiet", "-C", BUILD, "stencil.efi", "guest_bench", "guest_bench_clone",
                    "guest_hello"],
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
    -append "cow={base:#x} cowsize={COW_SIZE:#x} rom={base + COW_SIZE:#x}"
""", encoding="utf-8")


def make_hello(work):
    """Configuration and ramdisk of the run that measures the way to the first guest."""
    ramdisk = work / "ramdisk"
    ramdisk.mkdir()
    (ramdisk / "hello.elf").write_bytes((BUILD / "tests/guest/hello.elf").read_bytes())
    (work / "stencil.conf").write_text(f"vm hello -m 16M -kernel /hello.elf {EXIT}\n",
                                       encoding="utf-8")


def make_clones(name, pages, count=31, extra=""):
    """A maker of configuration and ramdisk: clones of a template that has written so much."""
    def make(work):
        ramdisk = work / "ramdisk"
        ramdisk.mkdir()
        (ramdisk / "clone.elf").write_bytes((BUILD / "tests/bench/bench_clone.elf").read_bytes())
        (work / "stencil.conf").write_text(f"""
vm t -m {32 + pages // 256}M {EXIT} -kernel /clone.elf -append "name={name} dirty={pages} {extra}"
clone t count={count} parallel=1
""", encoding="utf-8")
    return make


CLONES = [make_clones("clone", 0), make_clones("clone_64m", 64 << 8),
          make_clones("clone_256m", 256 << 8), make_clones("clone_1g", 1024 << 8),
          make_clones("revert", 0, 1, "revert")]


def make_template(n_objects):
    """A maker of configuration and ramdisk: a VM over 1 GiB of a file's, and so many objects more."""
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


def boot(make):
    """The lines "bench NAME SAMPLE" of one run, as pairs."""
    with tempfile.TemporaryDirectory(prefix="stencil-bench.") as folder:
        work = pathlib.Path(folder)
        make(work)
        console = work / "console"
        status = subprocess.run([TOP / "scripts/run", "--no-build", "--host", "bochs",
                                 "--memory", "2048", "--timeout", "900", "--serial-out", console,
                                 "--ramdisk", work / "ramdisk", work / "stencil.conf"],
                                stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL).returncode
        text = console.read_text(errors="replace")
    if status != 0:
        sys.exit(f"scripts/bench: the run failed with status {status}:\n{text}")
    return [(name, int(sample)) for name, sample in re.findall(r"\bbench (\w+) (\d+)\s*$", text,
                                                               re.MULTILINE)]


def measure(boots):
    samples = {}
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        runs = [pool.submit(boot, make) for make in [make_bench, *CLONES]]
        runs += [pool.submit(boot, make_hello) for _ in range(boots)]
        templates = [pool.submit(boot, make_template(n)) for n in (0, 1)]
        for run in runs:
            for name, sample in run.result():
                # The way to a guest behind a large ramdisk is another matter.
                if name != "entry_to_guest" or run in runs[1 + len(CLONES):]:
                    samples.setdefault(name, []).append(sample)
        templates = [dict(run.result()) for run in templates]
    samples["vm_start_1g"] = [run["vm_memory"] for run in templates]
    samples["parse_object"] = [templates[1]["parse_config"] - templates[0]["parse_config"]]
    samples["efi_bytes"] = [(BUILD / "BOOTX64.EFI").stat().st_size]
    return samples


def summarize(name, samples):
    return {"unit": "bytes" if name == "efi_bytes" else "instructions", "n": len(samples),
            "min": min(samples), "median": statistics.median_low(samples), "max": max(samples)}


def main():
    parser = argparse.ArgumentParser(prog="scripts/bench", description=__doc__.splitlines()[0])
    parser.add_argument("--json", metavar="FILE", type=pathlib.Path, help="write the numbers to FILE")
    parser.add_argument("--boots", metavar="N", type=int, default=31,
                        help="boots for entry_to_guest (31; they are all alike, so 1 tells as much)")
    options = parser.parse_args()
    build()
    results = {name: summarize(name, samples) for name, samples in measure(options.boots).items()}
    print(f"{'':15} {'n':>3} {'min':>9} {'median':>9} {'max':>9}")
    for name, result in results.items():
        print(f"{name:15} {result['n']:3} {result['min']:9} {result['median']:9} {result['max']:9}"
              f"  {MEANING.get(name, '')}")
    missing = MEANING.keys() - results.keys()
    if options.json:
        options.json.write_text(json.dumps(results, indent=2) + "\n", encoding="utf-8")
    if missing:
        sys.exit(f"scripts/bench: not measured: {', '.join(sorted(missing))}")


main()
