#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Debian's kernel warns of nothing that it does not warn of in QEMU's microvm: test_linux_dmesg.py [cloud|generic [CPUS]].

Both machines boot the same kernel and the same initramfs, which prints the kernel's lines of level "warning" and above. Times,
addresses and numbers of lines do not count."""
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

TOP = pathlib.Path(__file__).resolve().parents[2]
APPEND = "console=ttyS0 quiet panic=-1"
MIB = 192
# In both: a comparison of nothing with nothing shows nothing.
ALWAYS = "the initramfs can warn"
INIT = f"""#!/bin/busybox sh
/bin/busybox --install -s /bin
mount -t devtmpfs dev /dev
mount -t proc proc /proc
echo '<4>{ALWAYS}' >/dev/kmsg
dmesg -r | sed -n 's/^<\\([0-4]\\|1[0-2]\\)>/dmesg: /p'
echo "processors: $(nproc)"
stencilctl exit 0
poweroff -f
"""


def make_initrd(folder):
    root = folder / "root"
    for name in "bin", "dev", "proc":
        (root / name).mkdir(parents=True)
    shutil.copy("/bin/busybox", root / "bin")
    (root / "init").write_text(INIT)
    (root / "init").chmod(0o755)
    subprocess.run(["gcc", "-std=gnu2x", "-O2", "-static", "-s", TOP / "guest-tools/stencilctl.c", "-o", root / "bin/stencilctl"], check=True)
    files = "\n".join(str(path.relative_to(root)) for path in sorted(root.rglob("*")))
    with open(folder / "initrd", "wb") as output:
        subprocess.run(["cpio", "--quiet", "-o", "-H", "newc", "-R", "0:0"], cwd=root, input=files.encode(), stdout=output, check=True)


def console(command, timeout):
    done = subprocess.run([str(word) for word in command], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          timeout=timeout, check=False)
    return done.stdout.decode(errors="replace").replace("\r", "")


def in_qemu(folder):
    """One processor, whose time is the number of instructions: on a busy computer Linux could not measure the TSC else."""
    return console(["qemu-system-x86_64", "-M", "microvm,rtc=on", "-icount", "shift=1", "-cpu", "Haswell-noTSX", "-m", f"{MIB}M",
                    "-nographic", "-no-reboot", "-kernel", folder / "vmlinuz", "-initrd", folder / "initrd", "-append", APPEND,
                    "-device", "isa-debug-exit,iobase=0xf4,iosize=4"], 300)


def in_stencil(folder, cpus):
    (folder / "stencil.conf").write_text(f"vm v -m {MIB}M -smp {cpus} -device isa-debug-exit,iobase=0xf4,iosize=4 -no-reboot "
                                         f"-kernel /vmlinuz -initrd /initrd -append '{APPEND}'\n")
    (folder / "ramdisk").mkdir()
    for name in "vmlinuz", "initrd":
        os.link(folder / name, folder / "ramdisk" / name)
    return console([TOP / "scripts/run", "--no-build", "--cpus", 2, "--memory", 1024, "--ramdisk", folder / "ramdisk",
                    folder / "stencil.conf"], 800)


def warnings(text, cpus, machine):
    """The set of lines; a machine that did not come to the end fails the test."""
    if f"processors: {cpus}\n" not in text:
        sys.exit(f"{machine}: Linux did not come up with {cpus} processors:\n{text[-4000:]}")
    return {re.sub(r"0x[0-9a-f]+|\d+", "N", line) for line in re.findall(r"dmesg: (?:\[[ .\d]*\] )?(.*)", text)}


def main():
    flavour, cpus = (sys.argv[1:] + ["cloud", "1"][len(sys.argv) - 1:])[:2]
    kernel = subprocess.run([TOP / "scripts/fetch-kernel", flavour], stdout=subprocess.PIPE, check=True, text=True).stdout.strip()
    with tempfile.TemporaryDirectory(prefix="stencil-dmesg.") as name:
        folder = pathlib.Path(name)
        shutil.copy(kernel, folder / "vmlinuz")
        make_initrd(folder)
        there = warnings(in_qemu(folder), 1, "QEMU")
        here = warnings(in_stencil(folder, cpus), cpus, "Stencil")
    if ALWAYS not in there & here:
        sys.exit("the kernel's lines were not found")
    for line in sorted(here - there):
        print(f"only in Stencil: {line}")
    print(f"{flavour}, {cpus} processors: {len(here)} warnings in Stencil, {len(there)} in QEMU's microvm")
    sys.exit(1 if here - there else 0)


main()
