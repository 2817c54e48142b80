# SPDX-License-Identifier: BSD-2-Clause
"""An operator's program on COM2: it stops, dumps, freezes, clones, resets and ends VMs, and follows their events."""
import pathlib
import socket
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "scripts"))
from qmp_client import Client, Error  # pylint: disable=wrong-import-position


def connect():
    with socket.socket(fileno=0) as listener:
        line, _ = listener.accept()
    line.settimeout(2900)
    return Client(line.makefile("rb"), line.makefile("wb"))


def refused(client, desc, command, **arguments):
    try:
        client.execute(command, **arguments)
    except Error as error:
        assert error.error["desc"] == desc, error
    else:
        raise AssertionError(f"{command} was not refused")


def operate(client):
    assert client.execute("query-status") == {"running": True, "status": "running"}
    client.execute("stop")
    client.wait("STOP", vm="one")
    assert client.execute("query-status", vm="one")["status"] == "paused"
    client.execute("dump-guest-memory", paging=False, protocol="file:/core")
    refused(client, "dump: failed to open '/core': File exists",
            "dump-guest-memory", paging=False, protocol="file:/core")
    client.execute("cont", vm="one")
    client.wait("RESUME", vm="one")
    assert client.execute("human-monitor-command", command_line="info status") == "VM status: running\r\n"
    assert client.execute("human-monitor-command", command_line="info mtree -f").count("FlatView") == 2
    client.execute("__org.stencil_freeze")
    client.wait("__org.stencil_FROZEN", vm="one")
    refused(client, "VM one is a template", "stop")
    client.execute("__org.stencil_clone", vm="one", count=2)
    client.wait("__org.stencil_CLONED", vm="one-0", template="one")
    client.wait("__org.stencil_CLONED", vm="one-1", template="one")
    assert [vm["name"] for vm in client.execute("__org.stencil_query-vms")] == ["one", "one-0", "one-1"]
    one, = client.execute("__org.stencil_query-metrics")["vms"]
    assert (one["clones"]["started"], one["running"], one["clones"]["ended"]) == (2, 2, 0), one
    client.execute("system_reset", vm="one-0")
    client.wait("RESET", vm="one-0", guest=False)
    client.execute("__org.stencil_destroy", vm="one-1")
    client.wait("SHUTDOWN", vm="one-1", reason="host-qmp-quit", why="ended by the operator")
    metrics = client.execute("__org.stencil_query-metrics", clones=True)
    template, clone = metrics["vms"]
    assert template["clones"] == template["clones"] | {"started": 2, "ended": 1, "failed": 0}, template
    assert template["cpu-ns"] > 0 and clone["cpu-ns"] > 0, metrics
    assert sum(exits["count"] for exits in metrics["exits"]) > template["exits"] > 0 < clone["exits"], metrics
    names = {entity["name"] for entity in client.execute("query-qmp-schema")}
    assert {command["name"] for command in client.execute("query-commands")} < names
    client.execute("quit")
    client.wait("SHUTDOWN", vm="one-0")


if __name__ == "__main__":
    operate(connect())
