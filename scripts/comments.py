#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Check the text of comments and documents.

  names   what they name exists: a name with parentheses is a function or macro of the tree, of a
          system header, or of Python; a path or the name of a source file is in the tree or is a
          system header. Names of other projects are in scripts/foreign-names. In a placeholder,
          a part is in capitals, or is x.
  voice   they are in plain English: none of the idioms below

Prints each violation on a line of its own; the exit status is 1 if there is one.
"""
import argparse
import builtins
import os
import pathlib
import re
import sys

import rooms

C_COMMENT = re.compile(r'(/\*.*?\*/|//[^\n]*)|"(?:\\.|[^"\\])*"|\'(?:\\.|[^\'\\])*\'', re.S)
ASM_COMMENT = re.compile(r'(;[^\n]*)|"[^"\n]*"|\'[^\'\n]*\'')
SCRIPT_COMMENT = re.compile(r'(?:^|(?<=\s))(#[^\n]*)', re.M)
DOCSTRING = re.compile(r'("""(?:[^"]|"(?!""))*""")')
CALL = re.compile(r"(?<![\w.>$/-])([A-Za-z_]\w*)\(\)")
FILE = re.compile(r"(?<![\w.*/<>{}$%\\-])((?:[\w.+-]+/)*[\w+-]+\.(?:c|h|asm|py|sh|cmake|lds|dsl))\b(?![\w*/(]|\.\w)")
FOLDER = re.compile(r"(?<![\w.*/<>{}$%\\-])((?:hv|boot|tests|scripts|docs|guest-tools)/[\w./+-]*[\w+-])(?![\w*{<$])")
PLACEHOLDER = re.compile(r"(?:^|[/_])(?:x|[A-Z]+)(?=[/_.]|$)")
IDENTIFIER = re.compile(r"[A-Za-z_]\w*")
CALLED = re.compile(r"\b([A-Za-z_]\w*)\s*\(|#\s*define\s+(\w+)")
IDIOMS = {
    r"but for": "except",
    r"(?:go|goes|going|went|gone) on": "continue, resume",
    r"whoever|nobody|somebody|no ?one": "name the thing",
    r"anew": "again",
    r"as of now|of now": "current, now",
    r"no more (?!than\b)[a-z]+": "no longer",
    r"(?:lies?|stands?|comes?|what is) behind": "after",
    r"(?:it|this|that|which) (?:is|was) no (?!longer\b|more\b|less\b)[a-z]+": "is not",
    r"(?:is|are|was|were|be) said": "logged, printed, reported",
    r"for want of": "because there is no",
}
SYSTEM = pathlib.Path("/usr/include")


def kind_of(path):
    extension = os.path.splitext(path)[1]
    if extension in (".c", ".h", ".S", ".lds", ".dsl"):
        return "c"
    if extension in (".asm", ".md", ".py"):
        return extension[1:]
    if extension in (".sh", ".cmake", ".toml") or path.endswith("CMakeLists.txt"):
        return "script"
    with open(rooms.TOP / path, "rb") as file:
        first = file.readline()
    if first.startswith(b"#!"):
        return "py" if b"python" in first else "script"
    return None


def prose(path):
    """Pairs of an offset and text: the comments of a file, or all of a document."""
    kind, text = kind_of(path), (rooms.TOP / path).read_text()
    if kind == "md":
        return [(0, text)], text
    patterns = {"c": [C_COMMENT], "asm": [ASM_COMMENT], "script": [SCRIPT_COMMENT],
                "py": [DOCSTRING, SCRIPT_COMMENT]}[kind]
    return [(match.start(1), match.group(1)) for pattern in patterns
            for match in pattern.finditer(text) if match.group(1)], text


def called_names(text):
    return {name for pair in CALLED.findall(text) for name in pair if name}


def code_names(path):
    """What the code of a file calls or defines; every identifier of an assembler file."""
    kind, text = kind_of(path), (rooms.TOP / path).read_text()
    if kind == "md":
        return set()
    comment = {"c": C_COMMENT, "asm": ASM_COMMENT}.get(kind, SCRIPT_COMMENT)
    code = comment.sub(lambda match: " " if match.group(1) else match.group(), text)
    return set(IDENTIFIER.findall(code)) if kind == "asm" else called_names(code)


def system_names():
    """What the C library, gnu-efi and Python have."""
    names = set(dir(builtins))
    for path in [*SYSTEM.glob("*.h"), *(SYSTEM / "efi").rglob("*.h"),
                 *(SYSTEM / "x86_64-linux-gnu" / "sys").glob("*.h")]:
        names |= set(IDENTIFIER.findall(path.read_text(errors="replace")))
    return names


def exists(name, path, places, basenames):
    if "/" not in name and name in basenames or PLACEHOLDER.search(name):
        return True
    beside = os.path.normpath(os.path.join(os.path.dirname(path), name))
    return name.rstrip("/.") in places or beside in places or (SYSTEM / name).is_file()


def folders_of(paths):
    return {str(parent) for path in paths for parent in pathlib.PurePath(path).parents}


def search(path, patterns):
    """The line and match of each place in the comments of a file where a pattern matches."""
    parts, text = prose(path)
    for offset, part in parts:
        for pattern in patterns:
            for match in pattern.finditer(part):
                yield text.count("\n", 0, offset + match.start()) + 1, match


def check_names(checked):
    foreign = {row[0] for row in rooms.rows("foreign-names")}
    functions = system_names() | {name.removesuffix("()") for name in foreign}
    functions = functions.union(*map(code_names, checked))
    paths = set(rooms.sources())
    places = paths | folders_of(paths) | foreign
    basenames = {os.path.basename(place) for place in places}
    for path in checked:
        for line, match in search(path, [CALL]):
            if match.group(1) not in functions:
                yield path, line, f"there is no {match.group(1)}()"
        for line, match in search(path, [FILE, FOLDER]):
            if not exists(match.group(1), path, places, basenames):
                yield path, line, f"there is no {match.group(1)}"


def check_voice(checked):
    gap = r"(?:\s+(?:[*#;]+\s+)?)" # an idiom may go over the end of a line
    for idiom, better in IDIOMS.items():
        pattern = re.compile(rf"\b(?:{idiom})\b".replace(" ", gap), re.I)
        for path in checked:
            for line, match in search(path, [pattern]):
                found = re.sub(gap, " ", match.group())
                yield path, line, f"'{found}': {better}"


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["names", "voice"])
    what = parser.parse_args().what
    checked = [path for path in rooms.sources("hv", "boot", "tests", "guest-tools", "scripts",
                                              "docs/*.md", "*.md", "*CMakeLists.txt")
               if not re.search("/(corpus|data)/", path) and kind_of(path)]
    found = sorted(set(check_names(checked) if what == "names" else check_voice(checked)))
    for path, line, complaint in found:
        print(f"{path}:{line}: {complaint}")
    sys.exit(bool(found))


if __name__ == "__main__":
    main()
