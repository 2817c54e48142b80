#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Hold the tables of the documents against those of the source: what one has and the other has not.

Compared are the options of "vm" and "host", the drivers of -device, the options of backends and of a line "clone", the
monitor's commands; and in docs/guest-interface.md the devices with their ports and addresses, the items of fw_cfg, the
features of CPUID, the MSRs, the ids and tables of ACPI, and each number that a row's last cell computes, as in
docs/limits.md. A block of a document that names a file quotes it, and links lead to files and titles. Prints each
difference, and exits with 1 if there is one.
"""
import json
import pathlib
import re
import sys

sys.dont_write_bytecode = True
import limits  # pylint: disable=wrong-import-position

TOP = pathlib.Path(__file__).resolve().parent.parent
CONFIGURATION, MONITOR, TEMPLATES, GUEST = (
    f"docs/{name}.md" for name in ("configuration", "monitor", "templates", "guest-interface"))
OPTIONS = "hv/config/vm_options.c"
CONFIGURED = "`iobase`"  # where the VM's options choose the port
MSR_FILES = ("hv/vcpu/guest_msr.c", "hv/run/exit_msr.c", "hv/vcpu/speculation.c", "hv/vcpu/kvm_msr.c")


def read(name):
    return (TOP / name).read_text(encoding="utf-8")


def table(document, title):
    """The rows of the tables below a title, or above the first, as lists of cells."""
    text = re.search(rf"^#+ {re.escape(title)}\n(.*?)(?=^#|\Z)", read(document), re.DOTALL | re.MULTILINE)[1]
    rows = [[cell.strip() for cell in line.strip("|").split(" | ")] for line in text.splitlines() if line.startswith("|")]
    heads = [n - 1 for n, row in enumerate(rows) if set("".join(row)) <= set("-|")]
    return [row for n, row in enumerate(rows) if n not in heads and n - 1 not in heads]


def quoted(text):
    return re.findall(r"`([^`]+)`", text)


def place(first, size):
    last = first + size - 1
    return f"{first:#x}" if first == last else f"{first:#x}-{last:#x}"


def row_names(file, name):
    """The names in a table of the source: a row is {"NAME", ... or [NUMBER] = {"NAME", ..."""
    text = re.search(rf"^static const struct \w+ {name}\[\] = {{\n(.*?)^}};", read(file), re.DOTALL | re.MULTILINE)[1]
    return set(re.findall(r'^\t(?:\[\w+\] = )?{"([^"]+)"', text, re.MULTILINE))


def listed_names(file, head):
    """The names in a string with blanks between them."""
    text = re.search(rf'{head}((?:[ \t\n]|\\\n|"[^"]*")+)', read(file))[1]
    return set("".join(re.findall(r'"([^"]*)"', text)).split())


def options():
    flags = re.findall(r'strcmp\(reader->option, "([^"]+)"\)', read(OPTIONS))
    return row_names(OPTIONS, "vm_options") | listed_names(OPTIONS, "char accepted_flags\\[\\] =") | set(flags)


def option_spans(document, title):
    return {name for row in table(document, title) for span in quoted(row[0]) for name in re.findall(r"^-([\w-]+)", span)}


def documented_options():
    return option_spans(CONFIGURATION, "`vm NAME OPTIONS`") | option_spans(CONFIGURATION, "Options that change nothing")


def neutral_options():
    """Options of which one value is accepted."""
    names = re.findall(r'^\t{"([^"]+)", read_(?:none|accel|cpu)},$', read(OPTIONS), re.MULTILINE)
    return set(names) | listed_names(OPTIONS, "char accepted_flags\\[\\] =")


def documented_neutral_options():
    other = {"machine", "smp", "device"}  # with a property that changes nothing
    return option_spans(CONFIGURATION, "Options that change nothing") - other


def host_options():
    return row_names("hv/config/read.c", "host_options")


def documented_host_options():
    return option_spans(CONFIGURATION, "`host OPTIONS`")


def drivers():
    return row_names("hv/config/vm_device.c", "drivers")


def documented_drivers():
    return {name for row in table(CONFIGURATION, "`vm NAME OPTIONS`") for span in quoted(row[0])
            for name in re.findall(r"^-device ([\w-]+)", span)}


def backend_options():
    file = "hv/backends/backend_read.c"
    return listed_names(file, "#define COMMON_PROPERTIES") | listed_names(file, "#define FILE_PROPERTIES")


def documented_backend_options():
    return {name for row in table(CONFIGURATION, "Options of a backend") for name in quoted(row[0])}


def clone_options():
    return listed_names("hv/config/template_lines.c", r"suggest_list\(&near,")


def documented_clone_options():
    return {name for row in table(TEMPLATES, "In the configuration") for span in quoted(row[0]) if span.startswith("clone ")
            for name in re.findall(r"\[([\w-]+)=", span)}


def commands():
    file = "hv/monitor/command.c"
    return row_names(file, "commands") | {f"info {name}" for name in row_names(file, "topics")}


def documented_commands():
    names = set()
    for row in table(MONITOR, "The monitor"):
        spans = quoted(row[0])
        topics = spans[0].startswith("info ")
        for span in spans:
            words = span.removeprefix("info ").split()
            names.add(f"info {words[0]}" if topics else words[0])
    return names


def devices():
    """(where, name) of each device. The last two places of a row are the length and the start."""
    source = read("hv/devices/platform.c")
    found = re.findall(r"^\t\{([\w ]+), (\w+), &\w+, [^\"]*\"([^\"]+)\", \d\},$", source, re.MULTILINE)
    found += re.findall(r"\.start = ([\w>-]+),\s+\.len = ([\w>-]+),[^}]*?\.name = \"([^\"]+)\"", source)
    fixed = [(start, size, name) for start, size, name in found if not start.startswith("config->")]
    numbers = limits.compute([limits.expand(text, DEFINITIONS) for start, size, _ in fixed for text in (start, size)])
    places = [(place(numbers[2 * n], numbers[2 * n + 1]), name) for n, (_, _, name) in enumerate(fixed)]
    return set(places) | {(CONFIGURED, name) for start, _, name in found if start.startswith("config->")}


def documented_devices():
    return {(row[0], name) for row in table(GUEST, "Ports and registers") for name in quoted(row[1])}


def items():
    source = read("hv/devices/fw_cfg.c")
    numbers = re.findall(r"^\tITEM_\w+ = (0x[0-9a-f]{2}),$", source, re.MULTILINE)
    files = re.findall(r'\{"(opt/stencil/\w+)", (\w+)\}', source)
    sizes = limits.compute([limits.expand(size, DEFINITIONS) for _, size in files])
    return {(number, None) for number in numbers} | {(name, str(size)) for (name, _), size in zip(files, sizes)}


def documented_items():
    return {(quoted(row[0])[0], row[1]) if quoted(row[0]) else (row[0], None) for row in table(GUEST, "fw_cfg")}


def features():
    return set(re.findall(r'CPUID_E.X, \d+, "([^"]+)"\}', read("hv/vcpu/cpuid_fit.c")))


def documented_features():
    return {name for row in table(GUEST, "CPUID") if len(row) == 2 for name in quoted(row[1])}


def msrs():
    """Each MSR that the handlers of RDMSR and WRMSR name, with its number."""
    code = "".join(re.sub(r"/\*.*?\*/", "", read(name), flags=re.DOTALL) for name in MSR_FILES)
    names = sorted(set(re.findall(r"\b(?:IA32|MSR)_[A-Z0-9_]+\b", code)) & DEFINITIONS.keys())
    numbers = limits.compute([limits.expand(f"msr.h {name}", DEFINITIONS) for name in names])
    return {(f"{number:#x}", name) for name, number in zip(names, numbers)}


def documented_msrs():
    return {(row[0], quoted(row[1])[0]) for row in table(GUEST, "MSRs")}


def acpi():
    """Ids of devices, and signatures of tables."""
    sources = "".join(read(path.relative_to(TOP)) for path in sorted((TOP / "hv/loader").glob("*.dsl")))
    code = read("hv/loader/acpi_memory.c") + read("hv/loader/acpi_tables.c")
    ids = re.findall(r'_HID(?:, (?:EisaId \()?|[^"]*Return \()"(\w+)"', sources)
    ids += re.findall(r'_HID(?:: |\\x0d"\s*")(\w+)', code)
    tables = re.findall(r'DefinitionBlock \("", "(\w{4})"', sources) + re.findall(r'acpi_make_header\("(\w{4})"', code)
    return set(ids) | set(tables)


def documented_acpi():
    tables = re.search(r"Its tables are ([^.]*)\.", read(GUEST))[1]
    return {quoted(row[0])[0] for row in table(GUEST, "ACPI")} | set(quoted(tables))


def wrong_numbers():
    rows = [(row[0], quoted(row[-1])[0]) for title in ("Freeze and revert", "CPUID") for row in table(GUEST, title)
            if re.fullmatch(r"0x[0-9a-f]+", row[0]) and re.fullmatch(r"`[A-Z0-9_]+( \+ \d+)?`", row[-1])]
    numbers = limits.compute([limits.expand(text, DEFINITIONS) for _, text in rows])
    return [f"{said} is {number:#x} in the source, {text}" for (said, text), number in zip(rows, numbers)
            if int(said, 16) != number]


def wrong_quotes():
    """Blocks with a file's path after the language that are not a part of the file, apart from its licence."""
    wrong = []
    for path in sorted((TOP / "docs").glob("*.md")):
        for file, text in re.findall(r"^```\w+ (\S+)\n(.*?)^```$", path.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE):
            if not (TOP / file).is_file() or text not in re.sub(r"^.*SPDX-License-Identifier.*\n", "", read(file), flags=re.MULTILINE):
                wrong.append(f"docs/{path.name}: a block differs from {file}")
    return wrong


def slug(title):
    """The anchor of a title, as GitHub makes it."""
    return re.sub(r"[^\w -]", "", re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", title).lower()).replace(" ", "-")


def wrong_links():
    """Links to files and titles that do not exist."""
    wrong = []
    for path in [TOP / "README.md", TOP / "CONTRIBUTING.md", *sorted((TOP / "docs").glob("*.md"))]:
        for name, anchor in re.findall(r"\]\(([^)#:\s]*)(?:#([^)]*))?\)", path.read_text(encoding="utf-8")):
            target = path.parent / name if name else path
            text = target.read_text(encoding="utf-8") if target.suffix == ".md" and target.exists() else ""
            if not target.exists() or anchor and anchor not in map(slug, re.findall(r"^#+ (.*)$", text, re.MULTILINE)):
                wrong.append(f"{path.relative_to(TOP)}: no {name}{'#' + anchor if anchor else ''}")
    return wrong


def wrong_recording():
    """The recording of the demonstration is one for asciinema, and has the lines of README.md, apart from numbers."""
    def same(line):
        return re.sub(r"[0-9a-f]{16}|\d+", "#", line.strip())

    head, *events = [json.loads(line) for line in read("docs/clones.cast").splitlines()]
    times = [time for time, kind, _ in events if kind == "o"]
    lines = {same(text) for _, _, text in events}
    listing = re.search(r"^```\n(stencil: .*?)^```$", read("README.md"), re.DOTALL | re.MULTILINE)[1]
    wrong = [f"docs/clones.cast: no line like: {line}" for line in listing.splitlines()
             if line != "..." and same(line) not in lines]
    if head["version"] != 2 or times != sorted(times) or len(times) != len(events):
        wrong.append("docs/clones.cast: not a recording of asciinema, version 2")
    return wrong


def main():
    wrong = [f"{GUEST}: {line}" for line in wrong_numbers()] + wrong_quotes() + wrong_links() + wrong_recording()
    for document, source, documented in (
            (CONFIGURATION, options, documented_options), (CONFIGURATION, neutral_options, documented_neutral_options),
            (CONFIGURATION, host_options, documented_host_options), (CONFIGURATION, drivers, documented_drivers),
            (CONFIGURATION, backend_options, documented_backend_options), (TEMPLATES, clone_options, documented_clone_options),
            (MONITOR, commands, documented_commands), (GUEST, devices, documented_devices), (GUEST, items, documented_items),
            (GUEST, features, documented_features), (GUEST, msrs, documented_msrs), (GUEST, acpi, documented_acpi)):
        has, says = source(), documented()
        name = source.__name__.replace("_", " ")
        wrong += [f"{document}: no {thing} among the {name}" for thing in sorted(has - says, key=str)]
        wrong += [f"{document}: {thing} among the {name} is not in the source" for thing in sorted(says - has, key=str)]
        if not has:
            wrong.append(f"{document}: no {name} in the source")
    print(*wrong, sep="\n", end="\n" if wrong else "")
    sys.exit(1 if wrong else 0)


DEFINITIONS = limits.definitions()
main()
