#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Build Stencil, put it on a disk image and boot that in Bochs, in QEMU, or in QEMU in Bochs.

Each run has a temporary folder and a port for the console, so that runs do not disturb each other.
The emulator runs in a session of its own: Ctrl-C reaches this program alone, which then ends the
emulator. SIGKILL to this program also ends the emulator, but the folder stays.
"""
import argparse
import fcntl
import os
import pathlib
import re
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import termios
import time
import tty

from console_lines import END, RAW_BEGINS, RAW_ENDS, Report
from places import BUILD, INSTALLED, STENCIL, TOP
from command_line import Parser, positive
from unattended import unattended

FIRMWARE = "/usr/share/ovmf/OVMF.fd"
CPU_MODEL = "corei7_haswell_4770"
CYLINDER = 16 * 63 * 512  # bytes; Bochs needs a disk of whole cylinders
BOCHS_MEMORY = 16384  # MiB, with which the firmware takes three minutes in Bochs; with 8192 twenty seconds
BOCHS_HOLDS = 2048  # MiB that Bochs itself can hold: what is beyond, it keeps in a file, as soon as it is used
NESTED_MEMORY = 1536  # MiB, of which Linux and QEMU leave so much
WINDOWS_MAX = 64  # that a run can trace
IPS = {"bochs": 10000000, "nested": 100000000}  # instructions per second of Bochs' clock

# The last line of the hypervisor or of another system: the exit status of this program.
STATUS = {"ok": 0, "vm failed": 1, "config refused": 2, "panic": 3, "no vmx": 4}
FIRST_LINE = "Stencil, a hypervisor for VM templates"  # of each start
STATUS_SILENT = 3
STATUS_TIMEOUT = 124
STATUS_BUILD = 70

EPILOG = """
The machine's console goes to standard output, standard input to the console.

Unless CONFIG has these options, "host -on-end poweroff -on-panic poweroff" is appended to
it. A machine that comes from --image, or panics, is ended 20 seconds (--linger) after its last line.

Exit status: 0 all VMs ended well, 1 a VM failed, 2 the configuration was
refused or the usage is wrong, 3 the hypervisor panicked or ended without a result, 4 the machine lacks
a feature that Stencil needs, 124 time-out, 70 not built.
"""


def make_parser():
    parser = Parser(prog="stencil run", epilog=EPILOG, allow_abbrev=False,
                    formatter_class=argparse.RawDescriptionHelpFormatter,
                    description="Boot the virtual machines that CONFIG describes" +
                                ("." if INSTALLED else "; without it, the demonstration."))
    parser.add_argument("config", nargs="?", metavar="CONFIG", type=pathlib.Path, help="the configuration")
    parser.add_argument("--ramdisk", metavar="DIR", type=pathlib.Path,
                        help="make the files below DIR the ramdisk")
    parser.add_argument("--handover", metavar="CONFIG", type=pathlib.Path,
                        help="the configuration of starts after one with \"host -handover on\"")
    parser.add_argument("--room", metavar="MIB", type=positive, default=0,
                        help="leave so much room on the disk for files that are handed over")
    parser.add_argument("--disk-out", metavar="FILE", type=pathlib.Path,
                        help="write the disk, as it is at the end, to FILE")
    parser.add_argument("--files-out", metavar="FILE", type=pathlib.Path,
                        help="write the archive of the files that the run handed over to FILE")
    nested = "" if INSTALLED else "; nested: QEMU with Linux' KVM in Bochs, which takes minutes"
    parser.add_argument("--host", choices=["auto", "bochs", "qemu"] + ([] if INSTALLED else ["nested"]), default="auto",
                        help=f"where to boot (auto: QEMU with KVM if that offers VMX, else Bochs{nested})")
    parser.add_argument("--cpus", metavar="N", type=positive, default=1,
                        help="processors of the machine (1)")
    parser.add_argument("--threads", metavar="N", type=positive, default=1,
                        help="of them, so many are threads of one core (1)")
    parser.add_argument("--cpu-model", metavar="MODEL",
                        help=f"model of Bochs's processors; \"help\" lists them ({CPU_MODEL})")
    parser.add_argument("--memory", metavar="MIB", type=positive, default=1024,
                        help="memory of the machine in MiB (1024)")
    parser.add_argument("--timeout", metavar="SECONDS", type=positive,
                        help="end the machine after this time (never)")
    parser.add_argument("--qemu-arg", metavar="ARG", action="append", default=[],
                        help="one more argument for QEMU, a node's memory for example; may be repeated")
    parser.add_argument("--com2", metavar="PORT", type=positive,
                        help="connect COM2 to the program that listens on this TCP port of 127.0.0.1")
    parser.add_argument("--linger", metavar="SECONDS", type=positive, default=20,
                        help="for a machine that may not switch itself off after its last line (20)")
    if not INSTALLED:
        parser.add_argument("--no-build", action="store_true", help="use what was built before")
    parser.add_argument("--image", metavar="FILE", type=pathlib.Path,
                        help="boot a disk image made by \"stencil image\"")
    parser.add_argument("--ips", metavar="N", type=positive,
                        help="instructions per second of Bochs's clock (10000000, nested 100000000)")
    parser.add_argument("--system", metavar="NAME", default="stencil",
                        help="the system in --image, as it names itself on the console; a system other "
                             "than stencil prints \"NAME: end: ok\" and need not end the machine")
    parser.add_argument("--serial-out", metavar="FILE", type=argparse.FileType("wb"),
                        help="write the console to FILE too")
    parser.add_argument("--debug-out", metavar="FILE", type=argparse.FileType("wb"),
                        help="give the machine a debug port (0xe9), and write its output to FILE: host -send debugcon")
    if not INSTALLED:
        parser.add_argument("--trace", metavar="FILE", type=pathlib.Path,
                            help="write each instruction that Bochs executes between two XCHG BX, BX to FILE")
    parser.add_argument("--report", metavar="FILE", type=argparse.FileType("w"),
                        help="write a line of JSON to FILE for each VM that ends, and one at the end")
    return parser


def parse_options():
    parser = make_parser()
    options = parser.parse_args()
    for path in (options.config, options.image, options.handover):
        if path and not path.is_file():
            parser.error(f"{path}: no such file")
    if options.ramdisk and not options.ramdisk.is_dir():
        parser.error(f"{options.ramdisk}: no such folder")
    if options.image and (options.config or options.ramdisk or options.handover or options.room):
        parser.error("--image comes with its own configuration, ramdisk and room")
    if (options.ramdisk or options.handover) and not options.config:
        parser.error("--ramdisk and --handover need a CONFIG")
    if options.host == "qemu" and options.ips:
        parser.error("--ips needs --host bochs or nested")
    if options.host == "auto":
        options.host = "qemu" if has_vmx() else "bochs"
    if options.cpus % options.threads:
        parser.error("--cpus is not a multiple of --threads")
    check_host(parser, options)
    if options.cpu_model:
        check_cpu_model(parser, options)
    if INSTALLED and not (options.config or options.image):
        parser.error("CONFIG or --image is missing")
    return options


def check_host(parser, options):
    """Refuse what the host cannot; choose what depends on it."""
    if options.host == "bochs" and options.qemu_arg:
        parser.error("--qemu-arg needs --host qemu or nested")
    if options.host == "bochs" and options.memory > BOCHS_MEMORY:
        parser.error(f"Bochs has {BOCHS_MEMORY} MiB of memory at most")
    if options.host == "nested" and options.memory > NESTED_MEMORY:
        parser.error(f"QEMU in Bochs has {NESTED_MEMORY} MiB of memory at most")
    if options.host != "bochs" and not INSTALLED and options.trace:
        parser.error("--trace needs --host bochs")
    if options.host == "nested" and options.debug_out:
        parser.error("--debug-out needs --host bochs or qemu")
    if options.host == "nested" and options.system != "stencil":
        parser.error("--system needs --host bochs or qemu")
    options.ips = options.ips or IPS.get(options.host)


def check_cpu_model(parser, options):
    """Refuse a model that Bochs does not have; "help" lists those it has, as in QEMU."""
    if options.host != "bochs":
        parser.error("--cpu-model needs --host bochs")
    listed = subprocess.run(["bochs-bin", "-q", "-help", "cpu"], stdin=subprocess.DEVNULL, check=False,
                            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    models = re.findall(r"^[a-z0-9_]+$", listed.stdout, re.MULTILINE)
    if options.cpu_model == "help":
        print(*models, sep="\n")
        sys.exit(0)
    if options.cpu_model not in models:
        parser.error(f"--cpu-model {options.cpu_model}: Bochs has no such model; \"--cpu-model help\" lists them")


def has_vmx():
    with open("/proc/cpuinfo", encoding="ascii", errors="replace") as cpuinfo:
        flags = re.search(r"^flags.*\bvmx\b", cpuinfo.read(), re.MULTILINE)
    return flags is not None and os.access("/dev/kvm", os.R_OK | os.W_OK)


def build(work, *more):
    """Build the EFI file and 'more'; concurrent runs build one after the other."""
    print("stencil run: building", file=sys.stderr)
    BUILD.mkdir(exist_ok=True)
    steps = [["ninja", "-C", BUILD, "stencil.efi", *more]]
    if not (BUILD / "build.ninja").exists():
        steps.insert(0, ["cmake", "-G", "Ninja", "-B", BUILD, "-S", TOP])
    folder = os.open(BUILD, os.O_RDONLY)
    fcntl.flock(folder, fcntl.LOCK_EX)
    with open(work / "build.log", "w+", encoding="utf-8", errors="replace") as log:
        for step in steps:
            if subprocess.run(step, stdout=log, stderr=log, stdin=subprocess.DEVNULL).returncode:
                log.seek(0)
                sys.stderr.write(log.read())
                sys.exit(STATUS_BUILD)
    os.close(folder)


def fill_cylinder(image):
    size = image.stat().st_size
    os.truncate(image, size + -size % CYLINDER)


def make_image(options, work):
    image = work / "disk.img"
    if options.image:
        subprocess.run(["cp", "--sparse=always", options.image, image], check=True)
        image.chmod(0o600)
    else:
        config, ramdisk = options.config, options.ramdisk
        if not config:
            subprocess.run([TOP / "scripts/demo/clones/make", work / "demo"], check=True)
            config, ramdisk = work / "demo/stencil.conf", work / "demo/ramdisk"
        (work / "stencil.conf").write_bytes(unattended(config.read_bytes()))
        command = [STENCIL, "image", "--efi", BUILD / "BOOTX64.EFI",
                   "--unchecked", "--config", work / "stencil.conf", "--output", image]
        if options.room:
            command += ["--room", str(options.room)]
        if options.handover:
            (work / "handover.conf").write_bytes(unattended(options.handover.read_bytes()))
            command += ["--handover", work / "handover.conf"]
        if ramdisk:
            archive = work / "ramdisk.cpio"
            subprocess.run([STENCIL, "ramdisk", ramdisk, archive], check=True)
            command += ["--ramdisk", archive]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    fill_cylinder(image)
    return image


def bochs_count(options):
    """Bochs' count=: packages of one processor, or one package of cores with several threads."""
    return f"1:{options.cpus // options.threads}:{options.threads}" if options.threads > 1 else options.cpus


def bochs_disk(name, path):
    return (f"{name}: type=disk, path={path}, mode=flat, "
            f"cylinders={path.stat().st_size // CYLINDER}, heads=16, spt=63\n")


def traces(options):
    return not INSTALLED and options.trace is not None


def bochs_commands(options):
    """What the debugger is told: to run, and to trace all processors between marks of the guest, if that is asked for."""
    if not traces(options):
        return "c\n"
    switch = ["".join(f"set $cpu = {cpu}\ntrace {state}\n" for cpu in range(options.cpus)) for state in ("on", "off")]
    return f"c\n{switch[0]}c\n{switch[1]}" * WINDOWS_MAX + "c\n"


def bochs_command(options, work, port, count, memory, disks):
    """The command that boots from the first disk; 'disks' are lines of bochs_disk()."""
    # The display "term" opens no port; "rfb" is a VNC server on all interfaces.
    # sync=none and a fixed time0: time is counted in instructions, so two runs
    # of one image are alike. The fewer a second, the less the firmware spends on
    # waiting for the disk (100 us a sector), and the more a guest on its timer.
    com2 = f"com2: enabled=1, mode=socket-client, dev=127.0.0.1:{options.com2}\n" if options.com2 else ""
    debug = "port_e9_hack: enabled=1\n" if options.debug_out else ""
    trace = f"magic_break: enabled=1\ndebugger_log: {options.trace.absolute()}\n" if traces(options) else ""
    (work / "bochsrc").write_text(f"""\
display_library: term
romimage: file={FIRMWARE}, address=0xffe00000
vgaromimage: file=/usr/share/vgabios/vgabios.bin
cpu: model={options.cpu_model or CPU_MODEL}, count={count}, ips={options.ips}, reset_on_triple_fault=0
memory: guest={memory}, host={min(memory, BOCHS_HOLDS)}
pci: enabled=1, chipset=i440fx
vga: extension=vbe
clock: sync=none, time0=1700000000
com1: enabled=1, mode=socket-client, dev=127.0.0.1:{port}
{com2}{debug}{trace}{disks}boot: disk
log: {work}/bochs.log
panic: action=fatal
error: action=report, devices=ignore
info: action=ignore
debug: action=ignore
""", encoding="utf-8")
    (work / "commands").write_text(bochs_commands(options), encoding="ascii")  # Debian's build has a debugger
    return ["env", "TERM=dumb", "bochs-bin", "-q", "-f", work / "bochsrc", "-rc", work / "commands"]


def qemu_command(options, accelerator, image, chardev, com2):
    # Files are handed over by a reset, after which the machine must start again.
    com2 = ["-serial", com2] if options.com2 else []
    debug = ["-debugcon", f"file:{options.debug_out.name}"] if options.debug_out else []
    return ["qemu-system-x86_64", "-nodefaults", "-no-user-config", "-machine", "q35", *accelerator,
            "-smp", f"{options.cpus},threads={options.threads}", "-m", str(options.memory), "-bios", FIRMWARE,
            "-drive", f"if=virtio,format=raw,file={image}", "-device", "VGA", "-display", "none",
            *([] if options.files_out else ["-no-reboot"]), "-chardev", f"{chardev},id=com1", "-serial", "chardev:com1", *com2, *debug, *options.qemu_arg]


def nested_command(options, work, image, port):
    """Bochs boots Debian's Linux, whose init starts QEMU as the third disk says (scripts/nested)."""
    subprocess.run([TOP / "scripts/nested/make", BUILD / "nested"], check=True)
    linux, arguments = work / "nested.img", work / "arguments"
    subprocess.run(["cp", "--sparse=always", BUILD / "nested/nested.img", linux], check=True)
    command = qemu_command(options, ["-accel", "kvm", "-cpu", "host,migratable=off"], "/dev/disk",
                           "stdio,signal=off", "/dev/ttyS1")
    arguments.write_text("".join(f"{word}\n" for word in command), encoding="utf-8")
    for disk in (linux, arguments):
        fill_cylinder(disk)
    print("stencil run: Linux boots in Bochs, QEMU in that: the first line comes after two minutes "
          "or more", file=sys.stderr)
    disks = (bochs_disk("ata0-master", linux) + bochs_disk("ata0-slave", image) +
             "ata1: enabled=1, ioaddr1=0x170, ioaddr2=0x370, irq=15\n" + bochs_disk("ata1-master", arguments))
    return bochs_command(options, work, port, 1, BOCHS_HOLDS, disks)


def emulator_command(options, work, image, port):
    if options.host == "nested":
        return nested_command(options, work, image, port)
    if options.host == "bochs":
        return bochs_command(options, work, port, bochs_count(options), options.memory,
                             bochs_disk("ata0-master", image))
    accelerator = ["-accel", "kvm", "-cpu", "host"] if has_vmx() else ["-accel", "tcg", "-cpu", "max"]
    return qemu_command(options, accelerator, image, f"socket,host=127.0.0.1,port={port}",
                        f"tcp:127.0.0.1:{options.com2}")


class Console:
    """Carries bytes between the machine's serial line and our standard streams.

    Until the booted system prints its first line, the firmware's control sequences are left out
    and input is held back, because the firmware would read it.
    """
    CONTROL = re.compile(rb"\x1b\[[0-9;=?]*[A-Za-z]")

    def __init__(self, serial_out, system, report=None):
        self.greeting = system.encode() + b": "
        name = re.escape(self.greeting)
        self.own = re.compile(b"^" + name + rb"([^\r\n]*)\r*\n", re.MULTILINE)
        self.code = None  # while a VM has the console alone: ends its output, in which other lines mean nothing
        self.ends_machine = system == "stencil"
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.line = None  # the connection, if open
        self.input = 0  # None: at the end of input
        self.pending = b""  # input on its way to the machine
        self.text = b""  # output since the last whole line
        self.started = False
        self.end = None  # the result in the hypervisor's last line
        self.n_starts = 0  # before that line
        self.end_time = None  # monotonic time of that line
        self.copy = serial_out
        self.report = report

    def carry(self, process, seconds):
        """Carry available bytes; wait at most 'seconds' for them, or until 'process' ends."""
        sources = [process, self.line or self.listener]
        if self.started and self.input is not None and not self.pending:
            sources.append(self.input)
        sinks = [self.line] if self.line and self.pending else []
        readable, writable, _ = select.select(sources, sinks, [], seconds)
        if self.listener in readable:
            self.line, _ = self.listener.accept()
        if self.input in readable:
            self.read_input()
        if writable:
            self.pending = self.pending[self.line.send(self.pending, socket.MSG_DONTWAIT):]
        if self.line in readable:
            self.receive()
        return readable

    def drain(self):
        """Receive what the machine sent before it ended."""
        while self.carry(self.listener, 0):
            pass
        if self.text:
            self.show(b"\n")

    def read_input(self):
        try:
            self.pending = os.read(self.input, 4096)
        except OSError:
            self.pending = b""
        if not self.pending:
            self.input = None

    def receive(self):
        try:
            data = self.line.recv(65536)
        except ConnectionError:
            data = b""
        if not data:
            self.line.close()
            self.line = None
            return
        if self.copy:
            self.copy.write(data)
            self.copy.flush()
        self.text += data
        if self.started:
            self.show(data)
        else:
            self.show_firmware()
        for line in self.own.finditer(self.text):
            self.take_own(line[1].decode("utf-8", "replace"))
        self.text = self.text[self.text.rfind(b"\n") + 1:]
        if len(self.text) > 4096:
            self.text = b" " + self.text[-4095:]  # the rest of a line is not the beginning of one

    def take_own(self, line):
        """A line of the hypervisor, unless it is in the raw output of a VM. A panic ends that, too; who
        imitates one gains nothing."""
        end, begins, ends = END.fullmatch(line), RAW_BEGINS.fullmatch(line), RAW_ENDS.fullmatch(line)
        if self.code and ends and ends["code"] == self.code:
            self.code = None
        elif not self.code and begins:
            self.code = begins["code"]
        elif end and (not self.code or end["words"] == "panic"):
            self.end = end["words"]
            self.end_time = time.monotonic()
        elif line == FIRST_LINE and not self.end:
            self.n_starts += 1
        elif self.report and not self.code:
            self.report.take(line)

    def show_firmware(self):
        self.started = self.greeting in self.text
        whole = len(self.text) if self.started else self.text.rfind(b"\n") + 1
        self.show(self.CONTROL.sub(b"", self.text[:whole]))

    @staticmethod
    def show(data):
        while data:
            data = data[os.write(1, data):]


class Terminal:
    """While in use, standard input delivers each key immediately if it is our terminal."""

    def __enter__(self):
        self.saved = None
        if os.isatty(0) and os.tcgetpgrp(0) == os.getpgrp():
            self.saved = termios.tcgetattr(0)
            tty.setcbreak(0)

    def __exit__(self, *_):
        if self.saved:
            termios.tcsetattr(0, termios.TCSADRAIN, self.saved)


def boot(command, console, messages, options):
    """Run the emulator until it ends or the time is over; return the exit status."""
    command = ["setpriv", "--pdeathsig", "KILL", *command]
    deadline = time.monotonic() + options.timeout if options.timeout else None
    # Bochs writes what comes out of the debug port to its standard output.
    output = options.debug_out if options.debug_out and options.host == "bochs" else messages
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output, stderr=messages,
                          start_new_session=True) as emulator:
        process = os.pidfd_open(emulator.pid)
        try:
            while process not in console.carry(process, remaining(deadline)):
                if console.end and not console.ends_machine:
                    break
                if console.n_starts > 1 and options.host != "bochs":  # Bochs ends itself at a triple fault
                    print("stencil run: the machine has started again before its end", file=sys.stderr)
                    break
                if console.end and (options.image or console.end == "panic"):
                    deadline = console.end_time + options.linger
                    if time.monotonic() >= deadline:
                        break
                if deadline and time.monotonic() >= deadline:
                    print(f"stencil run: time-out after {options.timeout} s", file=sys.stderr)
                    return STATUS_TIMEOUT
        finally:
            emulator.kill()
            emulator.wait()
            console.drain()
            os.close(process)
    if console.end not in STATUS:
        print("stencil run: the machine ended without a result", file=sys.stderr)
        return STATUS_SILENT
    return STATUS[console.end]


def copy_files(image, path):
    """Copy the handed-over archive off the disk, if there is one; its file system is in the first partition."""
    done = subprocess.run(["mcopy", "-n", "-i", f"{image}@@1M", "::/stencil/handover.cpio", path],
                          env={**os.environ, "MTOOLS_SKIP_CHECK": "1"}, check=False, stdout=subprocess.DEVNULL,
                          stderr=subprocess.DEVNULL)
    if done.returncode:
        print("stencil run: the run has handed over no files", file=sys.stderr)


def show_messages(work):
    """Show the last messages of the emulator: the only trace of a run without a result."""
    for name in ("messages", "bochs.log"):
        if (work / name).exists():
            subprocess.run(["tail", "-n", "10", work / name], stdout=sys.stderr.fileno())


def remaining(deadline):
    return max(0, deadline - time.monotonic()) if deadline else None


def end_by_signal(number, _frame):
    sys.exit(128 + number)


def main():
    options = parse_options()
    ending = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    for number in ending:
        signal.signal(number, end_by_signal)
    report = Report(options.report) if options.report else None
    work = console = None
    try:
        work = pathlib.Path(tempfile.mkdtemp(prefix="stencil."))
        if not INSTALLED and not options.no_build:
            build(work)
        image = make_image(options, work)
        console = Console(options.serial_out, options.system, report)
        command = emulator_command(options, work, image, console.port)
        print(f"stencil run: booting in {options.host}", file=sys.stderr)
        with Terminal(), open(work / "messages", "w", encoding="utf-8") as messages:
            status = boot(command, console, messages, options)
        if console.end is None:
            show_messages(work)
        if options.files_out:
            copy_files(image, options.files_out)
        if options.disk_out:
            subprocess.run(["cp", "--sparse=always", image, options.disk_out], check=True)
    except SystemExit as end:
        status = end.code
    except subprocess.CalledProcessError as error:
        print(f"stencil run: {pathlib.Path(error.cmd[0]).name} failed", file=sys.stderr)
        status = STATUS_BUILD
    finally:
        for number in ending:
            signal.signal(number, signal.SIG_IGN)
        if work:
            shutil.rmtree(work, ignore_errors=True)
    if report:
        report.end(status, console and console.end)
    sys.exit(status)


if __name__ == "__main__":
    main()
