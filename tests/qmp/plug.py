# SPDX-License-Identifier: BSD-2-Clause
"""An operator's program on COM2: memory for a running VM, and less of it."""
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from operate import connect, refused  # pylint: disable=wrong-import-position

MIB = 1 << 20
AT = 0x120000000


def plug(client, device, **properties):
    """Add an object and a DIMM; the guest of the VM finds it by itself."""
    client.execute("object-add", id=f"m{device}", **properties)
    client.execute("device_add", driver="pc-dimm", id=device, memdev=f"m{device}")


def unplug(client, device):
    """The guest gives it up, and the object is free."""
    refused(client, f"object 'm{device}' is in use, can not be deleted", "object-del", id=f"m{device}")
    client.execute("device_del", id=device)
    client.wait("DEVICE_DELETED", vm="one", device=device)
    client.execute("object-del", id=f"m{device}")
    refused(client, f"object 'm{device}' not found", "object-del", id=f"m{device}")


def refuse(client):
    """What QEMU refuses, in its words; nothing stays of it."""
    client.execute("object-add", id="m", qom_type="memory-backend-ram", size=8 * MIB)
    for desc, arguments in (
            ("Device 'x' not found", {"memdev": "x"}),
            ("'memdev' property must be set", {}),
            ("address must be aligned to 0x200000 bytes", {"memdev": "m", "addr": AT + 0x1000}),
            ("can't add memory device [0x1000000:0x800000], usable range for memory devices [0x100000000:0xbf000000]",
             {"memdev": "m", "addr": 16 * MIB}),
            ("'DIMM property node has value 1' which exceeds the number of numa nodes: 1", {"memdev": "m", "node": 1}),
            ("invalid slot number 2, valid range is [0-1]", {"memdev": "m", "slot": 2}),
            ("Property 'pc-dimm.foo' not found", {"memdev": "m", "foo": 1})):
        refused(client, desc, "device_add", driver="pc-dimm", **arguments)
    client.execute("object-del", id="m")
    refused(client, "not enough memory for the DIMM and its tables", "device_add", driver="pc-dimm", memdev="big")
    assert client.execute("query-memory-devices") == []


def operate(client):
    before = client.execute("__org.stencil_query-metrics")["memory-free"]
    client.execute("object-add", id="big", qom_type="memory-backend-ram", size=80 * MIB, reserve=True)
    refuse(client)
    client.execute("object-del", id="big")
    after = client.execute("__org.stencil_query-metrics")["memory-free"]
    assert before - after in (0, 4096), (before, after)  # the VM keeps a table for the next DIMM
    plug(client, "a", qom_type="memory-backend-ram", size=8 * MIB, prealloc=True)
    device, = client.execute("query-memory-devices")
    assert device["data"] == {"id": "a", "addr": 1 << 32, "slot": 0, "node": 0, "size": 8 * MIB,
                              "memdev": "/objects/ma", "hotplugged": True, "hotpluggable": True}, device
    refused(client, "Duplicate device ID 'a'", "device_add", driver="pc-dimm", id="a", memdev="ma")
    refused(client, "can't use already busy memdev: ma", "device_add", driver="pc-dimm", memdev="ma")
    unplug(client, "a")
    plug(client, "b", qom_type="memory-backend-file", size=4 * MIB, mem_path="/new.mem", share=True)
    unplug(client, "b")
    client.execute("stop")
    plug(client, "c", qom_type="memory-backend-file", size=4 * MIB, mem_path="/new.mem", readonly=True)
    client.execute("system_reset")  # keeps it
    client.wait("RESET", vm="one")
    client.execute("cont")
    unplug(client, "c")
    plug(client, "d", qom_type="memory-backend-ram", size=6 * MIB, reserve=True)
    for line in ("object_add memory-backend-ram,id=me,size=2M,share=on", "device_add pc-dimm,id=e,memdev=me"):
        assert client.execute("human-monitor-command", command_line=line) == ""
    unplug(client, "d")
    client.execute("device_del", id="e")
    client.wait("DEVICE_DELETED", vm="one", device="e")
    client.wait("SHUTDOWN", vm="one", reason="guest-shutdown")
    client.execute("quit")


operate(connect())
