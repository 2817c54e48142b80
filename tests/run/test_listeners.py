#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""scripts/run: Bochs listens on no interface, because anybody who connects would have the keyboard."""
import os
import pathlib
import socket
import subprocess
import sys
import tempfile
import types
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "scripts"))
import run  # pylint: disable=wrong-import-position

LISTENING = "0A"
SECONDS = 120  # the firmware of a busy computer


def listeners(process):
    """The local addresses, as the kernel writes them, on which the process listens for TCP."""
    sockets = set()
    for entry in pathlib.Path(f"/proc/{process}/fd").iterdir():
        try:
            sockets.add(os.readlink(entry))
        except FileNotFoundError:  # closed meanwhile
            pass
    found = set()
    for table in ("tcp", "tcp6"):
        for line in pathlib.Path(f"/proc/{process}/net/{table}").read_text(encoding="ascii").splitlines()[1:]:
            fields = line.split()
            if fields[3] == LISTENING and f"socket:[{fields[9]}]" in sockets:
                found.add(fields[1])
    return found


class Listeners(unittest.TestCase):
    def test_a_listener_is_found(self):
        with socket.create_server(("", 0)) as server:
            address = f"00000000:{server.getsockname()[1]:04X}"
            self.assertIn(address, listeners(os.getpid()))
        self.assertNotIn(address, listeners(os.getpid()))

    def test_bochs_has_none(self):
        """Look when the machine has a display: the firmware, which writes to COM1, comes after it."""
        options = types.SimpleNamespace(com2=None, debug_out=None, trace=None, cpu_model=None, ips=10000000)
        with tempfile.TemporaryDirectory() as folder, socket.create_server(("127.0.0.1", 0)) as server:
            work = pathlib.Path(folder)
            (work / "disk.img").write_bytes(bytes(run.CYLINDER))
            command = run.bochs_command(options, work, server.getsockname()[1], 1, 256,
                                        run.bochs_disk("ata0-master", work / "disk.img"))
            server.settimeout(SECONDS)
            with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                  stderr=subprocess.DEVNULL) as bochs:
                try:
                    line, _ = server.accept()
                    with line:
                        line.settimeout(SECONDS)
                        self.assertTrue(line.recv(1))
                        self.assertEqual(listeners(bochs.pid), set())
                finally:
                    bochs.kill()


if __name__ == "__main__":
    unittest.main()
