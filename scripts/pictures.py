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

DOCS = pathlib.Path(__file__).resolve().parent.parent / "docs"
MADE = "<!-- Drawn by scripts/pictures.py from:\n{}-->\n"
PLOTTED = "clone_64m|clone_256m|clone_1g|reset_base|reset_page|cpuid_exit|pio_exit|pio_in|cow_steady|cow_first|clone_bytes_run|clone_bytes_parked"
ROW = re.compile(rf"^({PLOTTED}) +(\d+|-) +(\d+|-) +(\d+|-) ", re.MULTILINE)


def dot(text):
    return subprocess.run(["dot", "-Tsvg"], input=text, check=True, capture_output=True, text=True).stdout


def figures_text():
    """The rows of the table that the plots need."""
    rows = [match[0] for match in ROW.finditer((DOCS / "bench.md").read_text(encoding="utf-8"))]
    return "".join(" ".join(row.split()) + "\n" for row in rows)


def read_figures(text):
    """From a figure's name to Stencil's value, that with mitigations, and KVM's; None for what was not measured."""
    return {name: [None if value == "-" else int(value) for value in values]
            for name, *values in (line.split() for line in text.splitlines())}


def plot_clone(axes, figures):
    sizes = [64, 256, 1024]
    for column, who in ((0, "Stencil"), (2, "KVM")):
        values = [figures[name][column] for name in ("clone_64m", "clone_256m", "clone_1g")]
        axes.plot(sizes, values, marker="o", label=who)
    axes.set(title="a clone, by its template's size", xlabel="MiB", ylabel="instructions", xscale="log", yscale="log",
             xticks=sizes, xticklabels=sizes, ylim=(1e3, 1e6))
    axes.legend()


def plot_revert(axes, figures):
    pages = [0, 16, 64, 256]
    for column, who in ((0, "Stencil"), (2, "KVM")):
        axes.plot(pages, [figures["reset_base"][column] + n * figures["reset_page"][column] for n in pages], marker="o", label=who)
    axes.set(title="a revert, by the pages written", xlabel="pages", ylabel="instructions", yscale="log", ylim=(1e3, 1e6))
    axes.legend()


def plot_exits(axes, figures):
    names = ["cpuid_exit", "pio_exit", "pio_in", "cow_steady", "cow_first"]
    for n, who in enumerate(("Stencil", "Stencil, guarded", "KVM")):
        axes.bar([i + 0.27 * (n - 1) for i in range(len(names))], [figures[name][n] for name in names], 0.25, label=who)
    axes.set(title="exits and first writes", ylabel="instructions", yscale="log", xticks=range(len(names)), xticklabels=names)
    axes.tick_params("x", labelsize=7)
    axes.legend(fontsize=7)


def plot_memory(axes, figures):
    counts = [1, 10, 100, 1000]
    for column, who in ((0, "Stencil"), (2, "KVM")):
        for name, style in (("clone_bytes_run", "-"), ("clone_bytes_parked", "--")):
            label = f"{who}, {'run' if style == '-' else 'not run yet'}"
            axes.plot(counts, [n * figures[name][column] / 2**20 for n in counts], style, marker="o", color=f"C{column // 2}", label=label)
    axes.set(title="memory of clones", xlabel="clones", ylabel="MiB", xscale="log", yscale="log")
    axes.legend(fontsize=7)


def bench(text):
    """Equal bytes for equal figures: no date, and no random ids."""
    import io  # pylint: disable=import-outside-toplevel

    import matplotlib  # pylint: disable=import-outside-toplevel
    matplotlib.use("svg")
    import matplotlib.pyplot as plt  # pylint: disable=import-outside-toplevel
    matplotlib.rcParams.update({"svg.hashsalt": "stencil", "svg.fonttype": "none", "font.size": 9})
    chart, axes = plt.subplots(2, 2, figsize=(9, 6.5), layout="constrained")
    for draw, where in zip((plot_clone, plot_revert, plot_exits, plot_memory), axes.flat):
        draw(where, read_figures(text))
    output = io.StringIO()
    chart.savefig(output, format="svg", metadata={"Date": None})
    return "".join(line.rstrip() + "\n" for line in output.getvalue().splitlines())


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
