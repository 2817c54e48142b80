# SPDX-License-Identifier: BSD-2-Clause
"""The archive of a map's results: for each job a folder with status.json, stdout, stderr and files/ (docs/map.md)."""
import io
import json
import os
import pathlib
import re
import subprocess
import xml.etree.ElementTree as ET

import newc

STATUS = re.compile(r"([^/]+)/status\.json")
SHOWN_MAX = 1 << 20  # bytes of an output in a JUnit report
NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def statuses(archive):
    """The status of each job, in the order of the archive, a file that can seek."""
    found = []
    for entry in newc.entries(archive):
        if STATUS.fullmatch(entry.name):
            found.append(parse_status(archive.read(entry.size)))
    return found


def parse_status(data):
    """What a status.json says, if it says what all do."""
    try:
        status = json.loads(data)
        types = [type(status[key]) for key in ("job", "name", "end", "status", "signal")]
    except (ValueError, KeyError, TypeError):
        types = []
    if types != [int, str, str, int, int]:
        raise newc.Damaged("a status.json is damaged")
    return status


def merge(parts, output):
    """One archive of the archives of several runs, which are in the order of their jobs."""
    writer = newc.Writer(output)
    for part in parts:
        for entry in newc.entries(part):
            writer.copy(entry, part)
    writer.end()


def unpack(archive, folder):
    """Into a new folder; the cpio program has refused names outside of it for decades."""
    folder.mkdir()
    with open(archive, "rb") as source:
        subprocess.run(["cpio", "--quiet", "-id", "--no-absolute-filenames"], stdin=source, cwd=folder, check=True)


def well(status):
    return status["end"] == "exit" and status["status"] == 0


def describe(status):
    """How a job ended, in words."""
    if status["end"] == "exit":
        return f"exited with {status['status']}"
    if status["end"] == "signal":
        return f"ended by signal {status['signal']}"
    words = {"timeout": "ended by the time-out", "memory": "its private memory was used up", "ended": "ended by the operator",
             "crash": f"its VM ended: {status.get('reason', 'without a status')}"}
    return words.get(status["end"], status["end"])


class Job:
    def __init__(self, status, out=b"", error=b""):
        self.status, self.out, self.error = status, out, error


def jobs_of_archive(path):
    jobs, outputs = [], {}
    with open(path, "rb") as archive:
        for entry in newc.entries(archive):
            if STATUS.fullmatch(entry.name):
                jobs.append(Job(parse_status(archive.read(entry.size))))
            elif entry.name.count("/") == 1:
                outputs[entry.name] = archive.read(min(entry.size, SHOWN_MAX))
    for job in jobs:
        job.out, job.error = (outputs.get(f"{job.status['name']}/{name}", b"") for name in ("stdout", "stderr"))
    return jobs


def jobs_of_folder(folder):
    jobs = []
    for path in folder.glob("*/status.json"):
        status = parse_status(path.read_bytes())
        out, error = (read_start(path.parent / name) for name in ("stdout", "stderr"))
        jobs.append(Job(status, out, error))
    return sorted(jobs, key=lambda job: job.status["job"])


def read_start(path):
    with open(path, "rb") as file:
        return file.read(SHOWN_MAX)


def jobs_of(path):
    return jobs_of_folder(path) if path.is_dir() else jobs_of_archive(path)


def text(data):
    """What XML can hold of some bytes: control characters become \\xNN."""
    return NOT_XML.sub(lambda match: f"\\x{ord(match[0]):02x}", data.decode("utf-8", "backslashreplace"))


def junit(jobs):
    """A document of JUnit's format: a job that exited with another status is a failure, any other end an error."""
    template = jobs[0].status["name"].rpartition("-")[0]
    failures = sum(job.status["end"] == "exit" and not well(job.status) for job in jobs)
    errors = sum(job.status["end"] != "exit" for job in jobs)
    suite = ET.Element("testsuite", name=template, tests=str(len(jobs)), failures=str(failures), errors=str(errors), skipped="0")
    for job in jobs:
        case = ET.SubElement(suite, "testcase", name=job.status["name"], classname=template)
        if not well(job.status):
            kind = "failure" if job.status["end"] == "exit" else "error"
            ET.SubElement(case, kind, message=text(describe(job.status).encode()), type=text(job.status["end"].encode()))
        for name, data in ("system-out", job.out), ("system-err", job.error):
            if data:
                ET.SubElement(case, name).text = text(data)
    ET.indent(suite)
    output = io.BytesIO()
    ET.ElementTree(suite).write(output, encoding="utf-8", xml_declaration=True)
    return output.getvalue() + b"\n"


def write_junit(source, path):
    """Make the report 'path' of an archive or an unpacked one; returns the number of its jobs."""
    jobs = jobs_of(pathlib.Path(source))
    if not jobs:
        raise newc.Damaged("there is no job in it")
    partial = pathlib.Path(f"{path}.partial")
    partial.write_bytes(junit(jobs))
    os.replace(partial, path)
    return len(jobs)
