# SPDX-License-Identifier: BSD-2-Clause
"""Type at a machine's console while its output is written to a file."""
import re
import time


def type_in(pairs, process, serial):
    """For each pair of a regular expression and a text: type the text when the expression matches
    after the previous pair's match. Ends early if the process ends."""
    start = 0
    for after, text in pairs:
        found = None
        while not found and process.poll() is None:
            if serial.exists():
                console = serial.read_bytes().decode("latin-1").replace("\r", "")
                found = re.compile(after, re.MULTILINE).search(console, start)
            if not found:
                time.sleep(0.2)
        if not found:
            return
        start = found.end()
        process.stdin.write(text.encode("latin-1"))
        process.stdin.flush()
