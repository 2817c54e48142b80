/* SPDX-License-Identifier: BSD-2-Clause */
/* I/O breakpoints: if a port access exits, the processor does not look for them. */
#include "hv/run/breakpoint.h"

unsigned breakpoint_match_port(uint64_t dr7, const uint64_t dr[4], uint16_t port, unsigned size)
{
	enum { RW_IO = 2 };
	static const uint8_t lengths[] = {1, 2, 8, 4};
	unsigned hits = 0;

	for (unsigned i = 0; i < 4; i++) {
		uint64_t len = lengths[dr7 >> (18 + 4 * i) & 3];
		uint64_t start = dr[i] & ~(len - 1);
		bool enabled = dr7 >> (2 * i) & 3;

		if (enabled && (dr7 >> (16 + 4 * i) & 3) == RW_IO && port < start + len &&
		    start < (uint64_t)port + size)
			hits |= 1U << i;
	}
	return hits;
}
