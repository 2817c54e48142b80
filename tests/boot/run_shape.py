#!/usr/bin/python3 -B
# SPDX-License-Identifier: BSD-2-Clause
"""Boot one shape of machine in QEMU's TCG with OVMF, and judge its serial ports and its screens.

    run_shape.py [--keep FOLDER] FILE.toml SHAPE

--keep leaves the serial ports' output, the screenshots and QEMU's messages in FOLDER.

TCG has no VT-x, so a good run ends with "end: no vmx" and a power-off. Keys of a shape; all have
defaults:
    machine, cpu, smp, memory    as for QEMU ("q35", "max", "1", "256M")
    firmware   a row of FIRMWARES ("plain")
    disk       how the image is attached: a row of DISKS ("virtio")
    media      what the image is: a row of MEDIA ("disk")
    display    a list of -device, the first is on the firmware's console (["VGA"])
    serial     a list of rows of SERIALS (["com1"])
    tpm        a device that QEMU connects to swtpm ("tpm-crb"), or none (""); at the end PCR 12 must
               have been extended by the configuration and the ramdisk, and by nothing else
    qemu       a list: more arguments for QEMU; "{work}" is the run's folder
    host       the configuration's first line ("host -on-end poweroff -on-panic poweroff")
    config     the configuration's other lines; the default is one VM
    gremlin    words for gremlin/main.c, which is then started in front of Stencil ("")
    files      a table: name = content in hexadecimal digits, a file "{work}/NAME" for qemu ({})
    blob       size in MiB of a file of zeros in the ramdisk (0)
    faults     a table: file = how fleet_server.py treats it badly ({})
    served     regular expressions, each to be found in some line of the fleet's server ([])
    load       processes that keep the host's processors busy meanwhile (0)
    timeout    seconds until the machine must have ended (120)
    until      a regular expression: a matching line on the first serial port ends the run too, once
               the line is complete or has been there for a second
    keys       a list of pairs [AFTER, KEY]: when a line of the first serial port matches AFTER, a key is
               pressed, in QEMU's words; the run must end within 10 seconds after the last one
    commands   a list of pairs [AFTER, COMMAND]: the same with commands of QEMU's monitor, without an end
    resets     how often a machine that has reset itself starts again, with its memory (0)
and what is expected:
    end        the words of the last line, "stencil: end: WORDS" ("no vmx"); "" for no such line
    reason     who ended the machine, in QEMU's words ("guest-shutdown"), or "watchdog"; "none": it
               still runs
    processors a regular expression, the processors that start, "N of N" (all of smp, if there is
               an end); "" for no such line
    expect     regular expressions, each to be found in some line of each serial port
    forbid     regular expressions that no line of a serial port or screen may match
               (["panic", "warning", "left out"])
    screen     regular expressions, each to be found in some line of each screen
    dark       numbers of displays, from 0, on which no text is expected ([])
    scale      pixels of the screens for one of the font, in both directions (1)
The end is expected on each serial port and each screen that is not dark. Once Stencil owns a screen,
it holds nothing but text, and errors are red.
Environment: STENCIL_BUILD, the build folder.
"""
import argparse
import contextlib
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import time
import tomllib

import appliance
import fleet
from qemu import Machine, QemuEnded
from screen_text import load_font, load_picture, read_text
from tpm import Tpm, extended

TOP = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("STENCIL_BUILD", TOP / "build"))

DEFAULTS = {
    "machine": "q35", "cpu": "max", "smp": "1", "memory": "256M", "firmware": "plain",
    "disk": "virtio", "media": "disk", "display": ["VGA"], "serial": ["com1"], "qemu": [],
    "host": "host -on-end poweroff -on-panic poweroff",
    "tpm": "", "config": "vm one -m 16M -kernel /hello.elf\n", "gremlin": "", "files": {}, "blob": 0,
    "load": 0, "faults": {}, "served": [], "timeout": 120, "until": None, "keys": [], "commands": [], "resets": 0,
    "end": "no vmx", "reason": "guest-shutdown",
    "processors": None, "expect": [], "forbid": ["panic", "warning", "left out"], "screen": [],
    "dark": [], "scale": 1,
}

FIRMWARES = {
    "plain": ["-bios", "/usr/share/ovmf/OVMF.fd"],
    "secure": appliance.SECURE_FIRMWARE,
}

DRIVE = "if=none,id=disk,format=raw,snapshot=on,file={image}"
DISKS = {
    "none": [],
    "virtio": ["-drive", DRIVE, "-device", "virtio-blk-pci,drive=disk"],
    "nvme": ["-drive", DRIVE, "-device", "nvme,serial=1,drive=disk"],
    "ide": ["-drive", DRIVE, "-device", "ide-hd,drive=disk"],
    "scsi": ["-drive", DRIVE, "-device", "virtio-scsi-pci", "-device", "scsi-hd,drive=disk"],
    "xhci": ["-drive", DRIVE, "-device", "qemu-xhci", "-device", "usb-storage,drive=disk"],
    "ehci": ["-drive", DRIVE, "-device", "usb-ehci", "-device", "usb-storage,drive=disk"],
    "readonly": ["-drive", "if=none,id=disk,format=raw,readonly=on,file={image}",
                 "-device", "virtio-blk-pci,drive=disk"],
    "cdrom": ["-drive", DRIVE, "-device", "ide-cd,drive=disk"],
    "pxe": ["-netdev", "user,id=net,tftp={work}/tftp,bootfile=start", "-device",
            "virtio-net-pci,netdev=net,romfile="],
    "ipxe": ["-netdev", "user,id=net,tftp={work}/tftp,bootfile=start", "-device",
             "virtio-net-pci,netdev=net"],
    "card": ["-drive", DRIVE, "-device", "virtio-blk-pci,drive=disk,bootindex=1", "-netdev", "user,id=net",
             "-device", "virtio-net-pci,netdev=net,romfile="],
    "scsi_cdrom": ["-drive", DRIVE, "-device", "virtio-scsi-pci", "-device", "scsi-cd,drive=disk"],
}

SERIALS = {
    "com1": "isa-serial,iobase=0x3f8,irq=4",
    "com2": "isa-serial,iobase=0x2f8,irq=3",
    "com3": "isa-serial,iobase=0x3e8,irq=4",
    "pci": "pci-serial",
}


def run(*command):
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


def make_disk(parts):
    """A disk with everything on its volume."""
    run(TOP / "scripts/mkimage", "--unchecked", "--efi", parts["efi"], "--config", parts["config"],
        "--ramdisk", parts["ramdisk"], "--output", parts["image"])


def make_damaged(parts):
    """A bit of the EFI file is wrong."""
    damaged = parts["work"] / "damaged.efi"
    data = bytearray(parts["efi"].read_bytes())
    data[-1000] ^= 1
    damaged.write_bytes(data)
    make_disk(parts | {"efi": damaged})


def make_cut(parts):
    """Its last section is missing."""
    cut = parts["work"] / "cut.efi"
    run("objcopy", "--remove-section", ".packed", parts["efi"], cut)
    make_disk(parts | {"efi": cut})


def make_failing(parts):
    """The image whose steps of start-up fail as the configuration says (tests/hang)."""
    make_disk(parts | {"efi": BUILD / "tests/hang/BOOTX64-hang.EFI"})


def make_impatient(parts):
    """The same image, which gives up on the other processors at once."""
    with open(parts["config"], "a", encoding="utf-8") as config:
        config.write("# wait a microsecond\n")
    make_failing(parts)


def make_late(parts):
    """The same, and the other processors arrive after that."""
    with open(parts["config"], "a", encoding="utf-8") as config:
        config.write("# come late\n")
    make_impatient(parts)


MEDIA = {
    "damaged": make_damaged,
    "cut": make_cut,
    "failing": make_failing,
    "impatient": make_impatient,
    "late": make_late,
    "disk": make_disk,
    **appliance.MEDIA,
    **fleet.MEDIA,
}


def add_gremlin(words, parts):
    """Put the gremlin in front of the EFI file on the disk."""
    (parts["work"] / "gremlin").write_text(words, encoding="ascii")
    volume = f"{parts['image']}{appliance.VOLUME}"
    run("mmove", "-i", volume, "::/EFI/BOOT/BOOTX64.EFI", "::/EFI/BOOT/STENCIL.EFI")
    run("mcopy", "-i", volume, BUILD / "tests/boot/gremlin/gremlin.efi", "::/EFI/BOOT/BOOTX64.EFI")
    run("mcopy", "-i", volume, parts["work"] / "gremlin", "::/gremlin")


def make_parts(shape, work):
    """Configuration and ramdisk; returns the paths of all parts of the medium."""
    files = work / "ramdisk"
    parts = {"efi": BUILD / "BOOTX64.EFI", "config": work / "stencil.conf", "ramdisk": work / "ramdisk.cpio",
             "image": work / "image", "work": work, "faults": shape["faults"], "server": None}
    parts["config"].write_text(shape["host"] + "\n" + shape["config"], encoding="utf-8")
    files.mkdir()
    shutil.copy(BUILD / "tests/guest/hello.elf", files)
    if shape["blob"]:
        with open(files / "blob", "wb") as blob:
            blob.truncate(shape["blob"] << 20)
    for name, digits in shape["files"].items():
        (work / name).write_bytes(bytes.fromhex(digits))
    run(TOP / "guest-tools/mkramdisk", files, parts["ramdisk"])
    return parts


def serial_path(work, number):
    return work / f"serial{number}"


def qemu_arguments(shape, parts):
    arguments = ["-machine", shape["machine"], "-accel", "tcg", "-cpu", shape["cpu"],
                 "-smp", shape["smp"], "-m", shape["memory"]]
    arguments += FIRMWARES[shape["firmware"]] + DISKS[shape["disk"]]
    for number, display in enumerate(shape["display"]):
        arguments += ["-device", f"{display},id=display{number}"]
    for number, serial in enumerate(shape["serial"]):
        arguments += ["-chardev", f"file,id=serial{number},path={serial_path(parts['work'], number)}",
                      "-device", f"{SERIALS[serial]},chardev=serial{number}"]
    return [argument.format(**parts) for argument in arguments + shape["qemu"]]


@contextlib.contextmanager
def busy(n):
    """Keep n processes busy."""
    processes = [subprocess.Popen(["setpriv", "--pdeathsig", "KILL", "sh", "-c", "while :; do :; done"])
                 for _ in range(n)]
    try:
        yield
    finally:
        for process in processes:
            process.kill()
            process.wait()


def read_serial(path):
    return re.split(r"[\r\n]+", path.read_bytes().decode("utf-8", "replace"))


def wait_for_end(machine, shape, work):
    """Who ended the machine; "none" also if a line that ends the run is there first."""
    deadline = time.monotonic() + shape["timeout"]
    keys, commands = list(shape["keys"]), list(shape["commands"])
    resets = shape["resets"]
    step = 1 if shape["until"] or keys or commands else shape["timeout"]
    has_waited = False
    while time.monotonic() < deadline:
        reason = machine.wait_for_end(step)
        lines = read_serial(serial_path(work, 0)) if shape["serial"] else []
        if reason in ("guest-reset", "watchdog") and resets:
            resets -= 1
            machine.reset()
            deadline = time.monotonic() + shape["timeout"]
            continue
        if reason != "none":
            return reason
        if shape["until"] and found([shape["until"]], lines if has_waited else lines[:-1]):
            return reason
        has_waited = shape["until"] and found([shape["until"]], lines)
        if commands and found([commands[0][0]], lines):
            machine.command(commands.pop(0)[1])
        if keys and found([keys[0][0]], lines):
            machine.press(keys.pop(0)[1])
            deadline = deadline if keys else time.monotonic() + 10
    return "none" if not shape["until"] else "none in time"


def run_machine(arguments, shape, work):
    """Boot, and take the screenshots; returns who ended the machine."""
    with busy(shape["load"]), Machine(arguments, work / "messages") as machine:
        reason = wait_for_end(machine, shape, work)
        for number in range(len(shape["display"])):
            machine.screendump(f"display{number}", work / f"screen{number}.ppm")
    return reason


def run_with_tpm(arguments, shape, parts):
    """The same with a TPM; the reason also says if something else was measured into PCR 12."""
    with Tpm(parts["work"]) as tpm:
        reason = run_machine(arguments + tpm.arguments(shape["tpm"]), shape, parts["work"])
        if tpm.read_pcr(12) != extended(parts["config"].read_bytes(), parts["ramdisk"].read_bytes()):
            reason += ", with a wrong PCR 12"
    return reason


def boot(shape, work):
    """Returns who ended the machine, the lines of each serial port, the text of each screen, and what
    the server has done."""
    parts = make_parts(shape, work)
    MEDIA[shape["media"]](parts)
    if shape["gremlin"]:
        add_gremlin(shape["gremlin"], parts)
    arguments = qemu_arguments(shape, parts)
    if shape["tpm"]:
        reason = run_with_tpm(arguments, shape, parts)
    else:
        reason = run_machine(arguments, shape, work)
    glyphs = load_font()
    screens = [read_text(load_picture(work / f"screen{number}.ppm"), glyphs)
               for number in range(len(shape["display"]))]
    serials = [read_serial(serial_path(work, number)) for number in range(len(shape["serial"]))]
    if parts["server"]:
        parts["server"].look()
    return reason, serials, screens, parts["server"].lines if parts["server"] else []


def found(patterns, lines):
    return [pattern for pattern in patterns if any(re.search(pattern, line) for line in lines)]


def judge_lines(where, lines, expected, shape):
    """What is wrong with the lines of a serial port or screen."""
    ends = [line for line in lines if line.startswith("stencil: end: ")]
    wanted = [f"stencil: end: {shape['end']}"] if shape["end"] else []
    wanted *= 1 + shape["resets"] if where.startswith("serial") else 1
    wrong = [f"{where}: ends with {ends} instead of {wanted}"] if ends != wanted else []
    if shape["processors"]:
        expected = [f"^stencil: processors: {shape['processors']}$", *expected]
    wrong += [f"{where}: missing: {pattern}"
              for pattern in expected if not found([pattern], lines)]
    return wrong + [f"{where}: forbidden: {line}" for line in lines if found(shape["forbid"], [line])]


def judge_screen(where, text, shape):
    """What is wrong with the look of a screen that Stencil owns."""
    wrong = []
    if text.n_unknown():
        wrong.append(f"{where}: {text.n_unknown()} cells hold something else than text")
    if text.scale != shape["scale"]:
        wrong.append(f"{where}: scale {text.scale} instead of {shape['scale']}")
    continues = False
    for number, row in enumerate(text.rows):
        is_error = continues or row.startswith("stencil: error:")
        colors = text.row_colors(number)
        if colors and is_error != all(red > 2 * max(others) for red, *others in colors):
            wrong.append(f"{where}: colours {colors}: {row.rstrip()}")
        continues = is_error and len(row.rstrip()) == text.columns
    return wrong


def judge(shape, reason, serials, screens, served):
    """Returns what is wrong, in words."""
    wrong = []
    if reason != shape["reason"]:
        wrong.append(f"the machine's end is {reason} instead of {shape['reason']}")
    wrong += [f"the server: missing: {pattern}" for pattern in shape["served"]
              if not found([pattern], served)]
    for number, lines in enumerate(serials):
        wrong += judge_lines(f"serial {number}", lines, shape["expect"], shape)
    for number, text in enumerate(screens):
        if number not in shape["dark"]:
            wrong += judge_lines(f"screen {number}", text.lines(), shape["screen"], shape)
            wrong += judge_screen(f"screen {number}", text, shape) if shape["end"] else []
        elif found(["stencil: "], text.lines()):
            wrong.append(f"screen {number}: is not dark")
    return wrong


def show(serials, screens, served, work):
    """Print all that a run left behind."""
    for number, lines in enumerate(serials):
        print(f"--- serial {number}", *lines, sep="\n")
    for number, text in enumerate(screens):
        print(f"--- screen {number}, scale {text.scale}, {text.n_unknown()} cells unknown")
        print(*text.lines(), sep="\n")
    print("--- server", *served, sep="\n")
    print("--- QEMU", (work / "messages").read_text(errors="replace"), sep="\n")


def load_shape(path, name):
    shapes = tomllib.loads(path.read_text(encoding="utf-8"))
    if name not in shapes:
        sys.exit(f"{path}: no shape {name}")
    unknown = shapes[name].keys() - DEFAULTS
    if unknown:
        sys.exit(f"{path}: {name}: unknown {unknown}")
    shape = DEFAULTS | shapes[name]
    if shape["processors"] is None:
        n = shape["smp"].split(",")[0]
        shape["processors"] = f"{n} of {n}" if shape["end"] else ""
    return shape


def main():
    parser = argparse.ArgumentParser(description="Boot one shape of machine.")
    parser.add_argument("--keep", metavar="FOLDER", type=pathlib.Path)
    parser.add_argument("file", metavar="FILE.toml", type=pathlib.Path)
    parser.add_argument("shape", metavar="SHAPE")
    options = parser.parse_args()
    shape = load_shape(options.file, options.shape)
    with tempfile.TemporaryDirectory(prefix="stencil-boot.") as folder:
        work = pathlib.Path(folder)
        try:
            reason, serials, screens, served = boot(shape, work)
        except QemuEnded:
            sys.exit((work / "messages").read_text(errors="replace") + "QEMU has ended")
        wrong = judge(shape, reason, serials, screens, served)
        if wrong or options.keep:
            show(serials, screens, served, work)
        if options.keep:
            options.keep.mkdir(parents=True, exist_ok=True)
            for path in [*work.glob("serial*"), *work.glob("*.ppm"), work / "messages"]:
                shutil.copy(path, options.keep)
    print(*wrong, sep="\n")
    sys.exit(1 if wrong else 0)


main()
