/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/lib/types.h"

/*
 * What devices answer to, for those who ask: between hv/devices/platform.h, which lists it, and
 * hv/monitor/info.h. Each list ascends, and nothing in it overlaps.
 */
struct device_range {
	uint64_t start, len; /* guest-physical bytes, or ports */
	const char *name;    /* QEMU's for the device, where there is one; constant */
	unsigned priority;   /* QEMU's for the region */
};

#define DEVICE_RANGES_MAX 33 /* a bus, and the local APIC */
struct device_list {
	struct device_range memory[DEVICE_RANGES_MAX], port[DEVICE_RANGES_MAX];
	unsigned n_memory, n_ports;
};
