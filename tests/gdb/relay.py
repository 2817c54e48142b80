# SPDX-License-Identifier: BSD-2-Clause
"""Run gdb over a line that is a socket, with a list of commands, and give back what it prints."""
import socket
import subprocess
import tempfile
import threading


def pump(source, sink):
    try:
        while data := source.recv(65536):
            sink.sendall(data)
        sink.shutdown(socket.SHUT_WR)
    except OSError:
        pass  # the other side has gone


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
