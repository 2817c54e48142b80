/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

/*
 * What the fuzzers of the loader share: guest memory that keeps nothing, but
 * checks that every write comes out of readable memory and goes to RAM.
 */
#include <stdlib.h>
#include <string.h>

#include "hv/guest/guest_memory.h"
#include "hv/lib/assert.h"
#include "hv/loader/load.h"

#define RAM_SIZE MIB(512)
#define EBDA	 0x9fc00 /* its first byte is the only one outside RAM that is written */

static const struct e820_entry fuzz_map[] = {
	{0, EBDA, E820_RAM},
	{EBDA, 0x400, E820_RESERVED},
	{0xe0000, 0x20000, E820_ACPI},
	{MIB(1), MIB(30), E820_RAM},
	{MIB(32), RAM_SIZE - MIB(32), E820_RAM},
};

static void expect_ram(uint64_t addr, uint64_t len)
{
	if (addr == EBDA && len == 1)
		return;
	for (size_t i = 0; i < ARRAY_SIZE(fuzz_map); i++) {
		const struct e820_entry *entry = &fuzz_map[i];

		if (entry->type == E820_RAM && addr >= entry->addr && len <= entry->len &&
		    addr - entry->addr <= entry->len - len)
			return;
	}
	assert(!"a write outside of RAM");
}

enum status guest_write(struct guest_memory *memory, gpa_t gpa, const void *buf, size_t len)
{
	static volatile uint8_t sink;

	expect_ram(gpa.raw, len);
	for (size_t i = 0; i < len; i++)
		sink = ((const uint8_t *)buf)[i];
	(void)sink;
	return OK;
}

enum status guest_zero(struct guest_memory *memory, gpa_t gpa, uint64_t len)
{
	expect_ram(gpa.raw, len);
	return OK;
}

/* Load 'data' as a kernel, and look at what comes of it. */
static void fuzz_load(const uint8_t *data, size_t size, enum loader_kind kind)
{
	static const uint8_t initrd[100], seed[LOADER_RNG_SEED_LEN];
	static const struct loader_module modules[] = {{initrd, 100, "a b"}, {initrd, 0, "c"}};
	const struct loader_input input = {
		.kernel = data,
		.kernel_len = size,
		.kernel_name = "kernel",
		.initrd = initrd,
		.initrd_len = sizeof(initrd),
		.append = "console=ttyS0",
		.e820 = fuzz_map,
		.n_e820 = ARRAY_SIZE(fuzz_map),
		.ram_below_4g = RAM_SIZE,
		.rng_seed = seed,
		.modules = modules,
		.n_modules = ARRAY_SIZE(modules),
		.kind = kind,
	};
	struct loader_state state;
	char error[200] = "";

	if (loader_load(NULL, &input, &state, error, sizeof(error)) != OK) {
		assert(strncmp(error, "kernel: ", 8) == 0 && strlen(error) > 8);
		return;
	}
	assert(state.kind == (kind != LOADER_NONE ? kind : loader_detect(data, size)));
	assert(state.rip >= state.kernel_start.raw && state.rip < state.kernel_end.raw);
	assert(state.initrd_start.raw >= state.kernel_end.raw ||
	       state.initrd_start.raw + sizeof(initrd) <= state.kernel_start.raw);
}
