# SPDX-License-Identifier: BSD-2-Clause
"""Run one end-to-end case: boot a configuration through scripts/run and judge the console.

    run_case.py CASE.toml [FAULT]

With FAULT, the case boots on two processors and BOOTX64-inject.EFI injects this fault (tests/inject).
Keys of a case, usually in this order:
    config   text of the configuration file; "host -check on" is added
    demo     instead: a demonstration, by the name of its folder in scripts/demo
    document a file whose first console listing is compared with the console's lines. Numbers may differ in
             lines of Stencil, and the release of a kernel; "..." stands for lines that are left out
    files    a table: name in the ramdisk = its content, one of
               {payload = "hello"}            a payload guest of tests/guest
               {pattern = [SIZE, ...]}        the output of make_pattern; also with text and at
               {size = N, text = "...", at = N}   zeros, with text at an offset
               {text = "...", times = N}      the text so many times
               {demo = "vmlinuz"}             a file of the demonstration of memory
               {made = "nvdimm/initrd"}       a file that nvdimm/make makes
               {received = "t.state"}         a file that an earlier boot sent; changed by
                 set = [OFFSET, BYTE], cut = BYTES at its end, or bits = [SECTION, OFFSET, WORD]
                 set in a VM's state, which gets a new checksum
             and place = N: the data starts N bytes after a multiple of 2 MiB
    host, cpu_model, cpus, threads, memory, ips, timeout: as for scripts/run
    handover text of the configuration after a hand-over; room: MiB for files on the disk, for it
    disk     commands, "{}" for the handed-over archive of the disk, that must succeed at the end
    qemu     a list: more arguments for QEMU
    input    text to type after input_after, a regular expression, has appeared on the console; or a
             list of pairs [AFTER, TEXT], each waiting for output after the previous match
    com2     a program in tests/ that COM2 is connected to: it accepts one connection on the socket that is
             its standard input, and must succeed
    debug_out  true: the machine has a debug port, to which it sends files
    receive  a table: name of a sent file = commands, "{}" for its path, that must succeed
    embed    true: configuration and ramdisk go into the EFI file
    efi      another EFI file than BOOTX64.EFI, in the build folder
    status   the exit status
    ends     a table: VM = the reason of its end in the report of scripts/run
    expect   regular expressions, each to be found in some line
    order    regular expressions to be found in successive lines
    forbid   regular expressions that no line may match
    count    a table: regular expression = number of matching lines
    different  regular expressions whose group must differ in all matching lines
    shares   a regular expression with two groups, numbers: the second is the first times the same in all matching lines, within 5 %
    then     a table like this one: the next boot
    like     another case, relative to this one: this one's keys replace those of that one
Lines are as on the console. Environment: STENCIL_BUILD, the build folder.
"""
import binascii
import json
import os
import pathlib
import re
import shutil
import socket
import struct
import subprocess
import sys
import tempfile
import tomllib

TOP = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(TOP / "scripts"))
from type_in import type_in  # pylint: disable=wrong-import-position
from unattended import unattended  # pylint: disable=wrong-import-position

BUILD = pathlib.Path(os.environ.get("STENCIL_BUILD", TOP / "build"))
SKIPPED = 77  # as ctest expects
TIMED_OUT = 124  # of scripts/run
KEYS = {"config", "demo", "document", "files", "host", "cpu_model", "cpus", "threads", "memory", "ips", "timeout", "qemu", "input", "input_after", "com2", "embed", "efi", "status", "ends",
        "like", "expect", "order", "forbid", "count", "different", "shares", "receive", "without_vmx", "then", "handover", "room", "disk", "debug_out"}


def has_vmx():
    return re.search(r"^flags.*\bvmx\b", pathlib.Path("/proc/cpuinfo").read_text(), re.MULTILINE)


def change_state(data, section, offset, word):
    """Set bits in a section of a VM's state (hv/lib/state_file.h), and update its checksum."""
    at = 72
    while data[at:at + 16].rstrip(b"\0") != section.encode():
        at += 24 + struct.unpack_from("<I", data, at + 20)[0]
    at += 24 + offset
    struct.pack_into("<I", data, at, struct.unpack_from("<I", data, at)[0] | word)
    struct.pack_into("<I", data, 12, binascii.crc32(data[16:]))


def copy_received(path, source, work):
    received = work / "received" / source["received"]
    if source.keys() == {"received"}:
        os.link(received, path)
        return
    data = bytearray(received.read_bytes())
    if "set" in source:
        data[source["set"][0]] = source["set"][1]
    if "cut" in source:
        del data[-source["cut"]:]
    if "bits" in source:
        change_state(data, *source["bits"])
    path.write_bytes(data)


def make_file(path, source, work):
    path.parent.mkdir(parents=True, exist_ok=True)
    if "payload" in source:
        path.write_bytes((BUILD / "tests/guest" / f"{source['payload']}.elf").read_bytes())
    elif "pattern" in source:
        command = [BUILD / "tests/guest/make_pattern", *map(str, source["pattern"])]
        with open(path, "wb") as output:
            subprocess.run(command, stdout=output, check=True)
            output.seek(source.get("at", 0))
            output.write(source.get("text", "").encode())
    elif "demo" in source:
        if not (work / "demo").exists():
            subprocess.run([TOP / "scripts/demo/memory/make", work / "demo"], check=True)
        os.link(work / "demo/ramdisk" / source["demo"], path)
    elif "made" in source:
        folder, name = source["made"].split("/")
        made = work / "made" / folder
        if not made.exists():
            made.mkdir(parents=True)
            subprocess.run([TOP / "tests/e2e" / folder / "make", made], check=True)
        os.link(made / name, path)
    elif "received" in source:
        copy_received(path, source, work)
    else:
        with open(path, "wb") as output:
            output.truncate(source.get("size", 0))
            output.seek(source.get("at", 0))
            output.write(source.get("text", "").encode() * source.get("times", 1))


def make_image(case, config, ramdisk, work):
    """A disk image for what scripts/run cannot do: files at given places, or all in one EFI file."""
    archive, efi, image = work / "ramdisk.cpio", BUILD / case.get("efi", "BOOTX64.EFI"), work / "case.img"
    places = [f"--place={name}={source['place']}" for name, source in case["files"].items()
              if "place" in source]
    subprocess.run([TOP / "guest-tools/mkramdisk", *places, ramdisk, archive], check=True)
    mkimage = TOP / "scripts/mkimage"
    parts = ["--unchecked", "--config", config, "--ramdisk", archive]
    if case.get("embed"):
        embedded = work / "embedded.efi"
        subprocess.run([mkimage, "--embed", "--efi", efi, *parts, "--output", embedded], check=True)
        efi, parts = embedded, []
    subprocess.run([mkimage, "--efi", efi, *parts, "--output", image], check=True)
    return image


def receive(case, work):
    """Extract the sent files from the console; returns what is wrong."""
    wrong, folder = [], work / "received"
    folder.mkdir(exist_ok=True)
    command = [TOP / "guest-tools/receive", work / ("debug" if case.get("debug_out") else "serial"), folder]
    if subprocess.run(command, check=False).returncode != 0:
        return ["guest-tools/receive failed"]
    for name, commands in case["receive"].items():
        for line in commands:
            line = line.replace("{}", str(folder / name))
            if subprocess.run(line, shell=True, check=False).returncode != 0:
                wrong.append(f"failed: {line}")
    return wrong


def read_disk(case, work):
    """Copy the handed-over archive off the disk; returns what is wrong."""
    archive = work / "handover.cpio"
    if subprocess.run(["mcopy", "-n", "-i", f"{work / 'disk'}@@1M", "::/stencil/handover.cpio", archive],
                      env={**os.environ, "MTOOLS_SKIP_CHECK": "1"}, check=False).returncode:
        return ["no handover.cpio"]
    return [f"failed: {line}" for line in case["disk"]
            if subprocess.run(line.replace("{}", str(archive)), shell=True, cwd=work, check=False).returncode]


def run(case, work):
    """The exit status, the console's lines, and what the program at COM2 says is wrong."""
    command = [TOP / "scripts/run", "--no-build", "--serial-out", work / "serial", "--report", work / "report"]
    for option in ("host", "cpu_model", "cpus", "threads", "memory", "ips", "room"):
        if option in case:
            command += ["--" + option.replace("_", "-"), str(case[option])]
    command += [f"--qemu-arg={argument}" for argument in case.get("qemu", [])]
    if "handover" in case:
        (work / "handover.conf").write_text(case["handover"] + "\nhost -check on\n", encoding="utf-8")
        command += ["--handover", work / "handover.conf"]
    if "disk" in case:
        command += ["--disk-out", work / "disk"]
    if case.get("debug_out"):
        command += ["--debug-out", work / "debug"]
    command += ["--timeout", str(case.get("timeout", 400))]
    if "config" in case:
        config, ramdisk = work / "stencil.conf", work / "ramdisk"
        config.write_bytes(unattended(case["config"].encode() + b"\nhost -check on\n"))
        shutil.rmtree(ramdisk, ignore_errors=True)
        ramdisk.mkdir()
        for name, source in case.get("files", {}).items():
            make_file(ramdisk / name, source, work)
        if case.get("embed") or "efi" in case or any("place" in source for source in case.get("files", {}).values()):
            command += ["--image", make_image(case, config, ramdisk, work)]
        else:
            command += ["--ramdisk", ramdisk, config]
    elif "demo" in case:
        made = work / "demo"
        subprocess.run([TOP / "scripts/demo" / case["demo"] / "make", made], check=True)
        command += ["--ramdisk", made / "ramdisk", made / "stencil.conf"]
        if (made / "handover.conf").exists():
            command += ["--handover", made / "handover.conf"]
    if "com2" in case:
        listener = socket.create_server(("127.0.0.1", 0))
        command += ["--com2", str(listener.getsockname()[1])]
        program = subprocess.Popen([sys.executable, "-B", TOP / "tests" / case["com2"]], stdin=listener)
        listener.close()
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL) as process:
        if "input" in case:
            pairs = case["input"]
            if isinstance(pairs, str):
                pairs = [[case["input_after"], pairs]]
            type_in(pairs, process, work / "serial")
        process.stdin.close()
    wrong = []
    if "com2" in case:
        try:
            wrong = [f"{case['com2']} failed"] if program.wait(20) else []
        except subprocess.TimeoutExpired:
            program.kill()
            wrong = [f"{case['com2']} waits for ever"]
    text = (work / "serial").read_bytes().decode("utf-8", "replace")
    return process.returncode, re.split(r"\r*\n", text), wrong


def found_in_order(patterns, lines):
    rest = iter(lines)
    return all(any(re.search(pattern, line) for line in rest) for pattern in patterns)


def unequal_shares(matches):
    """Prints the shares, as parts of the mean."""
    shares = [int(match[2]) / int(match[1]) for match in matches]
    mean = sum(shares) / len(shares) if shares else 0
    if mean == 0:
        return ["no shares"]
    print("shares:", *(f"{share / mean:.3f}" for share in shares))
    return [f"share {share / mean:.3f}: {match.string}" for share, match in zip(shares, matches) if abs(share / mean - 1) > 0.05]


def listed(document):
    """Patterns for the lines of the first listing of a console."""
    text = (TOP / document).read_text(encoding="utf-8")
    listing = re.search(r"^```\n(stencil: .*?)^```$", text, re.DOTALL | re.MULTILINE)[1]
    patterns = []
    for line in listing.splitlines():
        vary = r"[0-9a-f]{16}|\d+" if line.startswith("stencil:") else r"\d+\.\d+\.\d+-\d+"
        parts = [re.escape(part) for part in re.split(vary, line)]
        patterns.append("^" + "[0-9a-f.-]+".join(parts) + "$")
    return [pattern for pattern in patterns if pattern != r"^\.\.\.$"]


def judge(case, status, lines):
    """Returns what is wrong, in words."""
    def matches(pattern):
        return [line for line in lines if re.search(pattern, line)]

    wrong = []
    if status != case["status"]:
        wrong.append(f"exit status {status} instead of {case['status']}")
    patterns = case.get("expect", []) + (listed(case["document"]) if "document" in case else [])
    wrong += [f"missing: {p}" for p in patterns if not matches(p)]
    wrong += [f"forbidden: {line}" for p in case.get("forbid", []) for line in matches(p)]
    wrong += [f"{len(matches(p))} lines instead of {n}: {p}"
              for p, n in case.get("count", {}).items() if len(matches(p)) != n]
    for pattern in case.get("different", []):
        texts = [match[1] for line in lines if (match := re.search(pattern, line))]
        wrong += [f"twice: {text}" for text in set(texts) if texts.count(text) > 1]
        if not texts:
            wrong.append(f"missing: {pattern}")
    if "shares" in case:
        wrong += unequal_shares([match for line in lines if (match := re.search(case["shares"], line))])
    if not found_in_order(case.get("order", []), lines):
        wrong.append(f"not in this order: {case['order']}")
    return wrong


def judge_report(case, status, report):
    """What is wrong with the report of the run, which had this status."""
    *events, end = [json.loads(line) for line in report.read_text().splitlines()]
    wrong = [] if (end["event"], end["status"]) == ("end", status) else [f"the report's end: {end}"]
    ends = {event["name"]: event["reason"] for event in events if event["event"] == "vm"}
    return wrong + [f"the report on {name}: {ends.get(name)}, not {reason}"
                    for name, reason in case.get("ends", {}).items() if ends.get(name) != reason]


def read_case(path):
    case = tomllib.loads(path.read_text(encoding="utf-8"))
    check_keys(path, case)
    return read_case(path.parent / case["like"]) | case if "like" in case else case


def check_keys(path, case):
    unknown = case.keys() - KEYS
    if unknown:
        sys.exit(f"{path}: unknown {unknown}")
    if "then" in case:
        check_keys(path, case["then"])


def run_on_host(case, work):
    """run(). Where the test host itself has hung, before Stencil's first line, once more."""
    status, lines, wrong = run(case, work)
    if case.get("host") == "nested" and status == TIMED_OUT and not any(line.startswith("stencil: ") for line in lines):
        print("\n".join(lines[-20:]), "the test host hung before Stencil started: once more", sep="\n")
        status, lines, wrong = run(case, work)
    return status, lines, wrong


def boot(case, work):
    """Boot the case and its successors; returns what is wrong."""
    status, lines, wrong = run_on_host(case, work)
    wrong += judge(case, status, lines) + judge_report(case, status, work / "report")
    if "receive" in case and not wrong:
        wrong = receive(case, work)
    if "disk" in case and not wrong:
        wrong = read_disk(case, work)
    if wrong:
        print("\n".join(lines))
    if "then" in case and not wrong:
        wrong = boot(case["then"], work)
    return wrong


def main():
    case = read_case(pathlib.Path(sys.argv[1]))
    if case.get("without_vmx") and has_vmx():
        print("skipped: this processor has VMX")
        sys.exit(SKIPPED)
    if len(sys.argv) > 2:
        case |= {"efi": "tests/inject/BOOTX64-inject.EFI", "cpus": 2, "config": f"{case['config']}# inject {sys.argv[2]}\n",
                 "expect": [*case.get("expect", []), "^stencil: inject: "]}
    with tempfile.TemporaryDirectory(prefix="stencil-e2e.") as work:
        wrong = boot(case, pathlib.Path(work))
    print(*wrong, sep="\n")
    sys.exit(1 if wrong else 0)


main()
