#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""stencil map with a real Linux: fifty jobs have the outputs that the same commands have in a chroot of the same file system,
and those that hang, crash, or need too much memory are reported as such. The order in which they run does not matter.

    test_map_desk.py [JOBS MIB]

With two numbers: so many jobs at a time in a machine of so many MiB.
"""
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

TOP = pathlib.Path(__file__).resolve().parents[2]
APPLETS = ["sh", "awk", "cat", "dd", "echo", "env", "expr", "false", "head", "ls", "md5sum", "mkdir", "rm", "seq", "sha256sum",
           "sleep", "sort", "stat", "tail", "tr", "true", "wc", "yes"]
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/.stencil"

# What needs no machine: the chroot says how it ends.
SAME = ["true", "false", "exit 3", "exit 255", "kill -9 $$", "kill -SEGV $$", "kill -TERM $$", "nothing", "exec nothing", "if",
        "echo out; echo error >&2", "printf 'no newline'", "printf '\\001\\377\\n'", "env | sort", "pwd; ls /data",
        "stat -c '%n %Y %a %u %s %F' /data/*", "cat /data/text", "cat /none", "sh -c 'kill -9 $$'; echo $?", "cat",
        "dd if=/data/large bs=4096 2>/dev/null", "sha256sum /data/*", "head -c 100000 /data/large | tr a b", "echo a >/new; cat /new; rm /new",
        "mkdir /folder; exit 7", "(exit 5) & wait $!; echo $?", "sleep 0.1 & wait; echo slept", "sleep 1 & echo left",
        "echo '\"quoted\" `and` $$HOME \\\\' \"$HOME\"", "head -c 200000 /data/large >&2"]
# What only a machine can do: the command, the end, and the status.
OWN = [("sleep 1000", "timeout", 0), ("cat /dev/zero >/fill", "memory", 0),
       ("echo before; echo c >/proc/sysrq-trigger", "crash", 0),
       ("echo text >/a; stencilctl put /a; mkdir /b; echo more >/b/c; stencilctl put /b/c d/e && stencilctl put /a 2>/dev/null", "exit", 1)]


def make_jobs(count):
    jobs = SAME + [job for job, _, _ in OWN[:2]]
    more = (f"seq {n} {3 * n + 10} | md5sum; exit {n % 3}" for n in range(count))
    jobs += [next(more) for _ in range(count - len(SAME) - len(OWN))]
    return jobs + [job for job, _, _ in OWN[2:]]


def make_rootfs(folder):
    (folder / "bin").mkdir(parents=True)
    (folder / "data").mkdir()
    shutil.copy("/bin/busybox", folder / "bin/busybox")
    for applet in APPLETS:
        (folder / "bin" / applet).symlink_to("busybox")
    (folder / "data/text").write_text("some text\n")
    (folder / "data/large").write_text(250000 * "a")
    for path in folder.rglob("*"):
        os.utime(path, (1234567890, 1234567890), follow_symlinks=False)


def in_chroot(job, rootfs, work):
    """The end of a job in a fresh copy of the file system, and its outputs."""
    shutil.rmtree(work / "copy", ignore_errors=True)
    subprocess.run(["cp", "-a", rootfs, work / "copy"], check=True)
    (work / "copy/dev").mkdir()
    (work / "copy/dev/null").touch()  # a device needs root; nothing is as empty
    chroot = ["/usr/sbin/chroot"] if os.getuid() == 0 else ["unshare", "-r", "/usr/sbin/chroot"]
    environment = {"HOME": "/", "TERM": "linux", "PATH": PATH}
    done = subprocess.run([*chroot, work / "copy", "/bin/sh", "-c", job], env=environment, stdin=subprocess.DEVNULL,
                          capture_output=True, check=False, cwd="/")
    end = {"end": "exit", "status": done.returncode, "signal": 0} if done.returncode >= 0 else {"end": "signal", "status": 0, "signal": -done.returncode}
    return end, done.stdout, done.stderr


def compare(number, job, out, rootfs, work):
    """What is wrong with the results of a job that needs no machine."""
    folder = out / f"t-{number}"
    status = json.loads((folder / "status.json").read_text())
    end, stdout, stderr = in_chroot(job, rootfs, work)
    found = {key: status[key] for key in end}, (folder / "stdout").read_bytes(), (folder / "stderr").read_bytes()
    return [] if found == (end, stdout, stderr) else [f"{job}: {found}\n  not {(end, stdout, stderr)}"[:2000]]


def judge_own(numbers, out):
    wrong = []
    for job, end, code in OWN:
        folder = out / f"t-{numbers[job]}"
        status = json.loads((folder / "status.json").read_text())
        if (status["end"], status["status"]) != (end, code):
            wrong.append(f"{job}: {status}")
    folder = out / f"t-{numbers[OWN[3][0]]}/files"
    files = {str(path.relative_to(folder)): path.read_text() for path in folder.rglob("*") if path.is_file()}
    if files != {"a": "text\n", "d/e": "more\n"}:
        wrong.append(f"files: {files}")
    crashed = out / f"t-{numbers[OWN[2][0]]}/stdout"
    return wrong if crashed.read_text() == "before\n" else wrong + ["what was printed before a crash is lost"]


def stencil_map(work, out, *options):
    """The archive; the status is 1, because some jobs fail."""
    done = subprocess.run([TOP / "scripts/stencil", "map", "--host", "bochs", "--timeout", "60s", "--max-private", "4M", *options,
                           work / "rootfs", work / "jobs", work / out], stdin=subprocess.DEVNULL, check=False)
    if done.returncode != 1:
        sys.exit(f"stencil map: status {done.returncode}")
    return work / out


def unpack(archive, folder):
    folder.mkdir()
    with open(archive, "rb") as data:
        subprocess.run(["cpio", "--quiet", "-id"], stdin=data, cwd=folder, check=True)


def main():
    count, memory = map(int, sys.argv[1:]) if len(sys.argv) > 1 else (50, 1024)
    with tempfile.TemporaryDirectory(prefix="stencil-map.") as name:
        work = pathlib.Path(name)
        make_rootfs(work / "rootfs")
        jobs = make_jobs(count)
        (work / "jobs").write_text("\n".join(jobs) + "\n")
        if len(sys.argv) > 1:
            archive = stencil_map(work, "out.cpio", "--memory", str(memory), "--parallel", "8")
        else:
            archive = stencil_map(work, "out.cpio", "--memory", str(memory), "--parallel", "8", "--report", work / "report")
            again = stencil_map(work, "again.cpio", "--memory", str(memory), "--parallel", "1")
            if archive.read_bytes() != again.read_bytes():
                unpack(again, work / "again")
                unpack(archive, work / "out")
                subprocess.run(["diff", "-r", "out", "again"], cwd=work, check=False)
                sys.exit("another order gives another archive")
        unpack(archive, work / "out")
        numbers = {job: number for number, job in enumerate(jobs)}
        own = [job for job, _, _ in OWN]
        wrong = judge_own(numbers, work / "out")
        for number, job in enumerate(jobs):
            wrong += [] if job in own else compare(number, job, work / "out", work / "rootfs", work)
    print(*wrong, sep="\n")
    sys.exit(1 if wrong else 0)


main()
