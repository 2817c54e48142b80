# SPDX-License-Identifier: BSD-2-Clause
"""Run gdb over a line that is a socket, with a list of commands, and give back what it prints."""
import contextlib
import pathlib
import socket
import subprocess
import sys
import tempfile
import threading

SCRIPTS = pathlib.Path(__file__).resolve().parents[2] / "scripts"


def packet(text):
    return f"${text}#{sum(text.encode()) % 256:02x}".encode()


def connect():
    """The line, once Stencil has it: what the firmware sends before is thrown away."""
    with socket.socket(fileno=0) as listener:
        line, _ = listener.accept()
    line.settimeout(0.5)
    text = b""
    while b"$W00" not in text:
        line.sendall(packet("?"))
        with contextlib.suppress(TimeoutError):
            text = text[-4:] + line.recv(65536)
    # The answers to all questions come before this one's, which is empty.
    line.settimeout(2900)
    line.sendall(packet("qNone"))
    while b"$#00" not in text:
        line.sendall(b"+")
        text = text[-4:] + line.recv(65536)
    line.sendall(b"+")
    return line


def pump(source, sink):
    with contextlib.suppress(OSError):  # the other side has gone
        while data := source.recv(65536):
            sink.sendall(data)


def run_gdb(line, elf, commands, timeout):
    """PORT in the commands is where the line is. Its end is the caller's."""
    listener = socket.create_server(("127.0.0.1", 0))
    with tempfile.NamedTemporaryFile("w", suffix=".gdb") as script:
        script.write(commands.replace("PORT", f"127.0.0.1:{listener.getsockname()[1]}"))
        script.flush()
        with subprocess.Popen(["gdb", "-nx", "-batch", "-x", script.name, elf], stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as gdb:
            listener.settimeout(60)
            peer, _ = listener.accept()
            for source, sink in ((peer, line), (line, peer)):
                threading.Thread(target=pump, args=(source, sink), daemon=True).start()
            killer = threading.Timer(timeout, gdb.kill)
            killer.start()
            text = gdb.stdout.read()
            killer.cancel()
    return text


def find_in_order(text, wanted):
    """The first of the wanted texts that is not found after the one before; None: all are."""
    at = 0
    for one in wanted:
        found = text.find(one, at)
        if found < 0:
            return one
        at = found + len(one)
    return None


def wait_for_end(line):
    """The machine may send more, or start again: a line that is closed would be the emulator's end."""
    line.settimeout(None)
    with contextlib.suppress(OSError):
        while line.recv(65536):
            pass


def debug(elf, commands, wanted):
    """For a case's COM2, whose listening socket is standard input: exits if gdb does not print what is wanted, in order."""
    line = connect()
    text = run_gdb(line, elf, commands, 2000)
    missing = find_in_order(text, wanted)
    if missing is not None:
        sys.exit(f"gdb has not printed '{missing}' there:\n{text}")
    wait_for_end(line)


def debug_linux(commands, wanted):
    """The same with the symbols of the kernel that guests run."""
    kernel = subprocess.run([SCRIPTS / "fetch-kernel"], stdout=subprocess.PIPE, text=True, check=True).stdout.strip()
    with tempfile.NamedTemporaryFile(suffix=".elf") as symbols:
        subprocess.run([SCRIPTS / "kernel-symbols", kernel, symbols.name], check=True)
        debug(symbols.name, commands, wanted)
