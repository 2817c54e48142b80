# SPDX-License-Identifier: BSD-2-Clause
"""Media of a fleet: an EFI file that fetches everything else, and the server that has it."""
import os
import pathlib
import shutil
import struct
import subprocess

import appliance
import fleet_server

TOP = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("STENCIL_BUILD", TOP / "build"))
MAGIC, TABLE_AT, DATA_AT = 0x6c63726170636e74, 0x8000000, 0x8001000
SENT_PAGES = 600  # more than is sent at once
OWN_FOLDER = "01-52-54-00-12-34-56"  # of QEMU's first network card


def run(*command):
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


def fill(parts):
    """A configuration and a ramdisk for all machines, and jobs for this one."""
    served, jobs = parts["work"] / "served", parts["work"] / "jobs"
    (served / "fleet" / OWN_FOLDER).mkdir(parents=True)
    shutil.copy(parts["config"], served / "fleet/stencil.conf")
    shutil.copy(parts["ramdisk"], served / "fleet/ramdisk.cpio")
    jobs.mkdir()
    (jobs / "job").write_text("true\n", encoding="ascii")
    run(TOP / "guest-tools/mkramdisk", jobs, served / "fleet" / OWN_FOLDER / "jobs.cpio")
    return served / "fleet"


def fetching(parts, kind, *options):
    """Start a server of this kind; returns the EFI file that fetches from it."""
    parts["server"] = fleet_server.Folder(parts["work"] / "served", parts["faults"])
    url = fleet_server.start(kind, parts["server"])
    config, efi = parts["work"] / "fetch.conf", parts["work"] / "fetch.efi"
    config.write_text(f"# for tests\nhost -fetch {url}/fleet\n", encoding="utf-8")
    run(TOP / "scripts/mkimage", "--embed", *options, "--efi", BUILD / "BOOTX64.EFI", "--config", config,
        "--output", efi)
    return efi


def checksum(data):
    """As parcel_checksum() in boot/parcel.h."""
    total = len(data)
    for at in range(0, len(data) // 8 * 8 + 8, 8):
        total = (total ^ int.from_bytes(data[at:at + 8], "little")) * 0x9e3779b185ebca87 % 2**64
        total ^= total >> 32
    return total


def make_parcel(parts, data):
    """A run's file, and what tells of it, where QEMU's loader is told to put them: boot/parcel.h."""
    table = struct.pack("<QQQ232s", DATA_AT, len(data), checksum(data), b"/results")
    rest = struct.pack("<IIQQQ", 1, 1, TABLE_AT, 1, checksum(table))
    for name, content in [("head", struct.pack("<QQ", MAGIC, checksum(rest)) + rest),
                          ("table", table), ("data", data)]:
        (parts["work"] / name).write_bytes(content)


def make_after_run(parts, kind):
    fill(parts)
    appliance.serve(parts, start=fetching(parts, kind))
    parts["server"].sent = bytes(range(256)) * SENT_PAGES * 16 + b"end"
    make_parcel(parts, parts["server"].sent)


def make_http(parts):
    make_after_run(parts, "http")


def make_tftp(parts):
    make_after_run(parts, "tftp")


def make_atftpd(parts):
    make_after_run(parts, "atftpd")


def make_http_disk(parts):
    """From a disk, with a network card beside it."""
    fill(parts)
    appliance.mkimage(parts, efi=fetching(parts, "http"), loose=False)


def make_http_empty(parts):
    (parts["work"] / "served").mkdir()
    appliance.serve(parts, start=fetching(parts, "http"))


def make_http_chain(parts):
    """The fetched configuration says to fetch another one."""
    parts["config"].write_text("host -fetch http://10.0.2.2/other\n", encoding="ascii")
    make_http(parts)


def make_http_signed(parts):
    folder = fill(parts)
    efi = fetching(parts, "http", "--fetch", folder, *appliance.signed_by(parts))
    # A stranger's file in a place where an image that is not locked would take it.
    shutil.copy(parts["config"], folder / OWN_FOLDER / "stencil.conf")
    appliance.serve(parts, start=efi)


def make_http_signed_changed(parts):
    make_http_signed(parts)
    jobs = parts["work"] / "served/fleet" / OWN_FOLDER / "jobs.cpio"
    jobs.write_bytes(jobs.read_bytes().replace(b"true", b"fals"))


PREFIX = "make_"
MEDIA = {"fleet_" + name.removeprefix(PREFIX): function for name, function in list(globals().items())
         if name.startswith(PREFIX)}
