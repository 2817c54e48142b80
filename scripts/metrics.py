#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Print what a running Stencil counts, in Prometheus' text format."""
import argparse
import contextlib
import functools
import http.server
import os
import socket
import stat
import sys
import termios
import tty

import places  # pylint: disable=unused-import  # where the tree has command_line
from command_line import Parser
from qmp_client import Client, Error

EPILOG = """
LINK is what the machine's second serial port is connected to, with "host -qmp
com2" in the configuration: a Unix socket, a serial device (/dev/ttyUSB0, or a
pseudo-terminal), or HOST:PORT. docs/metrics.md describes the metrics.

Exit status: 0 printed, 1 there is no answer, 2 wrong usage.
"""
ROWS_MAX = 10000  # VMs and templates: each has a few series
ANSWER_S = 30


class Metric:
    """A metric, and its series as pairs of labels and value."""

    def __init__(self, name, kind, about, series):
        self.name, self.kind, self.about, self.series = name, kind, about, list(series)

    @staticmethod
    def escape(value):
        return value.replace("\\", r"\\").replace('"', r'\"').replace("\n", r"\n")

    def lines(self):
        yield f"# HELP {self.name} {self.about}"
        yield f"# TYPE {self.name} {self.kind}"
        for labels, value in self.series:
            words = ",".join(f'{name}="{self.escape(text)}"' for name, text in labels.items())
            yield f"{self.name}{{{words}}} {value}" if words else f"{self.name} {value}"


def seconds(nanoseconds):
    return f"{nanoseconds // 10**9}.{nanoseconds % 10**9:09}"


def labels_of(row):
    """A row is a template with all clones that have no row of their own, a clone, or another VM."""
    if "clones" in row:
        return {"template": row["name"]}
    if "template" in row:
        return {"template": row["template"], "vm": row["name"]}
    return {"vm": row["name"]}


def metrics(version, answer):
    """The metrics of an answer to __org.stencil_query-metrics."""
    rows = answer["vms"]
    templates = [row for row in rows if "clones" in row]

    def of_rows(member, show=str):
        return [(labels_of(row), show(row[member])) for row in rows]

    def of_templates(member):
        return [({"template": row["name"]}, row["clones"][member]) for row in templates]

    def single(member, show=str):
        return [({}, show(answer[member]))]

    states = [({"state": state}, sum(row[state] for row in rows)) for state in ("running", "paused")]
    ends = [({"outcome": outcome}, answer[member]) for outcome, member in (("well", "vms-ended"), ("failed", "vms-failed"))]
    lost = [({"from": source}, answer[member]) for source, member in (("guests", "guest-lines-lost"), ("log", "log-lines-lost"))]
    exits = [({"reason": exit["reason"]}, exit["count"]) for exit in answer["exits"]]
    return [
        Metric("stencil_info", "gauge", "The version, as a label.", [({"version": version}, 1)]),
        Metric("stencil_uptime_seconds", "gauge", "Time since the machine's reset.", single("uptime-ns", seconds)),
        Metric("stencil_memory_bytes", "gauge", "The machine's memory.", single("memory")),
        Metric("stencil_memory_free_bytes", "gauge", "Memory that is free.", single("memory-free")),
        Metric("stencil_merged_bytes", "gauge", "Memory that serves several equal pages.", single("merged-shared")),
        Metric("stencil_merged_pages_bytes", "gauge", "The pages that it serves.", single("merged-sharing")),
        Metric("stencil_vms", "gauge", "VMs, by state.", states + [({"state": "template"}, len(templates))]),
        Metric("stencil_vms_started_total", "counter", "VMs that were made, clones among them.", single("vms-made")),
        Metric("stencil_vms_ended_total", "counter", "VMs that have ended, or become a template.", ends),
        Metric("stencil_cpu_seconds_total", "counter", "Processor time of all VMs.", single("cpu-ns", seconds)),
        Metric("stencil_exits_total", "counter", "VM exits of all VMs.", exits),
        Metric("stencil_lost_lines_total", "counter", "Lines that the console did not take.", lost),
        Metric("stencil_vm_cpu_seconds_total", "counter", "Processor time of a VM, or a template and its clones.",
               of_rows("cpu-ns", seconds)),
        Metric("stencil_vm_exits_total", "counter", "VM exits of a VM, or a template and its clones.", of_rows("exits")),
        Metric("stencil_vm_private_bytes", "gauge", "Private memory of a VM, or all clones of a template.", of_rows("private")),
        Metric("stencil_template_shared_bytes", "gauge", "Memory that a template's clones share.", of_templates("shared")),
        Metric("stencil_clones_started_total", "counter", "Clones of a template that were made.", of_templates("started")),
        Metric("stencil_clones_ended_total", "counter", "Those that have ended.", of_templates("ended")),
        Metric("stencil_clones_failed_total", "counter", "Those of them that have failed.", of_templates("failed")),
    ]


def text_of(client, with_clones):
    answer = client.execute("__org.stencil_query-metrics", **({"clones": True} if with_clones else {}))
    client.events.clear()
    if len(answer["vms"]) > ROWS_MAX:
        print(f"stencil metrics: of {len(answer['vms'])} VMs {ROWS_MAX} have series", file=sys.stderr)
        answer["vms"] = answer["vms"][:ROWS_MAX]
    version = client.greeting["version"]["package"].removeprefix("Stencil ")
    return "".join(line + "\n" for metric in metrics(version, answer) for line in metric.lines())


def address_of(text):
    """HOST:PORT as a pair, or None."""
    host, colon, port = text.rpartition(":")
    return (host.strip("[]"), int(port)) if colon and host and port.isdecimal() and int(port) < 65536 else None


def address(text):
    if address_of(text) is None:
        raise argparse.ArgumentTypeError(f"'{text}' is not HOST:PORT")
    return address_of(text)


def accept(link):
    """Wait for the machine, as long as it takes."""
    if address_of(link) is None:
        raise OSError("to be called, this must be HOST:PORT")
    with socket.create_server(address_of(link)) as listener:
        return listener.accept()[0]


def connect(link):
    if address_of(link) is not None and not os.path.exists(link):
        return socket.create_connection(address_of(link), ANSWER_S)
    line = socket.socket(socket.AF_UNIX)
    line.connect(link)
    return line


def open_device(path):
    """A terminal without editing. A read without an answer ends empty."""
    device = os.open(path, os.O_RDWR | os.O_NOCTTY)
    tty.setraw(device)
    mode = termios.tcgetattr(device)
    mode[4] = mode[5] = termios.B115200
    mode[6][termios.VMIN], mode[6][termios.VTIME] = 0, 255
    termios.tcsetattr(device, termios.TCSANOW, mode)
    return open(device, "r+b", buffering=0)


def open_client(stack, link, waits):
    """A session with the machine at the link; the byte 0xff asks for a new greeting."""
    if not waits and os.path.exists(link) and stat.S_ISCHR(os.stat(link).st_mode):
        reader = writer = stack.enter_context(open_device(link))
    else:
        line = stack.enter_context(accept(link) if waits else connect(link))
        line.settimeout(None if waits else ANSWER_S)
        reader, writer = line.makefile("rb"), line.makefile("wb")
    writer.write(b"\xff")
    writer.flush()
    client = Client(reader, writer)
    if waits:
        line.settimeout(ANSWER_S)
    return client


class Page(http.server.BaseHTTPRequestHandler):
    def __init__(self, make_text, *rest):
        self.make_text = make_text
        super().__init__(*rest)

    def do_GET(self):  # pylint: disable=invalid-name
        if self.path != "/metrics":
            self.send_error(404)
            return
        text = self.make_text().encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *_):  # pylint: disable=arguments-differ
        pass


class Server(http.server.HTTPServer):
    """One request after the other, until the machine is gone."""

    def handle_error(self, request, client_address):
        error = sys.exc_info()[1]
        if not isinstance(error, ConnectionError):
            raise error


def serve(where, make_text):
    with Server(where, functools.partial(Page, make_text)) as server:
        server.serve_forever()


def parse_options():
    parser = Parser(
        prog="stencil metrics", usage="stencil metrics [--clones] [--accept] [--listen HOST:PORT] LINK", allow_abbrev=False,
        description=__doc__, epilog=EPILOG, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clones", action="store_true", help="a series for each clone, not only for its template")
    parser.add_argument("--accept", action="store_true", help="wait at LINK, HOST:PORT, for a machine to connect")
    parser.add_argument("--listen", metavar="HOST:PORT", type=address,
                        help="answer Prometheus at http://HOST:PORT/metrics until the machine is gone")
    parser.add_argument("link", metavar="LINK")
    return parser.parse_args()


def main():
    options = parse_options()
    try:
        with contextlib.ExitStack() as stack:
            client = open_client(stack, options.link, options.accept)
            make_text = functools.partial(text_of, client, options.clones)
            if options.listen:
                serve(options.listen, make_text)
            sys.stdout.write(make_text())
    except (OSError, EOFError, ValueError, termios.error, Error) as error:
        sys.exit(f"stencil metrics: {options.link}: {error}")
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main()
