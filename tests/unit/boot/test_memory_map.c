/* SPDX-License-Identifier: BSD-2-Clause */
#include "boot/memory_map.h"

#include <stdlib.h>
#include <string.h>

#include "tests/unit/support.h"

#define WB	    BIT(3)
#define SP	    BIT(18)
#define MAX_ENTRIES 64
#define LIMIT	    BIT(52)
#define NOWHERE	    99

enum { LOADER_DATA = 2, BOOT_DATA = 4, RUNTIME_DATA = 6, CONVENTIONAL = 7, MMIO = 11 };

static struct memory_descriptor entries[MAX_ENTRIES];
static size_t n_entries;
static struct memory_edge edges[2 * MAX_ENTRIES + 4];
static struct boot_range ranges[2 * MAX_ENTRIES + 4];
static struct boot_range kept;

static int reset(void **state)
{
	n_entries = 0;
	kept = (struct boot_range){};
	return 0;
}

static void add(uint32_t type, uint64_t start, uint64_t n_pages, uint64_t attributes)
{
	entries[n_entries++] = (struct memory_descriptor){
		.type = type, .start = start, .n_pages = n_pages, .attributes = attributes};
}

/* Entries 'stride' bytes apart, on the heap without a byte to spare, then translated. */
static size_t build(size_t stride, size_t more, size_t n_edges, size_t n_ranges)
{
	size_t size = n_entries * stride + more;
	char *map = malloc(size ? size : 1);
	size_t n;

	memset(map, 0xa5, size);
	for (size_t i = 0; i < n_entries; i++)
		memcpy(map + i * stride, &entries[i],
		       stride < sizeof(entries[i]) ? stride : sizeof(entries[i]));
	n = memory_map_build(&(struct memory_map){.entries = map,
						  .size = size,
						  .stride = stride,
						  .kept = kept,
						  .edges = edges,
						  .n_edges = n_edges},
			     ranges, n_ranges);
	free(map);
	return n;
}

static size_t build_all(void)
{
	size_t n = build(48, 0, ARRAY_SIZE(edges), ARRAY_SIZE(ranges));

	for (size_t i = 0; i < n; i++) {
		const struct boot_range *next = i + 1 < n ? &ranges[i + 1] : NULL;
		uint64_t end = ranges[i].start + ranges[i].len;

		assert_true(ranges[i].len > 0 && ranges[i].len % PAGE_SIZE == 0);
		assert_true(ranges[i].start % PAGE_SIZE == 0 && end <= LIMIT);
		assert_true(next == NULL || next->start > end ||
			    (next->start == end && next->use != ranges[i].use));
	}
	return n;
}

static int use_at(uint64_t addr, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (addr - ranges[i].start < ranges[i].len)
			return ranges[i].use;
	}
	return NOWHERE;
}

static void assert_range(size_t i, uint64_t start, uint64_t end, enum mem_use use)
{
	assert_int_equal(ranges[i].start, start);
	assert_int_equal(ranges[i].start + ranges[i].len, end);
	assert_int_equal(ranges[i].use, use);
}

static void each_type_has_its_use(void **state)
{
	static const enum mem_use uses[] = {
		BOOT_MEM_RESERVED, BOOT_MEM_HV,	      BOOT_MEM_HV,	 BOOT_MEM_FREE,
		BOOT_MEM_FREE,	   BOOT_MEM_RUNTIME,  BOOT_MEM_RUNTIME,	 BOOT_MEM_FREE,
		BOOT_MEM_RESERVED, BOOT_MEM_ACPI,     BOOT_MEM_ACPI,	 BOOT_MEM_MMIO,
		BOOT_MEM_MMIO,	   BOOT_MEM_RESERVED, BOOT_MEM_RESERVED, BOOT_MEM_RESERVED,
		BOOT_MEM_RESERVED,
	};

	for (uint32_t type = 0; type < 70; type++) {
		reset(state);
		add(type == 69 ? UINT32_MAX : type, MIB(1), 1, WB);
		assert_int_equal(build_all(), 2);
		assert_range(1, MIB(1), MIB(1) + PAGE_SIZE,
			     type < ARRAY_SIZE(uses) ? uses[type] : BOOT_MEM_RESERVED);
	}
}

static void memory_that_is_not_plain_is_not_free(void **state)
{
	add(CONVENTIONAL, MIB(1), 1, 0);
	add(BOOT_DATA, MIB(2), 1, SP | WB);
	add(CONVENTIONAL, MIB(3), 1, WB | 7);
	assert_int_equal(build_all(), 4);
	assert_range(1, MIB(1), MIB(1) + PAGE_SIZE, BOOT_MEM_RESERVED);
	assert_range(2, MIB(2), MIB(2) + PAGE_SIZE, BOOT_MEM_RESERVED);
	assert_range(3, MIB(3), MIB(3) + PAGE_SIZE, BOOT_MEM_FREE);
}

static void unsorted_neighbours_are_sorted_and_merged(void **state)
{
	add(CONVENTIONAL, MIB(8), 256, WB);
	add(BOOT_DATA, MIB(1), 256, WB);
	add(MMIO, GIB(3), 16, 0);
	add(CONVENTIONAL, MIB(3), 1280, WB);
	add(LOADER_DATA, MIB(2), 256, WB);
	assert_int_equal(build_all(), 5);
	assert_range(0, 0, PAGE_SIZE, BOOT_MEM_RESERVED);
	assert_range(1, MIB(1), MIB(2), BOOT_MEM_FREE);
	assert_range(2, MIB(2), MIB(3), BOOT_MEM_HV);
	assert_range(3, MIB(3), MIB(9), BOOT_MEM_FREE);
	assert_range(4, GIB(3), GIB(3) + KIB(64), BOOT_MEM_MMIO);
}

static void frame_zero_is_never_free(void **state)
{
	add(CONVENTIONAL, 0, 160, WB);
	assert_int_equal(build_all(), 2);
	assert_range(0, 0, PAGE_SIZE, BOOT_MEM_RESERVED);
	assert_range(1, PAGE_SIZE, KIB(640), BOOT_MEM_FREE);
	reset(state);
	assert_int_equal(build_all(), 1);
	assert_range(0, 0, PAGE_SIZE, BOOT_MEM_RESERVED);
}

static void holes_stay_holes(void **state)
{
	add(CONVENTIONAL, 0, 160, WB);
	add(CONVENTIONAL, MIB(1), 256, WB);
	add(CONVENTIONAL, MIB(3), 256, WB);
	assert_int_equal(build_all(), 4);
	assert_int_equal(use_at(KIB(640), 4), NOWHERE);
	assert_int_equal(use_at(MIB(1) - 1, 4), NOWHERE);
	assert_range(2, MIB(1), MIB(2), BOOT_MEM_FREE);
	assert_range(3, MIB(3), MIB(4), BOOT_MEM_FREE);
}

static void kept_memory_is_ours_though_called_free(void **state)
{
	add(BOOT_DATA, MIB(4), 2048, WB);
	kept = (struct boot_range){.start = MIB(6), .len = MIB(2), .use = BOOT_MEM_HV};
	assert_int_equal(build_all(), 4);
	assert_range(1, MIB(4), MIB(6), BOOT_MEM_FREE);
	assert_range(2, MIB(6), MIB(8), BOOT_MEM_HV);
	assert_range(3, MIB(8), MIB(12), BOOT_MEM_FREE);
}

static void odd_starts_shrink_what_is_free_and_grow_what_is_not(void **state)
{
	add(CONVENTIONAL, MIB(1) + 1, 2, WB);
	add(MMIO, MIB(2) + 1, 2, 0);
	add(CONVENTIONAL, MIB(3) + 1, 1, WB);
	assert_int_equal(build_all(), 3);
	assert_range(1, MIB(1) + PAGE_SIZE, MIB(1) + 2 * PAGE_SIZE, BOOT_MEM_FREE);
	assert_range(2, MIB(2), MIB(2) + 3 * PAGE_SIZE, BOOT_MEM_MMIO);
}

static void lengths_that_wrap_end_with_memory_and_free_nothing(void **state)
{
	add(CONVENTIONAL, GIB(1), UINT64_MAX, WB);
	add(CONVENTIONAL, MIB(1), 0, WB);
	add(MMIO, LIMIT - MIB(1), 257, 0);
	add(MMIO, LIMIT, 1, 0);
	add(MMIO, UINT64_MAX, UINT64_MAX, 0);
	assert_int_equal(build_all(), 2);
	assert_range(1, GIB(1), LIMIT, BOOT_MEM_RESERVED);
	reset(state);
	add(MMIO, GIB(1), BIT(52), 0);
	assert_int_equal(build_all(), 2);
	assert_range(1, GIB(1), LIMIT, BOOT_MEM_MMIO);
	reset(state);
	add(CONVENTIONAL, LIMIT - MIB(1), 256, WB);
	assert_int_equal(build_all(), 2);
	assert_range(1, LIMIT - MIB(1), LIMIT, BOOT_MEM_FREE);
}

static void partial_entries_are_left_out(void **state)
{
	add(CONVENTIONAL, MIB(1), 256, WB);
	for (size_t more = 0; more < 48; more++)
		assert_int_equal(build(48, more, ARRAY_SIZE(edges), ARRAY_SIZE(ranges)), 2);
	assert_int_equal(build(40, 39, ARRAY_SIZE(edges), ARRAY_SIZE(ranges)), 2);
	for (size_t stride = 0; stride < 40; stride++)
		assert_int_equal(build(stride, 0, ARRAY_SIZE(edges), ARRAY_SIZE(ranges)), 0);
}

static void too_many_entries_are_refused(void **state)
{
	const size_t n_edges = 2 * 10 + 4;

	for (size_t i = 0; i < 10; i++)
		add(CONVENTIONAL, MIB(2 * i + 1), 1, WB);
	kept = (struct boot_range){.start = GIB(1), .len = PAGE_SIZE, .use = BOOT_MEM_HV};
	for (size_t n = 0; n < n_edges; n++)
		assert_int_equal(build(48, 0, n, n_edges), 0);
	for (size_t n = 0; n < 12; n++)
		assert_int_equal(build(48, 0, n_edges, n), 0);
	assert_int_equal(build(48, 0, n_edges, 12), 12);
}

/* Per page, what the contract says, from the entries one by one. */
static int expected_use(uint64_t addr)
{
	int use = addr < PAGE_SIZE ? BOOT_MEM_RESERVED : -1;

	for (size_t i = 0; i < n_entries; i++) {
		static const int uses[] = {[LOADER_DATA] = BOOT_MEM_HV,
					   [BOOT_DATA] = BOOT_MEM_FREE,
					   [RUNTIME_DATA] = BOOT_MEM_RUNTIME,
					   [CONVENTIONAL] = BOOT_MEM_FREE,
					   [MMIO] = BOOT_MEM_MMIO};
		uint64_t start = entries[i].start, end = start + entries[i].n_pages * PAGE_SIZE;

		if (addr >= start && addr < end && uses[entries[i].type] > use)
			use = uses[entries[i].type];
	}
	return use < 0 ? NOWHERE : use;
}

static void overlaps_get_the_most_careful_use_page_for_page(void **state)
{
	static const uint32_t types[] = {LOADER_DATA, BOOT_DATA, RUNTIME_DATA, CONVENTIONAL, MMIO};

	srand(1);
	for (int round = 0; round < 2000; round++) {
		size_t n;

		reset(state);
		for (int i = rand() % 20; i > 0; i--)
			add(types[rand() % 5], (uint64_t)(rand() % 64) * PAGE_SIZE, rand() % 16,
			    WB);
		n = build_all();
		assert_true(n > 0);
		for (uint64_t page = 0; page < 90; page++)
			assert_int_equal(use_at(page * PAGE_SIZE, n),
					 expected_use(page * PAGE_SIZE));
	}
}

static void any_bytes_give_an_orderly_map(void **state)
{
	srand(2);
	for (int round = 0; round < 2000; round++) {
		n_entries = (size_t)(rand() % MAX_ENTRIES);
		for (size_t i = 0; i < n_entries * sizeof(entries[0]); i++)
			((uint8_t *)entries)[i] = (uint8_t)rand();
		for (size_t i = 0; i < n_entries; i++) {
			entries[i].type %= 17;
			entries[i].start >>= rand() % 64;
			entries[i].n_pages >>= rand() % 64;
		}
		assert_true(build_all() > 0);
		assert_int_equal(ranges[0].start, 0);
		assert_int_not_equal(ranges[0].use, BOOT_MEM_FREE);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(each_type_has_its_use, reset),
		cmocka_unit_test_setup(memory_that_is_not_plain_is_not_free, reset),
		cmocka_unit_test_setup(unsorted_neighbours_are_sorted_and_merged, reset),
		cmocka_unit_test_setup(frame_zero_is_never_free, reset),
		cmocka_unit_test_setup(holes_stay_holes, reset),
		cmocka_unit_test_setup(kept_memory_is_ours_though_called_free, reset),
		cmocka_unit_test_setup(odd_starts_shrink_what_is_free_and_grow_what_is_not, reset),
		cmocka_unit_test_setup(lengths_that_wrap_end_with_memory_and_free_nothing, reset),
		cmocka_unit_test_setup(partial_entries_are_left_out, reset),
		cmocka_unit_test_setup(too_many_entries_are_refused, reset),
		cmocka_unit_test_setup(overlaps_get_the_most_careful_use_page_for_page, reset),
		cmocka_unit_test_setup(any_bytes_give_an_orderly_map, reset),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
