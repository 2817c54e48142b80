#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""stencil map --on parallel --sshlogin with a real sshd: the environment does not matter, and the message names the cause when a machine cannot run its shard."""
import os
import pathlib
import subprocess
import tempfile
import unittest

import stand_in
from ssh_machines import Machines, free_port

JOBS = ["echo out", "exit 3", "echo error >&2", "kill -9 $$", "true"]
END = "stencil map: 5 jobs: 3 exited with 0, 2 ended otherwise\n"
PATH = "/usr/bin:/bin"


class Ssh(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        cls.work = pathlib.Path(folder.name)
        for name in "root/bin", "here", "tools":
            (cls.work / name).mkdir(parents=True)
        (cls.work / "root/bin/sh").touch()
        (cls.work / "kernel").touch()
        (cls.work / "jobs").write_text("\n".join(JOBS))
        (cls.work / "tools/stencil").symlink_to(stand_in.install(cls.work / "stencil"))
        cls.machines = Machines(cls.work)
        cls.addClassCleanup(cls.machines.end)
        cls.machines.start("one", "/bin/sh", f"{cls.work}/tools:{PATH}")
        cls.machines.start("two", "/bin/bash", f"{cls.work}/tools:{PATH}")
        cls.machines.start("bare", "/bin/sh", PATH)
        cls.machines.tell_ssh("absent", free_port())

    def stencil_map(self, *more, **environment):
        """With nothing in the environment but this; the archive, if there is one, and the messages."""
        out = self.work / "here/out.cpio"
        done = subprocess.run([self.work / "stencil/stencil", "map", "--kernel", self.work / "kernel", *more, "../root", "../jobs", out.name],
                              cwd=self.work / "here", env=environment, capture_output=True, text=True,
                              stdin=subprocess.DEVNULL, check=False)
        data = out.read_bytes() if out.exists() else None
        out.unlink(missing_ok=True)
        self.assertEqual(os.listdir(self.work / "here"), [])
        return done.returncode, done.stdout, done.stderr, data

    def on(self, *logins, **environment):
        words = [f"--sshlogin={login}" for login in logins]
        return self.stencil_map("--on", "parallel", "--shards", "2", *words, PARALLEL_SSH=self.machines.ssh, **environment)

    def test_two_machines_have_the_same_results(self):
        expected = self.stencil_map()[3]
        strange = {"SHELL": "/bin/csh", "HOME": "/none", "LANG": "xx_XX.UTF-8", "PARALLEL": "--dry-run"}
        status, text, messages, data = self.on("1/one@one", "1/two@two", **strange)
        self.assertEqual((status, text), (1, END), messages)
        self.assertEqual(data, expected)
        for name in "one", "two":
            self.assertIn("Accepted publickey", self.machines.log(name))
            self.assertEqual([path for path in self.machines.home(name).rglob("*") if "shard" in path.name], [])

    def test_nothing_of_the_environment_is_needed(self):
        expected = self.stencil_map()[3]
        self.assertEqual(self.stencil_map("--on", "parallel", "--shards", "2")[3], expected)

    def test_the_cause_is_said(self):
        """Each machine loses its shard, for a reason of its own."""
        status, text, messages, _ = self.on("1/bare@bare", "1/absent@absent")
        self.assertEqual((status, text), (3, "stencil map: 5 jobs: 0 exited with 0, 0 ended otherwise, 5 are lost\n"))
        for cause in "stencil: not found", "ssh: connect to host 127.0.0.1 port [0-9]+: Connection refused":
            self.assertRegex(messages, rf"(?m)^stencil map: the jobs [02] to [14] are lost: the run did not start: ([^:]*: )*{cause}$")


if __name__ == "__main__":
    unittest.main()
