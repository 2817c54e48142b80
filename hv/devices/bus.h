/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "hv/devices/device.h"
#include "hv/lib/status.h"
#include "hv/lib/types.h"

struct io_range {
	uint64_t start; /* port or guest-physical address */
	uint64_t len;	/* bytes, at least 1 */
	const struct device_class *class;
	size_t dev;	  /* where the device is after 'devices', bytes */
	const char *name; /* QEMU's, where QEMU has the device; constant */
	unsigned width;	  /* largest single access the device takes: 1, 2, 4 or 8 bytes */
};

#define IO_BUS_MAX_RANGES 32

/* Addresses are guessed by their bits 8:3. */
#define IO_BUS_GUESSES	  64
#define IO_BUS_GUESS_UNIT 8

/*
 * Ports or MMIO, the same thing. Ranges are sorted by start and do not overlap.
 * Filled before the VM runs, then constant: no lock. All zeros is an empty bus.
 * It holds no pointer to a device: VMs that are alike share it.
 * guess[] says which range to try first; where two want one place, the others
 * are found by searching start[], which repeats the ranges' starts.
 */
struct io_bus {
	unsigned n;
	uint8_t guess[IO_BUS_GUESSES];
	uint64_t start[IO_BUS_MAX_RANGES];
	struct io_range range[IO_BUS_MAX_RANGES];
};

/*
 * Claim a range. ERR_INVAL: no length, no read or write, or a width which is none;
 * ERR_RANGE: ends beyond 2^64; ERR_OVERLAP: touches another one's addresses;
 * ERR_NOMEM: the bus is full. An error leaves the bus as it was.
 */
enum status io_bus_add(struct io_bus *bus, const struct io_range *range);

/*
 * One access of 1, 2, 4 or 8 bytes at any alignment. An access nobody claims
 * reads as all ones and writes to nowhere, as on a PC. An access wider than the
 * device takes, or reaching over an end of a range, is done in pieces from
 * the lowest address up: each the largest power of two that fits the device's width,
 * the range and what is left. Addresses do not wrap at 2^64: what is above is unclaimed.
 * The caller fills in 'access' except for 'off'; the bus changes 'off' and 'value'.
 */
uint64_t io_bus_read(const struct io_bus *bus, void *devices, struct io_access *access);
/* Returns a set of enum device_wish. */
uint32_t io_bus_write(const struct io_bus *bus, void *devices, struct io_access *access);
