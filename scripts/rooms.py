#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Hold the tree against scripts/rooms, the table of rooms and what each may use.

  includes   every #include follows the table
  calls      every symbol an object needs is defined in a room it may use, or is in scripts/seams
  circles    no circle between rooms, nor between the units of a room (x.c, x.asm and x.h are one)
             by calls or by includes
  start      what is not start-only uses start-only code and constants as scripts/start allows
  unused     every symbol that a file of hv/ exports is used by another file, or by a test or tool
  dot        print the picture of the rooms, as graphviz text
  svg        print the picture, with its graphviz text in a comment: docs/rooms.svg
  picture    docs/rooms.svg shows the table

A check prints each violation on a line of its own. The exit status is 1 if there is one, 2 if
the tree or the build cannot be read. `calls`, `circles`, `start` and `unused` read the objects
of a finished build, in $STENCIL_BUILD or build/.
"""
import argparse
import graphlib
import os
import pathlib
import re
import subprocess
import sys
import textwrap

TOP = pathlib.Path(__file__).resolve().parent.parent


class Room:
    def __init__(self, name, uses, purpose):
        self.name = name
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


def read_seams():
    return {row[0] for row in rows("seams")}


def room_of(path):
    """hv/ept/ept.c is in the room ept, hv/main.c in hv, boot/pe.h in boot."""
    folder = os.path.dirname(path)
    return folder[3:] if folder.startswith("hv/") else folder


def sources(*patterns):
    """The files of the tree that match, new ones included."""
    names = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "--", *patterns],
        cwd=TOP, check=True, capture_output=True, text=True).stdout.split()
    return sorted({name for name in names if (TOP / name).is_file()})


def includes_of(path):
    return re.findall(r'^\s*#\s*include "((?:hv|boot|guest-tools)/[^"]*)"',
                      (TOP / path).read_text(), re.M)


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
        self.start_only = set() # sources
        self.constant = set() # symbols of code and constants
        sources = {}
        for path, part, source in self.list(pathlib.Path(build)):
            if path.is_file() and (TOP / source).is_file():
                sources[str(path)] = source
                if part != "run":
                    self.start_only.add(source)
        if sources:
            self.read(sources)

    @staticmethod
    def list(build):
        """The objects that the build is made of; those of earlier builds may lie beside them."""
        commands = build / "compile_commands.json"
        text = commands.read_text() if commands.is_file() else ""
        for path, part, source in re.findall(
                r"-o (CMakeFiles/image_(\w+)\.dir/(\S+)\.o)(?=\s)", text):
            yield build / path, part, source

    def read(self, sources):
        """The symbols of all objects, of which sources has the names: one run of nm is quick."""
        output = subprocess.run(["nm", "--extern-only", "--format=sysv", *sources], check=True,
                                capture_output=True, text=True)
        for line in output.stdout.splitlines():
            if line.startswith("Symbols from "):
                source = sources[line.removeprefix("Symbols from ").removesuffix(":")]
                self.needs[source] = set()
            if line.count("|") == 6:
                self.read_symbol(line, source)

    def read_symbol(self, line, source):
        symbol, _, kind, *_, section = (field.strip() for field in line.split("|"))
        if kind in "Uvw":
            self.needs[source].add(symbol)
            return
        self.defined_in[symbol] = source
        if section.startswith((".text", ".rodata", ".data.rel.ro")):
            self.constant.add(symbol)

    def calls(self, seams):
        """Triples of a source, a symbol it needs, and the source that defines the symbol."""
        for source, symbols in sorted(self.needs.items()):
            for symbol in sorted(symbols - seams):
                target = self.defined_in.get(symbol)
                if target and target != source:
                    yield source, symbol, target


def check_calls(rooms, objects):
    for source, symbol, target in objects.calls(read_seams()):
        room = rooms.get(room_of(source))
        if room and not room.may_use(target):
            yield f"{source}: {room.name} may not use {symbol} of {target}"


def check_seams(rooms, objects):
    """A seam is defined where its row says, and would be refused without the row."""
    for symbol, lower, upper, _ in rows("seams"):
        target = objects.defined_in.get(symbol)
        if target is None or room_of(target) != upper:
            yield f"scripts/seams: {symbol} is not defined in {upper}"
        elif rooms[lower].may_use(target):
            yield f"scripts/seams: {lower} may use {symbol} of {target} in any case"


def check_start(objects):
    """Variables of start-only files stay, so that others may read them."""
    allowed = {(caller, symbol) for symbol, caller, _ in rows("start")}
    used = set()
    for source, symbol, target in objects.calls(set()):
        if (target in objects.start_only and source not in objects.start_only
                and symbol in objects.constant):
            used.add((source, symbol))
            if (source, symbol) not in allowed:
                yield f"{source} needs {symbol} of {target}, which is start-only"
    for source, symbol in sorted(allowed - used):
        yield f"scripts/start: {source} does not need {symbol}, or it is not start-only"


# gcc chooses the register of an indirect branch, and so which of the thunks is needed.
THUNK = "__x86_indirect_thunk_"


def check_unused(objects):
    """Tests and tools are read as text, since their objects are not those of the image."""
    needed = set().union(*objects.needs.values())
    for path in sources("tests/*.[ch]", "guest-tools/*.[ch]"):
        needed.update(re.findall(r"[A-Za-z_]\w*", (TOP / path).read_text()))
    for symbol, source in sorted(objects.defined_in.items()):
        if source.startswith("hv/") and symbol not in needed and not symbol.startswith(THUNK):
            yield f"{source}: {symbol} is exported, but only used here or nowhere"


def circles(graph, what):
    """A circle of the graph after the other, each without an arrow of those before it."""
    graph = {node: sorted(targets) for node, targets in sorted(graph.items())}
    while True:
        try:
            graphlib.TopologicalSorter(graph).prepare()
            return
        except graphlib.CycleError as error:
            nodes = error.args[1][::-1]
        yield f"circle of {what}: {' -> '.join(nodes)}"
        graph[nodes[0]].remove(nodes[1])


def inside_rooms(arrows):
    """Arrows between files as a graph of the units of each room: x.c, x.asm and x.h are one."""
    graph = {}
    for source, target in arrows:
        unit, used = os.path.splitext(source)[0], os.path.splitext(target)[0]
        if unit != used and room_of(source) == room_of(target):
            graph.setdefault(unit, set()).add(used)
    return graph


def check_circles(rooms, objects):
    yield from circles({room.name: room.rooms for room in rooms.values()}, "rooms")
    if objects:
        calls = ((source, target) for source, _, target in objects.calls(read_seams()))
        yield from circles(inside_rooms(calls), "calls")
    includes = ((path, include) for path in sources("hv/*.[ch]", "boot/*.[ch]")
                for include in includes_of(path))
    yield from circles(inside_rooms(includes), "includes")


def floors(rooms):
    """The floor of each room: one above the highest that it uses."""
    floor = {}
    for name in graphlib.TopologicalSorter(
            {room.name: room.rooms for room in rooms.values()}).static_order():
        floor[name] = 1 + max((floor[used] for used in rooms[name].rooms), default=0)
    return floor


def direct(rooms):
    """Each room's arrows that do not follow from others: a -> c goes if a -> b -> c."""
    def below(name):
        return set(rooms[name].rooms).union(*map(below, rooms[name].rooms))

    for room in rooms.values():
        implied = set().union(*map(below, room.rooms))
        yield from ((room.name, used) for used in room.rooms if used not in implied)


def picture(rooms):
    """The rooms of hv/ and boot/, floor upon floor. What only tools use is left out."""
    rooms = {name: room for name, room in rooms.items() if "/" not in name}
    floor = floors(rooms)
    floor["boot"] = floor["hv"]
    yield "digraph rooms {"
    yield '\tgraph [ranksep=0.35, nodesep=0.25, fontname="Helvetica"]'
    yield '\tnode [shape=box, style="rounded,filled", fillcolor="#f4f1e8", fontname="Helvetica", fontsize=11]'
    yield '\tedge [color="#555555", arrowsize=0.7]'
    for name, room in rooms.items():
        lines = "<br/>".join(textwrap.wrap(room.purpose, 28)).replace("&", "&amp;")
        title = f"{name}/" if name == "boot" else "hv/*.c" if name == "hv" else f"hv/{name}/"
        yield f'\t"{name}" [label=<<b>{title}</b><br/><font point-size="9">{lines}</font>>]'
    for level in sorted(set(floor.values()), reverse=True):
        names = " ".join(f'"{name}"' for name in rooms if floor[name] == level)
        yield f"\t{{ rank=same; {names} }}"
    for name, used in direct(rooms):
        yield f'\t"{name}" -> "{used}"'
    for lower, upper in sorted({tuple(row[1:3]) for row in rows("seams")}):
        yield f'\t"{lower}" -> "{upper}" [style=dashed, constraint=false]'
    yield "}"


def dot(rooms):
    return "".join(f"{line}\n" for line in picture(rooms))


def svg(rooms):
    text = dot(rooms)
    drawn = subprocess.run(["dot", "-Tsvg"], input=text, check=True, capture_output=True, text=True)
    return f"{drawn.stdout}<!-- Drawn by scripts/rooms.py svg from:\n{text}-->\n"


def check_picture(rooms):
    path = TOP / "docs" / "rooms.svg"
    if not path.is_file() or dot(rooms) not in path.read_text():
        yield "docs/rooms.svg does not show scripts/rooms: scripts/rooms.py svg >docs/rooms.svg"


def read_objects(must_exist=True):
    """The objects of $STENCIL_BUILD or build/; None if there are none and need not be."""
    build = os.environ.get("STENCIL_BUILD", TOP / "build")
    objects = Objects(build)
    if objects.needs:
        return objects
    if must_exist:
        print(f"rooms.py: no objects below {build}: build first", file=sys.stderr)
        sys.exit(2)
    return None


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["includes", "calls", "circles", "start", "unused", "dot",
                                         "svg", "picture"])
    what = parser.parse_args().what
    rooms = read_rooms()
    if what in ("dot", "svg"):
        print(dot(rooms) if what == "dot" else svg(rooms), end="")
        return
    if what == "includes":
        found = list(check_includes(rooms))
    elif what == "picture":
        found = list(check_picture(rooms))
    elif what == "calls":
        objects = read_objects()
        found = [*check_calls(rooms, objects), *check_seams(rooms, objects)]
    elif what == "start":
        found = list(check_start(read_objects()))
    elif what == "unused":
        found = list(check_unused(read_objects()))
    else:
        found = list(check_circles(rooms, read_objects()))
    print(*found, sep="\n", end="\n" if found else "")
    sys.exit(bool(found))


if __name__ == "__main__":
    main()
