#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""stencil map --on slurm: an array job on a cluster of this computer alone, which this user starts on the loopback interface."""
import os
import pathlib
import pwd
import secrets
import signal
import socket
import subprocess
import tempfile
import time
import unittest

import stand_in

JOBS = ["echo out", "exit 3", "echo error >&2", "kill -9 $$", "true"]
CONF = """\
ClusterName=test
SlurmctldHost=localhost(127.0.0.1)
SlurmctldParameters=enable_configless
SlurmctldPort={ports[0]}
SlurmdPort={ports[1]}
SlurmUser={user}
SlurmdUser={user}
AuthInfo=socket={work}/munge.socket
StateSaveLocation={work}/state
SlurmdSpoolDir={work}/spool
SlurmctldPidFile={work}/slurmctld.pid
SlurmdPidFile={work}/slurmd.pid
ProctrackType=proctrack/pgid
TaskPlugin=task/none
SwitchType=switch/none
MpiDefault=none
ReturnToService=2
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
SchedulerParameters=batch_sched_delay=0,sched_interval=1
NodeName=localhost NodeAddr=127.0.0.1 CPUs=2 State=UNKNOWN
PartitionName=all Nodes=ALL Default=YES MaxTime=INFINITE State=UP
"""


def free_ports(count):
    """Ports that no program has now."""
    listeners = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [listener.getsockname()[1] for listener in listeners]
    for listener in listeners:
        listener.close()
    return ports


class Slurm(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        cls.work = pathlib.Path(folder.name)
        for name in "state", "spool", "here":
            (cls.work / name).mkdir()
        (cls.work / "key").write_bytes(secrets.token_bytes(128))
        (cls.work / "key").chmod(0o600)
        conf = cls.work / "slurm.conf"
        conf.write_text(CONF.format(work=cls.work, user=pwd.getpwuid(os.getuid()).pw_name, ports=free_ports(2)))
        cls.environment = os.environ | {"SLURM_CONF": str(conf), "PATH": f"{os.environ['PATH']}:/usr/sbin:/sbin"}
        cls.start("munged", "--foreground", "--force", f"--socket={cls.work}/munge.socket", f"--key-file={cls.work}/key",
                  f"--pid-file={cls.work}/munged.pid", f"--log-file={cls.work}/munged.log", f"--seed-file={cls.work}/seed")
        cls.wait_for(["munge", "-n", f"--socket={cls.work}/munge.socket"], "")
        cls.start("slurmctld", "-D", "-i")
        cls.start("slurmd", "-D", "-N", "localhost")
        cls.wait_for(["sinfo", "-h", "-o", "%t"], "idle")

    @classmethod
    def start(cls, *command):
        log = open(cls.work / f"{command[0]}.out", "wb")
        process = subprocess.Popen(["setpriv", "--pdeathsig", "KILL", *command], env=cls.environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)
        log.close()
        cls.addClassCleanup(cls.end, process)

    @staticmethod
    def end(process):
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    @classmethod
    def wait_for(cls, command, text):
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            done = subprocess.run(command, env=cls.environment, capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False)
            if done.returncode == 0 and text in done.stdout:
                return
            time.sleep(0.2)
        logs = "\n".join(path.read_text(errors="replace")[-2000:] for path in cls.work.glob("*.out"))
        raise AssertionError(f"{command}: {done.stdout}{done.stderr}\n{logs}")

    def setUp(self):
        root = self.work / "root/bin"
        if not root.exists():
            root.mkdir(parents=True)
            (root / "sh").touch()
            (self.work / "kernel").touch()
            (self.work / "jobs").write_text("\n".join(JOBS))
            stand_in.install(self.work / "stencil")

    def stencil_map(self, out, *more, **environment):
        done = subprocess.run([self.work / "stencil/stencil", "map", "--kernel", self.work / "kernel", *more, "../root", "../jobs", out],
                              cwd=self.work / "here", env=self.environment | environment, capture_output=True, text=True,
                              stdin=subprocess.DEVNULL, check=False)
        return done.returncode, done.stdout, done.stderr

    def test_an_array_job_has_the_same_results(self):
        expected = "stencil map: 5 jobs: 3 exited with 0, 2 ended otherwise\n"
        self.assertEqual(self.stencil_map("one.cpio")[:2], (1, expected))
        status, text, messages = self.stencil_map("three.cpio", "--on", "slurm", "--shards", "3")
        self.assertEqual((status, text), (1, expected), messages)
        self.assertEqual((self.work / "here/three.cpio").read_bytes(), (self.work / "here/one.cpio").read_bytes())

    def test_what_slurm_refuses_is_said(self):
        status, _, messages = self.stencil_map("none.cpio", "--on", "slurm", SBATCH_PARTITION="nobody")
        self.assertEqual(status, 3)
        self.assertRegex(messages, r"\nstencil map: sbatch: error: .*\n$")
        self.assertFalse((self.work / "here/none.cpio").exists())


if __name__ == "__main__":
    unittest.main()
