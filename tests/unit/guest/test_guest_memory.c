/* SPDX-License-Identifier: BSD-2-Clause */
#include "hv/guest/guest_memory.h"

#include <stdlib.h>

#include "tests/unit/ept_freeze.h"
#include "tests/unit/guest_regions.h"
#include "tests/unit/support.h"

static void each_kind_keeps_its_promise(void **state)
{
	uint8_t was[8], now[8], bytes[8] = "abcdefgh";

	assert_int_equal(guest_read(&memory, at(ROM + 0x100), was, 8), OK);
	assert_int_equal(was[1], pattern(0x101));
	assert_int_equal(guest_write(&memory, at(ROM + 0x100), bytes, 8), OK);
	assert_int_equal(guest_read(&memory, at(ROM + 0x100), now, 8), OK);
	assert_memory_equal(now, was, 8);
	assert_int_equal(dropped(), 1);

	uint64_t generation = ept.generation;

	assert_int_equal(guest_write(&memory, at(COW + 0x100), bytes, 8), OK);
	assert_true(ept.generation > generation);
	assert_int_equal(guest_read(&memory, at(COW + 0x100), now, 8), OK);
	assert_memory_equal(now, bytes, 8);

	assert_int_equal(guest_write(&memory, at(SHM + 0x100), bytes, 8), OK);
	assert_memory_equal(phys_to_virt(SHARED + 0x2100), bytes, 8);
	assert_int_equal(guest_read(&memory, at(SHM + 0x100), now, 8), OK);
	assert_memory_equal(now, bytes, 8);
	assert_int_equal(dropped(), 1);
}

/* As of a template's clones: they share a map, and each has its own lock. */
static void vms_with_one_map_count_their_own_dropped_writes(void **state)
{
	struct guest_memory other = {.ept = &ept, .map = &map};
	uint8_t byte = 1;

	assert_int_equal(guest_write(&memory, at(ROM + 0x100), &byte, 1), OK);
	assert_int_equal(guest_write(&other, at(ROM + 0x100), &byte, 1), OK);
	assert_int_equal(guest_write(&other, at(ROM + 0x200), &byte, 1), OK);
	assert_int_equal(memory.n_dropped, 1);
	assert_int_equal(other.n_dropped, 2);
	assert_ptr_equal(other.dropped_at, mem_map_find(&map, at(ROM)));
}

static void random_accesses_are_as_on_a_flat_array(void **state)
{
	static uint8_t flat[3 * SMALL], buf[3 * SMALL];

	srand(3);
	assert_int_equal(guest_read(&memory, at(ROM), flat, sizeof(flat)), OK);
	assert_int_equal(flat[SMALL + 5], pattern(SMALL + 5));
	for (unsigned n = 0; n < 5000; n++) {
		uint64_t start = (uint64_t)rand() % sizeof(flat);
		uint64_t len = (uint64_t)rand() % (rand() % 4 ? 64 : sizeof(flat) - start);
		uint8_t fill = (uint8_t)rand();
		bool zero = rand() % 4 == 0;

		if (start + len > sizeof(flat))
			continue;
		memset(buf, fill, len);
		if (zero)
			assert_int_equal(guest_zero(&memory, at(ROM + start), len), OK);
		else
			assert_int_equal(guest_write(&memory, at(ROM + start), buf, len), OK);
		for (uint64_t i = start; i < start + len; i++)
			if (i >= SMALL) /* the first region is ROM */
				flat[i] = zero ? 0 : fill;
		start = (uint64_t)rand() % (sizeof(flat) - 100);
		assert_int_equal(guest_read(&memory, at(ROM + start), buf, 100), OK);
		assert_memory_equal(buf, flat + start, 100);
	}
	assert_int_equal(guest_read(&memory, at(ROM), buf, sizeof(flat)), OK);
	assert_memory_equal(buf, flat, sizeof(flat));
}

/* Wherever the search before it ended. */
static void the_region_of_an_address_is_found(void **state)
{
	static const uint64_t addresses[] = {0,	  ROM - 1,	     ROM,	    ROM + SMALL - 1,
					     COW, SHM + SMALL - 1,   SHM + SMALL,   RAM - 1,
					     RAM, RAM + RAM_LEN - 1, RAM + RAM_LEN, UINT64_MAX};

	assert_null(guest_region(&memory, at(0)));
	for (unsigned i = 0; i < ARRAY_SIZE(addresses); i++)
		for (unsigned j = 0; j < ARRAY_SIZE(addresses); j++) {
			(void)guest_region(&memory, at(addresses[i]));
			assert_ptr_equal(guest_region(&memory, at(addresses[j])),
					 mem_map_find(&map, at(addresses[j])));
		}
	assert_ptr_equal(guest_region(&memory, at(SHM)), &map.region[2]);
}

static void outside_memory_nothing_happens(void **state)
{
	static const struct {
		uint64_t gpa, len;
	} cases[] = {
		{ROM - 1, 1},
		{ROM - 1, 2},
		{ROM - 8, 0x9000},
		{SHM + SMALL, 1},
		{SHM + SMALL - 1, 2},
		{COW, 2 * SMALL + 1},
		{RAM - 1, 2},
		{RAM + RAM_LEN - 4, 8},
		{UINT64_MAX, 1},
		{UINT64_MAX - 3, 8},
		{BIT(48), 4},
		{ROM, UINT64_MAX},
		{ROM, UINT64_MAX - ROM},
	};
	static uint8_t buf[0x9000];
	uint64_t available = frame_available();
	uint8_t was = *(uint8_t *)phys_to_virt(SHARED + 0x2000 + SMALL - 1);

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		memset(buf, 0x5a, sizeof(buf));
		assert_int_equal(guest_read(&memory, at(cases[i].gpa), buf, cases[i].len),
				 ERR_RANGE);
		assert_int_equal(buf[0], 0x5a);
		assert_int_equal(guest_write(&memory, at(cases[i].gpa), buf, cases[i].len),
				 ERR_RANGE);
		assert_int_equal(guest_zero(&memory, at(cases[i].gpa), cases[i].len), ERR_RANGE);
	}
	assert_int_equal(guest_set_bits(&memory, at(ROM - 1), 1), ERR_RANGE);
	assert_int_equal(frame_available(), available);
	assert_int_equal(dropped(), 0);
	assert_int_equal(*(uint8_t *)phys_to_virt(SHARED + 0x2000 + SMALL - 1), was);
	assert_int_equal(guest_write(&memory, at(0), buf, 0), OK);
}

static void only_memory_that_is_not_rom_can_be_written(void **state)
{
	assert_true(guest_can_write(&memory, at(COW), 2 * SMALL));
	assert_true(guest_can_write(&memory, at(RAM), RAM_LEN));
	assert_false(guest_can_write(&memory, at(ROM + SMALL - 1), 2));
	assert_false(guest_can_write(&memory, at(ROM), 1));
	assert_false(guest_can_write(&memory, at(SHM + SMALL - 1), 2));
	assert_false(guest_can_write(&memory, at(RAM + RAM_LEN - 1), 2));
	assert_false(guest_can_write(&memory, at(UINT64_MAX), 2));
	assert_int_equal(dropped(), 0);
}

static void what_only_the_ept_maps_is_no_memory(void **state)
{
	uint8_t byte = 0;

	assert_int_equal(ept_map(&ept, at(MIB(1)), SHARED, PAGE_SIZE, region_attr(MEM_SHARED)), OK);
	assert_int_equal(guest_read(&memory, at(MIB(1)), &byte, 1), ERR_RANGE);
	assert_int_equal(guest_write(&memory, at(MIB(1)), &byte, 1), ERR_RANGE);
}

static void dropped_writes_are_counted_by_the_page(void **state)
{
	static uint8_t buf[0x3000];

	assert_int_equal(guest_write(&memory, at(ROM + 0xfff), buf, 1), OK);
	assert_int_equal(dropped(), 1);
	assert_int_equal(guest_write(&memory, at(ROM + 0xfff), buf, 2), OK);
	assert_int_equal(dropped(), 3);
	assert_int_equal(guest_zero(&memory, at(ROM), 0x3000), OK);
	assert_int_equal(dropped(), 6);
	assert_int_equal(guest_set_bits(&memory, at(ROM), 0xff), OK);
	assert_int_equal(dropped(), 7);
}

static void out_of_frames_the_pages_before_are_written(void **state)
{
	uint8_t buf[3 * PAGE_SIZE], now[3 * PAGE_SIZE];

	memset(buf, 0xcc, sizeof(buf));
	/* The table at COW exists: two frames are left. */
	assert_int_equal(guest_write(&memory, at(COW + 0x3000), buf, 1), OK);
	ept.max_owned = ept.n_owned + 2;
	assert_int_equal(guest_write(&memory, at(COW), buf, sizeof(buf)), ERR_NOMEM);
	assert_int_equal(guest_read(&memory, at(COW), now, sizeof(now)), OK);
	assert_memory_equal(now, buf, 2 * PAGE_SIZE);
	for (uint64_t i = 2 * PAGE_SIZE; i < sizeof(now); i++)
		assert_int_equal(now[i], pattern(SMALL + i));
	/* A page that was copied can still be written. */
	assert_int_equal(guest_zero(&memory, at(COW), 2 * PAGE_SIZE), OK);
	assert_int_equal(guest_zero(&memory, at(COW + 0x2000), 1), ERR_NOMEM);
	assert_int_equal(guest_set_bits(&memory, at(COW + 0x2000), 1), ERR_NOMEM);
	assert_int_equal(guest_write(&memory, at(SHM), buf, sizeof(buf)), OK);
	ept.max_owned = EPT_UNLIMITED;
}

static void a_frozen_template_is_out_of_reach(void **state)
{
	struct ept_layer *layer;
	unsigned level;
	uint8_t byte = 0x11, clone_byte = 0;

	assert_int_equal(guest_write(&memory, at(COW), &byte, 1), OK);
	phys_t template_page = ept_lookup(&ept, at(COW), &level) & EPT_ADDR;

	assert_int_equal(freeze_tree(&ept, &layer), OK);
	byte = 0x22;
	assert_int_equal(guest_write(&memory, at(COW), &byte, 1), OK);
	assert_int_equal(guest_read(&memory, at(COW), &clone_byte, 1), OK);
	assert_int_equal(clone_byte, 0x22);
	assert_int_equal(*(uint8_t *)phys_to_virt(template_page), 0x11);
	/* Shared memory is still shared, although the tree is sealed. */
	assert_int_equal(guest_write(&memory, at(SHM), &byte, 1), OK);
	assert_int_equal(*(uint8_t *)phys_to_virt(SHARED + 0x2000), 0x22);
	ept_layer_put(layer);
}

/* Private memory that is writable without being a copy: the write would change an image. */
static void write_an_image(void)
{
	(void)!ept_map(&ept, at(COW), IMAGE, PAGE_SIZE, region_attr(MEM_SHARED));
	(void)!guest_zero(&memory, at(COW), 1);
}

static void write_another_image(void)
{
	(void)!ept_map(&ept, at(SHM), IMAGE, PAGE_SIZE, region_attr(MEM_SHARED));
	(void)!guest_zero(&memory, at(SHM), 1);
}

/* As the page of a template's GUID is: hv/vm/vm_identity.h. */
static void a_page_that_is_taken_out_reads_as_zeros_and_comes_back(void **state)
{
	uint8_t byte = 0xff;

	assert_int_equal(ept_map(&ept, at(COW), 0, PAGE_SIZE, 0), OK);
	assert_int_equal(guest_read(&memory, at(COW), &byte, 1), OK);
	assert_int_equal(byte, 0);
	byte = 0x22;
	assert_int_equal(guest_write(&memory, at(COW), &byte, 1), OK);
	assert_int_equal(guest_read(&memory, at(COW), &byte, 1), OK);
	assert_int_equal(byte, 0x22);
}

static void a_tree_that_contradicts_its_regions_stops_the_machine(void **state)
{
	assert_true(aborts(write_an_image));
	assert_true(aborts(write_another_image));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(each_kind_keeps_its_promise),
		TEST(vms_with_one_map_count_their_own_dropped_writes),
		TEST(random_accesses_are_as_on_a_flat_array),
		TEST(the_region_of_an_address_is_found),
		TEST(outside_memory_nothing_happens),
		TEST(only_memory_that_is_not_rom_can_be_written),
		TEST(what_only_the_ept_maps_is_no_memory),
		TEST(dropped_writes_are_counted_by_the_page),
		TEST(out_of_frames_the_pages_before_are_written),
		TEST(a_frozen_template_is_out_of_reach),
		TEST(a_page_that_is_taken_out_reads_as_zeros_and_comes_back),
		TEST(a_tree_that_contradicts_its_regions_stops_the_machine),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
