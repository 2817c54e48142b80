/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/devices/device.h"
#include "hv/lib/types.h"

/*
 * QEMU's pvpanic, on the ISA bus: one port. A read returns the events that the guest may report; a
 * write of their bits reports them. hv/loader/pvpanic.dsl tells the guest the port.
 */
#define PVPANIC_PORT 0x505

enum pvpanic_event {
	PVPANIC_PANICKED = 1 << 0,
	PVPANIC_CRASH_LOADED = 1 << 1, /* the guest starts a kernel that makes a dump */
};
#define PVPANIC_EVENTS (PVPANIC_PANICKED | PVPANIC_CRASH_LOADED)

/* Constant after the VM has started, and not saved. */
struct pvpanic {
	uint8_t events; /* what a read returns: QEMU's property of that name */
};

extern const struct device_class pvpanic_class;
