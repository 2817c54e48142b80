#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Draw the pictures of docs/, or check that they are current.

Each docs/NAME.dot is drawn by graphviz as docs/NAME.svg, and the table of docs/bench.md by matplotlib as docs/bench.svg. A
picture ends with the text that it was drawn from. "check" compares this text, because graphviz places text by the
fonts of the machine; matplotlib has its own fonts, so its picture is drawn again, and all of it compared.
"""
import argparse
import pathlib
import re
import subprocess
import sys

import plots

DOCS = pathlib.Path(__file__).resolve().parent.parent / "docs"
MADE = "<!-- Drawn by scripts/pictures.py from:\n{}-->\n"
PLOTTED = "clone_64m|clone_256m|clone_1g|reset_base|reset_page|cpuid_exit|pio_exit|pio_in|cow_steady|cow_first|clone_bytes_run|clone_bytes_parked"
ROW = re.compile(rf"^({PLOTTED}) +(\d+|-) +(\d+|-) +(\d+|-) ", re.MULTILINE)


def dot(text):
    return subprocess.run(["dot", "-Tsvg"], input=text, check=True, capture_output=True, text=True).stdout


def figures_text():
    """The rows that the plots need of the first listing; others have some of these names."""
    listing = (DOCS / "bench.md").read_text(encoding="utf-8").split("```")[1]
    rows = [match[0] for match in ROW.finditer(listing)]
    return "".join(" ".join(row.split()) + "\n" for row in rows)


def read_figures(text):
    """From a figure's name to Stencil's value, that with mitigations, and KVM's; None for what was not measured."""
    return {name: [None if value == "-" else int(value) for value in values]
            for name, *values in (line.split() for line in text.splitlines())}


def bench(text):
    return plots.chart(plots.ALL.values(), read_figures(text))


def pictures():
    """The name of each picture, the text it is made from, how, and whether all its bytes are compared."""
    for path in sorted(DOCS.glob("*.dot")):
        yield path.stem, path.read_text(encoding="utf-8"), dot, False
    yield "bench", figures_text(), bench, True


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["draw", "check"])
    what = parser.parse_args().what
    wrong = []
    for name, text, draw, is_exact in pictures():
        path = DOCS / f"{name}.svg"
        picture = MADE.format(text)
        if what == "draw" or is_exact:
            picture = draw(text) + picture
        if what == "draw":
            path.write_text(picture, encoding="utf-8")
        elif not path.is_file() or not path.read_text(encoding="utf-8").endswith(picture):
            wrong.append(f"docs/{name}.svg is not current: scripts/pictures.py draw")
    print(*wrong, sep="\n", end="\n" if wrong else "")
    sys.exit(1 if wrong else 0)


main()
