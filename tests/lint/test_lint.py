#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""stencil-lint against the measured tables of tests/data, and on its own.

Every row of every table is compared: message texts, exit status, and what
accepted objects became. Where Stencil differs on purpose, the tables say so.
"""
import csv
import json
import os
import pathlib
import re
import resource
import struct
import subprocess
import tempfile
import unittest

TOP = pathlib.Path(__file__).resolve().parent.parent.parent
BUILD = pathlib.Path(os.environ.get("STENCIL_BUILD", TOP / "build"))
LINT = BUILD / "stencil-lint"
PLACE = re.compile(r"^[^ ]*:\d+:\d+: ")
SOURCE = re.compile("^ {4}[ 0-9]")  # the line of a message, and advice: Stencil's own words
ROM_WARNING = "is ROM: nothing that the guest writes will stick"
# A Multiboot header that says where to load the file: magic number, flags, checksum, addresses.
MULTIBOOT = struct.pack("<3I5I", 0x1badb002, 1 << 16, -0x1badb002 - (1 << 16) & 0xffffffff,
                        1 << 20, 1 << 20, 0, 0, 1 << 20)

ramdisk = None  # the directory with the tables' files in d/


def make_ramdisk(root):
    directory = root / "d"
    sizes = {"f32": 32 << 20, "f8": 8 << 20, "odd5000": 5000, "empty": 0, "a,b/f": 1 << 20,
             "x=y": 1 << 20, "ro0444": 32 << 20, "no0000": 32 << 20}
    (directory / "dir").mkdir(parents=True)
    (directory / "a,b").mkdir()
    for name, size in sizes.items():
        with open(directory / name, "wb") as file:
            file.truncate(size)
        (directory / name).chmod(0o644)
    (root / "k").write_bytes(MULTIBOOT)
    (directory / "ro0444").chmod(0o444)
    (directory / "no0000").chmod(0)
    (directory / "link").symlink_to("f32")
    (directory / "dangling").symlink_to("nowhere")
    os.mkfifo(directory / "fifo", 0o644)


def lint(*arguments, program=LINT):
    done = subprocess.run([program, *map(str, arguments)], capture_output=True, text=True)
    return done.returncode, [m for m in done.stderr.splitlines() if not SOURCE.match(m)], done.stdout


def check(*arguments):
    return lint("--ramdisk", ramdisk, *arguments)


def check_config(text, *arguments):
    """Status and messages, without places, of a configuration file."""
    with tempfile.NamedTemporaryFile("w", suffix=".conf") as file:
        file.write(text)
        file.flush()
        status, messages, output = check(*arguments, file.name)
    return status, [PLACE.sub("", line) for line in messages], output


def rows(name):
    with open(TOP / "tests/data" / name, newline="") as file:
        return list(csv.DictReader(file))


def as_lines(message):
    return message.split(" | ") if message else []


def here(text):
    return text.replace("<D>", "/d").replace("{D}", "/d").replace("<PATH>", "/d")


def kind_of(object_type, properties):
    if object_type == "memory-backend-file" and properties["rom"] == "on":
        return "rom"
    return "shared" if properties["share"] else "cow"


class Tables(unittest.TestCase):
    maxDiff = None

    def test_every_option_string_is_judged_as_by_qemu(self):
        table = rows("parser.csv")
        for row in table:
            with self.subTest(n=row["n"], object=row["option_string"]):
                self.check_option_string(row)
        print(f"parser.csv: {len(table)} rows compared")

    def check_option_string(self, row):
        argument = here(row["option_string"])
        if row["cmdline"] == "exit 0 (help)":
            self.assertEqual(lint("--object", argument)[:2], (0, []))
            return
        objects = [argument, argument] if row["n"] == "367" else [argument]
        accepted = row["cmdline"] == "accepted" and not row["stencil"]
        status, messages, output = check("--json", *(a for o in objects for a in ("--object", o)))
        self.assertEqual(messages, as_lines(here(row["stencil"] or row["cmdline_msg"])))
        self.assertEqual(status, 0 if accepted else 1)
        self.assertEqual(output.count("\n"), 1)
        if not accepted:
            if row["n"] != "367":
                self.assertEqual(json.loads(output), {})
            return
        want = json.loads(here(row["cmdline_effective"]))
        for properties in want.values():
            properties["kind"] = kind_of("memory-backend-file" if "mem-path" in properties else "",
                                         properties)
        self.assertEqual(json.loads(output), want)

    def test_the_truth_table_holds(self):
        table = rows("truth.csv")
        for row in table:
            with self.subTest(id=row["id"]):
                self.check_truth(row)
        print(f"truth.csv: {len(table)} rows compared")

    def check_truth(self, row):
        path = {"rw": "/d/f32", "missing": "/d/new"}.get(row["file"], "/d/ro0444")
        text = f"memory-backend-file,id=mem0,size=32M,mem-path={path}"
        for key in ("share", "readonly", "rom"):
            if row[key] != "unset":
                text += f",{key}={row[key]}"
        consumer = {
            "machine": "-machine memory-backend=mem0",
            "pc-dimm": "-m 64M,slots=1,maxmem=1G -device pc-dimm,memdev=mem0",
            "nvdimm": "-m 64M,slots=1,maxmem=1G -machine nvdimm=on -device nvdimm,memdev=mem0",
            "nvdimm-unarmed": "-m 64M,slots=1,maxmem=1G -machine nvdimm=on "
                              "-device nvdimm,memdev=mem0,unarmed=on",
        }[row["consumer"]]
        accepted = row["result"] == "accepted"
        status, messages, output = check_config(f"vm v -kernel k -object {text} {consumer}",
                                                "--json")
        kind = "rom" if "rom" in row["mtree"] else \
            "shared" if row["mmap_perms"] == "rw-s" else "cow"
        if accepted and kind == "rom" and (row["rom"] != "on" or row["consumer"] == "machine") and \
                not row["consumer"].startswith("nvdimm"):
            self.assertIn(ROM_WARNING, messages[0])
            self.assertTrue(messages[0].startswith("warning: "))
        else:
            self.assertEqual(messages, as_lines(row["error"].replace("<PATH>", path)))
        self.assertEqual(status, 0 if accepted else 1)
        if accepted:
            self.assertEqual(json.loads(output)["mem0"]["kind"], kind)

    def test_consumers_are_judged_as_by_qemu(self):
        table = rows("consumers.csv")
        for row in table:
            with self.subTest(test=row["test"], args=row["args"]):
                self.check_consumer(row)
        print(f"consumers.csv: {len(table)} rows compared")

    def check_consumer(self, row):
        words = here(row["args"]).replace(",accel=tcg", "").split()
        accepted = row["start"] == "accepted"
        if row["stencil"]:
            accepted = row["stencil"].startswith("warning: ")
        if "none" in words:
            words = words[:words.index("none") - 1] + words[words.index("none") + 1:]
            if set(words[::2]) == {"-object"}:
                status, messages, _ = check(*["--object" if w == "-object" else w for w in words])
                self.assertEqual(messages, as_lines(here(row["stencil"] or row["message"])))
                self.assertEqual(status, 0 if accepted else 1)
                return
        status, messages, _ = check_config("vm v -kernel k " + " ".join(words))
        self.assertEqual(messages, as_lines(here(row["stencil"] or row["message"])))
        self.assertEqual(status, 0 if accepted else 1)


class Program(unittest.TestCase):
    def test_lines_are_shown_with_advice(self):
        with tempfile.NamedTemporaryFile("w", suffix=".conf") as file:
            file.write("vm a -kernal k\n\thost -log loud\n")
            file.flush()
            done = subprocess.run([LINT, file.name], capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, 1)
        self.assertEqual(done.stderr.replace(file.name, "c").splitlines(), [
            "c:1:6: -kernal: invalid option",
            "    1 | vm a -kernal k",
            "      |      ^",
            "      = did you mean '-kernel'?",
            "c:2:12: Parameter '-log' does not accept value 'loud'",
            "    2 |  host -log loud",
            "      |            ^",
            "      = possible values: 'error', 'warning', 'info', 'debug'"])

    def test_every_property_is_known_and_suggested(self):
        common = ("dump host-nodes merge policy prealloc prealloc-context prealloc-threads reserve share "
                  "size x-use-canonical-path-for-ramblock-id")
        for arguments, names in (
                ("-object memory-backend-ram,id=m,size=4K", common),
                ("-object memory-backend-file,id=m,size=4K,mem-path=/d/f8",
                 common + " align discard-data mem-path offset readonly rom"),
                ("-object thread-context,id=m", "cpu-affinity node-affinity"),
                ("-device pc-dimm,memdev=m", "addr memdev node slot"),
                ("-device nvdimm,memdev=m", "addr label-size memdev node slot unarmed uuid"),
                ("-device acpi-watchdog", ""),
                ("-device isa-debug-exit", "iobase iosize"),
                ("-device isa-debugcon", "chardev iobase"),
                ("-device loader", "addr cpu-num data data-be data-len file force-raw"),
                ("-device pvpanic", "events ioport"), ("-device vmgenid", "guid"),
                ("-chardev stdio,id=m", "backend"), ("-m 1M", "maxmem size slots"),
                ("-machine pc", "accel dump-guest-core graphics hmat hpet mem-merge memory-backend "
                                "nvdimm pic pit pm-timer rtc type usb"),
                ("-fw_cfg opt/a", "file gen_id name string"), ("-name a", "guest"),
                ("-numa node", "cpus initiator mem memdev nodeid type"),
                ("-numa dist,src=0,dst=0,val=10", "dst src type val"),
                ("-numa cpu,node-id=0", "book-id cluster-id core-id die-id drawer-id module-id "
                                        "node-id socket-id thread-id type")):
            for name in names.split():
                with self.subTest(arguments=arguments, name=name):
                    said = self.advice(f"vm v -kernel /k {arguments},{name}=zz")
                    self.assertNotRegex(said, "Invalid parameter '|Property '[^ ]*' not found")
                    said = self.advice(f"vm v -kernel /k {arguments},{name}x=zz")
                    self.assertRegex(said, "Invalid parameter '|Property '[^ ]*' not found")
                    self.assertIn(f"did you mean '{name}'?", said)

    def test_options_that_change_nothing_have_one_value(self):
        section = (TOP / "docs/configuration.md").read_text(encoding="utf-8")
        section = re.search(r"### Options that change nothing\n(.*?)\n#", section, re.DOTALL)[1]
        options = [option for cell in re.findall(r"^\| (`-.*?) \|", section, re.M)
                   for option in re.findall(r"`(-[^`A-Z]*)`", cell)]
        self.assertGreater(len(options), 15)
        for option in options:
            with self.subTest(option=option):
                self.assertEqual(check_config(f"vm v -kernel k {option}")[:2], (0, []))
                other = re.sub(r"[ =][^ =]*$", lambda match: match[0][0] + "other", option)
                if other != option:
                    self.assertEqual(check_config(f"vm v -kernel k {other}")[0], 1)

    def test_help_lists_what_a_configuration_takes(self):
        for option, title, row, names in (
                ("object", "List of user creatable objects:", r"  (\S+)$",
                 ["memory-backend-file", "memory-backend-ram", "thread-context"]),
                ("device", "Devices:", r'name "(\S+)"', ["acpi-watchdog", "isa-debug-exit", "isa-debugcon",
                                                        "loader", "nvdimm", "pc-dimm", "pvpanic", "vmgenid"]),
                ("machine", "Supported machines are:", r"(\S+) +Stencil's only machine", ["microvm", "pc", "q35"]),
                ("cpu", "Available CPUs:", r"x86 (\S+) ", ["host", "max"])):
            with self.subTest(option=option):
                status, messages, output = lint(f"--{option}", "help")
                self.assertEqual((status, messages, output.splitlines()[0]), (0, [], title))
                self.assertEqual(re.findall(row, output, re.M), names)
                said = self.advice(f"vm v -kernel /k -{option} help")
                self.assertTrue(all(name in said for name in names), said)
                status, messages, output = lint(f"--{option}", "pc-dim,help")
                self.assertEqual((status, len(messages), output), (1, 1, ""))
            for name in names if option != "cpu" else []:
                with self.subTest(option=option, name=name):
                    status, messages, output = lint(f"--{option}", f"{name},help")
                    self.assertEqual((status, messages), (0, []))
                    listed = re.findall(r"^  ([^ =]+)=<", output, re.M)
                    said = self.advice(f"vm v -kernel /k -{option} {name},help")
                    self.assertIn("there is no help in a configuration", said)
                    known = set(re.search("properties: (.*)", said)[1].split()) - {"id", "type"}
                    self.assertEqual(sorted(listed), sorted(known))

    @staticmethod
    def advice(text):
        with tempfile.NamedTemporaryFile("w", suffix=".conf") as file:
            file.write(text)
            file.flush()
            return subprocess.run([LINT, "--ramdisk", ramdisk, file.name], capture_output=True,
                                  text=True, check=False).stderr

    def test_messages_about_a_file_have_places(self):
        with tempfile.NamedTemporaryFile("w", suffix=".conf") as file:
            file.write("vm a -kernel k\nvm b -object memory-backend-ram,id=m,size=z\n")
            file.flush()
            status, messages, _ = check(file.name)
            self.assertEqual(status, 1)
            self.assertEqual(messages, [
                f"{file.name}:2:43: Parameter 'size' expects a size value",
                f"{file.name}:2:4: vm 'b' has no -kernel, and no -bios"])

    def test_each_vm_has_a_line_of_json(self):
        status, messages, output = check_config(
            "vm a -kernel k -object memory-backend-ram,id=m,size=1M\n"
            "vm b -kernel k -m 2M\n"
            "vm c -kernel k -object memory-backend-ram,id=m,size=2M,share=on "
            "-object memory-backend-file,id=t,size=4K,mem-path=/d/f8,readonly=on\n", "--json")
        self.assertEqual((status, messages), (0, []))
        a, b, c = map(json.loads, output.splitlines())
        self.assertEqual((a["m"]["size"], a["m"]["kind"]), (1 << 20, "cow"))
        self.assertEqual(b, {})
        self.assertEqual((c["m"]["kind"], c["t"]["kind"]), ("shared", "rom"))

    def test_accepted_objects_are_printed_beside_refused_ones(self):
        status, messages, output = check(
            "--json", "--object", "memory-backend-ram,id=a,size=1M",
            "--object", "memory-backend-ram,id=b,size=0",
            "--object", "memory-backend-file,id=c,size=4K,mem-path=/d/none/x")
        self.assertEqual(status, 1)
        self.assertEqual(len(messages), 2)
        self.assertEqual(list(json.loads(output)), ["a"])

    def test_options_that_are_seldom_given_are_printed(self):
        status, messages, output = check(
            "--json", "--object", "thread-context,id=t", "--object",
            "memory-backend-file,id=a,size=1M,mem-path=/d/f8,prealloc=on,prealloc-threads=3,"
            "prealloc-context=t,merge=off,dump=off,discard-data=on,policy=bind,host-nodes=0,"
            "offset=1M,align=64K,share=on")
        self.assertEqual((status, messages), (0, []))
        self.assertEqual(json.loads(output)["a"], {
            "size": 1 << 20, "share": True, "readonly": False, "rom": "off", "offset": 1 << 20,
            "align": 1 << 16, "mem-path": "/d/f8", "discard-data": True, "merge": False,
            "dump": False, "prealloc": True, "prealloc-threads": 3, "prealloc-context": "t",
            "reserve": True, "host-nodes": [0], "policy": "bind", "kind": "shared"})

    def test_threads_are_the_vms_processors(self):
        _, messages, output = check_config(
            "vm a -kernel k -smp 3 -object memory-backend-ram,id=m,size=1M "
            "-object memory-backend-ram,id=n,size=1M,prealloc-threads=7\n", "--json")
        self.assertEqual(messages, [])
        self.assertEqual([one["prealloc-threads"] for one in json.loads(output).values()], [3, 7])

    def test_json_objects_are_read(self):
        status, messages, output = check(
            "--json", "--object",
            '{"qom-type": "memory-backend-file", "id": "a", "size": 4096, "mem-path": "/d/f8"}')
        self.assertEqual((status, messages), (0, []))
        self.assertEqual(json.loads(output)["a"]["kind"], "cow")

    def test_lines_that_save_and_load_are_judged(self):
        memory = ("-m 8M -machine memory-backend=m -object "
                  "memory-backend-file,id=m,size=8M,mem-path=/d/f8,readonly=on,rom=off")
        for line, said in (
                ("vm t -kernel k\nclone t\nsave t /d/x\nsave -s t-0 x", []),
                ("vm t -kernel k\nsave t /d/none/x",
                 ["save: no folder '/d/none/': No such file or directory"]),
                ("vm t -kernel k\nsave u /x", ["there is no VM 'u' that could be a template"]),
                (f"vm t {memory} -incoming file:/none",
                 ["could not open '/none': No such file or directory"]),
                (f"template t {memory} -incoming file:/d/f8",
                 ["'/d/f8' is not a file of a VM's state"]),
                (f"template t {memory}",
                 ["template 't' has no -incoming file:PATH to be made from"])):
            with self.subTest(line=line):
                self.assertEqual(check_config(line)[:2], (len(said), said))

    def test_names_of_information_are_checked(self):
        with tempfile.NamedTemporaryFile("w", suffix=".conf") as file:
            file.write("host -info memdev -info 'info numa'\nvm a -kernel /k")
            file.flush()
            status, messages, _ = check(file.name)
        self.assertEqual((status, messages),
                         (1, [f"{file.name}:1:12: unknown command: 'memdev'"]))

    def test_names_of_features_are_checked(self):
        with tempfile.NamedTemporaryFile("w", suffix=".conf") as file:
            file.write("host -mask vmx-ple,vmx-ept\nhost -mask vmx-ple,,vmx-ept\nvm a -kernel /k")
            file.flush()
            status, messages, _ = check(file.name)
        self.assertEqual((status, messages),
                         (1, [f"{file.name}:2:12: unknown feature: ',vmx-ept'"]))

    def test_the_directory_is_the_root(self):
        for path, said in (
                ("/d/f8", []), ("d/f8", []), ("/d/../d/./link", []), ("/d/dir/../f8", []),
                (str(ramdisk) + "/d/f8", ["No such file or directory"]),
                ("/../d/f8", []),
                ("/d/dangling", ["No such file or directory"]),
                ("/d/f8/x", ["Not a directory"]),
                ("/d/no0000", ["Permission denied"])):
            with self.subTest(path=path):
                status, messages, _ = check(
                    "--object", f"memory-backend-file,id=m,size=4K,readonly=on,mem-path={path}")
                self.assertEqual([m.split(": ")[-1] for m in messages], said)
                self.assertEqual(status, len(said))

    def test_kernels_and_what_goes_with_them_are_looked_for(self):
        with tempfile.TemporaryDirectory() as name:
            root = pathlib.Path(name)
            (root / "multiboot").write_bytes(struct.pack("<III", 0x1badb002, 0, 0xe4524ffe))
            (root / "text").write_text("text")
            (root / "secret").write_text("multiboot")
            (root / "secret").chmod(0)
            (root / "config").write_text(
                "vm a -kernel /multiboot -initrd '/text a,/none b,/secret'\n"
                "vm b -kernel /text -initrd /none -fw_cfg opt/a,file=/none\n"
                "vm c -kernel secret\nvm d -kernel /none\n"
                "vm e -kernel /text -initrd /text -fw_cfg opt/a,file=/text\n")
            status, messages, _ = lint("--ramdisk", name, root / "config")
            self.assertEqual(status, 1)
            self.assertEqual([m.removeprefix(f"{name}/config:") for m in messages], [
                "1:34: could not open module '/none': No such file or directory",
                "1:34: could not open module '/secret': Permission denied",
                "2:28: could not open module '/none': No such file or directory",
                "2:42: can't load /none: Failed to open file \"/none\": No such file or directory",
                "3:14: could not open kernel file 'secret': Permission denied",
                "4:14: could not open kernel file '/none': No such file or directory"])

    def test_kernels_are_judged_by_the_loaders(self):
        with tempfile.TemporaryDirectory() as name:
            root = pathlib.Path(name)
            (root / "k").write_bytes(MULTIBOOT)
            (root / "text").write_text("no kernel")
            kernel = bytearray(0x1600)  # a bzImage that wants 64 MiB
            for at, form, value in ((0x1f1, "B", 1), (0x1f4, "I", 256), (0x1fe, "H", 0xaa55),
                                    (0x200, "H", 0x6aeb), (0x202, "4s", b"HdrS"), (0x206, "H", 0x20f),
                                    (0x211, "B", 0x81), (0x22c, "I", 0x7fffffff),
                                    (0x230, "I", 2 << 20), (0x234, "B", 1), (0x236, "H", 0x7f),
                                    (0x238, "I", 2047), (0x258, "Q", 16 << 20), (0x260, "I", 64 << 20)):
                struct.pack_into("<" + form, kernel, at, value)
            (root / "linux").write_bytes(kernel)
            for options, said in (
                    ("-m 2M -kernel /k", []), ("-m 128M -kernel /linux", []),
                    ("-m 128M -kernel /text",
                     ["1:22: /text: not a Linux bzImage, Multiboot 1, PVH or Multiboot 2 kernel"]),
                    ("-m 128M -kernel /none",
                     ["1:22: could not open kernel file '/none': No such file or directory"]),
                    ("-m 8M -kernel /linux", ["80 MiB are needed, the VM has 8 MiB below 4 GiB"]),
                    ("-m 64K -kernel /k", ["the VM has no RAM from 0x1000 to 0x20000"])):
                with self.subTest(options=options):
                    (root / "config").write_text(f"vm a {options}\n")
                    status, messages, _ = lint("--ramdisk", name, root / "config")
                    self.assertEqual((status, len(messages)), (len(said), len(said)))
                    self.assertTrue(not said or messages[0].endswith(said[0]), messages)

    def test_what_the_start_takes_is_counted(self):
        ram = "-machine memory-backend=m -object memory-backend-ram,id=m,size=64M"
        two = "".join(f"vm {vm} -m 64M -kernel /k {ram},prealloc=on\n" for vm in "ab")
        for config, memory, said in (
                ("vm a -m 2M -kernel /k -max-private 4k", 100,
                 "a: its -max-private is too small: it starts with at least 48 KiB"),
                ("vm a -m 2M -kernel /k -max-private 48k", 100, None),
                (f"vm a -m 64M -kernel /k {ram},prealloc=on -max-private 60M", 100,
                 "a: its -max-private is too small: it starts with at least 65536 KiB"),
                (two, 200, None),
                (two, 100, "b: not enough memory: at its start the VM takes 65536 KiB, 36864 of 102400 KiB are left"),
                (f"host -max-private 32M\nvm a -m 64M -kernel /k {ram},prealloc=on", 100,
                 "a: not enough memory: at its start the VM takes 65536 KiB, 32768 of 32768 KiB are left"),
                (f"vm a -m 64M -kernel /k {ram},reserve=on\nvm b -m 64M -kernel /k {ram},reserve=on", 100,
                 "b: not enough memory: at its start the VM takes"),
                ("vm a -m 2M -kernel /k\nclone a count=25000", 100, None),
                ("vm a -m 2M -kernel /k\nclone a count=26000", 100,
                 "warning: 26000 clones at a time take at least 104000 KiB, 102356 KiB are left: "
                 "the others start when some have ended"),
                ("vm a -m 2M -kernel /k\nclone a count=26000 parallel=25000", 100, None)):
            with self.subTest(config=config, memory=memory):
                status, messages, _ = check_config(config, "--memory", memory)
                self.assertEqual(status, int(said is not None and not said.startswith("warning")))
                self.assertEqual(len(messages), int(said is not None), messages)
                self.assertTrue(said is None or messages[0].startswith(said), messages)

    def test_links_stay_below_the_directory(self):
        with tempfile.TemporaryDirectory() as name:
            root = pathlib.Path(name)
            (root / "a").mkdir()
            (root / "a/file").write_bytes(bytes(4096))
            (root / "absolute").symlink_to("/a/file")
            (root / "up").symlink_to("../../../a/file")
            (root / "through").symlink_to("a")
            (root / "loop").symlink_to("loop")
            (root / "outside").symlink_to(ramdisk / "d/f8")
            for path, want in (("absolute", 0), ("up", 0), ("through/file", 0), ("loop", 1),
                               ("outside", 1)):
                with self.subTest(path=path):
                    status, _, _ = lint(
                        "--ramdisk", name + "//", "--object",
                        f"memory-backend-file,id=m,size=4K,readonly=on,mem-path={path}")
                    self.assertEqual(status, want)
            (root / "a").chmod(0o600)
            status, messages, _ = lint(
                "--ramdisk", name, "--object",
                "memory-backend-file,id=m,size=4K,readonly=on,mem-path=a/file")
            (root / "a").chmod(0o700)
            self.assertEqual(status, 1)
            self.assertTrue(messages[0].endswith("Permission denied"))

    def test_an_archive_is_a_ramdisk(self):
        with tempfile.TemporaryDirectory() as name:
            archive = pathlib.Path(name) / "cpio"
            files = pathlib.Path(name) / "files"
            (files / "d").mkdir(parents=True)
            (files / "d/large").write_bytes(bytes(3 << 20))
            subprocess.run([TOP / "guest-tools/mkramdisk", files, archive], check=True)
            for path, said in (("/d/large", []), ("/d/small", ["No such file or directory"])):
                status, messages, _ = lint(
                    "--ramdisk", archive, "--object",
                    f"memory-backend-file,id=m,size=2M,readonly=on,mem-path={path}")
                self.assertEqual([m.split(": ")[-1] for m in messages], said)
                self.assertEqual(status, len(said))

    def test_nothing_is_written(self):
        with tempfile.TemporaryDirectory() as name:
            (pathlib.Path(name) / "empty").touch()
            for path in ("new", "empty"):
                status, messages, _ = lint(
                    "--ramdisk", name, "--object",
                    f"memory-backend-file,id=m,size=1M,share=on,mem-path=/{path}")
                self.assertEqual((status, messages), (0, []))
            self.assertEqual(os.listdir(name), ["empty"])
            self.assertEqual((pathlib.Path(name) / "empty").stat().st_size, 0)

    def test_huge_sparse_files_cost_nothing(self):
        with tempfile.TemporaryDirectory() as name:
            with open(pathlib.Path(name) / "huge", "wb") as file:
                file.truncate(1 << 40)
            for options in ("", ",align=2M,offset=4K", ",readonly=on,rom=off,align=1G"):
                status, messages, _ = lint(
                    "--ramdisk", name, "--object",
                    f"memory-backend-file,id=m,size=512G,mem-path=/huge{options}")
                self.assertEqual((status, messages), (0, []))
            status, messages, _ = lint(
                "--ramdisk", name, "--object",
                "memory-backend-file,id=m,size=40G,mem-path=/new,prealloc=on")
            self.assertEqual((status, messages), (0, []))
        kib = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
        self.assertLess(kib, 256 << 10)

    def test_the_machine_has_the_memory_that_is_given(self):
        string = "memory-backend-ram,id=m,size=3G"
        self.assertEqual(lint("--object", string)[0], 0)
        self.assertEqual(lint("--memory", 4096, "--object", string)[0], 0)
        status, messages, _ = lint("--memory", 2048, "--object", string)
        self.assertEqual(status, 1)
        self.assertEqual(messages, ["cannot set up guest memory 'm': Cannot allocate memory"])

    def test_the_machine_has_the_addresses_that_are_given(self):
        config = "vm v -m 127G,slots=1,maxmem=512G -object memory-backend-ram,id=m,size=1G -device pc-dimm,memdev=m -kernel /k\n"
        memory = ["--memory", 1 << 20]
        self.assertEqual(check_config(config, *memory)[0], 0)
        self.assertEqual(check_config(config, *memory, "--phys-bits", 38)[0], 0)
        status, messages = check_config(config, *memory, "--phys-bits", 37)[:2]
        self.assertEqual(status, 1)
        self.assertEqual(messages[0], "Address space limit 0x1fffffffff < 0x203fffffff phys-bits too low (37)")

    def test_usage_is_checked(self):
        string = "memory-backend-ram,id=m,size=1M"
        for arguments in ([], ["--object"], ["--foo"], ["a", "b"], ["--object", string, "a"],
                          ["--device", "pc-dimm"], ["--machine", "pc"], ["--cpu", "host"],
                          ["--memory", "0", "--object", string],
                          ["--memory", "x", "--object", string],
                          ["--phys-bits", "35", "--object", string],
                          ["--phys-bits", "49", "--object", string],
                          ["--phys-bits", "4x", "--object", string],
                          ["--memory", "-1", "--object", string],
                          ["--memory", "99999999999", "--object", string]):
            with self.subTest(arguments=arguments):
                status, messages, output = lint(*arguments)
                self.assertEqual((status, output), (2, ""))
                self.assertTrue(messages)
        self.assertEqual(lint("--help")[0], 0)

    def test_the_version_is_that_of_the_project(self):
        version = (TOP / "VERSION").read_text(encoding="ascii").strip()
        status, messages, output = lint("--version")
        self.assertEqual((status, messages), (0, []))
        self.assertRegex(output, rf"^stencil {re.escape(version)}( \([0-9a-f]+(-dirty)?\))?\n$")

    def test_what_cannot_be_read_is_reported(self):
        string = "memory-backend-ram,id=m,size=1M"
        for arguments in (["/nonexistent.conf"], ["/"],
                          ["--ramdisk", "/nonexistent", "--object", string],
                          ["--ramdisk", __file__, "--object", string]):
            with self.subTest(arguments=arguments):
                status, messages, _ = lint(*arguments)
                self.assertEqual(status, 66)
                self.assertEqual(len(messages), 1)

    def test_the_script_passes_everything_on(self):
        script = TOP / "scripts/lint"
        status, messages, output = lint(
            "--ramdisk", ramdisk, "--json", "--object",
            "memory-backend-file,id=m,size=4K,mem-path=/d/f8", program=script)
        self.assertEqual((status, messages), (0, []))
        self.assertEqual(json.loads(output)["m"]["kind"], "cow")
        self.assertEqual(lint("--object", "x", program=script)[:2],
                         (1, ["Parameter 'qom-type' does not accept value 'x'"]))
        self.assertEqual(lint("--foo", program=script)[0], 2)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as directory:
        ramdisk = pathlib.Path(directory)
        make_ramdisk(ramdisk)
        unittest.main(verbosity=1)
