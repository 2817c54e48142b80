#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Hold docs/troubleshooting.md against the messages of the source.

A row's first cell has messages in backquotes, with "..." for what varies. Each must be a part of a text in the source; and
each message by which the start can fail, or a VM can end as failed, must have a row. Prints what is wrong, and exits with 1
if something is.
"""
import pathlib
import re
import sys

TOP = pathlib.Path(__file__).resolve().parent.parent
DOCUMENT = "docs/troubleshooting.md"
TEXT = r'L?"(?:[^"\\\n]|\\.)*"(?:\s*L?"(?:[^"\\\n]|\\.)*")*'  # adjacent literals are one
# From files to the expression before a message that must have a row.
REQUIRED = {
    "boot/*.c": r"firmware_fail\(\s*\w+,\s*",
    "hv/main.c": r"log_(?:error|warning)\(\s*",
    "hv/host/smp.c": r"log_error\(\s*",
    "hv/host/tsc_calibrate.c": r"log_error\(\s*",
    "hv/vmx/controls.c": r"(?:return|\[CONTROLS_\w+\] =|missing =)\s*",
    "hv/run/*.c": r"(?:vm_crash\([^,]*,|VM_FAILED,)\s*",
    "hv/vm/*.c": r"VM_FAILED,\s*",
}


def plain(literals):
    """The text of adjacent literals as the document writes it."""
    text = "".join(re.findall(r'"((?:[^"\\\n]|\\.)*)"', literals))
    text = re.sub(r"%[-#0-9.*]*l?l?[a-zA-Z]|\{[^{}]*\}", "...", text)
    text = re.sub(r"(?:0x)?\.{3,}", "...", text)
    return text.replace('\\"', '"').replace("\\\\", "\\").replace("\\n", "").replace("%%", "%")


def source(pattern):
    return "".join(path.read_text(encoding="utf-8") for path in sorted(TOP.glob(pattern)) if path.is_file())


def texts():
    """All texts of C, and all of the scripts and tools."""
    found = [plain(text) for pattern in ("boot/*.c", "hv/**/*.c", "hv/**/*.h", "guest-tools/**/*.[ch]")
             for text in re.findall(TEXT, source(pattern))]
    scripts = source("scripts/*") + source("guest-tools/*")
    return found + [plain(text) for text in re.findall(TEXT, scripts)] + re.sub(r"\$\{?\w+\}?", "...", scripts).splitlines()


def required():
    return {plain(text) for pattern, before in REQUIRED.items()
            for text in re.findall(before + f"({TEXT})", source(pattern)) if len(re.sub(r"\W", "", plain(text))) > 4}


def documented():
    rows = re.findall(r"^\| (`.*?`) \|", (TOP / DOCUMENT).read_text(encoding="utf-8"), re.MULTILINE)
    return [span for row in rows for span in re.findall(r"`([^`]+)`", row)]


def is_covered(message, spans):
    """Whether a span is the message, or its beginning."""
    return any(message == span or len(span) > 15 and message.startswith(span) for span in spans)


def main():
    known, spans = texts(), documented()
    wrong = [f"no message: {span}" for span in spans if not any(span in text for text in known)]
    wrong += [f"no row for: {message}" for message in sorted(required()) if not is_covered(message, spans)]
    if len(required()) < 50:
        wrong.append("too few messages in the source")
    print(*(f"{DOCUMENT}: {line}" for line in wrong), sep="\n", end="\n" if wrong else "")
    sys.exit(1 if wrong else 0)


main()
