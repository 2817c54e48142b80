#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""test_map_hosts.py OPTION...: "stencil map" with these options, which say where and how it runs, has the results of its four jobs."""
import pathlib
import shutil
import subprocess
import sys
import tempfile

TOP = pathlib.Path(__file__).resolve().parents[2]
JOBS = {"echo out; echo error >&2": (0, "out\n", "error\n"), "exit 3": (3, "", ""), "cat /text": (0, "some text\n", ""),
        "echo $((6 * 7)) >answer; stencilctl put answer": (0, "", "")}


def judge(out):
    wrong = []
    for number, (job, (status, *outputs)) in enumerate(JOBS.items()):
        folder = out / f"t-{number}"
        if f'"end": "exit", "status": {status}, ' not in (folder / "status.json").read_text():
            wrong.append(f"{job}: {(folder / 'status.json').read_text()}")
        wrong += [f"{job}: {name}: {(folder / name).read_text()}" for name, text in zip(("stdout", "stderr"), outputs)
                  if (folder / name).read_text() != text]
    return wrong + ([] if (out / "t-3/files/answer").read_text() == "42\n" else ["the file is another"])


def main():
    with tempfile.TemporaryDirectory(prefix="stencil-map.") as name:
        work = pathlib.Path(name)
        (work / "rootfs/bin").mkdir(parents=True)
        shutil.copy("/bin/busybox", work / "rootfs/bin/busybox")
        for applet in "sh", "cat":
            (work / "rootfs/bin" / applet).symlink_to("busybox")
        (work / "rootfs/text").write_text("some text\n")
        (work / "jobs").write_text("".join(f"{job}\n" for job in JOBS))
        # The environment is empty: none of it matters.
        done = subprocess.run([TOP / "scripts/stencil", "map", *sys.argv[1:], work / "rootfs", work / "jobs", work / "out"], env={},
                              stdin=subprocess.DEVNULL, check=False)
        if done.returncode != 1:
            sys.exit(f"stencil map: status {done.returncode}")
        wrong = judge(work / "out")
    print(*wrong, sep="\n")
    sys.exit(1 if wrong else 0)


main()
