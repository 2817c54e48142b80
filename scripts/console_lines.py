# SPDX-License-Identifier: BSD-2-Clause
"""What the hypervisor's own lines on the console mean, and a report of a run made of them.

The report has a line of JSON for each event, as it happens; docs/running.md describes them.
"""
import json
import re
import time

# A line without the name of the system in front. hv/host/console.c and hv/main.c write them.
END = re.compile(r"end: (?P<words>[a-z ]+)")
RAW_BEGINS = re.compile(r"console: raw output of VM \S+, until (?P<code>\w+)")
RAW_ENDS = re.compile(r"console: (?P<code>\w+): end of the raw output of VM \S+")
# hv/vm/life.c, hv/vm/tell.c, hv/vm/template.c.
VM_END = re.compile(r"(?:error: )?VM (?P<name>\S+): (?P<outcome>ended|failed): (?P<reason>.*)")
VM_COST = re.compile(r"VM (?P<name>\S+): private memory (?P<kib>\d+) KiB, tables included; (?P<exits>\d+) exits")
CLONES = re.compile(r"VM (?P<name>\S+): (?P<n>\d+) of its clones ha(?:ve|s) ended, (?P<failed>\d+) of them failed")
JOB = re.compile(r"map: (?P<status>\{.*\})")  # hv/vm/map.c
TOTAL = re.compile(r"(?P<well>\d+) of (?P<n>\d+) VMs ended well")


class Report:
    """Writes the events of a run to a text file, each with the seconds since the run began."""

    def __init__(self, file):
        self.file = file
        self.start = time.monotonic()
        self.ended = {}  # VMs whose cost is not known yet: name to event
        self.total = {}

    def write(self, event, **fields):
        seconds = round(time.monotonic() - self.start, 3)
        self.file.write(json.dumps({"event": event, **fields, "seconds": seconds}) + "\n")
        self.file.flush()

    def take(self, line):
        """A line that END and the others may match."""
        if match := VM_END.fullmatch(line):
            self.ended[match["name"]] = match.groupdict()
        elif match := VM_COST.fullmatch(line):
            if vm := self.ended.pop(match["name"], None):
                self.write("vm", **vm, private_kib=int(match["kib"]), exits=int(match["exits"]))
        elif match := CLONES.fullmatch(line):
            self.write("clones", template=match["name"], ended=int(match["n"]), failed=int(match["failed"]))
        elif match := JOB.fullmatch(line):
            self.take_job(match["status"])
        elif match := TOTAL.fullmatch(line):
            self.total = {"vms": int(match["n"]), "ended_well": int(match["well"])}

    def take_job(self, text):
        """A line of JSON already; one that the console has cut is none."""
        try:
            self.write("job", **json.loads(text))
        except ValueError:
            pass

    def end(self, status, words):
        """The exit status of the run, and the words of its last line, or None."""
        for vm in self.ended.values():
            self.write("vm", **vm)
        self.write("end", status=status, result=words, **self.total)
