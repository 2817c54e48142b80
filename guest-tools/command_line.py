# SPDX-License-Identifier: BSD-2-Clause
"""What the commands of "stencil" have in common: wrong usage is one line and status 2; --version."""
import argparse
import pathlib
import subprocess

HERE = pathlib.Path(__file__).resolve().parent
TOP = HERE.parent  # of the source tree


def version():
    if (HERE / "version").is_file():  # installed
        return (HERE / "version").read_text(encoding="ascii").strip()
    return subprocess.run([TOP / "boot/make-version", TOP], check=True, capture_output=True, text=True).stdout.strip()


class ShowVersion(argparse.Action):
    def __call__(self, parser, *_):
        print(f"stencil {version()}")
        parser.exit()


class Parser(argparse.ArgumentParser):
    def __init__(self, **options):
        super().__init__(**options)
        self.add_argument("--version", action=ShowVersion, nargs=0, help="show the version and exit")

    def error(self, message):
        self.exit(2, f"{self.prog}: {message} (try --help)\n")


def positive(text):
    if not text.isdecimal() or int(text) == 0:
        raise argparse.ArgumentTypeError(f"not a positive number: {text}")
    return int(text)
