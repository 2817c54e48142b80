#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""progress.py TEXT SIZE: copy standard input to standard output and show on the terminal how much of SIZE is done."""
import shutil
import sys
import time

DELAY = 1.0  # seconds; shorter work shows nothing
INTERVAL = 0.2


class Progress:
    """A line on the terminal at standard error, if it is one, while some work takes long. It disappears at the end."""

    def __init__(self, text, size, stream=None, clock=time.monotonic):
        self.text, self.size, self.done = text, size, 0
        self.stream, self.clock = stream or sys.stderr, clock
        self.next = clock() + DELAY if self.stream.isatty() else None
        self.shown = False

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.clear()

    def clear(self):
        """Before something else is written on the terminal."""
        if self.shown:
            self.stream.write("\r\x1b[K")
            self.stream.flush()
        self.shown = False

    def add(self, done):
        """So many more bytes are done, of the size, or of an unknown one if that is 0."""
        self.done += done
        if self.next is None or self.clock() < self.next:
            return
        self.next = self.clock() + INTERVAL
        line = f"{self.text}: {self.done >> 20} MiB"
        if self.size:
            line = f"{self.text}: {min(100, 100 * self.done // self.size)} % of {self.size >> 20} MiB"
        columns = shutil.get_terminal_size().columns
        self.stream.write(f"\r{line[:columns - 1]}\x1b[K")
        self.stream.flush()
        self.shown = True


def copy(source, sink, progress):
    """Copy up to the end of the source."""
    while data := source.read(1 << 20):
        sink.write(data)
        progress.add(len(data))


def main():
    with Progress(sys.argv[1], int(sys.argv[2])) as progress:
        copy(sys.stdin.buffer, sys.stdout.buffer, progress)


if __name__ == "__main__":
    main()
