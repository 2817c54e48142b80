/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

/* Shared by the files of the region payload: the region that the parameters describe. */

#include "tests/guest/lib/lib.h"

enum expect { EXPECT_ROM, EXPECT_COW, EXPECT_SHARED, EXPECT_ABSENT };
enum data { DATA_PATTERN, DATA_ZERO, DATA_ANY };

struct region {
	uint64_t base;
	uint64_t size;
	uint64_t offset; /* of its first byte in the image, for the pattern */
	uint64_t work;	 /* the part this VM may write: [work, work + span) ... */
	uint64_t span;
	uint64_t marks; /* ... and its own mark in the page at this offset */
	enum expect expect;
	enum data data;
};

extern struct region region;

static inline volatile uint64_t *region_word(uint64_t offset)
{
	return (volatile uint64_t *)(region.base + offset);
}

/* Whether writes have no effect. */
static inline bool region_drops(void)
{
	return region.expect == EXPECT_ROM || region.expect == EXPECT_ABSENT;
}

/* What the image holds in the 8 bytes at this offset of the region. */
static inline uint64_t region_image(uint64_t offset)
{
	return region.data == DATA_ZERO ? 0 : PATTERN(region.offset + offset);
}

void content_check(const char *when);
void exec_check(void);
void tables_check(void);
void steps_check(void);
void forms_check(void);
void marks_check(void);
