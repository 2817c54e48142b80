# SPDX-License-Identifier: BSD-2-Clause
"""Limits of density: what build/tests/threads/test_scale counts and times, and what follows for large machines."""
import re
import subprocess

PAGES_512G = 512 << 18
NS = 1000  # times are in picoseconds
S = 10**12
MACHINES = {"1_1": "1 processor", "64_1": "64 processors, 1 node", "64_64": "64 processors, 64 nodes", "256_64": "256 processors, 64 nodes"}
SHARED = "vms", "others_new", "others_queues", "stacks", "merged", "node"  # locks; the rest are a VM's or the calling processor's own


class Failure(Exception):
    """Why there are no numbers."""


def read(program):
    """The numbers of the program's lines 'scale NAME VALUE'."""
    done = subprocess.run([program], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise Failure(f"{program.name}: {''.join(done.stderr.splitlines()[-1:]) or f'status {done.returncode}'}")
    return {name: int(value) for name, value in re.findall(r"^scale (\w+) (\d+)$", done.stdout, re.MULTILINE)}


def lock_rows(numbers):
    for machine, meaning in MACHINES.items():
        taken = {lock: numbers[f"locks_{machine}_{lock}"] / 100 for lock in SHARED}
        named = ", ".join(f"{lock} {n:.1f}" for lock, n in taken.items() if n >= 0.05)
        yield f"life_locks_{machine}", f"{sum(taken.values()):.1f}", "counted", f"acquisitions of shared locks in a clone's life, {meaning}: {named}"


def rows(numbers):
    """Name, value, how it was found, and meaning."""
    yield from lock_rows(numbers)
    for n in 10, 10000:
        yield f"life_of_{n}", f"{numbers[f'life_of_{n}_ps'] / NS:.0f} ns", "timed", f"the hypervisor's part of a clone's life, without its vCPU's state, while {n} take turns"
    yield "node_locks", f"{numbers['node_locks_of_64_frames'] / 64:.3f}", "counted", "acquisitions of a node's lock for a frame, 1 TiB on 64 nodes"
    yield "free_records", f"{numbers['records_of_a_tib_kib'] / 1024:.1f} MiB", "counted", "records of free memory, of 1 TiB"
    yield "template_empty", f"{numbers['empty_512g_frames'] * 4} KiB", "counted", "tables of a VM of 512 GiB that has written nothing"
    yield "template_sparse", f"{numbers['sparse_64g_frames'] * 4 / (64 << 9):.1f} KiB", "counted", "memory of a page that is alone in its 2 MiB"
    over = numbers["template_frames_of_100000_pages"] / 100000 - 1
    yield "template_tables", f"{over * PAGES_512G / (1 << 18):.1f} GiB", "computed", f"tables and log of a template of 512 GiB, all written: {over:.2%}"
    for name, what in ("freeze", "freezing it"), ("checksum", "its checksum"), ("free", "freeing it"):
        of_page = numbers[f"{name}_page_ps"]
        yield f"template_{name}", f"{of_page * PAGES_512G / S:.1f} s", "computed", f"{what}, in pieces that other work interrupts: {of_page / NS:.0f} ns a page"
    yield "chain_memory", f"{numbers['chain_frames_of_1000'] * 4 / 1000:.0f} KiB", "counted", "memory of a link of a chain of 1000 that has written one page"
    yield "chain_free", f"{numbers['chain_free_ps'] / NS:.0f} ns", "timed", "freeing such a link"
    for depth in 1, 1000:
        yield f"copy_depth_{depth}", f"{numbers[f'copy_at_depth_{depth}_ps'] / NS:.0f} ns", "timed", f"a first write's copy, at the end of a chain of {depth}"


def table(numbers):
    return [f"{name:17} {value:>9}  {how:8}  {meaning}" for name, value, how, meaning in rows(numbers)]
