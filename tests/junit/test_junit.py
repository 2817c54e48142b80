#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""receive --junit: the report of a map's results fits the schema, as ctest's own report does."""
import io
import json
import pathlib
import subprocess
import sys
import tempfile
import unittest
import xml.etree.ElementTree as ET

HERE = pathlib.Path(__file__).resolve().parent
TOP = HERE.parents[1]
sys.path.insert(0, str(TOP / "guest-tools"))
import newc  # pylint: disable=wrong-import-position

ENDS = [{"end": "exit", "status": 0}, {"end": "exit", "status": 3}, {"end": "signal", "signal": 11}, {"end": "timeout"},
        {"end": "crash", "reason": "triple fault"}, {"end": "memory"}, {"end": "ended"}]


def job(number, end, out=b"", error=b""):
    """The names and contents of a job's entries."""
    name = f"t-{number}"
    status = {"job": number, "name": name, "status": 0, "signal": 0, "stdout_cut": False, "stderr_cut": False, "files": 0} | end
    return {f"{name}/status.json": json.dumps(status).encode() + b"\n", f"{name}/stdout": out, f"{name}/stderr": error}


def archive(entries):
    file = io.BytesIO()
    writer = newc.Writer(file)
    for name, data in entries.items():
        if name.endswith("status.json"):
            writer.copy(newc.Entry(name.partition("/")[0], 0o40755, 0), None)
        writer.copy(newc.Entry(name, 0o100644, len(data)), io.BytesIO(data))
    writer.end()
    return file.getvalue()


class Junit(unittest.TestCase):
    def setUp(self):
        work = tempfile.TemporaryDirectory()
        self.addCleanup(work.cleanup)
        self.work = pathlib.Path(work.name)
        self.report = self.work / "report.xml"

    def make(self, entries):
        (self.work / "results.cpio").write_bytes(archive(entries))
        return self.receive("results.cpio")

    def receive(self, source, *more):
        done = subprocess.run([TOP / "guest-tools/receive", "--junit", self.report, source, *more], cwd=self.work,
                              capture_output=True, text=True, check=False)
        return done.returncode, done.stdout, done.stderr

    def assert_valid(self, report):
        done = subprocess.run(["xmllint", "--noout", "--schema", HERE / "junit.xsd", report], capture_output=True, text=True,
                              check=False)
        self.assertEqual(done.returncode, 0, done.stderr)

    def all_ends(self):
        entries = {}
        for number, end in enumerate(ENDS):
            entries |= job(number, end, b"out \x00\x1b[0m<&>\xff\n", b"]]>" if number else b"")
        return entries

    def test_each_end_has_its_element(self):
        self.assertEqual(self.make(self.all_ends()), (0, f"{self.report}: 7 jobs\n", ""))
        self.assert_valid(self.report)
        suite = ET.parse(self.report).getroot()
        self.assertEqual([suite.get(key) for key in ("name", "tests", "failures", "errors")], ["t", "7", "1", "5"])
        problems = [(problem.tag, problem.get("message")) for case in suite for problem in case if problem.get("message")]
        self.assertEqual(problems, [
            ("failure", "exited with 3"), ("error", "ended by signal 11"), ("error", "ended by the time-out"),
            ("error", "its VM ended: triple fault"), ("error", "its private memory was used up"),
            ("error", "ended by the operator")])
        self.assertEqual(suite[0].find("system-out").text, "out \\x00\\x1b[0m<&>\\xff\n")
        self.assertIsNone(suite[0].find("system-err"))
        self.assertEqual(suite[1].find("system-err").text, "]]>")

    def test_the_unpacked_results_give_the_same_report(self):
        entries = {}
        for number in range(12):
            entries |= job(number, ENDS[number % 7], b"%d\n" % number)
        self.make(entries)
        expected = self.report.read_bytes()
        for name, data in entries.items():
            path = self.work / "out" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
        self.assertEqual(self.receive("out")[0], 0)
        self.assertEqual(self.report.read_bytes(), expected)

    def test_damaged_results_are_refused(self):
        whole = archive(self.all_ends())
        entries = self.all_ends()
        for what, data in {"cut": whole[:700], "text": b"nothing", "empty": b"", "no job": archive({}),
                           "number": whole[:60] + b"zz" + whole[62:],
                           "status": archive(entries | {"t-3/status.json": b"{}"}),
                           "word": archive(entries | {"t-3/status.json": b"[1]"})}.items():
            with self.subTest(what=what):
                (self.work / "results.cpio").write_bytes(data)
                status, text, messages = self.receive("results.cpio")
                self.assertEqual((status, text, messages.count("\n")), (1, "", 1))
                self.assertRegex(messages, "^stencil receive: results.cpio: ")
                self.assertFalse(self.report.exists())

    def test_what_cannot_be_read_or_is_too_much(self):
        self.assertEqual(self.receive("none"), (66, "", "stencil receive: none: No such file or directory\n"))
        status, _, messages = self.receive("none", "folder")
        self.assertEqual((status, messages), (2, "stencil receive: --junit makes no FOLDER (try --help)\n"))

    def test_the_report_of_ctest_fits_the_schema(self):
        """As scripts/test makes it: passed, failed, skipped, disabled."""
        (self.work / "CTestTestfile.cmake").write_text(
            'add_test(a "true")\nadd_test(b "false")\nadd_test(c "sh" "-c" "echo \\"<&>\\"; exit 77")\n'
            'set_tests_properties(c PROPERTIES SKIP_RETURN_CODE 77)\n'
            'add_test(d "true")\nset_tests_properties(d PROPERTIES DISABLED TRUE)\nadd_test(e "/none")\n')
        subprocess.run(["ctest", "--test-dir", self.work, "--output-junit", self.report], stdout=subprocess.DEVNULL,
                       stderr=subprocess.DEVNULL, check=False)
        self.assertEqual(ET.parse(self.report).getroot().get("tests"), "5")
        self.assert_valid(self.report)

    def test_the_schema_refuses_what_is_no_report(self):
        self.make(self.all_ends())
        text = self.report.read_text()
        for old, new in (('tests="7"', 'tests="x"'), (' name="t-3"', ''), ("<failure", "<wrong"), ('name="t-3"', 'name="t-2"')):
            with self.subTest(new=new):
                self.assertIn(old, text)
                self.report.write_text(text.replace(old, new))
                with self.assertRaises(AssertionError):
                    self.assert_valid(self.report)


if __name__ == "__main__":
    unittest.main()
