# SPDX-License-Identifier: BSD-2-Clause
"""Archives of cpio's format "newc".

A file of 4 GiB or more has the magic number 07070L, and the upper half of its size in the field of the checksum;
only Stencil reads such an entry.
"""
import collections
import os
import stat

TRAILER = "TRAILER!!!"
BLOCK = 512  # an archive is padded to a multiple
HEADER = 110  # bytes, then the name with its NUL
NAME_MAX = 4096

Entry = collections.namedtuple("Entry", "name mode size")


class Damaged(Exception):
    pass


def header(ino, name, mode, size, links=1):
    """An entry's header and name; its data follow, padded to 4 bytes."""
    encoded = os.fsencode(name) + b"\0"
    upper, lower = divmod(size, 1 << 32)
    fields = (ino, mode, 0, 0, links, 0, lower, 0, 0, 0, 0, len(encoded), upper)
    text = b"07070L" if upper else b"070701"
    text += b"".join(b"%08x" % field for field in fields) + encoded
    return text + bytes(-len(text) % 4)


def read_header(file):
    text = file.read(HEADER)
    magic = text[:6]
    if len(text) < HEADER or magic not in (b"070701", b"070702", b"07070L"):
        raise Damaged("not a cpio archive in the newc format, or cut")
    try:
        fields = [int(text[6 + 8 * n:14 + 8 * n], 16) for n in range(13)]
    except ValueError:
        raise Damaged("an entry is damaged") from None
    if not 0 < fields[11] <= NAME_MAX:
        raise Damaged("an entry's name is damaged")
    name = os.fsdecode(file.read(fields[11])[:-1])
    file.seek(-(HEADER + fields[11]) % 4, os.SEEK_CUR)
    return Entry(name, fields[1], fields[6] + (fields[12] << 32 if magic == b"07070L" else 0))


def entries(file):
    """The entries of a file that can seek. Meanwhile the file is at the entry's data; the caller may read them."""
    end = os.fstat(file.fileno()).st_size
    while (entry := read_header(file)).name != TRAILER:
        start = file.tell()
        if entry.size > end - start:
            raise Damaged("cut")
        yield entry
        file.seek(start + entry.size + -entry.size % 4)


def copy(source, sink, size):
    while size:
        data = source.read(min(size, 1 << 20))
        if not data:
            raise Damaged("cut")
        sink.write(data)
        size -= len(data)


class Writer:
    """Writes an archive that is the same for the same entries: no owners, no times."""

    def __init__(self, file):
        self.file = file
        self.count = 0

    def copy(self, entry, source):
        """Write an entry whose data come from 'source'."""
        self.count += 1
        self.file.write(header(self.count, entry.name, entry.mode, entry.size, 2 if stat.S_ISDIR(entry.mode) else 1))
        copy(source, self.file, entry.size)
        self.file.write(bytes(-entry.size % 4))

    def end(self):
        self.file.write(header(0, TRAILER, 0, 0))
        self.file.write(bytes(-self.file.tell() % BLOCK))
