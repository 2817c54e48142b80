# SPDX-License-Identifier: BSD-2-Clause
"""QMP as a client sees it: equal to QEMU's where both have a command, as its own schema says, and as docs/qmp.md says."""
import ast
import csv
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "scripts"))
from qmp_client import Client, Error  # pylint: disable=wrong-import-position

TOP = pathlib.Path(__file__).resolve().parents[2]
SERVE = pathlib.Path(os.environ["STENCIL_BUILD"]) / "tests/qmp_serve"
QEMU = "qemu-system-x86_64"

BEGIN = '{"execute": "qmp_capabilities"}'
# Sent to both after BEGIN; the answers must be equal. QEMU 7.2 has one VM, which is stopped; so is ours first.
SAME = r"""
{"execute": "qmp_capabilities"}
{"execute": "foo", "id": 2}
{"execute": "foo", "id": [1, {"a": "b"}, null, true]}
{"execute": 1}
[1]
5
"text"
abc
{}
{"a": 1}
{"execute": "stop", "arguments": []}
{"execute": "stop", "arguments": 7}
{"execute": "stop", "x": 1}
{"execute": "stop", "arguments": {"x": 1}}
{"execute": "stop" x}
{"execute": "stop",}
{"execute": "stop", "execute": "cont"}
{"execute": "st\qop"}
{1: 2}
{"execute": "stop"
]
}
{"exec-oob": "stop"}
{"execute": "stop", "exec-oob": "stop"}
{"execute": "human-monitor-command"}
{"execute": "human-monitor-command", "arguments": {"command-line": 5}}
{"execute": "human-monitor-command", "arguments": {"command-line": null}}
{"execute": "human-monitor-command", "arguments": {"command-line": "foo"}}
{"execute": "human-monitor-command", "arguments": {"command-line": "info foo"}}
{"execute": "dump-guest-memory", "arguments": {"paging": false, "protocol": "foo"}}
{"execute": "dump-guest-memory", "arguments": {"paging": "x", "protocol": "foo"}}
{"execute": "dump-guest-memory", "arguments": {"protocol": "foo"}}
{"execute": "dump-guest-memory", "arguments": {"paging": true}}
{"execute": "query-memory-devices"}
{"execute": "query-memory-devices", "id": "x"}
{"execute": "stop"}{"execute": "stop", "id": 1}
{'execute': 'stop', "id": "it's"}
{"execute": "system_reset"}
{"execute": "cont"}
{"execute": "query-version", "arguments": {"a": {"b": [1, 2.5, "c"]}}}
{"execute": "qmp_capabilities", "arguments": {"enable": 1}}
""".strip("\n").replace('{"execute": "stop"\n]', '{"execute": "stop"]').split("\n")


def talk(command, lines):
    """The answers, without events, and the names of the events."""
    text = "\n".join([BEGIN, *lines]) + "\n"
    done = subprocess.run(command, input=text.encode(), stdout=subprocess.PIPE, check=False, timeout=60)
    messages = [json.loads(line) for line in done.stdout.splitlines()]
    assert "QMP" in messages[0]
    return ([message for message in messages[1:] if "event" not in message],
            [message["event"] for message in messages if "event" in message])


class LikeQemu(unittest.TestCase):
    def test_answers_are_equal(self):
        if not shutil.which(QEMU):
            self.skipTest(f"no {QEMU}")
        qemu = [QEMU, "-S", "-machine", "none", "-display", "none", "-qmp", "stdio"]
        theirs, their_events = talk(qemu, [*SAME, '{"execute": "quit"}'])
        ours, our_events = talk([SERVE], ['{"execute": "stop"}', *SAME, '{"execute": "quit"}'])
        del ours[1]  # of the first stop
        self.assertEqual(len(ours), len(theirs))
        for line, our, their in zip(["begin", *SAME], ours, theirs):
            with self.subTest(line):
                self.assertEqual(our, their)
        self.assertEqual(our_events, ["STOP", "RESET", "RESUME"])
        self.assertEqual(their_events, ["RESET", "RESUME", "SHUTDOWN"])


class Objects(unittest.TestCase):
    """Memory backends and devices, against what was measured of QEMU 10.2.2 (tests/data)."""

    WORDS = re.compile("-machine none|,accel=tcg")
    ARGUMENTS = {"qom-list": ["path"], "qom-get": ["path", "property"], "object_del": ["id"], "device_del": ["id"]}

    @staticmethod
    def plain(answer):
        """Without the quotes and ends that differ from one of QEMU's refusals to the next."""
        desc = answer.get("error", {}).get("desc", "")
        if desc.startswith("cannot change property"):
            answer["error"]["desc"] = desc.replace("'", "").rstrip(". ")
        return answer

    @staticmethod
    def message(command):
        """The message for a message as Python has it, or for a line of the prompt; and whether it is the latter."""
        if command.startswith("("):
            name, arguments = ast.literal_eval(command)
            return {"execute": name, "arguments": arguments}
        name, *values = command.split()
        if name == "object_add":
            return {"execute": "human-monitor-command", "arguments": {"command-line": command}}
        if name == "device_add":
            return {"execute": name, "arguments": dict(word.split("=") for word in f"driver={values[0]}".split(","))}
        return {"execute": name.replace("object_", "object-"), "arguments": dict(zip(Objects.ARGUMENTS[name], values))}

    def answer(self, row):
        line = f"vm r -kernel k {self.WORDS.sub('', row['start'])}".replace("{D}", "/d")
        before = [command for command in row["before"].split(" | ") if command]
        lines = [json.dumps(self.message(command)).replace("<D>", "/d") for command in [*before, row["command"]]]
        answers, _ = talk([SERVE, line], lines)
        self.assertEqual(answers[1:-1], [{"return": {}}] * len(before), before)
        if row["command"].startswith("object_add"):  # the prompt's error, as QMP's
            desc = answers[-1]["return"].strip().removeprefix("Error: ")
            return {"error": {"class": "GenericError", "desc": desc}} if desc else {"return": {}}
        return answers[-1]

    def test_rows(self):
        with open(TOP / "tests/data/qom.csv", encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
        self.assertGreater(len(rows), 10)
        for row in rows:
            expected = row["stencil"] or row["output"]
            with self.subTest(row["command"], start=row["start"]):
                answer = self.answer(row)
                if row["command"].startswith("qom-list"):
                    listed = {f"{member['name']} ({member['type']})" for member in answer["return"]}
                    self.assertEqual(listed | {"mem0[0] (child<memory-region>)"}, set(expected.split(" | ")))
                elif row["command"].startswith("qom-get"):
                    self.assertEqual(answer["return"], json.loads(expected))
                else:
                    self.assertEqual(self.plain(answer), self.plain(json.loads(expected)))
        print(f"{len(rows)} rows compared")


class Hotplug(unittest.TestCase):
    """Memory for a VM without a guest, after each other."""

    RAM = {"qom-type": "memory-backend-ram"}
    FILE = {"qom-type": "memory-backend-file", "mem-path": "/d/f8", "size": 8 << 20}
    LINE = ("vm r -kernel k -m 16M,slots=3,maxmem=1G -object memory-backend-ram,id=m0,size=8M "
            "-device pc-dimm,memdev=m0,id=d0")

    def test_dimms_find_their_places(self):
        def dimm(desc=None, **properties):
            return "device_add", {"driver": "pc-dimm", **properties}, desc

        cases = (
            ("object-add", {**self.RAM, "id": "m0", "size": 4096},
             "attempt to add duplicate property 'm0' to object (type 'container')"),
            ("object-add", {**self.RAM, "id": "m1", "size": 8 << 20, "prealloc": True}, None),
            ("object-add", {**self.RAM, "id": "m2", "size": 16 << 20, "reserve": True}, None),
            ("object-add", {**self.RAM, "id": "m3", "size": 900 << 20}, None),
            ("object-add", {**self.FILE, "id": "m4", "share": True}, None),
            ("object-add", {**self.FILE, "id": "m5", "mem-path": "/d/f32", "readonly": True, "rom": "off"}, None),
            ("object-add", {**self.FILE, "id": "m6", "mem-path": "/d/f32", "share": True},
             "the file '/d/f32' cannot be shared: a VM has it read-only or private, and relies on its bytes"),
            ("object-add", {**self.FILE, "id": "m7", "mem-path": "/none", "readonly": True},
             "can't open backing store /none for guest RAM: No such file or directory"),
            dimm("address range conflicts with memory device id='d0'", memdev="m1", addr=1 << 32),
            dimm("slot 0 is busy", memdev="m1", slot=0),
            dimm("Duplicate device ID 'd0'", memdev="m1", id="d0"),
            dimm("can't use already busy memdev: m0", memdev="m0"),
            dimm(memdev="m1", id="d1"),
            dimm(memdev="m2", addr=0x108000000, id="d2", slot=2),
            dimm("no free slots available", memdev="m4"),
            ("object-del", {"id": "m4"}, None),
            ("object-del", {"id": "m2"}, "object 'm2' is in use, can not be deleted"),
        )
        lines = [json.dumps({"execute": name, "arguments": arguments}) for name, arguments, _ in cases]
        answers, events = talk([SERVE, self.LINE], [*lines, '{"execute": "query-memory-devices"}'])
        for (name, arguments, desc), answer in zip(cases, answers[1:]):
            with self.subTest(name, **arguments):
                self.assertEqual(answer, {"error": {"class": "GenericError", "desc": desc}} if desc else {"return": {}})
        self.assertEqual([(device["data"]["id"], device["data"]["addr"], device["data"]["slot"],
                           device["data"]["hotplugged"]) for device in answers[-1]["return"]],
                         [("d0", 1 << 32, 0, False), ("d1", (1 << 32) + (8 << 20), 1, True),
                          ("d2", 0x108000000, 2, True)])
        self.assertEqual(set(events), {"STOP", "RESUME"})


class Served(unittest.TestCase):
    maxDiff = None

    def setUp(self):
        self.server = subprocess.Popen([SERVE, "all"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.client = Client(self.server.stdout, self.server.stdin)
        self.entities = {entity["name"]: entity for entity in self.client.execute("query-qmp-schema")}

    def tearDown(self):
        self.server.stdin.close()
        self.server.stdout.close()
        self.server.wait(20)

    def check(self, value, type_name):
        """That the value is of the schema's type."""
        kind = self.entities[type_name]
        if kind["meta-type"] == "builtin":
            python = {"string": str, "int": int, "boolean": bool}.get(kind["json-type"], object)
            self.assertIsInstance(value, python)
        elif kind["meta-type"] == "enum":
            self.assertIn(value, kind["values"])
        elif kind["meta-type"] == "array":
            for element in value:
                self.check(element, kind["element-type"])
        else:
            members = {member["name"]: member for member in kind["members"]}
            self.assertLessEqual(value.keys(), members.keys())
            for name, member in members.items():
                if name in value:
                    self.check(value[name], member["type"])
                else:
                    self.assertIn("default", member, name)

    def test_the_greeting_names_both_versions(self):
        self.assertEqual(self.client.greeting["capabilities"], [])
        self.check(self.client.greeting["version"], "VersionInfo")

    def test_the_schema_is_complete(self):
        for entity in self.entities.values():
            names = [member["type"] for member in entity.get("members", [])]
            names += [entity[key] for key in ("arg-type", "ret-type", "element-type") if key in entity]
            for name in names:
                self.assertIn(name, self.entities)
        commands = {name for name, entity in self.entities.items() if entity["meta-type"] == "command"}
        listed = self.client.execute("query-commands")
        self.assertEqual({command["name"] for command in listed}, commands)
        self.assertEqual(len(listed), len(commands))

    def test_answers_and_events_are_what_the_schema_says(self):
        for command, arguments in (("query-version", {}), ("query-commands", {}), ("query-status", {"vm": "r"}),
                                   ("query-memdev", {"vm": "r"}), ("query-memory-devices", {"vm": "r"}),
                                   ("query-memory-size-summary", {"vm": "r"}), ("__org.stencil_query-vms", {}),
                                   ("__org.stencil_query-metrics", {}), ("__org.stencil_query-metrics", {"clones": True}),
                                   ("human-monitor-command", {"command_line": "help"}),
                                   ("stop", {"vm": "r"}), ("cont", {"vm": "r"}),
                                   ("system_powerdown", {"vm": "r"}), ("system_reset", {"vm": "r"}),
                                   ("__org.stencil_clone", {"vm": "t", "paused": True}),
                                   ("__org.stencil_destroy", {"vm": "r"})):
            self.check(self.client.execute(command, **arguments), self.entities[command]["ret-type"])
        self.client.execute("query-version")
        self.assertEqual({event["event"] for event in self.client.events},
                         {"STOP", "RESUME", "POWERDOWN", "RESET", "__org.stencil_CLONED", "SHUTDOWN"})
        for event in self.client.events:
            self.check(event["data"], self.entities[event["event"]]["arg-type"])

    def test_errors_have_a_class(self):
        with self.assertRaises(Error) as raised:
            self.client.execute("stop", vm="nobody")
        self.assertEqual(raised.exception.error, {"class": "DeviceNotFound", "desc": "there is no VM 'nobody'"})

    def test_the_document_has_a_row_for_each(self):
        """And each row of it is true: names, arguments and data."""
        rows = re.findall(r"^\| (`[^|]*)\|([^|]*)\|", (TOP / "docs/qmp.md").read_text(encoding="utf-8"), re.MULTILINE)
        documented = {name: set(re.findall(r"`([a-z-]+)`", members))
                      for names, members in rows for name in re.findall(r"`(.*?)`", names)}
        told = {}
        for name, entity in self.entities.items():
            if entity["meta-type"] in ("command", "event"):
                members = {member["name"] for member in self.entities[entity["arg-type"]]["members"]}
                told[name] = members if entity["meta-type"] == "command" else members - {"vm"}
        self.assertEqual(documented, told)


if __name__ == "__main__":
    unittest.main()
