# SPDX-License-Identifier: BSD-2-Clause
"""Media of appliances: ISO images, EFI files with everything inside, locked and signed ones, and what
a person who can write to the medium, but has no key, makes of them.

The key is the one that Debian's OVMF comes with, for tests: all of PK, KEK and db of its variables.
"""
import os
import pathlib
import shutil
import subprocess

TOP = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("STENCIL_BUILD", TOP / "build"))
ENCRYPTED_KEY = "/usr/share/ovmf/PkKek-1-snakeoil.key"
CERTIFICATE = "/usr/share/ovmf/PkKek-1-snakeoil.pem"
PASSWORD = "snakeoil"
SHIM = "/usr/lib/shim/shimx64.efi"

FLASH = "if=pflash,format=raw,file=/usr/share/OVMF/"
SECURE_FIRMWARE = ["-global", "driver=cfi.pflash01,property=secure,value=on",
                   "-drive", FLASH + "OVMF_CODE_4M.secboot.fd,unit=0,readonly=on",
                   "-drive", FLASH + "OVMF_VARS_4M.snakeoil.fd,unit=1,snapshot=on"]

# As in docs/appliance.md.
IPXE_SCRIPT = """\
#!ipxe
kernel stencil
initrd --name stencil\\stencil.conf config
initrd --name stencil\\ramdisk.cpio ramdisk
boot
"""

# Where mkimage puts the file system of a disk image.
VOLUME = "@@1048576"


def run(*command):
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


def mkimage(parts, *options, efi=BUILD / "BOOTX64.EFI", output=None, loose=True):
    files = ["--config", parts["config"], "--ramdisk", parts["ramdisk"]] if loose else []
    run(TOP / "scripts/mkimage", "--unchecked", *options, "--efi", efi, *files, "--output", output or parts["image"])


def signed_by(parts):
    key = parts["work"] / "key.pem"
    run("openssl", "rsa", "-in", ENCRYPTED_KEY, "-passin", f"pass:{PASSWORD}", "-out", key)
    return ["--sign", key, CERTIFICATE]


def embed(parts, *options):
    embedded = parts["work"] / "embedded.efi"
    mkimage(parts, "--embed", *options, output=embedded)
    return embedded


def make_iso(parts):
    mkimage(parts, "--iso")


def make_disc(parts, *options):
    """Not by mkimage: only the EFI file is in the El Torito image, and the rest lies beside it."""
    tree, disk = parts["work"] / "tree", parts["work"] / "disk"
    (tree / "stencil").mkdir(parents=True)
    shutil.copy(parts["config"], tree / "stencil/stencil.conf")
    shutil.copy(parts["ramdisk"], tree / "stencil/ramdisk.cpio")
    mkimage(parts, output=disk, loose=False)
    (tree / "efi.img").write_bytes(disk.read_bytes()[1 << 20:])
    run("xorriso", "-as", "mkisofs", "-quiet", *options, "-o", parts["image"], "-e", "efi.img",
        "-no-emul-boot", tree)


def make_disc_plain_names(parts):
    """ISO 9660 names instead of Rock Ridge's."""
    make_disc(parts, "--norock", "-iso-level", "3")


def make_disc_stick(parts):
    """The same bytes as a stick: a GPT names the El Torito image."""
    make_disc(parts, "-efi-boot-part", "--efi-boot-image")


def make_embedded(parts):
    mkimage(parts, efi=embed(parts), loose=False)


def make_embedded_iso(parts):
    mkimage(parts, "--iso", efi=embed(parts), loose=False)


def make_locked(parts):
    mkimage(parts, "--lock")


def make_signed(parts):
    mkimage(parts, *signed_by(parts))


def make_signed_iso(parts):
    mkimage(parts, "--iso", *signed_by(parts))


def make_embedded_signed(parts):
    mkimage(parts, efi=embed(parts, *signed_by(parts)), loose=False)


def make_signed_embedded(parts):
    """A signed image that gets its configuration afterwards, which mkimage refuses to do."""
    make_signed(parts)
    efi = parts["work"] / "stolen.efi"
    run("mcopy", "-i", f"{parts['image']}{VOLUME}", "::/EFI/BOOT/BOOTX64.EFI", efi)
    run("objcopy", "--add-section", f".config={parts['config']}", "--set-section-flags",
        ".config=alloc,contents,load,readonly,data", "--change-section-vma", ".config=0x10000000", efi)
    mkimage(parts, efi=efi, loose=False)


def add_shim(parts):
    """Put shim in front of the EFI file; the firmware starts it, because it has the same signature."""
    shim, volume = parts["work"] / "shim.efi", f"{parts['image']}{VOLUME}"
    key = signed_by(parts)[1]
    run("sbsign", "--key", key, "--cert", CERTIFICATE, "--output", shim, SHIM)
    run("mmove", "-i", volume, "::/EFI/BOOT/BOOTX64.EFI", "::/EFI/BOOT/grubx64.efi")
    run("mcopy", "-i", volume, shim, "::/EFI/BOOT/BOOTX64.EFI")


def make_shim(parts):
    make_signed(parts)
    add_shim(parts)


def make_shim_without_sbat(parts):
    efi = parts["work"] / "bare.efi"
    run("objcopy", "--remove-section", ".sbat", BUILD / "BOOTX64.EFI", efi)
    mkimage(parts, *signed_by(parts), efi=efi)
    add_shim(parts)


def make_signed_loose(parts):
    """Signed by hand, without a list of hashes."""
    efi = parts["work"] / "signed.efi"
    key = signed_by(parts)[1]
    run("sbsign", "--key", key, "--cert", CERTIFICATE, "--output", efi, BUILD / "BOOTX64.EFI")
    mkimage(parts, efi=efi)


def put(parts, content, name):
    changed = parts["work"] / "changed"
    changed.write_bytes(content)
    run("mcopy", "-o", "-i", f"{parts['image']}{VOLUME}", changed, f"::/stencil/{name}")


def make_changed_config(parts):
    make_signed(parts)
    put(parts, parts["config"].read_bytes() + b"# changed\n", "stencil.conf")


def make_changed_ramdisk(parts):
    make_signed(parts)
    content = parts["ramdisk"].read_bytes()
    put(parts, content[:-1] + b"\1", "ramdisk.cpio")


def make_emptied_ramdisk(parts):
    make_signed(parts)
    put(parts, b"", "ramdisk.cpio")


def make_missing_ramdisk(parts):
    make_signed(parts)
    run("mdel", "-i", f"{parts['image']}{VOLUME}", "::/stencil/ramdisk.cpio")


def make_more_ramdisk(parts):
    make_signed(parts)
    put(parts, parts["ramdisk"].read_bytes(), "ramdisk-2.cpio")


def make_added_ramdisk(parts):
    """An image that holds its configuration only, and a foreign ramdisk beside it."""
    efi = parts["work"] / "embedded.efi"
    run(TOP / "scripts/mkimage", "--unchecked", "--embed", "--lock", "--efi", BUILD / "BOOTX64.EFI",
        "--config", parts["config"], "--output", efi)
    run(TOP / "scripts/mkimage", "--efi", efi, "--ramdisk", parts["ramdisk"], "--output", parts["image"])


def make_locked_changed(parts):
    make_locked(parts)
    put(parts, parts["config"].read_bytes() + b"# changed\n", "stencil.conf")


def serve(parts, **files):
    """Put these files on the TFTP server; the firmware starts the one named "start"."""
    folder = parts["work"] / "tftp"
    folder.mkdir()
    for name, path in files.items():
        shutil.copy(path, folder / name)


def embed_config(parts):
    """Only the configuration is embedded, and there is no ramdisk."""
    parts["config"].write_text("vm one -m 16M -kernel /missing\n", encoding="utf-8")
    embedded = parts["work"] / "embedded.efi"
    run(TOP / "scripts/mkimage", "--unchecked", "--embed", "--efi", BUILD / "BOOTX64.EFI", "--config", parts["config"],
        "--output", embedded)
    return embedded


def make_embedded_config(parts):
    mkimage(parts, efi=embed_config(parts), loose=False)


def make_two_ramdisks(parts):
    """The kernel is in the second archive."""
    folder, first = parts["work"] / "first", parts["work"] / "first.cpio"
    folder.mkdir()
    (folder / "note").write_text("a file", encoding="ascii")
    run(TOP / "guest-tools/mkramdisk", folder, first)
    second = parts["ramdisk"].read_bytes()
    mkimage({**parts, "ramdisk": first})
    put(parts, second, "ramdisk-2.cpio")


def make_two_ramdisks_with_a_gap(parts):
    """There is no file ramdisk-2.cpio."""
    make_two_ramdisks(parts)
    volume = f"{parts['image']}{VOLUME}"
    run("mren", "-i", volume, "::/stencil/ramdisk-2.cpio", "::/stencil/ramdisk-3.cpio")


def make_network(parts):
    serve(parts, start=BUILD / "BOOTX64.EFI")


def make_network_embedded(parts):
    serve(parts, start=embed(parts))


def make_network_config(parts):
    serve(parts, start=embed_config(parts))


def serve_ipxe(parts, efi, config):
    script = parts["work"] / "script"
    script.write_text(IPXE_SCRIPT, encoding="ascii")
    serve(parts, start=script, stencil=efi, config=config, ramdisk=parts["ramdisk"])


def make_ipxe(parts):
    serve_ipxe(parts, BUILD / "BOOTX64.EFI", parts["config"])


def locked_efi(parts):
    make_locked(parts)
    efi = parts["work"] / "locked.efi"
    run("mcopy", "-i", f"{parts['image']}{VOLUME}", "::/EFI/BOOT/BOOTX64.EFI", efi)
    return efi


def make_ipxe_locked(parts):
    serve_ipxe(parts, locked_efi(parts), parts["config"])


def make_ipxe_locked_changed(parts):
    efi = locked_efi(parts)
    parts["config"].write_text(parts["config"].read_text() + "# changed\n", encoding="utf-8")
    serve_ipxe(parts, efi, parts["config"])


PREFIX = "make_"
MEDIA = {name.removeprefix(PREFIX): function for name, function in list(globals().items())
         if name.startswith(PREFIX)}
