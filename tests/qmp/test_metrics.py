# SPDX-License-Identifier: BSD-2-Clause
"""stencil metrics: what it prints of the VMs of machine.h, over each kind of link, and what it refuses."""
import contextlib
import os
import pathlib
import pty
import re
import socket
import subprocess
import sys
import tempfile
import threading
import tty
import unittest
import urllib.error
import urllib.request

TOP = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(TOP / "scripts"))
import metrics  # pylint: disable=wrong-import-position

SERVE = pathlib.Path(os.environ["STENCIL_BUILD"]) / "tests/qmp_serve"
PROGRAM = [TOP / "scripts/stencil", "metrics"]
EXPECTED = """\
stencil_memory_bytes 1048576
stencil_merged_bytes 0
stencil_merged_pages_bytes 0
stencil_vms{state="running"} 1
stencil_vms{state="paused"} 1
stencil_vms{state="template"} 1
stencil_vms_started_total 7
stencil_vms_ended_total{outcome="well"} 3
stencil_vms_ended_total{outcome="failed"} 1
stencil_cpu_seconds_total 0.002000003
stencil_exits_total{reason="other"} 0
stencil_exits_total{reason="CPUID"} 12
stencil_exits_total{reason="control registers"} 0
stencil_exits_total{reason="EPT violation"} 0
stencil_exits_total{reason="HLT"} 7
stencil_exits_total{reason="external interrupt"} 0
stencil_exits_total{reason="I/O instruction"} 0
stencil_exits_total{reason="RDMSR"} 0
stencil_exits_total{reason="WRMSR"} 0
stencil_exits_total{reason="preemption timer"} 0
stencil_lost_lines_total{from="guests"} 6
stencil_lost_lines_total{from="log"} 5
stencil_vm_cpu_seconds_total{vm="r"} 0.002000000
stencil_vm_cpu_seconds_total{template="t"} 0.000000003
stencil_vm_exits_total{vm="r"} 0
stencil_vm_exits_total{template="t"} 19
stencil_vm_private_bytes{vm="r"} 12288
stencil_vm_private_bytes{template="t"} 8192
stencil_template_shared_bytes{template="t"} 299008
stencil_clones_started_total{template="t"} 9
stencil_clones_ended_total{template="t"} 4
stencil_clones_failed_total{template="t"} 1
"""
SESSION = b'{"QMP": {"version": {"package": "Stencil 1"}}}\n{"id": 1, "return": {}}\n'
OLD = SESSION + b'{"id": 2, "error": {"class": "CommandNotFound", "desc": "The command x has not been found"}}\n'


def run(*arguments):
    done = subprocess.run([*PROGRAM, *arguments], capture_output=True, text=True, check=False, timeout=60)
    return done.returncode, done.stdout, done.stderr


def serve_on(line):
    """The VMs of machine.h on a file that both sides use."""
    return subprocess.Popen([SERVE, "all"], stdin=line, stdout=line)


@contextlib.contextmanager
def served(listener):
    """The same for the program that connects first."""
    def serve():
        with listener.accept()[0] as line:
            server.append(serve_on(line))

    server = []
    thread = threading.Thread(target=serve)
    thread.start()
    yield
    thread.join(20)
    server[0].wait(20)


@contextlib.contextmanager
def answered(text):
    """The address of a port that says this."""
    def answer():
        with listener.accept()[0] as line:
            line.sendall(text)
            line.shutdown(socket.SHUT_WR)
            while line.recv(4096):
                pass

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=answer)
        thread.start()
        yield f"127.0.0.1:{listener.getsockname()[1]}"
        thread.join(20)


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


def series(text):
    """Without comments, and without what differs from run to run."""
    return "".join(line + "\n" for line in text.splitlines()
                   if not re.match("#|stencil_(info|uptime_seconds|memory_free_bytes)", line))


class Metrics(unittest.TestCase):
    maxDiff = None

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.path = pathlib.Path(folder.name) / "link"

    def over_a_socket(self, *arguments):
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(str(self.path))
            listener.listen()
            with served(listener):
                return run(*arguments, self.path)

    def test_text(self):
        status, text, messages = self.over_a_socket()
        self.assertEqual((status, messages), (0, ""))
        self.assertEqual(series(text), EXPECTED)
        self.assertRegex(text, r'(?m)^stencil_info\{version="[0-9].*"\} 1$')
        self.assertRegex(text, r"(?m)^stencil_uptime_seconds \d+\.\d{9}$")

    def test_promtool_accepts_it(self):
        for arguments in [], ["--clones"]:
            with self.subTest(arguments=arguments):
                self.path.unlink(missing_ok=True)
                text = self.over_a_socket(*arguments)[1]
                done = subprocess.run(["promtool", "check", "metrics"], input=text, capture_output=True, text=True, check=False)
                self.assertEqual((done.returncode, done.stdout, done.stderr), (0, "", ""))

    def test_the_document_has_all_metrics(self):
        text = self.over_a_socket()[1]
        document = (TOP / "docs/metrics.md").read_text(encoding="utf-8")
        self.assertEqual(set(re.findall(r"^# TYPE (\S+) (\S+)$", text, re.MULTILINE)),
                         set(re.findall(r"^\| `(stencil_\w+)(?:\{.*?\})?` \| (\w+) \|", document, re.MULTILINE)))

    def test_clones(self):
        """Their series, and their template's without them, are the sum that there was before."""
        lines = self.over_a_socket("--clones")[1].splitlines()
        self.assertIn('stencil_vm_private_bytes{template="t",vm="t-0"} 8192', lines)
        self.assertIn('stencil_vm_private_bytes{template="t"} 0', lines)
        self.assertIn('stencil_vm_exits_total{template="t",vm="t-0"} 12', lines)
        self.assertIn('stencil_vm_exits_total{template="t"} 7', lines)
        self.assertIn('stencil_vms{state="paused"} 1', lines)

    def test_device(self):
        main, device = pty.openpty()
        tty.setraw(device)
        server = serve_on(main)
        status, text, messages = run(os.ttyname(device))
        os.close(device)
        os.close(main)
        server.wait(20)
        self.assertEqual((status, messages), (0, ""))
        self.assertEqual(series(text), EXPECTED)

    def test_a_machine_that_connects(self):
        where = f"127.0.0.1:{free_port()}"
        with subprocess.Popen([*PROGRAM, "--accept", where], stdout=subprocess.PIPE, text=True) as program:
            line = None
            while line is None:
                with contextlib.suppress(ConnectionRefusedError):
                    line = socket.create_connection(metrics.address_of(where))
            with line:
                server = serve_on(line)
            self.assertEqual(series(program.communicate(timeout=60)[0]), EXPECTED)
            server.wait(20)

    def test_http(self):
        where = f"127.0.0.1:{free_port()}"
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(str(self.path))
            listener.listen()
            with served(listener), subprocess.Popen([*PROGRAM, "--listen", where, self.path]) as program:
                answer = None
                while answer is None:
                    with contextlib.suppress(urllib.error.URLError):
                        answer = urllib.request.urlopen(f"http://{where}/metrics", timeout=60)
                self.assertEqual(series(answer.read().decode()), EXPECTED)
                self.assertTrue(answer.headers["Content-Type"].startswith("text/plain; version=0.0.4"))
                with self.assertRaises(urllib.error.HTTPError) as raised:
                    urllib.request.urlopen(f"http://{where}/", timeout=60)
                self.assertEqual(raised.exception.code, 404)
                raised.exception.close()
                answer.close()
                program.terminate()

    def test_labels_are_escaped(self):
        metric = metrics.Metric("a", "gauge", "b", [({"vm": 'x"\\\ny'}, 1)])
        self.assertEqual(list(metric.lines())[2], 'a{vm="x\\"\\\\\\ny"} 1')

    def refused(self, message, *arguments, status=1):
        self.assertEqual(run(*arguments), (status, "", f"stencil metrics: {message}\n"))

    def test_refused(self):
        self.refused(f"{self.path}: [Errno 2] No such file or directory", self.path)
        self.refused(f"{self.path}: to be called, this must be HOST:PORT", "--accept", self.path)
        with answered(b"login: ") as where:
            self.refused(f"{where}: the server is gone", where)
        with answered(SESSION) as where:
            self.refused(f"{where}: the server is gone", where)
        with answered(OLD) as where:
            self.refused(f"{where}: CommandNotFound: The command x has not been found", where)
        self.refused("argument --listen: '9100' is not HOST:PORT (try --help)", "--listen", "9100", self.path, status=2)


if __name__ == "__main__":
    unittest.main()
