#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Run a list of commands, each in a virtual machine of its own, and collect what they print and leave.

A Linux with ROOTFS as its initial file system starts once and becomes a template; each job runs in a clone of it.
The list can be cut into shards, each a run of its own on some machine; the results are the same.
"""
import argparse
import contextlib
import json
import os
import pathlib
import re
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile

from places import BUILD, INSTALLED, STENCIL, TOP
import newc
import results
from command_line import Parser

JOB_MAX = 4095  # bytes; hv/config/map_line.h
LINKS_MAX = 40
MIB = 1 << 20
STATUS_FAILED = 1
STATUS_LOST = 3
MESSAGES = "runs.messages"  # of GNU parallel or Slurm
LINGER = 600  # seconds; after its last line a run still writes its files to the disk
# As in scripts/demo/clones/stencil.conf. A panic ends the VM by a triple fault: Linux' other ways lead into
# a BIOS, and there is none.
APPEND = ("console=ttyS0 quiet loglevel=1 cryptomgr.notests "
          "initcall_blacklist=trace_eval_init,init_kprobe_trace,cubictcp_register panic=-1 reboot=t "
          "rdinit=/.stencil/stencilctl -- init")

EPILOG = """
Each line of JOBS that is not empty is a job, numbered from 0, and runs as "/bin/sh -c LINE" in ROOTFS. OUT gets a
folder t-N for each job N, with stdout, stderr, status.json and files/, which has what the job adds by
"stencilctl put FILE". The same jobs give the same OUT, however they are cut into shards.

Exit status: 0 each job exited with 0, 1 a job ended otherwise, 2 wrong usage, 3 a run failed or could not be made, and OUT
lacks its jobs.
"""


class Failure(Exception):
    """What is wrong, in one line."""


def matching(pattern, what):
    def parse(text):
        if not re.fullmatch(pattern, text):
            raise argparse.ArgumentTypeError(f"not {what}: {text}")
        return text
    return parse


positive = matching("0*[1-9][0-9]{0,8}", "a positive number")
size = matching("0*[1-9][0-9]{0,8}[KkMmGg]?", "a size, such as 64M")
time = matching("0*[1-9][0-9]{0,8}(ms|s|m)", "a time, such as 30s")


def make_parser():
    parser = Parser(prog="stencil map", description=__doc__, epilog=EPILOG, allow_abbrev=False,
                    formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("rootfs", metavar="ROOTFS", type=pathlib.Path,
                        help="the file system of the jobs, with /bin/sh: a folder or a tar archive")
    parser.add_argument("jobs", metavar="JOBS", type=pathlib.Path, help="a text file, a command a line")
    parser.add_argument("out", metavar="OUT", type=pathlib.Path,
                        help="the folder to make, or an archive if its name ends with .cpio")
    parser.add_argument("--parallel", metavar="N", type=positive, help="run so many jobs of a run at a time (all)")
    parser.add_argument("--timeout", metavar="TIME", type=time, help="end a job after this time, such as 30s (never)")
    parser.add_argument("--max-private", metavar="SIZE", type=size,
                        help="end a job whose VM needs more memory of its own, output included (no limit)")
    parser.add_argument("--vm-memory", metavar="SIZE", type=size,
                        help="memory of each VM (128 MiB and twice the size of ROOTFS)")
    parser.add_argument("--kernel", metavar="FILE", type=pathlib.Path, required=INSTALLED,
                        help="the Linux kernel" + ("" if INSTALLED else " (Debian's)"))
    parser.add_argument("--host", choices=["auto", "bochs", "qemu"] + ([] if INSTALLED else ["nested"]), default="auto",
                        help="where to boot, as for \"stencil run\"")
    parser.add_argument("--cpus", metavar="N", type=positive, default="1", help="processors of the machine (1)")
    parser.add_argument("--memory", metavar="MIB", type=positive, default="1024", help="memory of the machine in MiB (1024)")
    parser.add_argument("--shards", metavar="N", type=positive, default="1", help="cut the list into so many runs (1)")
    parser.add_argument("--on", choices=["parallel", "slurm"],
                        help="give the runs to GNU parallel, or to Slurm as an array job (one after the other, here)")
    parser.add_argument("--sshlogin", metavar="LOGIN", action="append", default=[],
                        help="with --on parallel: run on this machine, which has the command stencil; may be repeated")
    parser.add_argument("--report", metavar="FILE", type=pathlib.Path,
                        help="write a line of JSON to FILE for each job, and one at the end")
    return parser


def parse_options():
    parser = make_parser()
    options = parser.parse_args()
    if options.sshlogin and options.on != "parallel":
        parser.error("--sshlogin needs --on parallel")
    for number in ("parallel", "cpus", "memory", "shards"):
        setattr(options, number, getattr(options, number) and int(getattr(options, number)))
    try:
        check_files(options)
        options.lines = read_jobs(options.jobs)
        if options.shards > len(options.lines):
            raise Failure(f"--shards {options.shards}: there are only {len(options.lines)} jobs")
        options.report = options.report and open(options.report, "w", encoding="utf-8")
    except OSError as error:
        parser.error(f"{error.filename}: {error.strerror}")
    except Failure as failure:
        parser.error(str(failure))
    return options


def check_files(options):
    if not options.rootfs.exists():
        raise Failure(f"{options.rootfs}: no such folder or archive")
    if options.kernel and not options.kernel.is_file():
        raise Failure(f"{options.kernel}: no such file")
    if os.path.lexists(options.out):
        raise Failure(f"{options.out}: exists already, and results replace nothing")
    if not options.out.absolute().parent.is_dir():
        raise Failure(f"{options.out.absolute().parent}: no such folder")
    program = {"parallel": "parallel", "slurm": "sbatch"}.get(options.on)
    if program and not shutil.which(program):
        raise Failure(f"--on {options.on}: {program} is missing: apt-get install "
                      f"{'slurm-client' if options.on == 'slurm' else 'parallel'}")


def read_jobs(path):
    """The jobs, as bytes."""
    lines = path.read_bytes().split(b"\n")
    for number, line in enumerate(lines, 1):
        if len(line) > JOB_MAX:
            raise Failure(f"{path}:{number}: a job of {len(line)} bytes; {JOB_MAX} are the most")
        if b"\0" in line:
            raise Failure(f"{path}:{number}: a job has no NUL")
    jobs = [line for line in lines if line]
    if not jobs:
        raise Failure(f"{path}: there is no job in it")
    return jobs


def is_in(root, name):
    """Whether the folder has this file; links are followed as in the VM."""
    parts, at, links = name.split("/"), [], 0
    while parts:
        part = parts.pop(0)
        path = root.joinpath(*at, part)
        if part == "..":
            del at[-1:]
        elif part not in ("", ".") and path.is_symlink() and links < LINKS_MAX:
            links += 1
            target = os.readlink(path)
            at = [] if target.startswith("/") else at
            parts = target.split("/") + parts
        elif part not in ("", "."):
            at.append(part)
    return root.joinpath(*at).is_file()


def run_quietly(command, what, **more):
    """Run a command whose messages are only of interest if it fails."""
    done = subprocess.run(command, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, check=False, text=True, **more)
    if done.returncode:
        last = done.stderr.strip().splitlines()[-1:] or [f"exit status {done.returncode}"]
        raise Failure(f"{what}: {last[0]}")


def pack_rootfs(options, work, output):
    """Append the file system to an open file, as an archive that Linux unpacks."""
    root = options.rootfs
    if not root.is_dir():
        root = work / "rootfs"
        root.mkdir()
        # Devices need root, and devtmpfs makes them.
        run_quietly(["tar", "-x", "-p", "--no-same-owner", "--exclude=dev/*", "--exclude=./dev/*", "-C", root, "-f",
                     options.rootfs.absolute()], options.rootfs)
    if not is_in(root, "bin/sh"):
        raise Failure(f"{options.rootfs}: has no /bin/sh, which runs the jobs")
    pack(root, options.rootfs, output)


def pack(folder, what, output):
    """Owners are root, times stay: the same folder makes the same archive."""
    run_quietly(["bash", "-o", "pipefail", "-c",
                 "find . -xdev -print0 | LC_ALL=C sort -z | cpio --quiet -0 -o -H newc -R 0:0 --reproducible"],
                what, cwd=folder, stdout=output)


def make_ramdisk(options, work):
    """The files that all shards have: kernel and initial file system; returns the size of the latter."""
    ramdisk = work / "ramdisk"
    ramdisk.mkdir()
    kernel = options.kernel or subprocess.run([TOP / "scripts/fetch-kernel"], check=True, capture_output=True,
                                              text=True).stdout.strip()
    shutil.copyfile(kernel, ramdisk / "vmlinuz")
    (work / "guest/.stencil").mkdir(parents=True)
    shutil.copy(BUILD / "stencilctl", work / "guest/.stencil")
    with open(ramdisk / "initrd", "wb") as initrd:
        pack_rootfs(options, work, initrd)
        pack(work / "guest", "stencilctl", initrd)
    return (ramdisk / "initrd").stat().st_size


def configuration(options, initrd, first):
    memory = options.vm_memory or f"{128 + 2 * -(-initrd // MIB)}M"
    words = ["map", "t", "jobs=/jobs", "out=/results.cpio", f"first={first}"]
    for word in ("parallel", "timeout", "max_private"):
        if getattr(options, word):
            words.append(f"{word.replace('_', '-')}={getattr(options, word)}")
    return (f"host -handover on -on-end poweroff -on-panic poweroff\n"
            f"vm t -m {memory} -no-reboot -kernel /vmlinuz -initrd /initrd -append '{APPEND}'\n"
            f"{' '.join(words)}\n")


class Shard:
    """A part of the list, and the files of its run in the folder of the work."""

    def __init__(self, work, number, first, lines):
        self.work, self.number, self.first, self.lines = work, number, first, lines

    def path(self, suffix):
        return self.work / f"shard-{self.number}.{suffix}"

    def make_image(self, options, initrd):
        ramdisk = self.work / "ramdisk"
        (ramdisk / "jobs").write_bytes(b"".join(line + b"\n" for line in self.lines))
        self.path("conf").write_text(configuration(options, initrd, self.first), encoding="utf-8")
        run_quietly([STENCIL, "ramdisk", ramdisk, self.path("ramdisk")], "stencil ramdisk")
        efi = [] if INSTALLED else ["--efi", BUILD / "BOOTX64.EFI"]
        # The archive and its copy share the machine's memory.
        run_quietly([STENCIL, "image", *efi, "--config", self.path("conf"), "--ramdisk", self.path("ramdisk"),
                     "--room", str(-(-options.memory // 2)), "--output", self.path("img")], "stencil image",
                    stdout=subprocess.DEVNULL)
        self.path("ramdisk").unlink()

    def collect(self):
        """Take the archive of results out of that of the files; a Failure says why there is none."""
        jobs = range(self.first, self.first + len(self.lines))
        try:
            with open(self.path("files"), "rb") as files, open(self.path("cpio"), "wb") as archive:
                if not take(files, "results.cpio", archive):
                    raise Failure("the run has made no results.cpio")
            with open(self.path("cpio"), "rb") as archive:
                statuses = results.statuses(archive)
        except FileNotFoundError:
            raise Failure(self.reason()) from None
        except newc.Damaged as error:
            raise Failure(f"the results are damaged: {error}") from None
        if [status["job"] for status in statuses] != list(jobs):
            raise Failure(f"the results are not those of the jobs {jobs[0]} to {jobs[-1]}")
        return statuses

    def reason(self):
        """Why the run has left no files: an error of Stencil's, if there is one, else what its shell has said, else what
        those have said that carry files and commands to another machine."""
        messages = [line for line in lines_of(self.path("messages")) if not re.match("stencil run: (booting|building)", line)]
        errors = [line for line in lines_of(self.path("log")) if line.startswith("stencil: error: ")]
        errors += [line for line in messages if line.startswith("stencil run: ")]
        if errors:
            return errors[0]
        # GNU parallel marks the lines of a shard; a program's own line comes before those of programs that lean on it.
        tagged = [line.split("\t", 1) for line in lines_of(self.work / MESSAGES)]
        carriers = [words[-1].strip() for words in tagged if words[0] in (f"shard-{self.number}", words[-1])]
        causes = messages[-1:] + [line for line in carriers if re.match(r"(?!Warning: )\S+: ", line)] + carriers
        return f"the run did not start: {causes[0]}" if causes else "the run did not start"

    def events(self):
        """What the run's report says about jobs."""
        with contextlib.suppress(FileNotFoundError):
            for line in self.path("report").read_text(encoding="utf-8").splitlines():
                event = json.loads(line)
                if event["event"] == "job":
                    yield event


def lines_of(path):
    """Its lines that are not empty; none if there is no such file."""
    with contextlib.suppress(FileNotFoundError):
        return [line.strip() for line in path.read_text(encoding="utf-8", errors="replace").splitlines() if line.strip()]
    return []


def take(files, name, output):
    """Copy the data of the entry of this name; false if the archive has none."""
    for entry in newc.entries(files):
        if entry.name.lstrip("/") == name:
            newc.copy(files, output, entry.size)
            return True
    return False


def cut(options, work):
    """The shards, whose numbers of jobs differ by one at most."""
    count, shards = len(options.lines), []
    for number in range(options.shards):
        first, end = count * number // options.shards, count * (number + 1) // options.shards
        shards.append(Shard(work, number, first, options.lines[first:end]))
    return shards


def run_command(options, name, program):
    """The shell's command for the run of a shard; 'name' is the shell's word for its files, without their suffixes."""
    command = [str(program), "run", "--host", options.host, "--memory", str(options.memory), "--cpus", str(options.cpus),
               "--linger", str(LINGER)]
    if not INSTALLED and not options.sshlogin:
        command.append("--no-build")
    words = " ".join(map(shlex.quote, command))
    return (f"{words} --image {name}.img --files-out {name}.files --serial-out {name}.log --report {name}.report "
            f"</dev/null >/dev/null 2>{name}.messages")


def run_here(options, work, shards):
    for shard in shards:
        subprocess.run(["sh", "-c", run_command(options, f"shard-{shard.number}", STENCIL)], cwd=work, check=False)


def run_parallel(options, work, shards):
    """GNU parallel takes the user's shell, here and on the other machines; the command is written for sh. The user's
    options, language and home are not for it; ssh finds its own all the same."""
    environment = {"HOME": str(work), **os.environ, "SHELL": "/bin/sh", "LC_ALL": "C", "PARALLEL_HOME": str(work / "parallel")}
    command = ["parallel", "--plain", "--will-cite", "--tag", "--tmpdir", str(work)]
    program = STENCIL
    if options.sshlogin:
        program = "stencil"
        command += [f"--sshlogin={login}" for login in options.sshlogin]
        command += ["--workdir", "...", "--transferfile", "{}.img", "--cleanup"]
        command += [f"--return={{}}.{suffix}" for suffix in ("files", "log", "report", "messages")]
    command += [run_command(options, "{}", program), ":::", *(f"shard-{shard.number}" for shard in shards)]
    with open(work / MESSAGES, "w", encoding="utf-8") as messages:
        subprocess.run(command, cwd=work, env=environment, stdin=subprocess.DEVNULL, stdout=messages,
                       stderr=messages, check=False)


def run_slurm(options, work, shards):
    """One array job. The folder of OUT must be on all its machines."""
    script = work / "batch"
    script.write_text(f"#!/bin/sh\n{run_command(options, 'shard-$SLURM_ARRAY_TASK_ID', STENCIL)}\n", encoding="utf-8")
    command = ["sbatch", "--wait", "--parsable", "--job-name=stencil-map", f"--array=0-{len(shards) - 1}", f"--cpus-per-task={options.cpus}",
               f"--chdir={work}", f"--output={work / MESSAGES}", "--open-mode=append", script]
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as batch:
        number = batch.stdout.readline().strip().partition(";")[0]
        try:
            messages = batch.communicate()[1]
        except BaseException:
            subprocess.run(["scancel", number], check=False)
            raise
    if not number:
        raise Failure(messages.strip().splitlines()[-1] if messages.strip() else "sbatch failed")


def run(options, work, shards):
    {"parallel": run_parallel, "slurm": run_slurm, None: run_here}[options.on](options, work, shards)


def tell_end(options, statuses, status):
    well = sum(map(results.well, statuses))
    if options.report:
        options.report.write(json.dumps({"event": "end", "status": status, "jobs": len(options.lines), "results": len(statuses),
                                         "exited_with_0": well}) + "\n")
        options.report.close()
    print(f"stencil map: {len(options.lines)} jobs: {well} exited with 0, {len(statuses) - well} ended otherwise"
          f"{f', {lost} are lost' if (lost := len(options.lines) - len(statuses)) else ''}")


def report(options, shard, statuses):
    """A line for each job, with what the console said about it: time and private memory are not in the results."""
    if options.report:
        costs = {event["job"]: event for event in shard.events()}
        for status in statuses:
            cost = {key: value for key, value in costs.get(status["job"], {}).items() if key in ("ms", "private_kib")}
            options.report.write(json.dumps({"event": "job", **status, **cost, "shard": shard.number}) + "\n")


def collect(options, work, shards):
    """Merge the results into OUT; returns the statuses of the jobs in it."""
    statuses, parts = [], []
    for shard in shards:
        try:
            found = shard.collect()
        except Failure as failure:
            end = shard.first + len(shard.lines) - 1
            print(f"stencil map: the jobs {shard.first} to {end} are lost: {failure}", file=sys.stderr)
            continue
        report(options, shard, found)
        statuses += found
        parts.append(shard.path("cpio"))
    if parts:
        write_out(options.out, work, parts)
    return statuses


def write_out(out, work, parts):
    archive = work / "merged"
    with contextlib.ExitStack() as stack:
        results.merge([stack.enter_context(open(part, "rb")) for part in parts], stack.enter_context(open(archive, "wb")))
    made = archive
    if out.suffix != ".cpio":
        made = work / "unpacked"
        results.unpack(archive, made)
    os.rename(made, out)


def build(work):
    if not INSTALLED:
        import run as runner  # pylint: disable=import-outside-toplevel
        runner.build(work, "stencilctl")


def map_jobs(options, work):
    build(work)
    initrd = make_ramdisk(options, work)
    shards = cut(options, work)
    for shard in shards:
        shard.make_image(options, initrd)
    runs = f"{len(shards)} runs" if len(shards) > 1 else "one run"
    print(f"stencil map: {len(options.lines)} jobs in {runs}", file=sys.stderr)
    run(options, work, shards)
    statuses = collect(options, work, shards)
    status = STATUS_LOST if len(statuses) < len(options.lines) else 0 if all(map(results.well, statuses)) else STATUS_FAILED
    tell_end(options, statuses, status)
    return status


def end_by_signal(number, _frame):
    sys.exit(128 + number)


def main():
    os.environ.setdefault("PATH", os.defpath)
    options = parse_options()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, end_by_signal)
    work = None
    try:
        # Beside OUT, so that other machines find it where they find OUT.
        work = pathlib.Path(tempfile.mkdtemp(prefix=f"{options.out.name}.", dir=options.out.absolute().parent))
        status = map_jobs(options, work)
    except Failure as failure:
        print(f"stencil map: {failure}", file=sys.stderr)
        status = STATUS_LOST
    except OSError as error:
        print(f"stencil map: {error.filename or options.out}: {error.strerror}", file=sys.stderr)
        status = STATUS_LOST
    except subprocess.CalledProcessError as error:
        print(f"stencil map: {pathlib.Path(error.cmd[0]).name} failed", file=sys.stderr)
        status = STATUS_LOST
    finally:
        if work:
            shutil.rmtree(work, ignore_errors=True)
    sys.exit(status)


if __name__ == "__main__":
    main()
