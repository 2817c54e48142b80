#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""stencil map: what it refuses, the results of one run and of several, and their merge."""
import json
import os
import pathlib
import stat
import subprocess
import sys
import tempfile
import unittest

import stand_in

sys.path.insert(0, str(stand_in.TOP / "guest-tools"))
import newc  # pylint: disable=wrong-import-position

JOBS = ["echo out", "echo error >&2; exit 3", "kill -9 $$", "cat marker", "printf 'a\\nb'", "true", "echo last"]


class Map(unittest.TestCase):
    def setUp(self):
        work = tempfile.TemporaryDirectory()
        self.addCleanup(work.cleanup)
        self.work = pathlib.Path(work.name)
        self.stencil = stand_in.install(self.work / "stencil")
        self.root = self.work / "root"
        (self.root / "bin").mkdir(parents=True)
        (self.root / "bin/sh").touch()
        (self.root / "marker").write_text("in the file system\n")
        (self.work / "kernel").touch()
        (self.work / "jobs").write_text("\n".join(JOBS) + "\n")
        (self.work / "here").mkdir()

    def stencil_map(self, *arguments, **environment):
        """The status, the output and the messages."""
        command = [self.stencil, "map", "--kernel", self.work / "kernel", *arguments]
        done = subprocess.run(command, cwd=self.work / "here", env=os.environ | environment, capture_output=True, text=True,
                              stdin=subprocess.DEVNULL, check=False)
        return done.returncode, done.stdout, done.stderr

    def do_map(self, out, *more, rootfs="../root", **environment):
        status, text, messages = self.stencil_map(*more, rootfs, "../jobs", out, **environment)
        self.assertEqual((status, text), (1, "stencil map: 7 jobs: 5 exited with 0, 2 ended otherwise\n"), messages)
        self.assertRegex(messages, r"^stencil map: 7 jobs in (one run|\d runs)\n$")
        return self.work / "here" / out

    def archive(self, *more, **environment):
        """The archive of a map."""
        out = self.do_map("out.cpio", *more, **environment)
        data = out.read_bytes()
        out.unlink()
        self.assertEqual(os.listdir(self.work / "here"), [])
        return data

    def test_a_folder_of_results(self):
        out = self.do_map("out")
        self.assertEqual(sorted(os.listdir(self.work / "here")), ["out"])
        self.assertEqual(sorted(os.listdir(out)), [f"t-{n}" for n in range(7)])
        self.assertEqual((out / "t-0/stdout").read_text(), "out\n")
        self.assertEqual((out / "t-1/stderr").read_text(), "error\n")
        self.assertEqual((out / "t-3/stdout").read_text(), "in the file system\n")
        self.assertEqual((out / "t-4/stdout").read_text(), "a\nb")
        self.assertEqual(json.loads((out / "t-1/status.json").read_text())["status"], 3)
        self.assertEqual(json.loads((out / "t-2/status.json").read_text())["signal"], 9)

    def test_an_archive_has_neither_times_nor_owners(self):
        data = self.archive()
        self.assertEqual(len(data) % 512, 0)
        (self.work / "out.cpio").write_bytes(data)
        with open(self.work / "out.cpio", "rb") as file:
            entries = list(newc.entries(file))
        self.assertEqual([entry.name for entry in entries[:5]], ["t-0", "t-0/status.json", "t-0/stdout", "t-0/stderr", "t-1"])
        self.assertEqual(len(entries), 4 * 7)
        listed = subprocess.run(["cpio", "-itvn", "--quiet"], input=data, capture_output=True, check=True).stdout.decode()
        for line in listed.splitlines():
            self.assertRegex(line, r"^[d-]rw\S+ +[12] 0 +0 +\d+ Jan +1 +1970 ")
        self.assertTrue(stat.S_ISDIR(entries[0].mode))

    def test_shards_merge_into_the_same_bytes(self):
        whole = self.archive()
        self.assertEqual(self.archive("--shards", "3"), whole)
        self.assertEqual(self.archive("--shards", "7", "--on", "parallel"), whole)

    def test_the_file_system_may_be_an_archive(self):
        expected = self.archive()
        for name, how in ("root.tar", "-c"), ("root.tgz", "-cz"):
            subprocess.run(["tar", how, "-C", self.root, "-f", self.work / name, "."], check=True)
            self.assertEqual(self.archive(rootfs=f"../{name}"), expected)

    def test_links_are_followed_inside_the_file_system(self):
        (self.root / "bin/sh").unlink()
        (self.root / "bin/sh").symlink_to("/usr/bin/shell")
        (self.root / "usr/bin").mkdir(parents=True)
        (self.root / "usr/bin/shell").symlink_to("../../bin/dash")
        self.assertIn("has no /bin/sh", self.refused("../root", "../jobs", "out", status=3))
        (self.root / "bin/dash").touch()
        self.archive()
        (self.root / "bin/dash").unlink()
        (self.root / "bin/dash").symlink_to("dash")
        self.assertIn("has no /bin/sh", self.refused("../root", "../jobs", "out", status=3))

    def refused(self, *arguments, status=2, **environment):
        """The only line."""
        result, text, messages = self.stencil_map(*arguments, **environment)
        self.assertEqual((result, text, messages.count("\n")), (status, "", 1), messages)
        self.assertRegex(messages, "^stencil map: ")
        self.assertEqual(os.listdir(self.work / "here"), [])
        return messages

    def test_wrong_input_is_one_line(self):
        for what, (jobs, message) in {"none": ("", "there is no job in it"), "blank": ("\n\n", "there is no job in it"),
                                      "long": ("true\n" + 4096 * "x", "../list:2: a job of 4096 bytes; 4095 are the most"),
                                      "NUL": ("a\0b\n", "../list:1: a job has no NUL")}.items():
            with self.subTest(what=what):
                (self.work / "list").write_text(jobs)
                self.assertIn(message, self.refused("../root", "../list", "out"))
        for words, message in {
                ("../none", "../jobs", "out"): "../none: no such folder or archive",
                ("../root", "../none", "out"): "../none: No such file",
                ("../root", "../root", "out"): "../root: Is a directory",
                ("../root", "../jobs", ".."): "..: exists already",
                ("../root", "../jobs", "../jobs"): "../jobs: exists already",
                ("../root", "../jobs", "none/out"): "none: no such folder",
                ("../root", "../jobs"): "required: OUT",
                ("../root", "../jobs", "out", "--shards", "8"): "--shards 8: there are only 7 jobs",
                ("../root", "../jobs", "out", "--shards", "0"): "not a positive number: 0",
                ("../root", "../jobs", "out", "--timeout", "5"): "not a time, such as 30s: 5",
                ("../root", "../jobs", "out", "--max-private", "x"): "not a size, such as 64M: x",
                ("../root", "../jobs", "out", "--sshlogin", "x"): "--sshlogin needs --on parallel",
                ("../root", "../jobs", "out", "--kernel", "none"): "none: no such file",
                ("../root", "../jobs", "out", "--on", "nothing"): "invalid choice",
                ("../root", "../jobs", "out", "--report", "/none/x"): "/none/x: No such file"}.items():
            with self.subTest(words=words):
                self.assertIn(message, self.refused(*words))

    def test_what_is_missing_is_named(self):
        self.assertIn("--on slurm: sbatch is missing: apt-get install slurm-client",
                      self.refused("../root", "../jobs", "out", "--on", "slurm", PATH=str(self.path_without("sbatch"))))

    def path_without(self, program):
        """A folder with all programs but this."""
        folder = self.work / "programs"
        folder.mkdir()
        for place in "/usr/bin", "/bin":
            for path in pathlib.Path(place).iterdir():
                if path.name != program and not (folder / path.name).is_symlink():
                    (folder / path.name).symlink_to(path)
        return folder

    def test_a_file_system_that_is_none(self):
        self.assertIn("../jobs: tar: ", self.refused("../jobs", "../jobs", "out", status=3))
        self.assertIn("too little memory", self.refused("../root", "../jobs", "out", "--vm-memory", "1M", status=3))

    def test_a_shard_that_is_lost_loses_no_other(self):
        for fault, why in {"lost": "stencil: error: no memory", "damaged": "the results are damaged: ",
                           "short": "the results are not those of the jobs 2 to 3"}.items():
            with self.subTest(fault=fault):
                status, text, messages = self.stencil_map("--shards", "3", "../root", "../jobs", f"out-{fault}", STAND_IN=f"1:{fault}")
                self.assertEqual((status, text), (3, "stencil map: 7 jobs: 4 exited with 0, 1 ended otherwise, 2 are lost\n"))
                self.assertIn(f"stencil map: the jobs 2 to 3 are lost: {why}", messages)
                self.assertEqual(sorted(os.listdir(self.work / "here" / f"out-{fault}")), ["t-0", "t-1", "t-4", "t-5", "t-6"])

    def test_the_report(self):
        self.archive("--shards", "2", "--report", "../report")
        *jobs, end = [json.loads(line) for line in (self.work / "report").read_text().splitlines()]
        self.assertEqual([job["job"] for job in jobs], list(range(7)))
        self.assertEqual(jobs[1], {"event": "job", "job": 1, "name": "t-1", "end": "exit", "status": 3, "signal": 0, "ms": 3,
                                   "private_kib": 64, "shard": 0})
        self.assertEqual(end, {"event": "end", "status": 1, "jobs": 7, "results": 7, "exited_with_0": 5})

    def test_the_results_make_a_junit_report(self):
        out = self.do_map("out")
        subprocess.run([self.stencil, "receive", "--junit", self.work / "report.xml", out], check=True, stdout=subprocess.DEVNULL)
        self.assertIn('tests="7" failures="1" errors="1"', (self.work / "report.xml").read_text())


if __name__ == "__main__":
    unittest.main()
