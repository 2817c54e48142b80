# SPDX-License-Identifier: BSD-2-Clause
"""Machines that are reached by ssh: for each a real sshd on the loopback, which this user starts, with a key, a user
and a home of its own. nss_wrapper shows the users to sshd alone, and no file of this user is touched."""
import os
import pathlib
import signal
import socket
import subprocess
import time

TOP = pathlib.Path(__file__).resolve().parents[2]
WRAPPER = "libnss_wrapper.so"
SSHD_CONF = """\
ListenAddress 127.0.0.1
Port {port}
HostKey {work}/key
AuthorizedKeysFile {work}/key.pub
PidFile none
StrictModes no
UsePAM no
AuthenticationMethods publickey
PermitRootLogin yes
SetEnv PATH={path}
"""
SSH_CONF = """\
Host {name}
HostName 127.0.0.1
Port {port}
IdentityFile {work}/key
IdentitiesOnly yes
BatchMode yes
StrictHostKeyChecking no
UserKnownHostsFile /dev/null
LogLevel ERROR
"""


def free_port():
    """A port that no program has now."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


class Machines:
    def __init__(self, work):
        self.work = work
        self.processes = []
        self.ssh = f"ssh -F {work}/ssh.conf"
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", work / "key"], check=True)
        self.sshd = subprocess.run([TOP / "scripts/fetch-program", "openssh-server", "usr/sbin/sshd"], check=True,
                                   stdout=subprocess.PIPE, text=True).stdout.strip()
        if os.getuid() == 0:
            pathlib.Path("/run/sshd").mkdir(exist_ok=True)  # which sshd asks for

    def home(self, name):
        return self.work / name

    def tell_ssh(self, name, port):
        with open(self.work / "ssh.conf", "a", encoding="utf-8") as file:
            file.write(SSH_CONF.format(name=name, port=port, work=self.work))

    def start(self, name, shell, path):
        """Its user has the machine's name, and programs of the folders of 'path'."""
        port = free_port()
        self.home(name).mkdir()
        conf, users, groups = (self.work / f"{name}.{kind}" for kind in ("conf", "users", "groups"))
        conf.write_text(SSHD_CONF.format(port=port, work=self.work, path=path))
        users.write_text(f"sshd:x:65534:65534::/none:/bin/false\n{name}:x:{os.getuid()}:{os.getgid()}::{self.home(name)}:{shell}\n")
        groups.write_text(f"nogroup:x:65534:\n{name}:x:{os.getgid()}:\n")
        environment = {"LD_PRELOAD": WRAPPER, "NSS_WRAPPER_PASSWD": str(users), "NSS_WRAPPER_GROUP": str(groups)}
        with open(self.work / f"{name}.log", "wb") as log:
            self.processes.append(subprocess.Popen(["setpriv", "--pdeathsig", "KILL", self.sshd, "-D", "-e", "-f", conf], stdin=subprocess.DEVNULL,
                                                   stdout=log, stderr=log, env=os.environ | environment, start_new_session=True))
        self.tell_ssh(name, port)
        self.wait_for(name, port)

    def wait_for(self, name, port):
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            with socket.socket() as connection:
                if connection.connect_ex(("127.0.0.1", port)) == 0:
                    return
            time.sleep(0.05)
        raise AssertionError(self.log(name))

    def log(self, name):
        return (self.work / f"{name}.log").read_text(errors="replace")

    def end(self):
        for process in self.processes:
            process.send_signal(signal.SIGTERM)
            process.wait(10)
