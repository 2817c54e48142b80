#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Hold the tables of docs/limits.md against the constants of the source.

A row is "| limit | value | `EXPRESSION` |". The names in the expression are macros and members of enumerations,
anywhere in the source; "FILE NAME" takes the one of that file. A row without a constant has "-". Prints each row
that is wrong, and exits with 1 if there is one.
"""
import pathlib
import re
import subprocess
import sys
import tempfile

TOP = pathlib.Path(__file__).resolve().parent.parent
DOCUMENT = TOP / "docs/limits.md"
ROW = re.compile(r"^\| (.+) \| (.+) \| `(.+)` \|$", re.MULTILINE)
DEFINITION = re.compile(
    r"(?:#define[ \t]+([A-Z][A-Z0-9_]+)[ \t]+|(?:^|[{,])[ \t]*([A-Z][A-Z0-9_]+) = )([^\n]+)", re.MULTILINE)
NAME = re.compile(r"(?:([a-z0-9_]+\.[a-z]+) )?\b([A-Z][A-Z0-9_]+)\b")
KNOWN = {"KIB", "MIB", "GIB", "BIT", "UINT32_C", "UINT64_C", "UINT32_MAX", "PAGE_SIZE"}  # hv/lib/types.h
UNITS = {"KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30}


class Wrong(Exception):
    pass


def definitions():
    """From a name to pairs of file name and text."""
    found = {}
    for folder in ("hv", "boot", "guest-tools", "scripts"):
        for path in sorted((TOP / folder).rglob("*.[chp]*")):
            if path.suffix not in (".c", ".h", ".py"):
                continue
            for macro, member, text in DEFINITION.findall(path.read_text(encoding="utf-8")):
                text = re.split(r"/\*|  #|[,};]", text)[0].strip()
                found.setdefault(macro or member, set()).add((path.name, text))
    return found


def expand(expression, found, depth=0):
    """The expression with the texts of its names, down to what types.h defines."""
    def replace(match):
        file, name = match.groups()
        if name in KNOWN:
            return name
        texts = {text for where, text in found.get(name, ()) if file in (None, where)}
        if len(texts) != 1 or depth > 5:
            raise Wrong(f"{name} is defined {len(texts)} times")
        return f"({expand(texts.pop(), found, depth + 1)})"

    return NAME.sub(replace, re.sub(r"\b(0x[0-9a-fA-F]+|\d+)[uU]?[lL]*\b", r"\1", expression))


def number(value):
    """The number of a value such as "48 bytes", "3 GiB" or "2.12", a version."""
    match = re.fullmatch(r"(\d+)(?:\.(\d+))?(?: (\w+))?", value)
    if match is None:
        raise Wrong(f"{value} is not a number")
    if match[2]:
        return int(match[1]) << 8 | int(match[2])
    return int(match[1]) * UNITS.get(match[3], 1)


def compute(expressions):
    lines = "".join(f'\tprintf("%llu\\n", (unsigned long long)({text}));\n' for text in expressions)
    with tempfile.TemporaryDirectory() as work:
        source, program = pathlib.Path(work, "limits.c"), pathlib.Path(work, "limits")
        source.write_text('#include <stdio.h>\n#include "hv/lib/types.h"\nint main(void)\n{\n' + lines + "}\n")
        subprocess.run(["gcc", "-std=gnu2x", "-I", TOP, source, "-o", program], check=True)
        output = subprocess.run([program], check=True, capture_output=True, text=True).stdout
    return [int(line) for line in output.splitlines()]


def main():
    found = definitions()
    rows, wrong = [], []
    for limit, value, expression in ROW.findall(DOCUMENT.read_text(encoding="utf-8")):
        try:
            rows.append((limit, number(value), expand(expression, found)))
        except Wrong as error:
            wrong.append(f"{limit}: {error}")
    for (limit, said, _), value in zip(rows, compute([expression for *_, expression in rows])):
        if said != value:
            wrong.append(f"{limit}: the document says {said}, the source {value}")
    if not rows:
        wrong.append("no rows")
    print(*(f"docs/limits.md: {line}" for line in wrong), sep="\n", end="\n" if wrong else "")
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()

