# SPDX-License-Identifier: BSD-2-Clause
"""An installed Stencil whose "stencil image" and "stencil run" are stand-ins: the first packs its input, the second runs the
jobs on this computer, in the initial file system, and makes the files that a run would hand over."""
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys

TOP = pathlib.Path(__file__).resolve().parents[2]
PROGRAMS = ["scripts/map.py", "scripts/places.py", "scripts/stencil", "guest-tools/command_line.py", "guest-tools/mkramdisk", "guest-tools/newc.py",
            "guest-tools/progress.py", "guest-tools/receive", "guest-tools/results.py"]


def install(folder):
    """Returns the command."""
    folder.mkdir()
    for program in PROGRAMS:
        shutil.copy(TOP / program, folder)
    (folder / "version").write_text("1\n")
    (folder / "stencilctl").touch()
    for name in "run.py", "mkimage":
        (folder / name).write_text(f"#!/bin/sh\nexec /usr/bin/python3 -B {__file__} {name} \"$@\"\n")
        (folder / name).chmod(0o755)
    return folder / "stencil"


def options_of(words):
    """Each option with its value."""
    return dict(zip(words[::2], words[1::2]))


def image(options):
    """A disk image is the configuration in front of the ramdisk."""
    config = pathlib.Path(options["--config"]).read_bytes()
    if b"-m 1M " in config:
        sys.exit("stencil image: conf:2: too little memory")
    ramdisk = pathlib.Path(options["--ramdisk"]).read_bytes()
    pathlib.Path(options["--output"]).write_bytes(config + b"\0" + ramdisk)


def unpack(archive, folder):
    folder.mkdir()
    subprocess.run(["cpio", "--quiet", "-id"], input=archive, cwd=folder, check=True)


def run_job(text, root):
    """The end, and the outputs."""
    done = subprocess.run(["env", "-i", f"PATH={os.environ.get('PATH', os.defpath)}", "sh", "-c", text], cwd=root, stdin=subprocess.DEVNULL, capture_output=True,
                          check=False)
    end = ({"end": "exit", "status": done.returncode, "signal": 0} if done.returncode >= 0 else
           {"end": "signal", "status": 0, "signal": -done.returncode})
    return end, done.stdout, done.stderr


def write(folder, name, data):
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return name


def pack(names, folder):
    return subprocess.run(["cpio", "--quiet", "-o", "-H", "newc"], input="".join(f"{name}\n" for name in names).encode(),
                          cwd=folder, stdout=subprocess.PIPE, check=True).stdout


def run(options):
    """STAND_IN in the environment says which shard fails, and how: "2:lost", "2:damaged" or "2:short"."""
    path = pathlib.Path(options["--image"])
    config, ramdisk = path.read_bytes().split(b"\0", 1)
    work = path.parent / f"{path.name}.stand-in"
    unpack(ramdisk, work)
    unpack((work / "initrd").read_bytes(), work / "root")
    first = int(re.search(rb"first=(\d+)", config)[1])
    shard, _, fault = os.environ.get("STAND_IN", "").partition(":")
    fault = fault if path.stem == f"shard-{shard}" else ""
    names, report, results = [], [], work / "results"
    jobs = (work / "jobs").read_text().splitlines()
    for number, text in enumerate(jobs[fault == "short":], first):
        end, out, error = run_job(text, work / "root")
        status = {"job": number, "name": f"t-{number}", **end}
        report.append({"event": "job", **status, "ms": 3, "private_kib": 64})
        names += [f"t-{number}", write(results, f"t-{number}/status.json", json.dumps(status).encode() + b"\n"),
                  write(results, f"t-{number}/stdout", out), write(results, f"t-{number}/stderr", error)]
    archive = pack(names, results)
    write(work, "files/results.cpio", archive[:len(archive) // 2] if fault == "damaged" else archive)
    files = pack(["results.cpio"], work / "files")
    pathlib.Path(options["--serial-out"]).write_text("stencil: version 1\r\n" + ("stencil: error: no memory\r\n" if fault else ""))
    pathlib.Path(options["--report"]).write_text("".join(json.dumps(event) + "\n" for event in report))
    if fault != "lost":
        pathlib.Path(options["--files-out"]).write_bytes(files)
    shutil.rmtree(work)


if __name__ == "__main__":
    {"run.py": run, "mkimage": image}[sys.argv[1]](options_of(sys.argv[2:]))
