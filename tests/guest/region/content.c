/* SPDX-License-Identifier: BSD-2-Clause */
/* The region's bytes are the image's. In a shared region, only where no other VM writes. */
#include "tests/guest/region/region.h"

void content_check(const char *when)
{
	uint64_t start = region.expect == EXPECT_SHARED ? region.work : 0;
	uint64_t end = region.expect == EXPECT_SHARED ? start + region.span : region.size;
	uint64_t skip = param_number("tables", end);

	if (region.data == DATA_ANY)
		return;
	for (uint64_t o = start; o < end; o += 8) {
		if (o >= skip && o < skip + 4 * PAGE_SIZE)
			continue;
		if (*region_word(o) == region_image(o))
			continue;
		report(false, "content %s: %#lx at offset %#lx", when, *region_word(o), o);
		return;
	}
	report(true, "content %s: offsets %#lx to %#lx as in the image", when, start, end);
}
