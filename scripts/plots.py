# SPDX-License-Identifier: BSD-2-Clause
"""Plots of the figures of scripts/bench, as SVG by matplotlib. A figure has three values: Stencil's, that with mitigations, and
KVM's; None for what was not measured."""
import io


def column(figures, names, n):
    """Column n of these figures; None if one of them was not measured, which leaves the line out."""
    values = [figures[name][n] for name in names]
    return None if None in values else values


def plot_clone(axes, figures):
    sizes = [64, 256, 1024]
    for n, who in ((0, "Stencil"), (2, "KVM")):
        values = column(figures, ("clone_64m", "clone_256m", "clone_1g"), n)
        if values:
            axes.plot(sizes, values, marker="o", label=who)
    axes.set(title="a clone, by its template's size", xlabel="MiB", ylabel="instructions", xscale="log", yscale="log",
             xticks=sizes, xticklabels=sizes, ylim=(1e3, 1e6))
    axes.legend()


def plot_revert(axes, figures):
    pages = [0, 16, 64, 256]
    for n, who in ((0, "Stencil"), (2, "KVM")):
        values = column(figures, ("reset_base", "reset_page"), n)
        if values:
            axes.plot(pages, [values[0] + count * values[1] for count in pages], marker="o", label=who)
    axes.set(title="a revert, by the pages written", xlabel="pages", ylabel="instructions", yscale="log", ylim=(5e2, 1e6))
    axes.legend()


def plot_exits(axes, figures):
    names = ["cpuid_exit", "pio_exit", "pio_in", "cow_steady", "cow_first"]
    for n, who in enumerate(("Stencil", "Stencil, guarded", "KVM")):
        values = column(figures, names, n)
        if values:
            axes.bar([i + 0.27 * (n - 1) for i in range(len(names))], values, 0.25, label=who)
    axes.set(title="exits and first writes", ylabel="instructions", yscale="log", xticks=range(len(names)), xticklabels=names)
    axes.tick_params("x", labelsize=7)
    axes.legend(fontsize=7)


def plot_memory(axes, figures):
    counts = [1, 10, 100, 1000]
    for n, who in ((0, "Stencil"), (2, "KVM")):
        for name, style in (("clone_bytes_run", "-"), ("clone_bytes_parked", "--")):
            values = column(figures, [name], n)
            label = f"{who}, {'run' if style == '-' else 'not run yet'}"
            if values:
                axes.plot(counts, [count * values[0] / 2**20 for count in counts], style, marker="o", color=f"C{n // 2}", label=label)
    axes.set(title="memory of clones", xlabel="clones", ylabel="MiB", xscale="log", yscale="log")
    axes.legend(fontsize=7)


ALL = {"clone": plot_clone, "revert": plot_revert, "exits": plot_exits, "memory": plot_memory}


def chart(draws, figures):
    """One picture of one plot, or of four. Equal bytes for equal figures: no date, and no random ids."""
    import matplotlib  # pylint: disable=import-outside-toplevel
    matplotlib.use("svg")
    import matplotlib.pyplot as plt  # pylint: disable=import-outside-toplevel
    matplotlib.rcParams.update({"svg.hashsalt": "stencil", "svg.fonttype": "none", "font.size": 9})
    shape = (1, 1) if len(draws) == 1 else (2, 2)
    picture, axes = plt.subplots(*shape, squeeze=False, figsize=(4.5 * shape[1], 3.25 * shape[0]), layout="constrained")
    for draw, where in zip(draws, axes.flat):
        draw(where, figures)
    output = io.StringIO()
    picture.savefig(output, format="svg", metadata={"Date": None})
    return "".join(line.rstrip() + "\n" for line in output.getvalue().splitlines())
