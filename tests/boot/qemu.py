# SPDX-License-Identifier: BSD-2-Clause
"""A machine in QEMU, driven by QMP.

The machine never ends by itself: after a power-off or a reset QEMU keeps it stopped, so that its
screens can still be read, and reports who asked for it.
"""
import json
import signal
import socket
import subprocess
import time


class QemuEnded(Exception):
    """QEMU has refused its arguments, or crashed."""


class Qmp:
    """QEMU's side of the protocol is in its manual, "QEMU Machine Protocol Specification"."""

    def __init__(self, connection):
        self.connection = connection
        self.received = b""
        self.events = []
        self.execute("qmp_capabilities")

    def read(self, deadline=None):
        """The next message, or None when the deadline has passed."""
        while b"\n" not in self.received:
            left = None if deadline is None else deadline - time.monotonic()
            if left is not None and left <= 0:
                return None
            self.connection.settimeout(left)
            try:
                data = self.connection.recv(65536)
            except TimeoutError:
                return None
            if not data:
                raise QemuEnded
            self.received += data
        line, self.received = self.received.split(b"\n", 1)
        return json.loads(line)

    def execute(self, command, **arguments):
        self.connection.settimeout(None)
        self.connection.sendall(json.dumps({"execute": command, "arguments": arguments}).encode())
        while True:
            message = self.read()
            if "error" in message:
                raise RuntimeError(f"QMP {command}: {message['error']['desc']}")
            if "return" in message:
                return message["return"]
            self.events.append(message)

    def next_event(self, names, deadline):
        """The next event of these names, or None when the deadline has passed."""
        while True:
            message = self.events.pop(0) if self.events else self.read(deadline)
            if message is None:
                return None
            if message.get("event") in names:
                return message


class Machine:
    """QEMU with 'arguments'; its messages go to the file 'messages'."""

    def __init__(self, arguments, messages):
        ours, theirs = socket.socketpair()
        command = ["setpriv", "--pdeathsig", "KILL", "qemu-system-x86_64", "-nodefaults",
                   "-no-user-config", "-display", "none", "-no-reboot", "-no-shutdown",
                   "-chardev", f"socket,id=qmp,fd={theirs.fileno()}", "-mon", "qmp,mode=control",
                   *arguments]
        with open(messages, "wb") as output:
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output,
                                            stderr=output, pass_fds=[theirs.fileno()])
        theirs.close()
        self.qmp = None
        self.connection = ours

    def __enter__(self):
        try:
            self.qmp = Qmp(self.connection)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        self.connection.close()

    def wait_for_end(self, seconds):
        """The reason of QEMU's event SHUTDOWN, "watchdog" if the watchdog has ended the machine, or
        "none" if neither happens in that time."""
        event = self.qmp.next_event(["SHUTDOWN", "WATCHDOG"], time.monotonic() + seconds)
        if event is None:
            return "none"
        return "watchdog" if event["event"] == "WATCHDOG" else event["data"]["reason"]

    def press(self, key):
        """Press and release a key of the keyboard."""
        self.qmp.execute("send-key", keys=[{"type": "qcode", "data": key}])

    def reset(self):
        """Start the machine again, which keeps its memory."""
        self.qmp.execute("set-action", reboot="reset")
        self.qmp.execute("system_reset")
        self.qmp.next_event(["RESET"], time.monotonic() + 60)
        self.qmp.execute("set-action", reboot="shutdown")
        self.qmp.execute("cont")

    def command(self, line):
        """Execute a command of QEMU's monitor for persons, which answers an error with text."""
        answer = self.qmp.execute("human-monitor-command", **{"command-line": line})
        if answer:
            raise RuntimeError(f"{line}: {answer}")

    def screendump(self, device, path):
        """Save the screen of the device with that id as a PPM file."""
        self.qmp.execute("screendump", filename=str(path), device=device)
