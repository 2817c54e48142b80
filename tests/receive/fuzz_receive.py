#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""guest-tools/receive with hostile and damaged logs, from one seed.

A log has some files as Stencil sends them, among lines of guests that look alike. Then it is damaged as a serial
line damages it, or a line is replaced by one whose checksums are right and whose contents no sender makes.

Whatever the log: receive ends by itself, with a message for each file that is lost; nothing appears outside of
the folder, and no temporary file stays; and a file of a log that is only damaged has the contents that were sent.
"""
import argparse
import base64
import binascii
import contextlib
import io
import pathlib
import random
import shutil
import sys
import tempfile

import lz4.block

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "guest-tools"))
RECEIVE = pathlib.Path(__file__).resolve().parents[2] / "guest-tools/receive"
NAMES = ["/a", "/b/c", "/b/d.dump", "/long " + 180 * "n"]
BAD_NAMES = ["", "/", "..", "/../up", "/a/../../up", "/./a", "/a\0b", "/\udcff", "/a/b/c", "/b", 300 * "n", "/\x1b[2J"]
NUMBERS = ["", "0", "-1", "+1", " 1", "1_0", "0x1", "g", "ffffffff", str(1 << 31), str(1 << 64), str(1 << 65), 5000 * "9"]

INTERNAL = ["None", "invalid literal", "unpack", "out of range", "base64", "padding"]  # of Python, not for users


class Sender:
    """The lines of one file, as hv/monitor/send.h describes them."""

    def __init__(self, size, name):
        self.lines = [f"stencil~B 2 {size} {name}"]
        self.n = self.crc = 0

    def data(self, part):
        self.crc = binascii.crc32(part, self.crc)
        self.lines.append(f"stencil~D {self.n:08x} {self.crc:08x} {base64.b64encode(part).decode()}")
        self.n += 1

    def blocks(self, r, data):
        """Lines cut the row of blocks anywhere."""
        while data:
            n = r.randint(1, 200)
            self.data(data[:n])
            data = data[n:]

    def end(self):
        return self.lines + [f"stencil~E {self.n:08x} {self.crc:08x}"]


def leb128(value):
    out = []
    while value >= 128:
        out.append(value & 127 | 128)
        value >>= 7
    return bytes(out + [value])


def block(size, data):
    return leb128(size) + leb128(len(data)) + data


def send(r, name, data):
    """The file as lines. The sender may choose the kind of each block."""
    sender, at, out = Sender(len(data), name), 0, b""
    while at < len(data):
        run = len(data) - at - len(data[at:].lstrip(data[at:at + 1]))
        if run > 3 and r.random() < 0.8:
            out += block(run, data[at:at + 1])
            at += run
            continue
        part = data[at:at + r.randint(1, 3000)]
        packed = lz4.block.compress(part, store_size=False)
        out += block(len(part), packed if 1 < len(packed) < len(part) and r.random() < 0.8 else part)
        at += len(part)
    sender.blocks(r, out)
    return sender.end()


def some_data(r):
    parts = [r.randbytes(r.randint(0, 300)), bytes(r.choice([0, 5, 4095, 4096, 20000])), b"x" * r.randint(0, 600)]
    r.shuffle(parts)
    return b"".join(parts[:r.randint(0, 3)])


def strange_blocks(r):
    """What no sender makes: cut or damaged blocks, sizes beyond the file and beyond all files."""
    count = r.choice([0, 1, 1 << 20, 1 << 62, 1 << 63, 1 << 64])
    return r.choice([block(count, r.choice([b"\0", b""])), block(r.randint(0, 1 << 20), b"x"), leb128(count) + leb128(count),
                     block(r.randint(0, 40000), r.randbytes(r.randint(0, 20))), 180 * b"\xff", r.randbytes(r.randint(0, 190))])


def strange_file(r):
    sender = Sender(r.choice([0, 5, 20000, 1 << 65, *NUMBERS]), r.choice(NAMES + (BAD_NAMES if r.random() < 0.5 else [])))
    for _ in range(r.randint(0, 3)):
        sender.data(strange_blocks(r))
    return sender.end()


def strange_line(r):
    words = [r.choice([*NUMBERS, *BAD_NAMES, "1", "AAAA", "é"]) for _ in range(r.randint(0, 5))]
    return "stencil~" + r.choice("BDEX~") + r.choice([" ", "", "  "]) + " ".join(words)


def guest_line(r, lines):
    """A guest prints what it likes, after its name; control characters do not pass."""
    return "vm: " + (r.choice(lines) if lines else strange_line(r))


def damage(r, log):
    """As a line that loses, doubles or changes bytes, or whole lines."""
    log = bytearray(log)
    for _ in range(r.randint(1, 3)):
        if not log:
            break
        at = r.randrange(len(log))
        end = min(len(log), at + r.choice([1, 1, 16, 300]))
        match r.randrange(5):
            case 0:
                del log[at:end]
            case 1:
                log[at:at] = log[at:end]
            case 2:
                log[at] ^= 1 << r.randrange(8)
            case 3:
                log[at:end] = r.randbytes(end - at)
            case _:
                del log[at:]
    return bytes(log)


def make_log(r):
    """The log, and the contents of its files by name; None if anything may be in them."""
    sent, lines, is_strange = {}, [], r.random() < 0.5
    for name in r.sample(NAMES, r.randint(0, 3)):
        sent[name.strip("/")] = some_data(r)
        lines += send(r, name, sent[name.strip("/")])
    for _ in range(r.randint(0, 4)):
        lines.insert(r.randint(0, len(lines)), guest_line(r, lines))
    if is_strange:
        at = r.randint(0, len(lines))
        lines[at:at] = r.choice([strange_file(r), [strange_line(r)]])
    log = r.choice(["\n", "\r\n"]).join(lines + [""]).encode("utf-8", "surrogateescape")
    return (damage(r, log) if r.random() < 0.6 else log), (None if is_strange else sent)


def run(code, log, folder):
    """Exit status, standard output and standard error; the program runs in this process."""
    out, err = io.StringIO(), io.StringIO()
    sys.argv = ["receive", str(log), str(folder)]
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            exec(code, {"__name__": "__main__"})  # pylint: disable=exec-used
            status = None
        except SystemExit as end:
            status = end.code
    return status, out.getvalue(), err.getvalue()


def judge(status, out, err, work, sent):
    files = {path.relative_to(work): path for path in work.rglob("*") if path.is_file()}
    own = {path.relative_to("out"): files[path] for path in files if path.parts[0] == "out"}
    assert set(files) == {pathlib.Path("log")} | {pathlib.Path("out") / path for path in own}, "outside of the folder"
    assert status in (0, 1, 3), f"status {status}"
    assert (status != 0) == bool(err) and all(line.startswith("stencil receive: ") for line in err.split("\n") if line), err
    assert not any(text in err for text in INTERNAL), err
    assert len(own) <= out.count(" bytes\n"), "a file that is not announced"
    contents = None if sent is None else set(sent.values())
    for path, file in own.items():
        assert contents is None or file.read_bytes() in contents, f"{path} is not what was sent"
    return len(own)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=1, help="of the first case (1)")
    parser.add_argument("--cases", type=int, default=3000, help="(3000)")
    options = parser.parse_args()
    code = compile(RECEIVE.read_text(), str(RECEIVE), "exec")
    n_files = 0
    with tempfile.TemporaryDirectory(dir="/dev/shm") as folder:
        for seed in range(options.seed, options.seed + options.cases):
            log, sent = make_log(random.Random(seed))
            work = pathlib.Path(folder)
            (work / "log").write_bytes(log)
            try:
                n_files += judge(*run(code, work / "log", work / "out"), work, sent)
            except Exception:
                print(f"fuzz_receive: seed {seed}: {log!r}", file=sys.stderr)
                raise
            shutil.rmtree(work / "out", ignore_errors=True)
    print(f"fuzz_receive: {options.cases} logs, {n_files} files received")


main()
