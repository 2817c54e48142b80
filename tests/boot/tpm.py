# SPDX-License-Identifier: BSD-2-Clause
"""A TPM 2.0 in swtpm for QEMU, whose PCRs can be read after QEMU has ended."""
import array
import hashlib
import pathlib
import socket
import struct
import subprocess
import time

# Commands of swtpm's control channel: swtpm_ioctls(3).
CMD_SET_DATAFD = 16
# TPM 2.0 Library, part 2: "TPM_ST", "TPM_CC", "TPM_ALG_ID".
TPM_ST_NO_SESSIONS = 0x8001
TPM_CC_PCR_READ = 0x17e
TPM_ALG_SHA256 = 0x0b
N_PCRS = 24


def extended(*contents):
    """The value of a PCR of zeros that is extended by the hashes of these contents."""
    value = bytes(32)
    for content in contents:
        value = hashlib.sha256(value + hashlib.sha256(content).digest()).digest()
    return value


class Tpm:
    """swtpm in the folder 'work'."""

    def __init__(self, work):
        self.path = pathlib.Path(work) / "swtpm.sock"
        state = pathlib.Path(work) / "swtpm"
        state.mkdir()
        self.process = subprocess.Popen(
            ["setpriv", "--pdeathsig", "KILL", "swtpm", "socket", "--tpm2", "--tpmstate", f"dir={state}",
             "--ctrl", f"type=unixio,path={self.path}"])
        while not self.path.exists() and self.process.poll() is None:
            time.sleep(0.05)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()

    def arguments(self, device):
        return ["-chardev", f"socket,id=tpm,path={self.path}", "-tpmdev", "emulator,id=tpm,chardev=tpm",
                "-device", f"{device},tpmdev=tpm"]

    def connect(self):
        """Take over the data channel that QEMU has left; returns it and the control channel."""
        control = socket.socket(socket.AF_UNIX)
        control.connect(str(self.path))
        ours, theirs = socket.socketpair()
        with theirs:
            control.sendmsg([struct.pack(">I", CMD_SET_DATAFD)],
                            [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [theirs.fileno()]))])
        if struct.unpack(">I", control.recv(4)) != (0,):
            raise RuntimeError("swtpm refuses a data channel")
        return ours, control

    def read_pcr(self, number):
        """The value in the SHA-256 bank."""
        selection = bytes(number // 8 == i and 1 << number % 8 for i in range(N_PCRS // 8))
        body = struct.pack(">IHB", 1, TPM_ALG_SHA256, len(selection)) + selection
        data, control = self.connect()
        with data, control:
            data.sendall(struct.pack(">HII", TPM_ST_NO_SESSIONS, 10 + len(body), TPM_CC_PCR_READ) + body)
            answer = data.recv(4096)
        if struct.unpack_from(">I", answer, 6) != (0,):
            raise RuntimeError(f"TPM2_PCR_Read: {answer.hex()}")
        return answer[-32:]
