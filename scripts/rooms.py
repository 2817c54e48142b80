#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Hold the tree against scripts/rooms, the table of rooms and what each may use.

  includes   every #include follows the table
  calls      every symbol an object needs is defined in a room it may use, or is in scripts/seams
  circles    no circle between rooms, between the objects of a room, or between headers

Prints each violation on a line of its own. The exit status is 1 if there is one, 2 if the tree
or the build cannot be read. `calls` and `circles` read the objects of a finished build, in
$STENCIL_BUILD or build/.
"""
import argparse
import graphlib
import os
import pathlib
import re
import subprocess
import sys

TOP = pathlib.Path(__file__).resolve().parent.parent


class Room:
    def __init__(self, name, uses, purpose):
        self.name = name
        self.folder = name if name in ("hv", "boot") or "/" in name else f"hv/{name}"
        self.rooms = [word for word in uses.split() if "/" not in word]
        self.files = [word for word in uses.split() if "/" in word]
        self.purpose = purpose

    def may_use(self, path):
        return room_of(path) in (self.name, *self.rooms) or path in self.files


def rows(name):
    """The rows of a table in scripts/: fields between '|', '#' begins a comment."""
    for line in (TOP / "scripts" / name).read_text().splitlines():
        if line and not line.startswith("#"):
            yield [field.strip() for field in line.split("|")]


def read_rooms():
    return {row[0]: Room(*row) for row in rows("rooms")}


def room_of(path):
    """hv/ept/ept.c is in the room ept, hv/main.c in hv, boot/pe.h in boot."""
    folder = os.path.dirname(path)
    return folder[3:] if folder.startswith("hv/") else folder


def sources(*patterns):
    names = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "--", *patterns],
        cwd=TOP, check=True, capture_output=True, text=True).stdout.split()
    return [name for name in names if (TOP / name).is_file()]


def includes_of(path):
    return re.findall(r'^\s*#\s*include "((?:hv|boot|guest-tools)/[^"]*)"',
                      (TOP / path).read_text(), re.M)


def is_generated(path):
    return re.fullmatch(r"hv/loader/acpi_(dsdt|nvdimm|vmgenid)\.h", path)


def check_includes(rooms):
    for path in sources("hv/*.[ch]", "boot/*.[ch]", "guest-tools/lint/*.[ch]"):
        room = rooms.get(room_of(path))
        if room is None:
            yield f"{path}: {os.path.dirname(path)}/ is not in scripts/rooms"
            continue
        for include in includes_of(path):
            if not room.may_use(include):
                yield f"{path}: {room.name} may not include {include}"


class Objects:
    """What each object of the image defines and needs. Names are source paths."""

    def __init__(self, build):
        self.defined_in = {}
        self.needs = {}
        for kind in ("hv", "asm"):
            folder = pathlib.Path(build) / "CMakeFiles" / f"image_{kind}.dir"
            for path in sorted(folder.rglob("hv/**/*.o")):
                self.read(path, os.path.splitext(str(path.relative_to(folder)))[0])
        if not self.needs:
            sys.exit(f"rooms.py: no objects below {build}: build first")

    def read(self, path, source):
        if not (TOP / source).is_file():
            return
        self.needs[source] = set()
        output = subprocess.run(["nm", "-g", path], check=True, capture_output=True, text=True)
        for line in output.stdout.splitlines():
            kind, symbol = line.split()[-2:]
            if kind == "U":
                self.needs[source].add(symbol)
            else:
                self.defined_in[symbol] = source

    def calls(self, seams):
        """Triples of a source, a symbol it needs, and the source that defines the symbol."""
        for source, symbols in sorted(self.needs.items()):
            for symbol in sorted(symbols - seams):
                target = self.defined_in.get(symbol)
                if target and target != source:
                    yield source, symbol, target


def check_calls(rooms, objects, seams):
    for source, symbol, target in objects.calls(seams):
        if not rooms[room_of(source)].may_use(target):
            yield f"{source}: {room_of(source)} may not use {symbol} of {target}"


def circle(graph, what):
    """The nodes of one circle after the other, until none is left."""
    while True:
        try:
            graphlib.TopologicalSorter(graph).prepare()
            return
        except graphlib.CycleError as error:
            nodes = error.args[1][::-1]
        yield f"circle of {what}: {' -> '.join(nodes)}"
        graph[nodes[0]].discard(nodes[1])


def check_circles(rooms, objects, seams):
    yield from circle({room.name: set(room.rooms) for room in rooms.values()}, "rooms")
    graph = {}
    for source, _, target in objects.calls(seams):
        if room_of(source) == room_of(target):
            graph.setdefault(source, set()).add(target)
    yield from circle(graph, "calls")
    headers = sources("hv/*.h", "boot/*.h")
    yield from circle({path: set(includes_of(path)) for path in headers}, "headers")


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("check", nargs="+", choices=["includes", "calls", "circles"])
    args = parser.parse_args()
    rooms = read_rooms()
    seams = {row[0] for row in rows("seams")}
    objects = None
    if set(args.check) & {"calls", "circles"}:
        objects = Objects(os.environ.get("STENCIL_BUILD", TOP / "build"))
    found = []
    for check in args.check:
        if check == "includes":
            found += check_includes(rooms)
        elif check == "calls":
            found += check_calls(rooms, objects, seams)
        else:
            found += check_circles(rooms, objects, seams)
    known = TOP / "scripts" / "rooms.known"
    if known.exists():
        found = [line for line in found if line not in known.read_text().splitlines()]
    print(*found, sep="\n", end="\n" if found else "")
    sys.exit(bool(found))


if __name__ == "__main__":
    main()
