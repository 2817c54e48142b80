/* SPDX-License-Identifier: BSD-2-Clause */
/* In front of hv/host/io.h: see machine.h. */
#pragma once

#define rdtsc		      real_rdtsc
#define read_cr2	      real_read_cr2
#define write_cr2	      real_write_cr2
#define xsetbv		      real_xsetbv
#define xsetbv_from	      real_xsetbv_from
#define xsave		      real_xsave
#define xrstor		      real_xrstor
#define read_debug_addresses  real_read_debug_addresses
#define write_debug_addresses real_write_debug_addresses
#define read_dr6	      real_read_dr6
#define write_dr6	      real_write_dr6
#define pause		      real_pause
#include_next "hv/host/io.h"
#undef rdtsc
#undef read_cr2
#undef write_cr2
#undef xsetbv
#undef xsetbv_from
#undef xsave
#undef xrstor
#undef read_debug_addresses
#undef write_debug_addresses
#undef read_dr6
#undef write_dr6
#undef pause

#include "hv/lib/string.h"
#include "tests/fuzz/machine/machine.h"

static inline uint64_t rdtsc(void)
{
	return machine.tsc;
}

static inline uint64_t read_cr2(void)
{
	return machine.cr2;
}

static inline void write_cr2(uint64_t value)
{
	machine.cr2 = value;
}

static inline void xsetbv(uint32_t index, uint64_t value)
{
}

static inline void xsetbv_from(uint32_t index, const uint64_t *value)
{
	xsetbv(index, *value);
}

static inline void xsave(void *area)
{
}

static inline void xrstor(const void *area)
{
}

static inline void read_debug_addresses(uint64_t ret[4])
{
	memcpy(ret, machine.dr, sizeof(machine.dr));
}

static inline void write_debug_addresses(const uint64_t dr[4])
{
	memcpy(machine.dr, dr, sizeof(machine.dr));
}

static inline uint64_t read_dr6(void)
{
	return machine.dr6;
}

static inline void write_dr6(uint64_t value)
{
	machine.dr6 = value;
}

static inline void pause(void)
{
	machine.tsc++;
}
