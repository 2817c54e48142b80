/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <string.h>

#include "hv/frame/frame.h"
#include "hv/frame/phys.h"
#include "hv/guest/guest_memory.h"
#include "hv/guest/region_map.h"
#include "tests/unit/support.h"

/* A VM's memory with a region of each kind, over images whose bytes are pattern(). */

/* Physical memory: an image that is never written, a shared image, frames. */
#define IMAGE	 MIB(2)
#define SHARED	 (IMAGE + MIB(2))
#define FRAMES	 (SHARED + MIB(2))
#define N_FRAMES 1024

/* Guest memory. Page tables are built in the anonymous memory from RAM on. */
#define ROM	UINT64_C(0x10000)
#define COW	UINT64_C(0x14000)
#define SHM	UINT64_C(0x18000)
#define SMALL	UINT64_C(0x4000) /* length of each of the three regions, which touch */
#define RAM	MIB(2)
#define RAM_LEN MIB(8)

static const struct image image = {.base = IMAGE, .size = MIB(2)};
static const struct image shared = {.base = SHARED, .size = MIB(2)};
static struct ept ept;
static struct mem_map map;
static struct guest_memory memory = {.ept = &ept, .map = &map};

static inline gpa_t at(uint64_t raw)
{
	return (gpa_t){raw};
}

static inline uint8_t pattern(uint64_t offset)
{
	return (uint8_t)(offset * 7 + (offset >> 12) + 1);
}

static inline void add(uint64_t gpa, uint64_t len, enum mem_kind kind, const struct image *from,
		       uint64_t offset)
{
	struct mem_region region = {
		.gpa = {gpa}, .len = len, .kind = kind, .image = from, .offset = offset};

	assert_int_equal(mem_map_add(&map, &region), OK);
	assert_int_equal(region_map(&ept, &region), OK);
}

static inline int setup(void **state)
{
	frame_reset();
	memset(&map, 0, sizeof(map));
	memory = (struct guest_memory){.ept = &ept, .map = &map};
	uint8_t *bytes = phys_arena(IMAGE, MIB(8));

	for (uint64_t i = 0; i < MIB(4); i++)
		bytes[i] = pattern(i);
	frame_add_range(FRAMES, N_FRAMES * PAGE_SIZE);
	assert_int_equal(ept_setup(), OK);
	assert_int_equal(ept_init(&ept, 2, EPT_UNLIMITED), OK);
	add(ROM, SMALL, MEM_ROM, &image, 0);
	add(COW, SMALL, MEM_COW, &image, SMALL);
	add(SHM, SMALL, MEM_SHARED, &shared, 0x2000);
	add(RAM, RAM_LEN, MEM_COW, NULL, 0);
	return 0;
}

static inline void image_is_untouched(void)
{
	const uint8_t *bytes = phys_to_virt(IMAGE);

	for (uint64_t i = 0; i < MIB(2); i++)
		if (bytes[i] != pattern(i))
			fail();
}

static inline int teardown(void **state)
{
	image_is_untouched();
	ept_destroy(&ept);
	assert_int_equal(frame_available(), N_FRAMES - EPT_ZERO_LEVELS);
	return 0;
}

static inline uint64_t dropped(void)
{
	return memory.n_dropped;
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
