/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

/*
 * A VM's memory for tests of the loader, in place of hv/guest/guest_memory.c: one block of RAM from
 * address 0. Include it in one file of a program.
 */
#include <stdlib.h>
#include <string.h>

#include "hv/guest/guest_memory.h"
#include "hv/loader/load.h"

#define RAM_SIZE MIB(64)

static uint8_t *ram;
static int writes_left = -1; /* number of writes that succeed; -1: all */

enum status guest_write(struct guest_memory *memory, gpa_t gpa, const void *buf, size_t len)
{
	if (gpa.raw > RAM_SIZE || len > RAM_SIZE - gpa.raw)
		return ERR_RANGE;
	if (writes_left == 0)
		return ERR_NOMEM;
	if (writes_left > 0)
		writes_left--;
	memcpy(ram + gpa.raw, buf, len);
	return OK;
}

enum status guest_zero(struct guest_memory *memory, gpa_t gpa, uint64_t len)
{
	if (gpa.raw > RAM_SIZE || len > RAM_SIZE - gpa.raw)
		return ERR_RANGE;
	if (writes_left == 0)
		return ERR_NOMEM;
	if (writes_left > 0)
		writes_left--;
	memset(ram + gpa.raw, 0, len);
	return OK;
}

/* The map of a small PC: conventional memory, a hole for the BIOS, the rest. */
static const struct e820_entry pc_map[] = {
	{0, 0x9fc00, E820_RAM},
	{0x9fc00, 0x400, E820_RESERVED},
	{0xe0000, 0x20000, E820_ACPI},
	{MIB(1), RAM_SIZE - MIB(1), E820_RAM},
	{0xfec00000, 0x1000, E820_RESERVED},
};

/* All input except the kernel. */
static struct loader_input pc_input(const void *kernel, size_t len)
{
	return (struct loader_input){
		.kernel = kernel,
		.kernel_len = len,
		.kernel_name = "kernel",
		.e820 = pc_map,
		.n_e820 = ARRAY_SIZE(pc_map),
		.ram_below_4g = RAM_SIZE,
	};
}
