/* SPDX-License-Identifier: BSD-2-Clause */
#include "hv/guest/region.h"

#include <string.h>

#include "tests/unit/support.h"

static struct mem_map map;

static enum status add(uint64_t gpa, uint64_t len)
{
	return mem_map_add(&map, &(struct mem_region){.gpa = {gpa}, .len = len, .kind = MEM_COW});
}

static int setup(void **state)
{
	memset(&map, 0, sizeof(map));
	return 0;
}

static void regions_are_sorted_in_whatever_order_they_come(void **state)
{
	static const unsigned order[] = {3, 0, 4, 1, 2};

	for (size_t i = 0; i < ARRAY_SIZE(order); i++)
		assert_int_equal(add(order[i] * 0x2000, 0x1000), OK);
	assert_int_equal(map.n, ARRAY_SIZE(order));
	for (size_t i = 0; i < map.n; i++)
		assert_int_equal(map.region[i].gpa.raw, i * 0x2000);
}

static void what_cannot_be_is_refused_and_changes_nothing(void **state)
{
	static const struct {
		uint64_t gpa, len;
		enum status want;
	} cases[] = {
		{0x1000, 0, ERR_RANGE},
		{0x1000, 0x800, ERR_RANGE},
		{0x1800, 0x1000, ERR_RANGE},
		{0xfffffffffffff000, 0x1000, ERR_RANGE},
		{0xfffffffffffff000, 0x2000, ERR_RANGE},
		{0x4000, 0x1000, ERR_OVERLAP},
		{0x4000, 0x2000, ERR_OVERLAP},
		{0x5000, 0x2000, ERR_OVERLAP},
		{0x3000, 0x2000, ERR_OVERLAP},
		{0x3000, 0x8000, ERR_OVERLAP},
		{0, MEM_HIDDEN_START, ERR_OVERLAP},
		{0xb000, MEM_HIDDEN_START - 0xa000, ERR_RANGE},
		{0x8000, 0x3000, ERR_OVERLAP},
		{0x3000, 0x1000, OK},
		{0x6000, 0x4000, OK},
		{0xb000, MEM_HIDDEN_START - 0xb000, OK},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		setup(NULL);
		assert_int_equal(add(0x4000, 0x2000), OK);
		assert_int_equal(add(0xa000, 0x1000), OK);
		struct mem_map before = map;
		assert_int_equal(add(cases[i].gpa, cases[i].len), cases[i].want);
		if (cases[i].want != OK)
			assert_memory_equal(&map, &before, sizeof(map));
	}
}

static void a_full_table_says_so(void **state)
{
	for (uint64_t i = 0; i < MEM_MAP_MAX; i++)
		assert_int_equal(add(i * 0x2000, 0x1000), OK);
	assert_int_equal(add(0x1000, 0x1000), ERR_NOMEM);
	assert_int_equal(add(0x2000, 0x1000), ERR_OVERLAP);
	assert_int_equal(map.n, MEM_MAP_MAX);
}

static void find_tells_memory_from_none(void **state)
{
	static const struct {
		uint64_t gpa;
		int want; /* index; -1: none */
	} cases[] = {
		{0, -1},	  {0xfff, -1},
		{0x1000, 0},	  {0x1fff, 0},
		{0x2000, 1},	  {0x3fff, 1},
		{0x4000, -1},	  {0x7fff, -1},
		{0x8000, 2},	  {0x8fff, 2},
		{0x9000, -1},	  {BIT(47), -1},
		{UINT64_MAX, -1}, {MEM_HIDDEN_START - 0x1001, 3},
	};

	assert_null(mem_map_find(&map, (gpa_t){0}));
	assert_int_equal(add(0x2000, 0x2000), OK);
	assert_int_equal(add(0x1000, 0x1000), OK);
	assert_int_equal(add(0x8000, 0x1000), OK);
	assert_int_equal(add(MEM_HIDDEN_START - 0x2000, 0x1000), OK);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_ptr_equal(mem_map_find(&map, (gpa_t){cases[i].gpa}),
				 cases[i].want < 0 ? NULL : &map.region[cases[i].want]);
}

static void only_private_memory_without_a_policy_is_copied_anywhere(void **state)
{
	for (unsigned kind = MEM_ROM; kind <= MEM_SHARED; kind++) {
		for (unsigned policy = POLICY_DEFAULT; policy <= POLICY_INTERLEAVE + 1; policy++) {
			struct backend backend = {.policy = (enum backend_policy)policy};
			struct mem_region region = {
				.len = PAGE_SIZE,
				.kind = (enum mem_kind)kind,
				.backend = policy > POLICY_INTERLEAVE ? NULL : &backend,
			};

			setup(NULL);
			assert_int_equal(mem_map_add(&map, &region), OK);
			assert_int_equal(map.region[0].copies_anywhere,
					 kind == MEM_COW && (policy == POLICY_DEFAULT ||
							     policy > POLICY_INTERLEAVE));
		}
	}
}

static void a_region_goes_and_its_place_is_free(void **state)
{
	for (uint64_t i = 0; i < MEM_MAP_MAX; i++)
		assert_int_equal(add(i * 0x2000, 0x1000), OK);
	mem_map_remove(&map, (gpa_t){(MEM_MAP_MAX - 1) * 0x2000});
	mem_map_remove(&map, (gpa_t){0x2000});
	assert_int_equal(map.n, MEM_MAP_MAX - 2);
	assert_null(mem_map_find(&map, (gpa_t){0x2000}));
	assert_ptr_equal(mem_map_find(&map, (gpa_t){0x4000}), &map.region[1]);
	assert_int_equal(add(0x2000, 0x2000), OK);
	assert_non_null(mem_map_find(&map, (gpa_t){0x3fff}));
}

/* Neither counted nor found with memory, and what comes and goes there leaves them in their order.
 */
static void hidden_regions_are_not_memory(void **state)
{
	const uint64_t start = MEM_HIDDEN_START;

	assert_int_equal(add(start + GIB(1), 0x1000), OK);
	assert_int_equal(add(0x1000, 0x1000), OK);
	assert_int_equal(add(start, 0x1000), OK);
	assert_int_equal(add(0x3000, 0x1000), OK);
	assert_int_equal(map.n, 2);
	assert_int_equal(mem_map_all(&map), 4);
	assert_null(mem_map_find(&map, (gpa_t){start}));
	assert_ptr_equal(mem_map_find_hidden(&map, (gpa_t){start + 0xfff}), &map.region[2]);
	assert_null(mem_map_find_hidden(&map, (gpa_t){start + 0x1000}));
	assert_null(mem_map_find_hidden(&map, (gpa_t){0x1000}));
	mem_map_remove(&map, (gpa_t){0x1000});
	assert_int_equal(map.n, 1);
	assert_int_equal(map.n_hidden, 2);
	assert_int_equal(map.region[0].gpa.raw, 0x3000);
	assert_ptr_equal(mem_map_find_hidden(&map, (gpa_t){start + GIB(1)}), &map.region[2]);
	assert_int_equal(add(start - 0x1000, 0x2000), ERR_RANGE);
	assert_int_equal(add(start, 0x1000), ERR_OVERLAP);
	assert_int_equal(add(start - 0x1000, 0x1000), OK);
	assert_int_equal(map.n, 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(regions_are_sorted_in_whatever_order_they_come, setup),
		cmocka_unit_test_setup(what_cannot_be_is_refused_and_changes_nothing, setup),
		cmocka_unit_test_setup(only_private_memory_without_a_policy_is_copied_anywhere,
				       setup),
		cmocka_unit_test_setup(a_full_table_says_so, setup),
		cmocka_unit_test_setup(find_tells_memory_from_none, setup),
		cmocka_unit_test_setup(a_region_goes_and_its_place_is_free, setup),
		cmocka_unit_test_setup(hidden_regions_are_not_memory, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
