#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Figures of the tree.

  functions [LENGTH]    list the functions with more lines than LENGTH (60)
  parameters [NUMBER]   list the functions of hv/ and boot/ with more parameters than NUMBER (5)
  table                 print the size of each room, what runs when, and arrows and circles

The lines of a function include its head and braces. Functions of tests/unit/ may be longer,
because tables stand inside them. A list leads to exit status 1 unless it is empty. The table
counts arrows and circles by calls as well when there is a build to read.
"""
import argparse
import collections
import dataclasses
import os
import re
import subprocess
import sys

import rooms

# Comments, and the strings and characters that may look as if they held one.
C_TOKEN = re.compile(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\])*"|\'(?:\\.|[^\'\\])*\'', re.S)
ASM_TOKEN = re.compile(r';[^\n]*|"[^"\n]*"|\'[^\'\n]*\'')

# Saved state and the monitor: only the operator reaches them.
OPERATOR = re.compile(r"hv/(monitor/|qmp/|vm/(state|save_queue)|guest/saved_memory|lib/state_file)")


@dataclasses.dataclass
class Function:
    name: str
    path: str
    start: int
    lines: int
    parameters: int


@dataclasses.dataclass
class Lines:
    code: int = 0
    comment: int = 0

    def add(self, other):
        self.code += other.code
        self.comment += other.comment


def count_parameters(signature):
    """Commas outside the parentheses of a parameter's own type."""
    inner = signature.strip()[1:-1]
    if inner in ("", "void"):
        return 0
    while True:
        flat = re.sub(r"\([^()]*\)", "", inner)
        if flat == inner:
            return flat.count(",") + 1
        inner = flat


def functions(*patterns):
    paths = [path for path in rooms.sources(*patterns) if not path.startswith("tests/unit/")]
    tags = subprocess.run(["ctags", "--kinds-C=f", "--fields=+neS", "-f", "-", *paths],
                          cwd=rooms.TOP, check=True, capture_output=True, text=True).stdout
    for tag in tags.splitlines():
        name, path, _, *fields = tag.split("\t")
        field = dict(item.split(":", 1) for item in fields if ":" in item)
        start = int(field["line"])
        yield Function(name, path, start, int(field["end"]) - start + 1,
                       count_parameters(field["signature"]))


def count_lines(path):
    text = (rooms.TOP / path).read_text()
    token = ASM_TOKEN if path.endswith(".asm") else C_TOKEN

    def blank(match):
        word = match.group()
        return word if word[0] in "\"'" else re.sub(r"[^\n]", " ", word)

    lines = Lines()
    for line, code in zip(text.splitlines(), token.sub(blank, text).splitlines()):
        if code.strip():
            lines.code += 1
        elif line.strip():
            lines.comment += 1
    return lines


def start_sources():
    """HV_START_SOURCES of hv/sources.cmake."""
    text = (rooms.TOP / "hv" / "sources.cmake").read_text()
    return set(re.search(r"set\(HV_START_SOURCES([^)]*)\)", text).group(1).split())


def class_of(path, start):
    """When the lines of a file are of use; a header is with its .c file."""
    stem, _ = os.path.splitext(path)
    if path.startswith("boot/") or {f"{stem}.c", f"{stem}.asm", path} & start:
        return "start-only"
    return "operator-only" if OPERATOR.match(path) else "guest-reachable"


def arrows(objects):
    """From room to room, by includes and by calls."""
    for path in rooms.sources("hv/*.[ch]", "boot/*.[ch]"):
        for include in rooms.includes_of(path):
            yield path, include
    if objects:
        for source, _, target in objects.calls(rooms.read_seams()):
            yield source, target


def count_upward(table, objects):
    """Arrows between rooms that scripts/rooms does not allow."""
    refused = set()
    for source, target in arrows(objects):
        room = table.get(rooms.room_of(source))
        if room is None or not room.may_use(target):
            refused.add((rooms.room_of(source), rooms.room_of(target)))
    return len(refused)


def room_order(table):
    names = list(table)
    return lambda name: names.index(name) if name in table else len(names)


def print_rooms(table, paths):
    lengths = collections.defaultdict(list)
    wide = collections.Counter()
    for function in functions("hv/*.c", "boot/*.c"):
        room = rooms.room_of(function.path)
        lengths[room].append(function.lines)
        wide[room] += function.parameters > 5
    sums, files, total = collections.defaultdict(Lines), collections.Counter(), Lines()
    for path in paths:
        lines = count_lines(path)
        sums[rooms.room_of(path)].add(lines)
        files[rooms.room_of(path)] += 1
        total.add(lines)

    def row(name, n_files, lines, lengths, n_wide):
        print(f"{name:10} {n_files:5} {lines.code:6} {100 * lines.comment // (lines.code + lines.comment):8}%"
              f" {len(lengths):9} {max(lengths, default=0):7} {n_wide:8}")

    print("room       files   code comments functions longest >5 param")
    for name in sorted(sums, key=room_order(table)):
        row(name, files[name], sums[name], lengths[name], wide[name])
    row("all", files.total(), total, sum(lengths.values(), []), wide.total())


def print_classes(paths):
    start = start_sources()
    classes = collections.Counter()
    for path in paths:
        classes[class_of(path, start)] += count_lines(path).code
    for name in ("start-only", "operator-only", "guest-reachable"):
        print(f"{name}: {classes[name]} lines of code, {100 * classes[name] // classes.total()} %")


def print_table():
    table = rooms.read_rooms()
    objects = rooms.read_objects(must_exist=False)
    paths = rooms.sources("hv/*.c", "hv/*.h", "hv/*.asm", "boot/*.c", "boot/*.h")
    print_rooms(table, paths)
    print_classes(paths)
    print(f"circles: {len(list(rooms.check_circles(table, objects)))}")
    print(f"upward arrows: {count_upward(table, objects)}")
    if objects is None:
        print("(by includes only: there is no build to read calls from)")


def complain(lines):
    lines = sorted(lines)
    print(*lines, sep="\n", end="\n" if lines else "")
    sys.exit(bool(lines))


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["functions", "parameters", "table"])
    parser.add_argument("limit", nargs="?", type=int)
    args = parser.parse_args()
    if args.what == "functions":
        limit = args.limit or 60
        complain(f"{f.path}:{f.start}: {f.name} has {f.lines} lines"
                 for f in functions("*.c") if f.lines > limit)
    elif args.what == "parameters":
        limit = args.limit or 5
        complain(f"{f.path}:{f.start}: {f.name} has {f.parameters} parameters"
                 for f in functions("hv/*.[ch]", "boot/*.[ch]") if f.parameters > limit)
    else:
        print_table()


if __name__ == "__main__":
    main()
