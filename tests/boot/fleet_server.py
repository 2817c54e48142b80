# SPDX-License-Identifier: BSD-2-Clause
"""A web server and TFTP servers on the loopback, which QEMU's user network shows as 10.0.2.2.

They serve one folder and take files. The web server and the first TFTP server are threads of this process,
and can be told to treat a file badly; the other one is Debian's atftpd, a process that ends with this one.
"""
import grp
import http.server
import os
import pathlib
import pwd
import socket
import struct
import subprocess
import threading
import time

TOP = pathlib.Path(__file__).resolve().parents[2]
LOOPBACK = "127.0.0.1"
SILENCE = 3600  # seconds
RRQ, WRQ, DATA, ACK, ERROR, OACK = range(1, 7)
NOT_FOUND = 1


class Folder:
    """What both servers share: the files, how to treat some of them badly, and what was done."""

    def __init__(self, path, faults):
        self.path = pathlib.Path(path)
        self.faults = faults
        self.sent = b""  # what the files must hold that are taken
        self.lines = []

    def fault(self, name):
        return self.faults.get(name.lstrip("/"), "")

    def read(self, name):
        """The file's bytes, or None."""
        path = self.path / name.lstrip("/")
        return path.read_bytes() if path.is_file() else None

    def write(self, how, name, data):
        path = self.path / name.lstrip("/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        self.lines.append(f"{how} {name} {self.state(data)}")

    def state(self, data):
        return "whole" if self.sent in data else "damaged"

    def look(self):
        """Add what has come, for a server that does not say so."""
        for path in sorted(self.path.rglob("handover*.cpio")):
            self.lines.append(f"file {path.relative_to(self.path)} {self.state(path.read_bytes())}")


class WebHandler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    folder = None

    def log_message(self, format, *arguments):  # pylint: disable=redefined-builtin
        pass

    def head(self, status, headers):
        self.folder.lines.append(f"{self.command} {self.path} {status}")
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()

    def answer(self):
        """Answer GET and HEAD."""
        data, fault = self.folder.read(self.path), self.folder.fault(self.path)
        if data is None:
            return self.head(404, {"Content-Length": "0"})
        if fault == "redirect":
            return self.head(302, {"Location": self.path + ".other", "Content-Length": "0"})
        if fault == "forbidden":
            return self.head(403, {"Content-Length": "0"})
        if fault == "chunked":
            return self.head(200, {"Transfer-Encoding": "chunked"})
        if fault == "gone" and self.command == "GET":
            return self.head(404, {"Content-Length": "0"})
        if fault == "silent":
            time.sleep(SILENCE)
        if fault == "shrinks" and self.command == "GET":
            data = data[:-1]
        self.head(200, {"Content-Length": str(len(data) << 40 if fault == "huge" else len(data))})
        if self.command == "GET":
            self.wfile.write(data[:-1] if fault in ("short", "stalls") else data + data if fault == "long" else data)
            time.sleep(SILENCE if fault == "stalls" else 0)
        self.close_connection = fault in ("short", "long")
        return None

    do_GET = do_HEAD = answer

    def do_PUT(self):
        data = self.rfile.read(int(self.headers["Content-Length"]))
        if self.folder.fault(self.path) == "refused":
            self.head(405, {"Content-Length": "0"})
        else:
            self.folder.write("PUT", self.path, data)
            self.head(201, {"Content-Length": "0"})


class TftpTransfer:
    """One transfer, from a port of its own (RFC 1350, and options of RFC 2347 to 2349)."""

    def __init__(self, folder, peer, packet):
        self.folder, self.peer = folder, peer
        fields = packet[2:].split(b"\0")
        self.name = fields[0].decode()
        self.options = dict(zip([f.decode().lower() for f in fields[2:-1:2]],
                                [f.decode() for f in fields[3::2]]))
        self.block_size = int(self.options.get("blksize", 512))
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind((LOOPBACK, 0))
        self.socket.settimeout(5)

    def send(self, opcode, rest):
        self.socket.sendto(struct.pack(">H", opcode) + rest, self.peer)

    def receive(self, opcode):
        """The rest of the next packet, which must be such a one."""
        packet = self.socket.recv(65536)
        if struct.unpack_from(">H", packet)[0] != opcode:
            raise ConnectionError(packet)
        return packet[2:]

    def accept(self, size):
        """Accept the options that are known; returns whether there are any."""
        known = [(name, str(size) if name == "tsize" and size is not None else value)
                 for name, value in self.options.items() if name in ("tsize", "blksize")]
        if known:
            self.send(OACK, b"".join(f"{name}\0{value}\0".encode() for name, value in known))
        return bool(known)

    def read(self):
        data = self.folder.read(self.name)
        if data is None:
            self.send(ERROR, struct.pack(">H", NOT_FOUND) + b"there is none\0")
            return
        if self.folder.fault(self.name) == "silent":
            return
        if self.accept(len(data)):
            self.receive(ACK)
        fault = self.folder.fault(self.name)
        if fault == "short":
            data = data[:-1]
        for number in range(len(data) // self.block_size + 1):
            start = number * self.block_size
            if fault == "stalls" and number > 2:
                return
            self.send(DATA, struct.pack(">H", number + 1 & 0xffff) + data[start:start + self.block_size])
            self.receive(ACK)
        self.folder.lines.append(f"RRQ {self.name} {len(data)}")

    def write(self):
        data = b""
        if not self.accept(None):
            self.send(ACK, struct.pack(">H", 0))
        while True:
            packet = self.receive(DATA)
            data += packet[2:]
            self.send(ACK, packet[:2])
            if len(packet) - 2 < self.block_size:
                self.folder.write("WRQ", self.name, data)
                return


class TftpServer:
    def __init__(self, folder):
        self.folder = folder
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind((LOOPBACK, 0))
        self.server_port = self.socket.getsockname()[1]

    def serve_forever(self):
        while True:
            packet, peer = self.socket.recvfrom(65536)
            threading.Thread(target=self.transfer, args=[packet, peer], daemon=True).start()

    def transfer(self, packet, peer):
        transfer = TftpTransfer(self.folder, peer, packet)
        try:
            (transfer.read if struct.unpack_from(">H", packet)[0] == RRQ else transfer.write)()
        except (TimeoutError, ConnectionError):
            pass  # the client has all it wanted, or repeats its request
        transfer.socket.close()


def start_atftpd(folder):
    """Returns its port, which no program had before."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind((LOOPBACK, 0))
        port = sock.getsockname()[1]
    program = subprocess.run([TOP / "scripts/fetch-program", "atftpd", "usr/sbin/atftpd"], check=True, stdout=subprocess.PIPE,
                             text=True).stdout.strip()
    user, group = pwd.getpwuid(os.getuid()).pw_name, grp.getgrgid(os.getgid()).gr_name
    log = folder.path.parent / "atftpd.log"
    subprocess.Popen(["setpriv", "--pdeathsig", "KILL", program, "--daemon", "--no-fork", "--port", str(port), "--bind-address", LOOPBACK, "--user", user,
                      "--group", group, "--logfile", log, folder.path], stdin=subprocess.DEVNULL)
    return port


def start(kind, folder):
    """Serve the folder by "http", "tftp" or "atftpd"; returns the URL that the machine uses."""
    if kind == "atftpd":
        return f"tftp://10.0.2.2:{start_atftpd(folder)}"
    if kind == "http":
        handler = type("Handler", (WebHandler,), {"folder": folder})
        server = http.server.ThreadingHTTPServer((LOOPBACK, 0), handler)
    else:
        server = TftpServer(folder)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return f"{kind}://10.0.2.2:{server.server_port}"
