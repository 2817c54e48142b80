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
	const char *name; /* QEMU's name, where QEMU has the device; constant */
	unsigned width;	  /* largest single access the device takes: 1, 2, 4 or 8 bytes */
};

#define IO_BUS_MAX_RANGES 32

/* The guess for an address is looked up by its bits 8:3. */
#define IO_BUS_GUESSES	  64
#define IO_BUS_GUESS_UNIT 8

/*
 * Ports or MMIO: the same structure. Ranges are sorted by start and do not overlap. The bus is
 * filled before the VM runs and constant afterwards: no lock. All zeros is an empty bus. The bus
 * holds no pointer to a device, so VMs that are alike share it. guess[] names the range to try
 * first. Where two ranges compete for a guess, the others are found by searching start[], which
 * repeats the ranges' starts.
 */
struct io_bus {
	unsigned n;
	uint8_t guess[IO_BUS_GUESSES];
	uint64_t start[IO_BUS_MAX_RANGES];
	struct io_range range[IO_BUS_MAX_RANGES];
};

/*
 * Claim a range. ERR_INVAL: no length, no read or write, or an impossible width; ERR_RANGE: ends
 * beyond 2^64; ERR_OVERLAP: overlaps another range; ERR_NOMEM: the bus is full. An error leaves the
 * bus unchanged.
 */
enum status io_bus_add(struct io_bus *bus, const struct io_range *range);

/*
 * One access of 1, 2, 4 or 8 bytes at any alignment. An unclaimed access reads as all ones, and a
 * write to it is dropped, as on a PC. An access that is wider than the device takes, or that
 * crosses the end of a range, is split into pieces from the lowest address up: each piece is the
 * largest power of two that fits the device's width, the range and the bytes that remain. Addresses
 * do not wrap at 2^64: bytes above are unclaimed. The caller fills in 'access' except for 'off';
 * the bus changes 'off' and 'value'.
 */
uint64_t io_bus_read(const struct io_bus *bus, void *devices, struct io_access *access);
/* Returns a set of enum device_wish. */
uint32_t io_bus_write(const struct io_bus *bus, void *devices, struct io_access *access);
